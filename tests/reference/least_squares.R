# Reference fits by least squares with lavaan: writes least_squares.json beside this file.
#
#     LC_ALL=C.UTF-8 OPENBLAS_NUM_THREADS=1 Rscript tests/reference/least_squares.R
#
# The data are those of fits.json. Compared by tests/fitting/test_least_squares.py. DWLS on continuous answers is
# that of lavaan 0.6-14; later releases weight differently. By default lavaan holds covariates fixed with likelihood
# only.

suppressPackageStartupMessages({
  library(lavaan)
  library(jsonlite)
})

here <- dirname(sub("^--file=", "", grep("^--file=", commandArgs(FALSE), value = TRUE)))
survey <- as.data.frame(fromJSON(file.path(here, "fits.json"))$datasets$survey)

small <- "Quality =~ q1 + q2 + q3\nSatisfaction =~ s1 + s2 + s3\nLoyalty =~ l1 + l2 + l3"
paths <- "Quality =~ q1 + q2 + q3\nLoyalty =~ l1 + l2 + l3\nQuality ~ age + income\nLoyalty ~ Quality + income\nvisits ~ Loyalty"
constrained <- paste0(small, "\nq1 ~~ r*q1\nq2 ~~ s*q2\nr == 1.2*s")
indirect <- paste0(small, "\nSatisfaction ~ a*Quality\nLoyalty ~ b*Satisfaction\nab := a*b")

cases <- list()
add <- function(name, model, ...) {
  cases[[length(cases) + 1]] <<- list(name = name, model = model, args = list(...), matrix = FALSE)
}
add("gls_means", small, estimator = "GLS", meanstructure = TRUE)
add("gls_covariates", paths, estimator = "GLS")
add("gls_covariates_means", paths, estimator = "GLS", meanstructure = TRUE)
add("gls_fixed_covariates", paths, estimator = "GLS", fixed.x = TRUE)
add("gls_fixed_covariates_means", paths, estimator = "GLS", fixed.x = TRUE, meanstructure = TRUE)
add("gls_constraint", constrained, estimator = "GLS")
add("gls_group_scalar", small, estimator = "GLS", group = "segment", group.equal = c("loadings", "intercepts"))
add("gls_matrix", indirect, estimator = "GLS")
cases[[length(cases)]]$matrix <- TRUE
add("uls_covariates_means", paths, estimator = "ULS", meanstructure = TRUE)
add("uls_group_metric", small, estimator = "ULS", group = "segment", group.equal = "loadings")
add("uls_matrix", indirect, estimator = "ULS")
cases[[length(cases)]]$matrix <- TRUE
add("wls_means_indirect", indirect, estimator = "WLS", meanstructure = TRUE)
add("wls_covariates", paths, estimator = "WLS")
add("wls_fixed_covariates", paths, estimator = "WLS", fixed.x = TRUE)
add("wls_constraint", constrained, estimator = "WLS")
add("wls_group_metric", small, estimator = "WLS", group = "segment", group.equal = "loadings")
add("dwls_covariates_means", paths, estimator = "DWLS", meanstructure = TRUE)
add("dwls_fixed_covariates", paths, estimator = "DWLS", fixed.x = TRUE)
add("dwls_group_metric", small, estimator = "DWLS", group = "segment", group.equal = "loadings")

quietly <- function(expr) suppressWarnings(tryCatch(expr, error = function(e) NULL))
columns <- c("lhs", "op", "rhs", "group", "label", "est", "se", "z", "pvalue", "ci.lower", "ci.upper", "std.lv",
  "std.all")
dots <- function(x) setNames(x, gsub(".", "_", names(x), fixed = TRUE))

run <- function(case) {
  call <- c(list(model = case$model), case$args)
  if (case$matrix) {
    call$sample.cov <- round(cov(survey[c("q1", "q2", "q3", "s1", "s2", "s3", "l1", "l2", "l3")]), 5)
    call$sample.nobs <- 300
  } else call$data <- survey
  # The tightest stopping rule that the optimiser still calls convergence.
  for (tolerance in c(1e-15, 1e-14, 1e-13, 1e-12, 1e-11, 1e-10, 1e-9)) {
    control <- list(optim.attempts = 1L, control = list(rel.tol = tolerance, iter.max = 20000))
    fit <- quietly(do.call("sem", c(call, control)))
    if (is.null(fit) || !lavInspect(fit, "converged")) next
    baseline <- quietly(fitMeasures(fit, "baseline.chisq"))  # its own minimisation must end as well
    if (!is.null(baseline) && is.finite(baseline)) break
  }
  if (is.null(fit) || !lavInspect(fit, "converged")) stop("no solution: ", case$name)
  out <- case[c("name", "model", "args", "matrix")]
  out$rel_tol <- tolerance
  out$max_gradient <- max(abs(lavTech(fit, "optim.gradient")))
  pe <- parameterEstimates(fit, standardized = TRUE)
  pe <- pe[!pe$op %in% c("==", "<", ">"), ]
  if (is.null(pe$group)) pe$group <- ifelse(pe$op == ":=", 0L, 1L)
  if (is.null(pe$label)) pe$label <- ""
  out$estimates <- dots(lapply(pe[columns], I))
  m <- unclass(fitMeasures(fit))
  out$fit <- as.list(dots(m[!grepl("ci.level|notclose|\\.h0", names(m))]))
  m <- quietly(modificationIndices(fit))
  if (!is.null(m)) {
    if (is.null(m$group)) m$group <- rep(1L, nrow(m))
    m <- m[is.finite(m$mi), ]
    m <- head(m[order(-m$mi), ], 10)
    out$mi <- dots(lapply(m[c("lhs", "op", "rhs", "group", "mi", "epc", "sepc.all")], I))
  }
  out
}
found <- lapply(cases, run)
versions <- list(R = R.version.string, lavaan = as.character(packageVersion("lavaan")))
matrix_input <- round(cov(survey[c("q1", "q2", "q3", "s1", "s2", "s3", "l1", "l2", "l3")]), 5)
write_json(
  list(about = "lavaan fits by least squares; made by least_squares.R", versions = versions,
    matrix = list(names = colnames(matrix_input), cov = unclass(unname(matrix_input)), nobs = 300), cases = found),
  file.path(here, "least_squares.json"), auto_unbox = TRUE, digits = 15, na = "null", null = "null")
