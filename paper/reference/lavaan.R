# What lavaan says of the data sets of the simulation: writes lavaan.json beside this file.
#
#     python paper/reference/export.py FOLDER
#     LC_ALL=C.UTF-8 OPENBLAS_NUM_THREADS=1 Rscript paper/reference/lavaan.R FOLDER
#
# Two calls per data set: `default`, sem(model, data), and, where the data ask for it, `prescribed`: missing = "fiml" or
# ordered = TRUE. A call is flagged where it warns, stops or does not converge.
suppressPackageStartupMessages({
  library(lavaan)
  library(jsonlite)
})
here <- dirname(sub("^--file=", "", grep("^--file=", commandArgs(FALSE), value = TRUE)))
folder <- commandArgs(TRUE)[1]
listed <- read_json(file.path(folder, "cases.json"), simplifyVector = FALSE)

answer <- function(text, ...) {
  flagged <- FALSE
  fit <- tryCatch(
    withCallingHandlers(sem(text, ...), warning = function(w) {
      flagged <<- TRUE
      invokeRestart("muffleWarning")
    }), error = function(e) NULL)
  if (is.null(fit)) return(list(answered = FALSE, flagged = TRUE, converged = FALSE))
  converged <- isTRUE(lavInspect(fit, "converged"))
  if (!converged) return(list(answered = FALSE, flagged = TRUE, converged = FALSE))
  improper <- !suppressWarnings(isTRUE(lavInspect(fit, "post.check")))
  found <- parameterEstimates(fit, standardized = TRUE)
  paths <- found[found$op == "~", ]
  named <- function(values) setNames(as.list(signif(values, 8)), paste(paths$rhs, "->", paths$lhs))
  measures <- fitMeasures(fit)
  test <- if ("chisq.scaled" %in% names(measures)) "chisq.scaled" else "chisq"
  list(answered = TRUE, flagged = flagged || improper, converged = TRUE, improper = improper,
       std = named(paths$std.all), raw = named(paths$est), se = named(paths$se),
       chisq = signif(unname(measures[test]), 10), df = unname(measures["df"]),
       aic = if ("aic" %in% names(measures)) signif(unname(measures["aic"]), 12) else NULL)
}

answers <- lapply(listed$cases, function(case) {
  data <- read.csv(file.path(folder, case$file))
  text <- listed$texts[[paste(case$model, case$condition, sep = "/")]]
  out <- list(model = case$model, condition = case$condition, replicate = case$replicate,
              total = signif(sum(as.matrix(data), na.rm = TRUE), 12), default = answer(text, data = data))
  if (case$condition == "missing") out$prescribed <- answer(text, data = data, missing = "fiml")
  if (case$condition == "ordinal") out$prescribed <- answer(text, data = data, ordered = TRUE)
  if (case$condition == "clean" && case$model == "core") out$rival_aic <- signif(AIC(sem(listed$rival, data = data)), 12)
  out
})
printed <- lapply(listed$matrices, function(one) {
  cov <- matrix(unlist(one$cov), length(one$names), dimnames = list(unlist(one$names), unlist(one$names)))
  answer(one$text, sample.cov = cov, sample.nobs = one$n)
})
versions <- list(R = paste(R.version$major, R.version$minor, sep = "."), lavaan = as.character(packageVersion("lavaan")))
write_json(list(versions = versions, answers = answers, matrices = printed), file.path(here, "lavaan.json"),
           auto_unbox = TRUE, digits = NA, null = "null")
