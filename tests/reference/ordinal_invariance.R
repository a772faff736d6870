# Measurement invariance of ordinal items by lavaan with the constraints of Wu and Estabrook (2016), which
# semTools::measEq.syntax writes. Run from the root of the project:
#
#     LC_ALL=C.UTF-8 OPENBLAS_NUM_THREADS=1 Rscript tests/reference/ordinal_invariance.R
#
# Two groups; items of two to five categories. The loading and the threshold of the binary item y4 stay free up to the
# step in which intercepts are equal, since they can be tested only together.
suppressMessages({library(lavaan); library(semTools); library(jsonlite)})
RNGkind("Mersenne-Twister", "Inversion", "Rejection")
set.seed(20261122)
size <- c(north = 420, south = 380)
loadings <- c(0.8, 0.75, 0.7, 0.75, 0.8, 0.7, 0.75, 0.8)
cuts <- list(c(-1, 0, 1), c(-0.9, 0.1, 0.9), c(-0.6, 0.6), 0.2, c(-0.8, 0.2, 1.1), c(-1.3, -0.4, 0.5, 1.3),
  c(-0.7, 0.3, 1.2), c(-1.1, -0.2, 0.8))
survey <- do.call(rbind, lapply(names(size), function(label) {
  n <- size[[label]]
  south <- label == "south"
  f <- rnorm(n, if (south) 0.3 else 0, if (south) 1.1 else 1)
  g <- 0.5 * f + 0.85 * rnorm(n)
  own <- loadings
  own[6] <- if (south) 0.3 else own[6]
  shift <- rep(0, 8)
  shift[8] <- if (south) 0.45 else 0
  out <- as.data.frame(sapply(1:8, function(j) {
    tau <- cuts[[j]]
    if (j == 2 && south) tau[2] <- tau[2] + 0.5
    y <- shift[j] + own[j] * (if (j <= 4) f else g) + sqrt(1 - loadings[j]^2) * rnorm(n)
    findInterval(y, tau) + 1L
  }))
  names(out) <- paste0("y", 1:8)
  out$region <- label
  out
}))
model <- "f =~ y1 + y2 + y3 + y4\ng =~ y5 + y6 + y7 + y8"
sets <- list(configural = "", thresholds = "thresholds", metric = c("thresholds", "loadings"),
  scalar = c("thresholds", "loadings", "intercepts"), strict = c("thresholds", "loadings", "intercepts", "residuals"))
binary <- list(configural = "", thresholds = "y4 | t1", metric = c("y4 | t1", "f =~ y4"), scalar = "", strict = "")
syntaxes <- function(partial, parameterization) sapply(names(sets), function(step) {
  spared <- setdiff(c(binary[[step]], partial[[step]]), "")
  arguments <- list(model, data = survey, ordered = paste0("y", 1:8), parameterization = parameterization,
    ID.fac = "std.lv", ID.cat = "Wu.Estabrook.2016", group = "region")
  if (!identical(sets[[step]], "")) arguments$group.equal <- sets[[step]]
  if (length(spared)) arguments$group.partial <- spared
  text <- as.character(do.call(measEq.syntax, arguments))
  # A threshold of the binary item that is free in every group leaves its intercept at zero.
  if (step %in% c("thresholds", "metric")) text <- sub("y4 ~ c\\(0, NA\\)", "y4 ~ c(0, 0)", text)
  text
})
steps <- function(partial = list(), parameterization = "theta") {
  texts <- syntaxes(partial, parameterization)
  fits <- lapply(texts, function(text) cfa(text, survey, ordered = paste0("y", 1:8), group = "region",
    parameterization = parameterization))
  keys <- c(chisq = "chisq.scaled", df = "df", pvalue = "pvalue.scaled", cfi_scaled = "cfi.scaled",
    rmsea_scaled = "rmsea.scaled", cfi = "cfi.robust", rmsea = "rmsea.robust", srmr = "srmr")
  tests <- lapply(2:5, function(k) {
    t <- lavTestLRT(fits[[k - 1]], fits[[k]], method = "satorra.2000")
    list(chisq_diff = t[2, "Chisq diff"], df_diff = t[2, "Df diff"], pvalue = t[2, "Pr(>Chisq)"])
  })
  means <- parameterEstimates(fits$scalar)
  list(
    syntax = as.list(texts),
    measures = lapply(fits, function(fit) {
      found <- as.list(fitMeasures(fit)[keys])
      names(found) <- names(keys)
      found
    }),
    tests = setNames(tests, names(sets)[2:5]),
    means = as.list(means[means$op == "~1" & means$lhs %in% c("f", "g") & means$group == 2, c("lhs", "est", "se")])
  )
}
released <- list(configural = "", thresholds = "y2 | t2", metric = c("y2 | t2", "g =~ y6"),
  scalar = c("y2 | t2", "g =~ y6", "y6 ~ 1", "y8 ~ 1"), strict = c("y2 | t2", "g =~ y6", "y6 ~ 1", "y8 ~ 1"))
out <- list(about = "lavaan and semTools: invariance of ordinal items in two groups",
  versions = list(R = R.version.string, lavaan = as.character(packageVersion("lavaan")),
    semTools = as.character(packageVersion("semTools"))),
  data = as.list(survey), model = model, full = steps(), partial = steps(released))
write(toJSON(out, digits = 12, auto_unbox = TRUE, na = "null"), "tests/reference/ordinal_invariance.json")
