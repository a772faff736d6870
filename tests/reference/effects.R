# Reference values for direct, specific indirect, total indirect and total effects, raw and standardised, written out
# as defined parameters. Run from the root of the project: LC_ALL=C.UTF-8 Rscript tests/reference/effects.R
suppressMessages({library(lavaan); library(jsonlite)})
set.seed(20261101)
n <- 260
S <- rnorm(n); T <- .6 * S + .8 * rnorm(n); V <- .4 * T + .2 * S + .8 * rnorm(n); L <- .3 * V + .3 * T + .2 * S + .7 * rnorm(n)
item <- function(f, l) round(l * f + sqrt(1 - l^2) * rnorm(n), 4)
d <- data.frame(s1 = item(S, .8), s2 = item(S, .7), s3 = item(S, .75), t1 = item(T, .8), t2 = item(T, .65), t3 = item(T, .7),
                v1 = item(V, .85), v2 = item(V, .7), v3 = item(V, .6), l1 = item(L, .8), l2 = item(L, .7), l3 = item(L, .75))
measurement <- "S =~ s1 + s2 + s3\nT =~ t1 + t2 + t3\nV =~ v1 + v2 + v3\nL =~ l1 + l2 + l3\n"
recursive <- paste0(measurement, "T ~ a*S\nV ~ b*T + c*S\nL ~ e*V + f*T + g*S\n")
names_of <- c("S -> T -> V" = "a*b", "S -> T -> L" = "a*f", "S -> V -> L" = "c*e", "S -> T -> V -> L" = "a*b*e",
              "total indirect: S -> L" = "a*f + c*e + a*b*e", "total: S -> L" = "g + a*f + c*e + a*b*e",
              "T -> V -> L" = "b*e", "total: T -> L" = "f + b*e", "total: S -> V" = "c + a*b")
# V and L act on each other.
S2 <- rnorm(n); T2 <- .4 * S2 + .9 * rnorm(n); u <- .5 * S2 + .7 * rnorm(n); w <- .5 * T2 + .7 * rnorm(n)
V2 <- (u + .4 * w) / (1 - .4 * .3); L2 <- (w + .3 * u) / (1 - .4 * .3)
loop <- data.frame(s1 = item(S2, .8), s2 = item(S2, .7), s3 = item(S2, .75), t1 = item(T2, .8), t2 = item(T2, .65),
                   t3 = item(T2, .7), v1 = item(V2, .85), v2 = item(V2, .7), v3 = item(V2, .6), l1 = item(L2, .8),
                   l2 = item(L2, .7), l3 = item(L2, .75))
run <- function(model, defined, d) {
  fit <- sem(paste0(model, paste0("d", seq_along(defined), " := ", defined, collapse = "\n")), d)
  raw <- parameterEstimates(fit); raw <- raw[raw$op == ":=", ]
  std <- standardizedSolution(fit); std <- std[std$op == ":=", ]
  list(model = model, data = as.list(d), names = names(defined), est = raw$est, se = raw$se, std = std$est.std, std_se = std$se)
}
# Feedback between V and L, identified by S -> V and T -> L; totals are (I - A)^-1 written out.
feedback <- paste0(measurement, "T ~~ S\nV ~ a*S + b*L\nL ~ c*T + e*V\nV ~~ 0*L\n")
loops <- c("total: S -> V" = "a/(1 - b*e)", "total: S -> L" = "a*e/(1 - b*e)", "total indirect: V -> L" = "e/(1 - b*e) - e")
out <- list(about = "lavaan: effects as defined parameters",
            versions = list(R = R.version.string, lavaan = as.character(packageVersion("lavaan"))),
            recursive = run(recursive, names_of, d), feedback = run(feedback, loops, loop))
write(toJSON(out, digits = 15, auto_unbox = TRUE, na = "null"), "tests/reference/effects.json")
