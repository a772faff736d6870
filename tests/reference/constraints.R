# Fits under nonlinear equations, inequalities and bounds by lavaan: writes constraints.json beside this file.
#
#     LC_ALL=C.UTF-8 OPENBLAS_NUM_THREADS=1 Rscript tests/reference/constraints.R
suppressPackageStartupMessages({
  library(lavaan)
  library(jsonlite)
})
RNGkind("Mersenne-Twister", "Inversion", "Rejection")
here <- dirname(sub("^--file=", "", grep("^--file=", commandArgs(FALSE), value = TRUE)))
set.seed(20240704)
n <- 260
A <- rnorm(n); B <- .6 * A + .8 * rnorm(n); C <- .3 * A + .5 * B + .75 * rnorm(n)
item <- function(f, l, m = 0) round(m + l * f + sqrt(1 - l^2) * (rchisq(n, 4) - 4) / sqrt(8), 3)
shop <- rep(c("east", "west"), c(140, 120))
d <- data.frame(a1 = item(A, .8, 3), a2 = item(A, .7, 3), a3 = item(A, .75, 2), b1 = item(B, .8), b2 = item(B, .65),
                b3 = item(B, .7, 4), c1 = item(C, .85, 1), c2 = item(C, .7), c3 = item(C, .6), shop = shop)
# h2 and h3 have less in common than h1 with either accounts for, so that its residual variance would be negative.
e <- rnorm(n)
d$h1 <- round(B + .3 * rnorm(n), 3); d$h2 <- round(.7 * d$h1 + .7 * e, 3)
d$h3 <- round(.6 * d$h1 - .25 * e + .7 * rnorm(n), 3); d$h4 <- round(.4 * B + .8 * rnorm(n), 3)
gaps <- d
for (v in names(d)[1:9]) gaps[sample(n, 20), v] <- NA
cats <- d
for (v in names(d)[1:9]) cats[[v]] <- findInterval(d[[v]], quantile(d[[v]], c(.2, .5, .8))) + 1
surveys <- list(complete = d, gaps = gaps, categories = cats)
items <- "A =~ a1 + la*a2 + lb*a3\nB =~ b1 + lc*b2 + ld*b3\nC =~ c1 + le*c2 + lf*c3\n"
paths <- "B ~ p*A\nC ~ q*B + r*A\n"
case <- function(model, ..., data = "complete") list(model = model, data = data, options = list(...))
cases <- list(
  product = case(paste0(items, paths, "p*q == 2*r")),
  square = case(paste0(items, paths, "la == lb^2")),
  circle = case(paste0(items, paths, "p^2 + r^2 == 0.5")),
  ratio = case(paste0(items, paths, "la/lb == lc/ld")),
  logs = case(paste0(items, paths, "log(la) + log(lb) == 0.1\nexp(p) == q + 1")),
  defined = case(paste0(items, paths, "ind := p*q\ntotal := ind + r\nind == 0.2")),
  mixed = case(paste0(items, paths, "la + lb == 2*lc\np*q == r\nld > 0.2")),
  inactive = case(paste0(items, paths, "p > 0\nq < 3\nla < lb + 5")),
  active = case(paste0(items, paths, "r > 0.4\nq < p")),
  both = case(paste0(items, paths, "p*q > 0.5\nla*lb == 0.9\nr > 0")),
  heywood = case("H =~ h1 + h2 + h3 + h4\nh1 ~~ v*h1\nv > 0"),
  heywood_bound = case("H =~ h1 + h2 + h3 + h4\nh1 ~~ lower(0)*h1"),
  bounds = case(paste0("A =~ a1 + upper(0.7)*a2 + a3\nB =~ b1 + b2 + lower(0.2)*b3\nA ~~ upper(0.25)*B")),
  standardised = case("A =~ NA*a1 + la*a1 + lb*a2 + lc*a3\nA ~~ v*A\nla*lb*lc == 0.5\nlb > lc\nv < 2"),
  groups = case("A =~ a1 + a2 + a3\nB =~ b1 + b2 + b3\nC =~ c1 + c2 + c3\nB ~ c(p1, p2)*A\nC ~ c(q1, q2)*B\np1*q1 == p2*q2",
                group = "shop"),
  groups_equal = case("A =~ a1 + a2 + a3\nB =~ b1 + b2 + b3\nB ~ c(p1, p2)*A\nA ~~ c(v1, v2)*A\np1 > p2\nv1*v2 == 0.4",
                      group = "shop", group.equal = "loadings"),
  means = case("A =~ a1 + a2 + a3\na1 ~ m1*1\na2 ~ m2*1\na3 ~ m3*1\nm1 == m3*1.5\nm2 > m1 + 0.1"),
  observed = case("b1 ~ p*a1 + s*a2\nc1 ~ q*b1\np*q == 0.2\ns > 0.35"),
  MLM = case(paste0(items, paths, "p*q == r\nla < 0.8"), estimator = "MLM"),
  MLR = case(paste0(items, paths, "p*q == r\nla < 0.8"), estimator = "MLR"),
  GLS = case(paste0(items, paths, "p*q == r\nla < 0.8"), estimator = "GLS"),
  WLS = case(paste0("A =~ a1 + la*a2 + lb*a3\nB =~ b1 + lc*b2 + ld*b3\n", "la*lc == lb*ld\nlb < 0.6"), estimator = "WLS"),
  fiml = case(paste0(items, paths, "p*q == r\nla < 0.8"), missing = "fiml", data = "gaps"),
  fiml_MLR = case(paste0(items, paths, "p*q == r\nla < 0.8"), missing = "fiml", estimator = "MLR", data = "gaps"),
  WLSMV = case(paste0(items, paths, "p*q == r\nla < 0.8"), ordered = c("a1", "a2", "a3", "b1", "b2", "b3", "c1", "c2",
               "c3"), data = "categories")
)
run <- function(case) {
  arguments <- c(list(model = case$model, data = surveys[[case$data]]), case$options)
  fit <- suppressWarnings(do.call("sem", arguments))
  stopifnot(lavInspect(fit, "converged"))
  table <- as.data.frame(parameterEstimates(fit))
  table <- table[!table$op %in% c("==", "<", ">"), ]
  if (is.null(table$group)) table$group <- 1
  wanted <- c("npar", "chisq", "df", "chisq.scaled", "chisq.scaling.factor", "logl")
  measures <- fitMeasures(fit)
  case$estimates <- table[, c("lhs", "op", "rhs", "group", "est", "se")]
  case$measures <- as.list(measures[intersect(wanted, names(measures))])
  case
}
out <- list(versions = list(R = R.version.string, lavaan = as.character(packageVersion("lavaan"))),
            data = lapply(surveys, as.list), cases = lapply(cases, function(case) tryCatch(run(case), error = function(e) {
              message(case$model, "\n", conditionMessage(e)); NULL })))
out$cases <- out$cases[!vapply(out$cases, is.null, TRUE)]
write_json(out, file.path(here, "constraints.json"), digits = 12, auto_unbox = TRUE, dataframe = "rows", na = "null")
