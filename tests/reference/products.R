# semTools on products of constructs: writes products.json beside this file, data included.
#
#     LC_ALL=C.UTF-8 OPENBLAS_NUM_THREADS=1 Rscript tests/reference/products.R
#
# Simulated answers with an interaction and a curve. sl.product_indicators must give the columns of indProd, and
# sl.simple_slopes the slopes of probe2WayMC and probe2WayRC.

suppressPackageStartupMessages({
  library(lavaan)
  library(semTools)
  library(jsonlite)
})
RNGkind("Mersenne-Twister", "Inversion", "Rejection")
here <- dirname(sub("^--file=", "", grep("^--file=", commandArgs(FALSE), value = TRUE)))

set.seed(31)
n <- 400
f <- rnorm(n)
g <- 0.3 * f + sqrt(0.91) * rnorm(n)
h <- 0.5 * f + 0.3 * g - 0.25 * f * g - 0.1 * f^2 + 0.7 * rnorm(n)
item <- function(x, l) l * x + sqrt(1 - l^2) * rnorm(n)
data <- round(data.frame(
  a1 = 4 + item(f, .85), a2 = 5 + item(f, .8), a3 = 3 + item(f, .75),
  b1 = 4 + item(g, .8), b2 = 3 + item(g, .85), b3 = 5 + item(g, .8),
  y1 = 4 + item(h, .8), y2 = 4 + item(h, .85), y3 = 5 + item(h, .75)
), 3)

a <- paste0("a", 1:3)
b <- paste0("b", 1:3)
columns <- list()
for (method in c("double-mean-centred", "mean-centred", "residual-centred")) for (match in c(TRUE, FALSE)) {
  made <- indProd(data, a, b, match = match, meanC = method != "residual-centred",
    residualC = method == "residual-centred", doubleMC = method == "double-mean-centred")
  columns[[paste0(method, if (match) " matched" else " all")]] <- made[1:25, -(1:9)]
}

holes <- data
holes[c(3, 40), "a1"] <- NA
holes[c(7, 40, 60), "b2"] <- NA
columns[["holes"]] <- indProd(holes, a, b, match = TRUE, doubleMC = TRUE)[1:60, -(1:9)]

model <- "
f =~ a1 + a2 + a3
g =~ b1 + b2 + b3
fxg =~ a1.b1 + a2.b2 + a3.b3
h =~ y1 + y2 + y3
h ~ f + g + fxg
"
slopes <- list()
for (method in c("double-mean-centred", "residual-centred")) {
  residual <- method == "residual-centred"
  made <- indProd(data, a, b, match = TRUE, meanC = !residual, residualC = residual, doubleMC = !residual)
  text <- paste0(model, if (residual) "fxg ~~ 0*f + 0*g\n", "f ~ NA*1\ng ~ NA*1\nfxg ~ NA*1\nh ~ NA*1\n",
    "a1 ~ 0*1\nb1 ~ 0*1\na1.b1 ~ 0*1\ny1 ~ 0*1\n")
  # probe2Way works on models with means, all set by markers.
  fit <- sem(text, made, meanstructure = TRUE)
  probe <- if (residual) probe2WayRC else probe2WayMC
  found <- probe(fit, c("f", "g", "fxg"), "h", "g", c(-1, 0, 0.5, 2))
  plain <- sem(paste0(model, if (residual) "fxg ~~ 0*f + 0*g\n"), made)
  estimates <- parameterEstimates(plain)
  V <- vcov(plain)[c("h~f", "h~fxg"), c("h~f", "h~fxg")]
  slopes[[method]] <- list(slopes = found$SimpleSlope, V = V,
    estimates = estimates[estimates$op == "~", c("lhs", "rhs", "est", "se")],
    chisq = unname(fitMeasures(plain, "chisq")))
}

write_json(
  list(versions = list(R = as.character(getRversion()), lavaan = as.character(packageVersion("lavaan")),
    semTools = as.character(packageVersion("semTools"))), data = data, columns = columns, slopes = slopes),
  file.path(here, "products.json"), digits = NA, auto_unbox = TRUE, dataframe = "columns", na = "null")
