# Reference values of item statistics, Mardia's coefficients, Mahalanobis distances and Little's test.
# Rscript tests/reference/screening.R > tests/reference/screening.json
suppressPackageStartupMessages({
  library(psych)
  library(semTools)
  library(lavaan)
  library(jsonlite)
})
RNGversion("4.0.0")
set.seed(20240517)
n <- 60
f <- rnorm(n)
answers <- sapply(1:4, function(j) pmin(pmax(round(3.4 + 0.8 * f + rnorm(n, sd = 0.8)), 1), 5))
colnames(answers) <- paste0("q", 1:4)

holes <- answers
holes[1:9, "q1"] <- NA
holes[7:15, "q3"] <- NA
holes[40:44, c("q2", "q4")] <- NA

# Saturated normal model by full-information maximum likelihood, then Little (1988), written out.
# The baseline model, which is not used, does not converge at this tolerance.
fit <- suppressWarnings(cfa("q1 ~~ q2 + q3 + q4\nq2 ~~ q3 + q4\nq3 ~~ q4", as.data.frame(holes), missing = "ml",
  meanstructure = TRUE, control = list(rel.tol = 1e-14), em.h1.iter.max = 50000, em.h1.tol = 1e-13))
h1 <- lavInspect(fit, "implied")
mu <- as.numeric(h1$mean)
S <- unclass(h1$cov)
seen <- !is.na(holes)
key <- apply(seen, 1, paste, collapse = "")
d2 <- 0
df <- -ncol(holes)
for (k in unique(key)) {
  rows <- holes[key == k, , drop = FALSE]
  o <- seen[which(key == k)[1], ]
  gap <- colMeans(rows[, o, drop = FALSE]) - mu[o]
  d2 <- d2 + nrow(rows) * drop(gap %*% solve(S[o, o], gap))
  df <- df + sum(o)
}

moments <- function(type) {
  lapply(list(skewness = psych::skew(answers, type = type), kurtosis = psych::kurtosi(answers, type = type)), as.numeric)
}
m <- mardia(answers, plot = FALSE)
centred <- scale(answers, scale = FALSE)
G <- centred %*% solve(crossprod(centred) / n, t(centred))
distance <- outlier(answers, plot = FALSE)
cat(toJSON(list(
  versions = list(R = as.character(getRversion()), psych = as.character(packageVersion("psych")),
    semTools = as.character(packageVersion("semTools")), lavaan = as.character(packageVersion("lavaan"))),
  note = "psych and semTools divide the covariance matrix by n - 1, Mardia (1970) by n (by_definition)",
  answers = answers,
  holes = holes,
  describe = describe(answers)[, c("mean", "sd", "min", "max")],
  type2 = moments(2),
  psych_mardia = list(b1p = m$b1p, b2p = m$b2p, skew = m$skew, small_skew = m$small.skew, p_skew = m$p.skew,
    p_small = m$p.small, kurtosis = m$kurtosis, p_kurt = m$p.kurt),
  by_definition = list(b1p = sum(G^3) / n^2, b2p = sum(diag(G)^2) / n),
  semtools_skew = as.list(mardiaSkew(answers)),
  semtools_kurtosis = as.list(mardiaKurtosis(answers)),
  mahalanobis = as.numeric(distance),
  mahalanobis_p = as.numeric(pchisq(distance, 4, lower.tail = FALSE)),
  em_mean = mu,
  em_cov = S,
  little = list(statistic = d2, df = df, p = pchisq(d2, df, lower.tail = FALSE))
), digits = NA, auto_unbox = TRUE, na = "null", matrix = "rowmajor", pretty = FALSE), "\n")
