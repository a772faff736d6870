# Reference values of exploratory factor analysis: R package psych (with GPArotation) on three correlation matrices.
#
#   Rscript tests/reference/efa.R        (run in the root of the repository; writes tests/reference/efa.json)
#
# psych stops its optimiser at a relative change of 1e-8 and its rotations at 1e-5; the tests allow for that.
suppressPackageStartupMessages({
  library(psych)
  library(GPArotation)
  library(jsonlite)
})
options(warn = 1)

# Data set 1: a simulated survey, 320 customers, nine 7-point items of three correlated constructs, one cross-loading.
set.seed(20240)
n <- 320
phi <- matrix(c(1, .55, .40, .55, 1, .60, .40, .60, 1), 3)
lambda <- matrix(0, 9, 3)
lambda[1:3, 1] <- c(.82, .75, .68)
lambda[4:6, 2] <- c(.85, .72, .64)
lambda[7:9, 3] <- c(.78, .81, .60)
lambda[9, 1] <- .20
eta <- matrix(rnorm(n * 3), n) %*% chol(phi)
y <- eta %*% t(lambda) + matrix(rnorm(n * 9), n) %*% diag(sqrt(pmax(1 - diag(lambda %*% phi %*% t(lambda)), .1)))
survey <- matrix(pmin(pmax(round(4.6 + 1.3 * y), 1), 7), n)
colnames(survey) <- c("SAT1", "SAT2", "SAT3", "TRU1", "TRU2", "TRU3", "LOY1", "LOY2", "LOY3")

# Data sets 2 and 3: printed matrices of the literature (Harman 1976; Thurstone and Thurstone 1941).
harman <- Harman74.cor$cov
thurstone <- as.matrix(Thurstone)

whole <- function(m) unname(matrix(as.numeric(m), nrow(m)))
solution <- function(r, n, k, fm, rotate) {
  f <- fa(r, nfactors = k, n.obs = n, fm = fm, rotate = rotate)
  phi <- if (is.null(f$Phi)) diag(k) else f$Phi
  # psych stops varimax where stats::varimax does by default, in the third decimal: turn it to the end as well.
  converged <- if (rotate == "varimax") whole(unclass(varimax(unclass(f$loadings), eps = 1e-15)$loadings)) else NULL
  list(
    extraction = fm, rotation = rotate, factors = k,
    loadings = whole(unclass(f$loadings)), converged = converged, phi = whole(phi), structure = whole(unclass(f$Structure)),
    communalities = unname(f$communality), complexity = unname(f$complexity),
    vaccounted = whole(f$Vaccounted), vaccounted_rows = rownames(f$Vaccounted),
    chi2 = f$STATISTIC, df = f$dof, p = f$PVAL, rmsea = unname(f$RMSEA[1]), tli = f$TLI, rms = f$rms
  )
}
case <- function(name, r, n, k, raw = NULL) {
  r <- as.matrix(r)
  solutions <- list()
  for (fm in c("minres", "ml")) {
    for (rotate in c("none", "varimax", "quartimax", "oblimin", "quartimin", "promax", "geominQ")) {
      if (rotate == "geominQ" || rotate == "quartimin") {
        # psych passes no such choice through in every version: rotate its unrotated loadings with GPArotation.
        f <- fa(r, nfactors = k, n.obs = n, fm = fm, rotate = "none")
        set.seed(1)
        best <- NULL
        for (start in seq_len(10)) {
          t0 <- if (start == 1) diag(k) else Random.Start(k)
          g <- if (rotate == "geominQ") geominQ(unclass(f$loadings), Tmat = t0, delta = .01, eps = 1e-6, maxit = 1000)
               else quartimin(unclass(f$loadings), Tmat = t0, eps = 1e-6, maxit = 1000)
          value <- tail(g$Table[, 2], 1)
          if (is.null(best) || value < best$value - 1e-12) best <- list(value = value, g = g)
        }
        solutions[[length(solutions) + 1]] <- list(
          extraction = fm, rotation = rotate, factors = k, loadings = whole(unclass(best$g$loadings)),
          phi = whole(best$g$Phi), criterion = best$value
        )
      } else {
        solutions[[length(solutions) + 1]] <- solution(r, n, k, fm, rotate)
      }
    }
  }
  f <- factanal(covmat = list(cov = r, n.obs = n), factors = k, rotation = "none",
                control = list(nstart = 5, opt = list(factr = 1)))
  converged <- varimax(unclass(f$loadings), eps = 1e-15)
  pc <- principal(r, nfactors = k, rotate = "none")
  kmo <- KMO(r)
  bartlett <- cortest.bartlett(r, n)
  steps <- min(8, ncol(r) - 2)
  list(
    name = name, items = colnames(r), n = n, correlation = whole(r), raw = raw,
    kmo = kmo$MSA, msa = unname(kmo$MSAi), bartlett = list(chi2 = bartlett$chisq, df = bartlett$df, p = bartlett$p.value),
    map = VSS(r, n = steps, rotate = "none", fm = "minres", n.obs = n, plot = FALSE)$map,
    smc = unname(smc(r)), eigenvalues = eigen(r)$values,
    factanal = list(uniquenesses = unname(f$uniquenesses), chi2 = unname(f$STATISTIC), df = f$dof, criterion = unname(f$criteria["objective"]),
                    varimax = whole(unclass(converged$loadings))),
    components = whole(unclass(pc$loadings)),
    solutions = solutions
  )
}
cases <- list(
  case("survey", cor(survey), n, 3, raw = survey),
  case("harman", harman, 145, 4),
  case("thurstone", thurstone, 213, 3)
)
out <- list(
  tool = R.version.string,
  packages = list(psych = as.character(packageVersion("psych")), GPArotation = as.character(packageVersion("GPArotation"))),
  cases = cases
)
write(toJSON(out, digits = 10, auto_unbox = TRUE, null = "null", na = "null"), "tests/reference/efa.json")
