# Reference values for factor scores, the standardised solution with standard errors, Wald and likelihood-ratio tests.
# Run from the root of the project: LC_ALL=C.UTF-8 Rscript tests/reference/inference.R
suppressMessages({library(lavaan); library(jsonlite)})
set.seed(20240607)
n <- 240
A <- rnorm(n); B <- .6 * A + .8 * rnorm(n); C <- .3 * A + .5 * B + .75 * rnorm(n)
item <- function(f, l) round(l * f + sqrt(1 - l^2) * (rchisq(n, 4) - 4) / sqrt(8), 4)
d <- data.frame(a1 = item(A, .8), a2 = item(A, .7), a3 = item(A, .75), b1 = item(B, .8), b2 = item(B, .65),
                b3 = item(B, .7), c1 = item(C, .85), c2 = item(C, .7), c3 = item(C, .6),
                g = rep(c("u", "v"), length.out = n))
model <- "A =~ a1 + a2 + a3\nB =~ b1 + b2 + b3\nC =~ c1 + c2 + c3\nB ~ p*A\nC ~ q*B + r*A"
narrow <- "A =~ a1 + a2 + a3\nB =~ b1 + b2 + b3\nC =~ c1 + c2 + c3\nB ~ p*A\nC ~ q*B\nr := p*q"
equal <- "A =~ a1 + k*a2 + k*a3\nB =~ b1 + b2 + b3\nC =~ c1 + c2 + c3\nB ~ p*A\nC ~ q*B"
out <- list(about = "lavaan: factor scores, standardised solution, Wald and likelihood-ratio tests",
            versions = list(R = R.version.string, lavaan = as.character(packageVersion("lavaan"))),
            data = as.list(d), model = model, narrow = narrow, equal = equal)
options(digits = 15)
fit <- sem(model, d)
head_of <- function(x) unname(apply(unclass(x)[1:12, , drop = FALSE], 2, as.numeric, simplify = FALSE))
out$scores <- list(latent = c("A", "B", "C"), regression = head_of(lavPredict(fit, method = "regression")),
                   bartlett = head_of(lavPredict(fit, method = "Bartlett")))
means <- sem(model, d, meanstructure = TRUE)
out$scores$means <- head_of(lavPredict(means, method = "regression"))
columns <- function(s) as.list(s[, c("lhs", "op", "rhs", "est.std", "se", "z", "pvalue", "ci.lower", "ci.upper")])
out$standardised <- list(std_all = columns(standardizedSolution(fit)),
                         std_lv = columns(standardizedSolution(fit, type = "std.lv")),
                         robust = columns(standardizedSolution(sem(model, d, estimator = "MLR"))))
wald <- function(f, text) { w <- lavTestWald(f, text); list(text = text, chisq = w$stat, df = w$df, pvalue = w$p.value) }
out$wald <- list(ML = list(wald(fit, "p == q"), wald(fit, "r == 0"), wald(fit, "p == q\nr == 0.2")),
                 MLR = list(wald(sem(model, d, estimator = "MLR"), "p == q")))
out$lrt <- lapply(c(ML = "ML", MLM = "MLM", MLR = "MLR"), function(e) {
  t <- lavTestLRT(sem(model, d, estimator = e), sem(narrow, d, estimator = e), sem(equal, d, estimator = e),
                  method = if (e == "ML") "default" else "satorra.bentler.2001")
  as.list(as.data.frame(t)[, c("Df", "AIC", "BIC", "Chisq", "Chisq diff", "Df diff", "Pr(>Chisq)")])
})
write(toJSON(out, digits = 15, auto_unbox = TRUE, na = "null"), "tests/reference/inference.json")
