# Residuals with their standard errors by lavaan: writes residuals.json beside this file.
#
#     LC_ALL=C.UTF-8 OPENBLAS_NUM_THREADS=1 Rscript tests/reference/residuals.R
suppressPackageStartupMessages({
  library(lavaan)
  library(jsonlite)
})
RNGkind("Mersenne-Twister", "Inversion", "Rejection")
here <- dirname(sub("^--file=", "", grep("^--file=", commandArgs(FALSE), value = TRUE)))
set.seed(20240703)
n <- 300
A <- rnorm(n); B <- .5 * A + sqrt(.75) * rnorm(n)
item <- function(f, l, m = 0) round(m + l * f + sqrt(1 - l^2) * (rchisq(n, 4) - 4) / sqrt(8), 3)
shop <- rep(c("east", "west"), c(170, 130))
d <- data.frame(a1 = item(A, .8, 3), a2 = item(A, .7, 3 + .2 * (shop == "west")), a3 = item(A, .65, 2),
                b1 = item(B, .8), b2 = item(B + .3 * A, .7), b3 = item(B, .75, 4), x = round(.3 * A + rnorm(n), 3),
                shop = shop)
d$a3 <- d$a3 + .3 * d$b1
gaps <- d
for (v in names(d)[1:6]) gaps[sample(n, 25), v] <- NA
cats <- d[1:6]
for (v in names(cats)) cats[[v]] <- findInterval(d[[v]], quantile(d[[v]], c(.2, .5, .8))) + 1
surveys <- list(complete = d, gaps = gaps, categories = cats)
two <- "A =~ a1 + a2 + a3\nB =~ b1 + b2 + b3"
cases <- list(
  ML = list(model = two, data = "complete"),
  means = list(model = two, data = "complete", options = list(meanstructure = TRUE)),
  restricted = list(model = paste0(two, "\na1 ~ m*1\na2 ~ m*1\na3 ~ m*1"), data = "complete"),
  equal = list(model = "A =~ a1 + k*a2 + k*a3\nB =~ b1 + l*b2 + m*b3\nl + m == 2", data = "complete"),
  covariate = list(model = paste0(two, "\nB ~ A\nA ~ x"), data = "complete"),
  random = list(model = paste0(two, "\nB ~ A\nA ~ x"), data = "complete", options = list(fixed.x = FALSE)),
  groups = list(model = two, data = "complete",
                options = list(group = "shop", group.equal = c("loadings", "intercepts"))),
  apart = list(model = two, data = "complete", options = list(group = "shop")),
  MLM = list(model = two, data = "complete", options = list(estimator = "MLM")),
  MLR = list(model = two, data = "complete", options = list(estimator = "MLR")),
  GLS = list(model = two, data = "complete", options = list(estimator = "GLS")),
  WLS = list(model = two, data = "complete", options = list(estimator = "WLS")),
  fiml = list(model = two, data = "gaps", options = list(missing = "fiml")),
  fiml_MLR = list(model = two, data = "gaps", options = list(missing = "fiml", estimator = "MLR")),
  WLSMV = list(model = two, data = "categories", options = list(ordered = TRUE)),
  ULSMV = list(model = two, data = "categories", options = list(ordered = TRUE, estimator = "ULSMV"))
)
lower <- function(x) if (is.null(x)) NULL else as.numeric(x[lower.tri(x, diag = TRUE)])
of_group <- function(block) list(names = rownames(block$cov), cov = lower(block$cov), cov_se = lower(block$cov.se),
  cov_z = lower(block$cov.z), mean = as.numeric(block$mean), mean_se = as.numeric(block$mean.se),
  mean_z = as.numeric(block$mean.z), thresholds = as.numeric(block$th),
  summary = if (is.null(block$summary)) NULL else as.list(as.data.frame(t(as.matrix(block$summary)))))
run <- function(case) {
  arguments <- c(list(model = case$model, data = surveys[[case$data]]), case$options)
  fit <- suppressWarnings(do.call("sem", c(arguments, list(control = list(rel.tol = 1e-13)))))
  if (!lavInspect(fit, "converged")) fit <- do.call("sem", arguments)
  several <- lavInspect(fit, "ngroups") > 1
  each <- function(found) if (several) unname(lapply(found, of_group)) else list(of_group(found))
  # lavaan has no residual standard errors of some estimators.
  safe <- function(expression) tryCatch(suppressWarnings(expression), error = function(e) conditionMessage(e))
  types <- c(raw = "raw", cor = "cor.bollen", bentler = "cor.bentler")
  case$residuals <- lapply(types, function(type) safe(each(lavResiduals(fit, type = type, se = TRUE))))
  plain <- c(normalized = "normalized", standardized = "standardized")
  case$plain <- lapply(plain, function(type) safe(each(residuals(fit, type = type))))
  case
}
out <- list(versions = list(R = R.version.string, lavaan = as.character(packageVersion("lavaan"))),
            data = lapply(surveys, as.list), cases = lapply(cases, run))
write_json(out, file.path(here, "residuals.json"), digits = 12, auto_unbox = TRUE, na = "null")
