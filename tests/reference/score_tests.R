# Score tests of equality constraints by lavaan: writes score_tests.json beside this file.
#
#     LC_ALL=C.UTF-8 OPENBLAS_NUM_THREADS=1 Rscript tests/reference/score_tests.R
suppressPackageStartupMessages({
  library(lavaan)
  library(jsonlite)
})
RNGkind("Mersenne-Twister", "Inversion", "Rejection")
here <- dirname(sub("^--file=", "", grep("^--file=", commandArgs(FALSE), value = TRUE)))
set.seed(20240701)
n <- 260
A <- rnorm(n); B <- .5 * A + sqrt(.75) * rnorm(n)
item <- function(f, l, m = 0) round(m + l * f + sqrt(1 - l^2) * (rchisq(n, 4) - 4) / sqrt(8), 3)
shop <- rep(c("east", "west", "north"), length.out = n)
d <- data.frame(a1 = item(A, .8, 3), a2 = item(A, .7, 3 + .3 * (shop == "west")), a3 = item(A, .6, 2),
                a4 = item(A, .75, 2), b1 = item(B, .8), b2 = item(B, .65), b3 = item(B, .7, 4), b4 = item(B, .8, 4),
                shop = shop)
gaps <- d
for (v in names(d)[1:8]) gaps[sample(n, 20), v] <- NA
cats <- d
for (v in names(d)[1:8]) cats[[v]] <- findInterval(d[[v]], quantile(d[[v]], c(.2, .5, .8))) + 1
measured <- "A =~ a1 + a2 + a3 + a4\nB =~ b1 + b2 + b3 + b4"
labels <- "A =~ a1 + k*a2 + k*a3 + k*a4\nB =~ b1 + l*b2 + m*b3 + b4\na1 ~~ v*a1\na2 ~~ v*a2\nB ~ A\nl + k == 2*m"
some <- "A =~ a1 + k*a2 + k*a3 + k*a4\nB =~ b1 + l*b2 + m*b3 + b4\nB ~ A\nl == m"
cases <- list(
  labels = list(model = labels, data = "complete"),
  observed = list(model = labels, data = "complete", information = "observed"),
  groups = list(model = measured, data = "complete", group = "shop", equal = c("loadings", "intercepts")),
  partial = list(model = measured, data = "complete", group = "shop", equal = c("loadings", "intercepts", "residuals"),
                 partial = c("a2 ~ 1", "B =~ b3")),
  scales = list(model = measured, data = "complete", group = "shop", equal = "loadings", std_lv = TRUE),
  fiml = list(model = labels, data = "gaps", missing = "fiml"),
  MLR = list(model = labels, data = "complete", estimator = "MLR"),
  GLS = list(model = labels, data = "complete", estimator = "GLS"),
  ULS = list(model = labels, data = "complete", estimator = "ULS"),
  WLS = list(model = labels, data = "complete", estimator = "WLS"),
  DWLS = list(model = labels, data = "complete", estimator = "DWLS"),
  GLS_groups = list(model = measured, data = "complete", group = "shop", equal = "loadings", estimator = "GLS"),
  WLSMV = list(model = some, data = "categories", estimator = "WLSMV", ordered = TRUE),
  ULSMV = list(model = some, data = "categories", estimator = "ULSMV", ordered = TRUE)
)
surveys <- list(complete = d, gaps = gaps, categories = cats)
run <- function(case) {
  arguments <- list(model = case$model, data = surveys[[case$data]], estimator = case$estimator %||% "ML",
                    missing = case$missing %||% "listwise", ordered = isTRUE(case$ordered),
                    std.lv = isTRUE(case$std_lv))
  if (!is.null(case$group)) arguments <- c(arguments, list(group = case$group, group.equal = case$equal))
  if (!is.null(case$partial)) arguments$group.partial <- case$partial
  # Near linear constraints lavaan's optimiser does not always reach a tighter tolerance than its own.
  fit <- suppressWarnings(do.call("sem", c(arguments, list(control = list(rel.tol = 1e-13)))))
  if (!lavInspect(fit, "converged")) fit <- do.call("sem", arguments)
  found <- suppressWarnings(lavTestScore(fit, information = case$information %||% "expected"))
  case$total <- list(x2 = found$test$X2, df = found$test$df, pvalue = found$test$p.value)
  case$uni <- data.frame(lhs = found$uni$lhs, rhs = found$uni$rhs, x2 = found$uni$X2, df = found$uni$df,
                         pvalue = found$uni$p.value)
  case
}
`%||%` <- function(a, b) if (is.null(a)) b else a
out <- list(versions = list(R = R.version.string, lavaan = as.character(packageVersion("lavaan"))),
            data = lapply(surveys, as.list), cases = lapply(cases, run))
write_json(out, file.path(here, "score_tests.json"), digits = 12, auto_unbox = TRUE, dataframe = "rows", na = "null")
