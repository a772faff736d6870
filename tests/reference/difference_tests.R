# Differences of chi-square between nested models by lavaan: writes difference_tests.json beside this file.
#
#     LC_ALL=C.UTF-8 OPENBLAS_NUM_THREADS=1 Rscript tests/reference/difference_tests.R
suppressPackageStartupMessages({
  library(lavaan)
  library(jsonlite)
})
RNGkind("Mersenne-Twister", "Inversion", "Rejection")
here <- dirname(sub("^--file=", "", grep("^--file=", commandArgs(FALSE), value = TRUE)))
set.seed(20240702)
n <- 280
A <- rnorm(n); B <- .4 * A + sqrt(.84) * rnorm(n)
item <- function(f, l, m = 0) round(m + l * f + sqrt(1 - l^2) * (rchisq(n, 4) - 4) / sqrt(8), 3)
shop <- rep(c("east", "west"), c(150, 130))
d <- data.frame(a1 = item(A, .8, 3), a2 = item(A, .7, 3 + .2 * (shop == "west")), a3 = item(A, .65, 2),
                b1 = item(B, .8), b2 = item(B, .7), b3 = item(B, .75, 4), x = round(.3 * A + rnorm(n), 3), shop = shop)
gaps <- d
for (v in names(d)[1:6]) gaps[sample(n, 25), v] <- NA
cats <- d[1:6]
for (v in names(cats)) cats[[v]] <- findInterval(d[[v]], quantile(d[[v]], c(.2, .5, .8))) + 1
surveys <- list(complete = d, gaps = gaps, categories = cats)
wide <- "A =~ a1 + a2 + a3\nB =~ b1 + b2 + b3"
narrow <- "A =~ a1 + k*a2 + k*a3\nB =~ b1 + l*b2 + l*b3\nA ~~ 0.5*B"
middle <- "A =~ a1 + k*a2 + m*a3\nB =~ b1 + b2 + b3\nk + m == 1.7"
further <- "A =~ a1 + k*a2 + m*a3\nB =~ b1 + l*b2 + l*b3\nk + m == 1.7\nA ~~ 0*B"
path <- "A =~ a1 + a2 + a3\nB =~ b1 + b2 + b3\nB ~ A + x\nA ~ x"
nopath <- "A =~ a1 + k*a2 + k*a3\nB =~ b1 + b2 + b3\nB ~ A\nA ~ x"
cases <- list(
  plain = list(wide = wide, narrow = narrow, data = "complete"),
  linear = list(wide = middle, narrow = further, data = "complete"),
  means = list(wide = wide, narrow = narrow, data = "complete", options = list(meanstructure = TRUE)),
  covariate = list(wide = path, narrow = nopath, data = "complete"),
  metric = list(wide = wide, narrow = wide, data = "complete", options = list(group = "shop"), equal = "loadings"),
  scalar = list(wide = wide, narrow = wide, data = "complete", options = list(group = "shop", group.equal = "loadings"),
                equal = c("loadings", "intercepts")),
  gaps = list(wide = wide, narrow = narrow, data = "gaps", options = list(missing = "fiml")),
  categories = list(wide = wide, narrow = narrow, data = "categories", options = list(ordered = TRUE))
)
estimators <- list(plain = c("MLM", "MLMV", "MLR"), linear = c("MLM", "MLR"), means = c("MLM", "MLR"),
                   covariate = c("MLM", "MLMV", "MLR"), metric = c("MLM", "MLMV", "MLR"),
                   scalar = c("MLM", "MLMV", "MLR"), gaps = "MLR", categories = c("WLSMV", "ULSMV"))
methods <- list(
  default = list(), sb2001 = list(method = "satorra.bentler.2001"), sb2010 = list(method = "satorra.bentler.2010"),
  delta_shifted = list(method = "satorra.2000", A.method = "delta", scaled.shifted = TRUE),
  delta = list(method = "satorra.2000", A.method = "delta", scaled.shifted = FALSE),
  exact_shifted = list(method = "satorra.2000", A.method = "exact", scaled.shifted = TRUE),
  exact = list(method = "satorra.2000", A.method = "exact", scaled.shifted = FALSE)
)
fitted <- function(arguments) {
  fit <- suppressWarnings(do.call("sem", c(arguments, list(control = list(rel.tol = 1e-13)))))
  if (!lavInspect(fit, "converged")) fit <- do.call("sem", arguments)
  fit
}
run <- function(name) {
  case <- cases[[name]]
  case$tests <- lapply(setNames(nm = estimators[[name]]), function(estimator) {
    shared <- c(list(data = surveys[[case$data]], estimator = estimator), case$options)
    first <- fitted(c(list(model = case$wide), shared))
    if (!is.null(case$equal)) shared$group.equal <- case$equal
    second <- fitted(c(list(model = case$narrow), shared))
    found <- lapply(methods, function(method) {
      test <- tryCatch(suppressWarnings(do.call("lavTestLRT", c(list(first, second), method))), error = function(e) NULL)
      if (is.null(test)) return(NULL)
      list(chisq_diff = test[2, "Chisq diff"], df_diff = test[2, "Df diff"], pvalue = test[2, "Pr(>Chisq)"])
    })
    found[!vapply(found, is.null, TRUE)]
  })
  case
}
out <- list(versions = list(R = R.version.string, lavaan = as.character(packageVersion("lavaan"))),
            data = lapply(surveys, as.list), cases = lapply(setNames(nm = names(cases)), run))
write_json(out, file.path(here, "difference_tests.json"), digits = 12, auto_unbox = TRUE, na = "null")
