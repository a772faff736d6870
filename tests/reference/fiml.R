# lavaan on incomplete data: writes fiml.json beside this file, data included.
#
#     LC_ALL=C.UTF-8 OPENBLAS_NUM_THREADS=1 Rscript tests/reference/fiml.R
#
# Simulated answers with holes; sl.fit(..., missing="fiml") must reproduce estimates, standard errors, fit measures and
# modification indices.

suppressPackageStartupMessages({
  library(lavaan)
  library(jsonlite)
})
RNGkind("Mersenne-Twister", "Inversion", "Rejection")
here <- dirname(sub("^--file=", "", grep("^--file=", commandArgs(FALSE), value = TRUE)))

set.seed(23)
n <- 220
x1 <- rnorm(n)
x2 <- 0.4 * x1 + rnorm(n)
f <- 0.4 * x1 + rnorm(n)
g <- 0.6 * f + 0.3 * x2 + 0.8 * rnorm(n)
# Skewed, heavy-tailed errors, so that corrections for non-normality have something to correct.
e <- function() (rchisq(n, 4) - 4) / sqrt(8)
data <- data.frame(
  y1 = 4 + f + 0.7 * e(), y2 = 3 + 0.8 * f + 0.8 * e(), y3 = 5 + 0.9 * f + 0.6 * e(), y4 = 4 + 0.7 * f + 0.9 * e(),
  z1 = 2 + g + 0.8 * e(), z2 = 4 + 1.1 * g + 0.9 * e(), z3 = 3 + 0.7 * g + 0.7 * e(),
  x1 = x1, x2 = x2
)
data <- round(data, 3)
complete <- data
for (name in c(paste0("y", 1:4), paste0("z", 1:3))) data[runif(n) < 0.12, name] <- NA
# Missing at random: who answers z3 depends on x1.
data[runif(n) < plogis(-2 + 1.5 * data$x1), "z3"] <- NA
data[c(17, 90, 151), c(paste0("y", 1:4), paste0("z", 1:3))] <- NA
data[c(5, 17, 40, 120, 121), "x1"] <- NA
data[c(8, 17, 120), "x2"] <- NA
data$group <- rep(c("north", "south"), c(120, 100))
data[data$group == "south", "y2"] <- data[data$group == "south", "y2"] + 0.4

cfa2 <- "f =~ y1 + y2 + y3 + y4\ng =~ z1 + z2 + z3"
chain <- "f =~ y1 + y2 + y3 + y4\ng =~ z1 + z2 + z3\ng ~ f"
mimic <- "f =~ y1 + y2 + y3 + y4\ng =~ z1 + z2 + z3\ng ~ b*f + x2\nf ~ a*x1\nab := a*b"
cases <- list(
  list(name = "cfa", model = cfa2, args = list()),
  list(name = "chain_std_lv_equal", model = "f =~ y1 + k*y2 + k*y3 + y4\ng =~ z1 + z2 + z3\ng ~ f",
    args = list(std.lv = TRUE)),
  list(name = "mimic", model = mimic, args = list()),
  list(name = "mimic_random_x", model = mimic, args = list(fixed.x = FALSE)),
  list(name = "mimic_written_x", model = paste0(mimic, "\nx1 ~~ x1 + x2\nx2 ~~ x2\nx1 ~ 1\nx2 ~ 1"), args = list()),
  list(name = "path", model = "y3 ~ x1 + y1\ny1 ~ x1 + x2", args = list()),
  list(name = "groups_metric", model = chain, args = list(group = "group", group.equal = "loadings")),
  list(name = "groups_mimic", model = mimic, args = list(group = "group"), drop = "ab := a*b"),
  list(name = "cfa_mlr", model = cfa2, args = list(estimator = "MLR")),
  list(name = "chain_mlr_equal", model = "f =~ y1 + k*y2 + k*y3 + y4\ng =~ z1 + z2 + z3\ng ~ f",
    args = list(estimator = "MLR")),
  list(name = "mimic_mlr", model = mimic, args = list(estimator = "MLR")),
  list(name = "groups_mlr", model = chain,
    args = list(estimator = "MLR", group = "group", group.equal = c("loadings", "intercepts")))
)

out <- lapply(cases, function(case) {
  if (!is.null(case$drop)) case$model <- "f =~ y1 + y2 + y3 + y4\ng =~ z1 + z2 + z3\ng ~ f + x2\nf ~ x1"
  call <- c(list(model = case$model, data = data, missing = "ml", warn = FALSE,
    em.h1.iter.max = 20000, em.h1.tol = 1e-12), case$args)
  # nlminb cannot always give what it is asked for; the tightest tolerance at which it says it converged counts.
  for (tolerance in c(1e-14, 1e-13, 1e-12, 1e-11, 1e-10)) {
    fitted <- do.call("sem", c(call, list(control = list(rel.tol = tolerance, iter.max = 5000))))
    if (lavInspect(fitted, "converged")) break
  }
  estimates <- parameterEstimates(fitted, standardized = TRUE, remove.nonfree = FALSE)
  if (is.null(estimates$group)) estimates$group <- 1L
  columns <- c("lhs", "op", "rhs", "group", "est", "se", "std.lv", "std.all")
  mi <- if (is.null(case$args$group.equal) && !grepl("k\\*", case$model))
    head(modindices(fitted, sort. = TRUE), 8)[, c("lhs", "op", "rhs", "mi", "epc")] else NULL
  list(name = case$name, model = case$model, args = case$args, n = lavInspect(fitted, "ntotal"),
    estimates = estimates[, columns], fit = as.list(fitMeasures(fitted)), mi = mi)
})
writeLines(toJSON(list(
  versions = list(R = as.character(getRversion()), lavaan = as.character(packageVersion("lavaan"))),
  data = data, cases = out
), auto_unbox = TRUE, digits = NA, na = "null", dataframe = "columns"), file.path(here, "fiml.json"))
