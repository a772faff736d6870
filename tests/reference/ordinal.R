# Thresholds, polychoric correlations and their sampling covariance by lavaan: writes ordinal.json beside this file.
#
#     LC_ALL=C.UTF-8 OPENBLAS_NUM_THREADS=1 Rscript tests/reference/ordinal.R
#
# Two simulated surveys: items of 2, 5 and 7 categories, some skewed; and a small, sparse one, where the table of two
# dichotomies has an empty cell. Then fits of a model of loyalty to the first by every estimator for ordered items.

suppressPackageStartupMessages({
  library(lavaan)
  library(jsonlite)
})
RNGkind("Mersenne-Twister", "Inversion", "Rejection")
here <- dirname(sub("^--file=", "", grep("^--file=", commandArgs(FALSE), value = TRUE)))

cut_at <- function(x, at) as.integer(findInterval(x, at)) + 1L
likert <- function(n, seed, cuts, loadings, between) {
  set.seed(seed)
  f <- rnorm(n)
  g <- between * f + sqrt(1 - between^2) * rnorm(n)
  half <- seq_along(loadings) <= length(loadings) / 2
  out <- sapply(seq_along(loadings), function(j) {
    y <- loadings[j] * (if (half[j]) f else g) + sqrt(1 - loadings[j]^2) * rnorm(n)
    cut_at(y, cuts[[j]])
  })
  colnames(out) <- paste0("y", seq_along(loadings))
  as.data.frame(out)
}
five <- c(-1.5, -0.6, 0.3, 1.2)
skewed <- c(-2.1, -1.6, -1.0, -0.2)
seven <- c(-1.8, -1.1, -0.5, 0.1, 0.8, 1.5)
surveys <- list(
  mixed = likert(400, 5, list(0.2, five, skewed, seven, five, 0.9, seven, skewed),
    c(0.7, 0.8, 0.75, 0.6, 0.7, 0.8, 0.85, 0.65), 0.6),
  sparse = likert(120, 8, list(1.5, -1.3, skewed, five, seven, -1.5), c(0.4, 0.8, 0.75, 0.7, 0.8, 0.75), 0.8)
)

model <- function(p) {
  half <- p %/% 2
  paste0("f =~ ", paste0("y", 1:half, collapse = " + "), "\ng =~ ", paste0("y", (half + 1):p, collapse = " + "))
}
samples <- lapply(surveys, function(data) {
  fit <- suppressWarnings(cfa(model(ncol(data)), data, ordered = TRUE, do.fit = FALSE))
  gamma <- lavInspect(fit, "gamma")
  list(
    data = as.list(data),
    thresholds = as.numeric(lavInspect(fit, "sampstat")$th),
    rho = unname(unclass(lavInspect(fit, "sampstat")$cov)),
    gamma_diagonal = unname(diag(gamma)),
    gamma_first = unname(gamma[1, ]),
    gamma_last = unname(gamma[nrow(gamma), ])
  )
})

text <- "f =~ y1 + y2 + y3 + y4
g =~ y5 + y6 + y7 + y8
g ~ b*f
y2 ~~ y6
twice := 2*b"
fits <- lapply(c(WLSMV = "WLSMV", ULSMV = "ULSMV", WLS = "WLS", DWLS = "DWLS", ULS = "ULS"), function(estimator) {
  fit <- sem(text, surveys$mixed, ordered = TRUE, estimator = estimator)
  table <- parameterEstimates(fit, standardized = TRUE)
  # The measures that lavaan 0.6 and 0.7 define alike.
  measures <- as.list(unclass(fitMeasures(fit)))
  index <- modindices(fit, sort. = TRUE)[1:8, c("lhs", "op", "rhs", "mi", "epc")]
  list(
    estimates = table[, c("lhs", "op", "rhs", "est", "se", "std.lv", "std.all")],
    measures = lapply(measures[!is.na(measures)], as.numeric),
    r2 = as.list(lavInspect(fit, "r2")),
    modification = index
  )
})
write_json(list(samples = samples, model = text, fits = fits), file.path(here, "ordinal.json"), digits = NA,
  auto_unbox = TRUE, dataframe = "rows", pretty = FALSE)
