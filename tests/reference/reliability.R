# Reference values of reliability and validity: lavaan, semTools and psych on simulated surveys.
#
#   Rscript tests/reference/reliability.R     (run in the root of the repository; writes tests/reference/reliability.json)
suppressPackageStartupMessages({
  library(lavaan)
  library(semTools)
  library(psych)
  library(jsonlite)
})
options(warn = 1)

likert <- function(eta, lambda, error, names) {
  y <- eta %*% t(lambda) + error
  y <- matrix(pmin(pmax(round(4.4 + 1.25 * y), 1), 7), nrow(eta))
  colnames(y) <- names
  y
}
set.seed(4711)
n <- 400

# First survey: three constructs, one of them with two items; IMA3 is worded against its construct.
phi <- matrix(c(1, .60, .45, .60, 1, .70, .45, .70, 1), 3)
lambda <- matrix(0, 9, 3)
lambda[1:4, 1] <- c(.80, .72, -.66, .58)
lambda[5:7, 2] <- c(.84, .78, .70)
lambda[8:9, 3] <- c(.82, .74)
lambda[6, 3] <- .15
eta <- matrix(rnorm(n * 3), n) %*% chol(phi)
error <- matrix(rnorm(n * 9), n) %*% diag(sqrt(1 - diag(lambda %*% phi %*% t(lambda))))
error[, 2] <- error[, 2] + .35 * error[, 4]
first <- likert(eta, lambda, error, c("IMA1", "IMA2", "IMA3", "IMA4", "SAT1", "SAT2", "SAT3", "LOY1", "LOY2"))

# Second survey: service quality as a second-order construct of three dimensions, and satisfaction.
quality <- rnorm(n)
satisfaction <- .6 * quality + sqrt(1 - .36) * rnorm(n)
gamma <- c(.85, .75, .80)
dims <- sapply(gamma, function(g) g * quality + sqrt(1 - g^2) * rnorm(n))
lambda2 <- matrix(0, 12, 4)
lambda2[1:3, 1] <- c(.80, .75, .70)
lambda2[4:6, 2] <- c(.78, .82, .66)
lambda2[7:9, 3] <- c(.74, .80, .72)
lambda2[10:12, 4] <- c(.85, .80, .75)
error2 <- matrix(rnorm(n * 12), n) %*% diag(sqrt(1 - rowSums(lambda2^2)))
second <- likert(cbind(dims, satisfaction), lambda2, error2,
                 c("TAN1", "TAN2", "TAN3", "RES1", "RES2", "RES3", "EMP1", "EMP2", "EMP3", "SAT1", "SAT2", "SAT3"))

