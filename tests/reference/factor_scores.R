# Factor scores with means, groups and missing answers by lavaan: writes factor_scores.json beside this file.
#
#     LC_ALL=C.UTF-8 OPENBLAS_NUM_THREADS=1 Rscript tests/reference/factor_scores.R
suppressPackageStartupMessages({
  library(lavaan)
  library(jsonlite)
})
RNGkind("Mersenne-Twister", "Inversion", "Rejection")
here <- dirname(sub("^--file=", "", grep("^--file=", commandArgs(FALSE), value = TRUE)))
set.seed(20240705)
n <- 160
A <- rnorm(n); B <- .5 * A + sqrt(.75) * rnorm(n)
item <- function(f, l, m = 0) round(m + l * f + sqrt(1 - l^2) * rnorm(n), 3)
d <- data.frame(a1 = item(A, .8, 3), a2 = item(A, .7, 3), a3 = item(A, .65, 2), b1 = item(B, .8), b2 = item(B, .7),
                b3 = item(B, .75, 4), shop = rep(c("east", "west"), c(90, 70)))
gaps <- d
for (v in names(d)[1:6]) gaps[sample(n, 22), v] <- NA
gaps[3, 1:3] <- NA
gaps[7, 4:6] <- NA
surveys <- list(complete = d, gaps = gaps)
model <- "A =~ a1 + a2 + a3\nB =~ b1 + b2 + b3\nB ~ A"
cases <- list(
  means = list(data = "complete", options = list(meanstructure = TRUE)),
  groups = list(data = "complete", options = list(group = "shop")),
  groups_equal = list(data = "complete", options = list(group = "shop", group.equal = c("loadings", "intercepts"))),
  fiml = list(data = "gaps", options = list(missing = "fiml")),
  fiml_groups = list(data = "gaps", options = list(missing = "fiml", group = "shop", group.equal = "loadings"))
)
run <- function(case) {
  fit <- do.call("sem", c(list(model = model, data = surveys[[case$data]]), case$options))
  case$scores <- lapply(c(regression = "regression", bartlett = "Bartlett"), function(method) {
    found <- lavPredict(fit, method = method, assemble = FALSE)
    found <- if (is.list(found)) do.call(rbind, found) else found
    lapply(c(A = "A", B = "B"), function(v) as.numeric(found[, v]))
  })
  case
}
out <- list(versions = list(R = R.version.string, lavaan = as.character(packageVersion("lavaan"))), model = model,
            data = lapply(surveys, as.list), cases = lapply(cases, run))
write_json(out, file.path(here, "factor_scores.json"), digits = 10, auto_unbox = TRUE, na = "null")