models <- list(
  plain = list(data = first, text = "Image =~ IMA1 + IMA2 + IMA3 + IMA4\nSatisfaction =~ SAT1 + SAT2 + SAT3\nLoyalty =~ LOY1 + LOY2\n"),
  residuals = list(data = first, text = "Image =~ IMA1 + IMA2 + IMA3 + IMA4\nSatisfaction =~ SAT1 + SAT2 + SAT3\nLoyalty =~ LOY1 + LOY2\nIMA2 ~~ IMA4\n"),
  cross = list(data = first, text = "Image =~ IMA1 + IMA2 + IMA3 + IMA4\nSatisfaction =~ SAT1 + SAT2 + SAT3\nLoyalty =~ LOY1 + LOY2 + SAT2\n"),
  paths = list(data = first, text = "Image =~ IMA1 + IMA2 + IMA3 + IMA4\nSatisfaction =~ SAT1 + SAT2 + SAT3\nLoyalty =~ LOY1 + LOY2\nSatisfaction ~ Image\nLoyalty ~ Satisfaction\n"),
  second_cfa = list(data = second, higher = "Quality", text = "Tangibles =~ TAN1 + TAN2 + TAN3\nResponse =~ RES1 + RES2 + RES3\nEmpathy =~ EMP1 + EMP2 + EMP3\nQuality =~ Tangibles + Response + Empathy\nSatisfaction =~ SAT1 + SAT2 + SAT3\nSatisfaction ~~ Quality\n"),
  # semTools 0.5-6 takes an outcome of a second-order construct for one of its dimensions: no omega of it here.
  second = list(data = second, higher = "Quality", text = "Tangibles =~ TAN1 + TAN2 + TAN3\nResponse =~ RES1 + RES2 + RES3\nEmpathy =~ EMP1 + EMP2 + EMP3\nQuality =~ Tangibles + Response + Empathy\nSatisfaction =~ SAT1 + SAT2 + SAT3\nSatisfaction ~ Quality\n")
)
whole <- function(m) unname(matrix(as.numeric(m), nrow(m)))
numbers <- function(v) as.list(unlist(v))
cases <- list()
for (name in names(models)) {
  m <- models[[name]]
  d <- as.data.frame(m$data)
  fit <- sem(m$text, d)
  r <- cor(d)
  fit_r <- sem(m$text, sample.cov = r, sample.nobs = n)
  higher <- if (is.null(m$higher)) character(0) else m$higher
  pe <- parameterEstimates(fit, standardized = TRUE)
  items <- lavNames(fit, "ov")
  lv <- lavNames(fit, "lv")
  implied <- lavInspect(fit, "cov.all")
  cases[[name]] <- list(
    name = name, model = m$text, survey = if (identical(m$data, first)) "first" else "second",
    items = items, latent = lv, n = n,
    estimates = pe[, c("lhs", "op", "rhs", "est", "se", "std.all")],
    sample_cov = whole(lavInspect(fit, "sampstat")$cov[items, items]), implied_cov = whole(lavInspect(fit, "implied")$cov[items, items]),
    latent_cov = whole(lavInspect(fit, "cov.lv")[lv, lv]), latent_cor = whole(lavInspect(fit, "cor.lv")[lv, lv]),
    item_latent_cor = whole(cov2cor(implied)[items, lv]),
    omega = numbers(compRelSEM(fit, higher = higher)), omega_implied = numbers(compRelSEM(fit, higher = higher, obs.var = FALSE)),
    alpha = numbers(compRelSEM(fit, tau.eq = TRUE)),
    # The AVE of semTools divides by observed variances: with standardised items it is the mean squared loading.
    ave = numbers(AVE(fit_r, obs.var = FALSE))
  )
}
scales <- list(Image = c("IMA1", "IMA2", "IMA3", "IMA4"), Satisfaction = c("SAT1", "SAT2", "SAT3"), Loyalty = c("LOY1", "LOY2"))
alphas <- lapply(scales, function(s) {
  a <- suppressWarnings(psych::alpha(as.data.frame(first[, s]), check.keys = FALSE, warnings = FALSE))
  f <- alpha.ci(a$total$raw_alpha, n.obs = n, n.var = length(s))
  list(items = s, alpha = a$total$raw_alpha, lower = f$lower.ci, upper = f$upper.ci,
       total_r = a$item.stats$raw.r, rest_r = a$item.stats$r.drop, mean = a$item.stats$mean, sd = a$item.stats$sd,
       dropped = if (length(s) > 2) a$alpha.drop$raw_alpha else NULL)
})
measure <- "Image =~ IMA1 + IMA2 + IMA3 + IMA4\nSatisfaction =~ SAT1 + SAT2 + SAT3\nLoyalty =~ LOY1 + LOY2"
quality_measure <- "Tangibles =~ TAN1 + TAN2 + TAN3\nResponse =~ RES1 + RES2 + RES3\nEmpathy =~ EMP1 + EMP2 + EMP3\nSatisfaction =~ SAT1 + SAT2 + SAT3"
out <- list(
  tool = R.version.string,
  packages = list(lavaan = as.character(packageVersion("lavaan")), semTools = as.character(packageVersion("semTools")),
                  psych = as.character(packageVersion("psych"))),
  surveys = list(first = list(items = colnames(first), rows = first), second = list(items = colnames(second), rows = second)),
  cases = cases, alphas = alphas,
  htmt = list(
    first = list(htmt = whole(semTools::htmt(measure, data = as.data.frame(first), htmt2 = FALSE)),
                 signed = whole(semTools::htmt(measure, data = as.data.frame(first), htmt2 = FALSE, absolute = FALSE))),
    second = list(htmt = whole(semTools::htmt(quality_measure, data = as.data.frame(second), htmt2 = FALSE)),
                  htmt2 = whole(semTools::htmt(quality_measure, data = as.data.frame(second), htmt2 = TRUE)))
  )
)
write(toJSON(out, digits = 10, auto_unbox = TRUE, null = "null", na = "null"), "tests/reference/reliability.json")
