# Reference fits with lavaan: writes fits.json beside this file.
#
#     LC_ALL=C.UTF-8 OPENBLAS_NUM_THREADS=1 Rscript tests/reference/fits.R
#
# Data are simulated here with a fixed seed and rounded to four decimals, or are covariance matrices printed in
# papers (cited below). "now" cases are compared by tests/fitting/test_reference_fits.py; "later" cases wait.

suppressPackageStartupMessages({
  library(lavaan)
  library(jsonlite)
})
RNGkind("Mersenne-Twister", "Inversion", "Rejection")

here <- dirname(sub("^--file=", "", grep("^--file=", commandArgs(FALSE), value = TRUE)))

# ---------------------------------------------------------------------------------------------------- data sets
noise <- function(n, sd = 1) rnorm(n, sd = sd)
unit <- function(x) (x - mean(x)) / sd(x)
items <- function(factor, name, loadings, intercept = 4, residual = 0.7) {
  block <- sapply(loadings, function(l) intercept + l * factor + noise(length(factor), residual))
  colnames(block) <- paste0(name, seq_along(loadings))
  block
}

set.seed(20240611)
n <- 300
age <- round(rnorm(n, 40, 11))
income <- 2 + 0.03 * (age - 40) + noise(n, 0.9)
member <- rbinom(n, 1, 0.45)
Quality <- 0.15 * unit(age) + noise(n, 0.95)
Value <- 0.45 * Quality + 0.2 * unit(income) + noise(n, 0.8)
Satisfaction <- 0.5 * Quality + 0.35 * Value + noise(n, 0.6)
Loyalty <- 0.6 * Satisfaction + 0.15 * Value + 0.2 * member + noise(n, 0.6)
visits <- 3 + 0.8 * Loyalty + 0.3 * member + noise(n, 1.1)
spend <- 20 + 4 * Loyalty + 2 * income + noise(n, 6)
survey <- data.frame(
  items(Quality, "q", c(1, 0.9, 0.8, 1.1)),
  items(Value, "v", c(1, 0.85, 0.95)),
  items(Satisfaction, "s", c(1, 1.05, 0.9), 5),
  items(Loyalty, "l", c(1, 0.8, 1.1, 0.6), 4.5),
  visits, spend, age, income, member
)
survey$l4 <- survey$l4 + 0.4 * (survey$l2 - mean(survey$l2))
survey$s3 <- survey$s3 + 0.25 * unit(survey$v3)
survey <- round(survey, 4)
survey$segment <- sample(rep(c("west", "east"), c(170, 130)))

set.seed(7102)
n <- 200
level <- noise(n, 1)
slope <- 0.3 * level + noise(n, 0.4)
tenure <- round(runif(n, 0, 10), 1)
panel <- data.frame(sapply(0:4, function(t) 5 + level + (0.4 + slope + 0.05 * tenure) * t + noise(n, 0.8)), tenure)
names(panel) <- c("t1", "t2", "t3", "t4", "t5", "tenure")
panel <- round(panel, 4)

set.seed(515)
n <- 150
x1 <- noise(n, 2)
x2 <- 0.3 * x1 + noise(n)
x3 <- noise(n, 1.5)
m1 <- 0.4 * x1 + 0.2 * x2 + noise(n)
m2 <- 0.3 * x1 - 0.2 * x3 + 0.4 * m1 + noise(n)
y1 <- 0.5 * m1 + 0.3 * m2 + 0.1 * x3 + noise(n)
y2 <- 0.2 * m1 + 0.6 * m2 + 0.4 * (y1 - 0.5 * m1) + noise(n)
paths <- round(data.frame(x1, x2, x3, m1, m2, y1, y2), 4)

set.seed(881)
n <- 250
general <- noise(n)
group1 <- noise(n)
group2 <- noise(n)
group3 <- noise(n)
method <- noise(n, 0.5)
bifactor <- data.frame(sapply(1:9, function(j) {
  specific <- list(group1, group2, group3)[[(j - 1) %/% 3 + 1]]
  0.8 * general + c(0.5, 0.6, 0.7)[(j - 1) %% 3 + 1] * specific + (-1)^j * method + noise(n, 0.6)
}))
names(bifactor) <- paste0("b", 1:9)
bifactor <- round(bifactor, 4)

# Printed matrices -----------------------------------------------------------------------------------------------
from_lower <- function(text, names) {
  m <- lavaan::getCov(text, names = names)
  m
}
# Wheaton, B., Muthen, B., Alwin, D. F., & Summers, G. F. (1977). Assessing reliability and stability in panel models.
# Sociological Methodology, 8, 84-136. doi:10.2307/270754. n = 932.
wheaton <- from_lower("
 11.834
  6.947   9.364
  6.819   5.091  12.532
  4.783   5.028   7.495   9.986
 -3.839  -3.889  -3.841  -3.625   9.610
-21.899 -18.831 -21.748 -18.775  35.522 450.288",
  c("anomia67", "powerless67", "anomia71", "powerless71", "education", "sei"))
# Iacobucci, D. (2009). Everything you always wanted to know about SEM (structural equations modeling) but were afraid
# to ask. Journal of Consumer Psychology, 19, 673-680. doi:10.1016/j.jcps.2009.09.002. n = 100.
iacobucci <- from_lower("
2.813
2.264 1.973
1.961 1.67 1.528
-0.018 -0.047 -0.097 3.06
-0.054 -0.068 -0.118 2.755 2.576
-0.071 -0.073 -0.103 2.481 2.297 2.142
1.601 1.282 1.161 -1.436 -1.351 -1.252 2.692
1.427 1.126 1.025 -1.304 -1.196 -1.127 2.341 2.16
1.242 0.97 0.899 -1.162 -1.091 -1.02 1.97 1.788 1.616
1.656 1.415 1.273 -0.672 -0.591 -0.484 1.081 0.976 0.808 2.694
1.333 1.182 1.061 -0.531 -0.48 -0.373 0.859 0.764 0.636 2.23 1.987
1.232 1.102 0.98 -0.49 -0.45 -0.363 0.788 0.713 0.606 1.957 1.715 1.583
0.912 0.867 0.787 -1.144 -1.057 -0.875 0.441 0.394 0.384 1.479 1.317 1.176 2.831
0.764 0.763 0.692 -1.065 -0.981 -0.822 0.397 0.361 0.343 1.254 1.113 1.032 2.237 1.933
0.736 0.696 0.636 -0.894 -0.822 -0.69 0.425 0.38 0.354 1.147 1.006 0.925 1.951 1.646 1.53",
  c("q1", "q2", "q3", "c1", "c2", "c3", "v1", "v2", "v3", "cs1", "cs2", "cs3", "r1", "r2", "r3"))

# Matrices drawn from a population ---------------------------------------------------------------------------------
draw_cov <- function(seed, n, Sigma, digits = 5) {
  set.seed(seed)
  X <- matrix(rnorm(n * ncol(Sigma)), n) %*% chol(Sigma)
  S <- round(cov(X), digits)
  dimnames(S) <- dimnames(Sigma)
  S
}
factor_cov <- function(Lambda, Phi, residual) {
  Sigma <- Lambda %*% Phi %*% t(Lambda)
  diag(Sigma) <- diag(Sigma) + residual
  dimnames(Sigma) <- list(rownames(Lambda), rownames(Lambda))
  Sigma
}
block_loadings <- function(values, factors, names) {
  Lambda <- matrix(0, length(values) * factors, factors)
  for (k in seq_len(factors)) Lambda[(k - 1) * length(values) + seq_along(values), k] <- values
  rownames(Lambda) <- names
  Lambda
}
big <- draw_cov(48, 500, factor_cov(
  block_loadings(c(0.9, 0.8, 0.7, 0.6), 12, paste0("i", rep(1:12, each = 4), "_", 1:4)),
  0.35 + 0.65 * diag(12), 0.5))
close <- draw_cov(95, 400, factor_cov(
  block_loadings(c(0.9, 0.8, 0.85), 2, paste0("c", 1:6)), matrix(c(1, 0.95, 0.95, 1), 2), 0.4))
beyond <- factor_cov(block_loadings(c(0.8, 0.8, 0.7), 2, paste0("d", 1:6)), matrix(c(1, 1.08, 1.08, 1), 2), 0.55)
beyond["d1", "d4"] <- beyond["d4", "d1"] <- beyond["d1", "d4"] - 0.04
beyond <- round(beyond, 6)
# One factor, r12 = r13 = .72, r23 = .40: the first loading is sqrt(1.296), so its residual variance is -.296 exactly.
heywood_exact <- matrix(c(1, 0.72, 0.72, 0.72, 1, 0.40, 0.72, 0.40, 1), 3,
  dimnames = list(paste0("h", 1:3), paste0("h", 1:3)))
heywood_over <- matrix(c(
  1.00, 0.78, 0.74, 0.70, 0.30, 0.28,
  0.78, 1.00, 0.50, 0.46, 0.22, 0.24,
  0.74, 0.50, 1.00, 0.48, 0.25, 0.20,
  0.70, 0.46, 0.48, 1.00, 0.20, 0.23,
  0.30, 0.22, 0.25, 0.20, 1.00, 0.55,
  0.28, 0.24, 0.20, 0.23, 0.55, 1.00), 6, dimnames = list(paste0("h", 1:6), paste0("h", 1:6)))
second_heywood <- draw_cov(31, 300, factor_cov(
  block_loadings(c(0.9, 0.8, 0.7), 3, paste0("e", 1:9)),
  matrix(c(1, 0.8, 0.8, 0.8, 1, 0.5, 0.8, 0.5, 1), 3), 0.4))
correlations <- local({
  R <- round(cov2cor(cov(survey[c("q1", "q2", "q3", "v1", "v2", "v3", "s1", "s2", "s3")])), 3)
  R
})
chinese <- local({
  S <- round(cov(survey[c("q1", "q2", "q3", "s1", "s2", "s3", "l1", "l2", "l3")]), 5)
  names <- c("质量1", "质量2", "质量3", "满意1", "满意2", "满意3", "忠诚1", "忠诚2", "忠诚3")
  dimnames(S) <- list(names, names)
  S
})
summary_cov <- local({
  names <- c("v1", "v2", "v3", "l1", "l2", "l3", "age", "income")
  list(cov = round(cov(survey[names]), 5), mean = round(colMeans(survey[names]), 5))
})
units <- c(q1 = 0.01, q2 = 1, q3 = 1000, s1 = 1000, s2 = 0.01, s3 = 1, l1 = 1, l2 = 1000, l3 = 0.01, age = 100,
  Quality = 0.01, Satisfaction = 1000, Loyalty = 1)  # a latent variable has the unit of its marker
mixed_scales <- local({
  names <- c("q1", "q2", "q3", "s1", "s2", "s3", "l1", "l2", "l3", "age")
  signif(cov(survey[names]) * outer(units[names], units[names]), 7)
})

datasets <- list(survey = survey, panel = panel, paths = paths, bifactor = bifactor)
matrices <- list(
  wheaton = list(cov = wheaton, nobs = 932),
  iacobucci = list(cov = iacobucci, nobs = 100),
  big = list(cov = big, nobs = 500),
  close = list(cov = close, nobs = 400),
  beyond = list(cov = beyond, nobs = 300),
  heywood_exact = list(cov = heywood_exact, nobs = 200),
  heywood_over = list(cov = heywood_over, nobs = 250),
  second_heywood = list(cov = second_heywood, nobs = 300),
  correlations = list(cov = correlations, nobs = 300),
  chinese = list(cov = chinese, nobs = 300),
  summary = list(cov = summary_cov$cov, nobs = 300),
  summary_means = list(cov = summary_cov$cov, mean = summary_cov$mean, nobs = 300),
  mixed_scales = list(cov = mixed_scales, nobs = 300)
)

# -------------------------------------------------------------------------------------------------------- cases
cases <- list()
add <- function(name, model, data, fun = "sem", args = list(), stage = "now", rows = NULL, note = "") {
  cases[[length(cases) + 1]] <<- list(
    name = name, stage = stage, fun = fun, args = args, data = data, rows = rows, note = note,
    model = gsub("(^|\n) +", "\\1", trimws(model)))
}

measurement <- "
  Quality =~ q1 + q2 + q3 + q4
  Value =~ v1 + v2 + v3
  Satisfaction =~ s1 + s2 + s3
  Loyalty =~ l1 + l2 + l3 + l4"
structure <- paste0(measurement, "
  Value ~ a*Quality
  Satisfaction ~ b*Quality + c*Value
  Loyalty ~ d*Satisfaction + e*Value")

# Measurement models
add("cfa_marker", measurement, "survey", "cfa")
add("cfa_std_lv", measurement, "survey", "cfa", list(std.lv = TRUE))
add("cfa_freed_marker_fixed_variance", "
  Quality =~ NA*q1 + q2 + q3 + q4
  Satisfaction =~ NA*s1 + s2 + s3
  Quality ~~ 1*Quality
  Satisfaction ~~ 1*Satisfaction", "survey", "cfa")
add("cfa_marker_not_first", "
  Quality =~ NA*q1 + q2 + 1*q3 + q4
  Value =~ NA*v1 + v2 + 0.5*v3", "survey", "cfa")
add("cfa_meanstructure", measurement, "survey", "cfa", list(meanstructure = TRUE))
add("cfa_intercept_labels_and_latent_mean", "
  Quality =~ q1 + q2 + q3 + q4
  Value =~ v1 + v2 + v3
  q1 ~ 0*1
  Quality ~ NA*1
  q2 ~ m*1
  q3 ~ m*1
  v1 ~ 4*1", "survey", "cfa", list(meanstructure = TRUE))
add("cfa_correlated_residuals", paste0(measurement, "
  l2 ~~ l4
  q1 ~~ q2 + v1"), "survey", "cfa")
add("cfa_cross_loadings", paste0(measurement, "
  Value =~ s3
  Quality =~ 0*v1"), "survey", "cfa")
add("cfa_orthogonal", measurement, "survey", "cfa", list(orthogonal = TRUE))
add("cfa_zero_covariances", paste0(measurement, "
  Quality ~~ 0*Value
  Loyalty ~~ 0*Value"), "survey", "cfa")
add("cfa_two_indicator_factors", "
  Quality =~ q1 + q2
  Value =~ v1 + v2
  Loyalty =~ l1 + l3", "survey", "cfa")
add("cfa_single_indicator_fixed_residual", "
  Quality =~ q1 + q2 + q3
  Visits =~ 1*visits
  visits ~~ 0.3*visits
  Loyalty =~ l1 + l2 + l3", "survey", "cfa")
add("cfa_single_indicator_default", "
  Quality =~ q1 + q2 + q3
  Visits =~ visits", "survey", "cfa")
add("cfa_equal_loadings_labels", "
  Quality =~ q1 + k*q2 + k*q3 + q4
  Satisfaction =~ s1 + g*s2 + g*s3", "survey", "cfa")
add("cfa_tau_equivalent_parallel", "
  Quality =~ 1*q1 + 1*q2 + 1*q3 + 1*q4
  q1 ~~ r*q1
  q2 ~~ r*q2
  q3 ~~ r*q3
  q4 ~~ r*q4", "survey", "cfa")
add("cfa_equality_constraint", "
  Quality =~ q1 + p1*q2 + p2*q3 + p3*q4
  Value =~ v1 + p4*v2 + v3
  p1 == p2
  p3 == 1.2*p4", "survey", "cfa")
add("cfa_effect_coding", "
  Quality =~ NA*q1 + k1*q1 + k2*q2 + k3*q3
  Loyalty =~ NA*l1 + j1*l1 + j2*l2 + j3*l3
  k1 + k2 + k3 == 3
  j1 + j2 + j3 == 3", "survey", "cfa")
add("cfa_labels_across_operators", "
  Quality =~ q1 + t*q2 + q3
  Loyalty =~ l1 + l2 + l3
  Loyalty ~ t*Quality
  q1 ~~ w*q1
  l1 ~~ w*l1", "survey", "cfa")
add("cfa_fixed_values", "
  Quality =~ q1 + 0.85*q2 + q3
  Value =~ v1 + v2 + 1.1*v3
  Quality ~~ 0.4*Value
  v1 ~~ 0.5*v1", "survey", "cfa")
add("cfa_equal_and_start_modifiers", "
  Quality =~ q1 + q2 + start(0.7)*q3 + equal(\"Quality=~q2\")*q4
  Satisfaction =~ s1 + s2 + s3", "survey", "cfa")
add("second_order", "
  F1 =~ i1_1 + i1_2 + i1_3 + i1_4
  F2 =~ i2_1 + i2_2 + i2_3
  F3 =~ i3_1 + i3_2 + i3_3
  F4 =~ i4_1 + i4_2
  G =~ F1 + F2 + F3 + F4", "big", "cfa")
add("second_order_std_lv_predicts_observed", "
  Quality =~ q1 + q2 + q3
  Value =~ v1 + v2 + v3
  Loyalty =~ l1 + l2 + l3
  Overall =~ Quality + Value + Loyalty
  visits ~ Overall + age", "survey", "sem", list(std.lv = TRUE))
add("second_order_two_levels_regression", "
  F1 =~ i1_1 + i1_2 + i1_3
  F2 =~ i2_1 + i2_2 + i2_3
  F3 =~ i3_1 + i3_2 + i3_3
  F4 =~ i4_1 + i4_2 + i4_3
  F5 =~ i5_1 + i5_2 + i5_3
  G =~ F1 + F2 + F3
  F4 ~ G
  F5 ~ a*F4 + b*G
  product := a*b", "big", "sem")
add("bifactor_orthogonal", "
  g =~ b1 + b2 + b3 + b4 + b5 + b6 + b7 + b8 + b9
  s1 =~ b1 + b2 + b3
  s2 =~ b4 + b5 + b6
  s3 =~ b7 + b8 + b9", "bifactor", "cfa", list(orthogonal = TRUE, std.lv = TRUE))
add("bifactor_zero_covariances", "
  g =~ NA*b1 + b2 + b3 + b4 + b5 + b6 + b7 + b8 + b9
  s1 =~ b1 + b2 + b3
  s2 =~ b4 + b5 + b6
  s3 =~ b7 + b8 + b9
  g ~~ 1*g + 0*s1 + 0*s2 + 0*s3
  s1 ~~ 0*s2 + 0*s3
  s2 ~~ 0*s3", "bifactor", "cfa")
add("method_factor_signed_loadings", "
  g =~ b1 + b2 + b3 + b4 + b5 + b6
  wording =~ 1*b1 + -1*b2 + 1*b3 + -1*b4 + 1*b5 + -1*b6
  g ~~ 0*wording", "bifactor", "cfa")
add("saturated_three_indicators", "Quality =~ q1 + q2 + q3", "survey", "cfa")
add("small_sample", "
  Quality =~ q1 + q2 + q3
  Satisfaction =~ s1 + s2 + s3
  Satisfaction ~ Quality", "survey", "sem", rows = 60)
add("nearly_collinear_factors", "
  A =~ c1 + c2 + c3
  B =~ c4 + c5 + c6", "close", "cfa")
add("large_twelve_factors", paste(sprintf("F%1$d =~ i%1$d_1 + i%1$d_2 + i%1$d_3 + i%1$d_4", 1:12), collapse = "\n"),
  "big", "cfa")
add("correlation_matrix_input", "
  Quality =~ q1 + q2 + q3
  Value =~ v1 + v2 + v3
  Satisfaction =~ s1 + s2 + s3", "correlations", "cfa",
  note = "A correlation matrix analysed as if it were a covariance matrix, as lavaan does.")
add("chinese_names", "
  质量 =~ 质量1 + 质量2 + 质量3
  满意 =~ 满意1 + 满意2 + 满意3
  忠诚 =~ 忠诚1 + 忠诚2 + 忠诚3
  满意 ~ 路径a*质量
  忠诚 ~ 路径b*满意
  间接 := 路径a*路径b", "chinese", "sem")
add("latent_with_item_residual", paste0(measurement, "
  Quality ~~ l1"), "survey", "cfa")

# Path models of observed variables
add("path_one_covariate", "y1 ~ x1", "paths")
add("path_two_covariates", "
  m1 ~ x1 + x2
  y1 ~ m1", "paths")
add("path_several", "
  m1 ~ a1*x1 + x2
  m2 ~ a2*x1 + x3 + f*m1
  y1 ~ b1*m1 + b2*m2
  y2 ~ m1 + g*m2
  ind1 := a1*b1
  ind2 := a2*b2
  chain := a1*f*b2
  total := ind1 + ind2 + chain", "paths")
add("path_fixed_x_false", "
  m1 ~ x1 + x2
  y1 ~ m1 + x3
  y2 ~ m1", "paths", args = list(fixed.x = FALSE))
add("path_meanstructure", "
  m1 ~ x1 + x2
  y1 ~ m1 + x3
  y2 ~ m1", "paths", args = list(meanstructure = TRUE))
add("path_meanstructure_fixed_x_false", "
  m1 ~ x1 + x2
  y1 ~ m1 + x1
  y1 ~ 0*1", "paths", args = list(meanstructure = TRUE, fixed.x = FALSE))
add("path_saturated", "
  m1 ~ x1 + x2
  y1 ~ m1 + x1 + x2", "paths")
add("path_declared_covariate_covariance", "
  m1 ~ x1 + x2 + x3
  y1 ~ m1
  x1 ~~ x2", "paths",
  note = "A covariance of covariates written by the user takes them out of fixed.x in lavaan.")
add("path_declared_covariate_variance", "
  m1 ~ x1 + x2
  y1 ~ m1
  x1 ~~ x1", "paths")
add("path_correlated_outcomes_off", "
  y1 ~ x1 + x2
  y2 ~ x1 + x2
  y1 ~~ 0*y2", "paths")
add("path_nonrecursive", "
  y1 ~ y2 + m1 + x1
  y2 ~ y1 + m2
  y1 ~~ y2", "paths")
add("path_ratio_and_exp", "
  m1 ~ a*x1
  y1 ~ b*m1 + c*x1
  indirect := a*b
  total := a*b + c
  share := a*b/(a*b + c)
  grows := exp(a) - 1
  odd := sqrt(a^2 + b^2)*log(b + 2) - -c", "paths")
add("path_linear_constraints", "
  m1 ~ a*x1 + b*x2
  y1 ~ c*m1 + d*m2
  m2 ~ x3
  a + b == 0.7
  c == d", "paths")
add("covariances_only", "
  x1 ~~ x2
  x2 ~~ x3
  m1 ~~ 0*x1", "paths")

# Latent and observed variables together
add("sem_loyalty_chain", paste0(structure, "
  via_value := a*e
  via_satisfaction := b*d
  via_both := a*c*d
  total := a*e + b*d + a*c*d
  ratio := via_value/via_satisfaction"), "survey")
add("sem_std_lv", structure, "survey", args = list(std.lv = TRUE))
add("sem_meanstructure", structure, "survey", args = list(meanstructure = TRUE))
add("sem_orthogonal", "
  Quality =~ q1 + q2 + q3
  Value =~ v1 + v2 + v3
  Loyalty =~ l1 + l2 + l3
  Loyalty ~ Quality + Value", "survey", args = list(orthogonal = TRUE))
add("sem_several_outcomes", "
  Quality =~ q1 + q2 + q3
  Value =~ v1 + v2 + v3
  Loyalty =~ l1 + l2 + l3
  Value ~ Quality
  Loyalty ~ Quality
  visits ~ Quality
  spend ~ Quality", "survey",
  note = "Residual covariances of the last endogenous variables are free by default; spend has a large scale.")
add("mimic", "
  Quality =~ q1 + q2 + q3 + q4
  Quality ~ age + income + member", "survey")
add("mimic_direct_effect", "
  Loyalty =~ l1 + l2 + l3
  Quality =~ q1 + q2 + q3
  Loyalty ~ age + Quality
  Quality ~ age + member
  l2 ~ member", "survey")
add("mimic_fixed_x_false", "
  Quality =~ q1 + q2 + q3 + q4
  Quality ~ income + member", "survey", args = list(fixed.x = FALSE))
add("mimic_meanstructure", "
  Quality =~ q1 + q2 + q3 + q4
  Quality ~ income + member
  q2 ~ member", "survey", args = list(meanstructure = TRUE))
add("cfa_function_with_covariate", "
  Quality =~ q1 + q2 + q3
  Loyalty =~ l1 + l2 + l3
  Quality ~ age
  Loyalty ~ Quality", "survey", "cfa")
add("covariate_with_latent_covariance", "
  Quality =~ q1 + q2 + q3
  Loyalty =~ l1 + l2 + l3
  Loyalty ~ Quality + income
  income ~~ Quality", "survey")
add("covariate_beside_exogenous_latent", "
  Quality =~ q1 + q2 + q3
  Loyalty =~ l1 + l2 + l3
  Loyalty ~ Quality + income + member", "survey")
add("observed_mediator", "
  Quality =~ q1 + q2 + q3
  Loyalty =~ l1 + l2 + l3
  visits ~ a*Quality
  Loyalty ~ b*visits + c*Quality
  indirect := a*b", "survey")
add("observed_outcomes", "
  Loyalty =~ l1 + l2 + l3
  Satisfaction =~ s1 + s2 + s3
  Loyalty ~ Satisfaction
  visits ~ Loyalty
  spend ~ Loyalty + income", "survey")
add("zero_residual_variance", "
  Quality =~ q1 + q2 + q3
  Loyalty =~ l1 + l2 + l3
  Loyalty ~ Quality + visits
  q2 ~~ 0*q2", "survey")
add("phantom_composite", "
  Index =~ NA*m1 + y1 + y2
  Index ~ 1*x1 + x2 + x3
  Index ~~ 0*Index", "paths")
add("mixed_scales", "
  Quality =~ q1 + q2 + q3
  Satisfaction =~ s1 + s2 + s3
  Loyalty =~ l1 + l2 + l3
  Quality ~ age
  Satisfaction ~ Quality
  Loyalty ~ Satisfaction + Quality", "mixed_scales",
  note = "lavaan does not converge on these scales: it is given equal scales and its results are put back into units.")
add("iacobucci_2009", "
  quality =~ q1 + q2 + q3
  cost =~ c1 + c2 + c3
  value =~ v1 + v2 + v3
  csat =~ cs1 + cs2 + cs3
  repeat_intention =~ r1 + r2 + r3
  value ~ quality + cost
  csat ~ value + quality
  repeat_intention ~ csat + value", "iacobucci")
add("wheaton_1977", "
  ses =~ education + sei
  alien67 =~ anomia67 + h*powerless67
  alien71 =~ anomia71 + h*powerless71
  alien71 ~ b1*alien67 + b2*ses
  alien67 ~ b3*ses
  anomia67 ~~ anomia71
  powerless67 ~~ powerless71
  indirect := b3*b1", "wheaton")
add("covariance_matrix_without_means", "
  Value =~ v1 + v2 + v3
  Loyalty =~ l1 + l2 + l3
  Loyalty ~ Value + age + income", "summary")
add("covariance_matrix_with_means", "
  Value =~ v1 + v2 + v3
  Loyalty =~ l1 + l2 + l3
  Loyalty ~ Value + age + income", "summary_means", args = list(meanstructure = TRUE))

# Growth
add("growth_linear", "
  i =~ 1*t1 + 1*t2 + 1*t3 + 1*t4 + 1*t5
  s =~ 0*t1 + 1*t2 + 2*t3 + 3*t4 + 4*t5", "panel", "growth")
add("growth_covariate_equal_residuals", "
  i =~ 1*t1 + 1*t2 + 1*t3 + 1*t4 + 1*t5
  s =~ 0*t1 + 1*t2 + 2*t3 + 3*t4 + 4*t5
  i ~ tenure
  s ~ tenure
  t1 ~~ r*t1
  t2 ~~ r*t2
  t3 ~~ r*t3
  t4 ~~ r*t4
  t5 ~~ r*t5", "panel", "growth")
add("growth_free_time_scores", "
  i =~ 1*t1 + 1*t2 + 1*t3 + 1*t4 + 1*t5
  s =~ 0*t1 + 1*t2 + t3 + t4 + t5", "panel", "growth")

# Solutions that must not be certified, and models that are not identified
add("improper_heywood_just_identified", "f =~ h1 + h2 + h3", "heywood_exact", "cfa")
add("improper_heywood_over_identified", "
  f =~ h1 + h2 + h3 + h4
  g =~ h5 + h6", "heywood_over", "cfa")
add("improper_correlation_above_one", "
  A =~ d1 + d2 + d3
  B =~ d4 + d5 + d6", "beyond", "cfa")
add("improper_second_order_survey", paste0(measurement, "
  Relationship =~ Quality + Value + Satisfaction + Loyalty"), "survey", "cfa")
add("improper_no_solution", "
  Quality =~ q1 + q2 + q3
  Value =~ v1 + v2 + v3
  Satisfaction =~ s1 + s2 + s3
  Overall =~ Quality + Value + Satisfaction
  visits ~ Overall + age", "survey", "sem", list(std.lv = TRUE),
  note = "std.lv fixes the disturbance of Satisfaction at 1 where the best value is negative: a loading runs away.")
add("improper_second_order", "
  A =~ e1 + e2 + e3
  B =~ e4 + e5 + e6
  C =~ e7 + e8 + e9
  G =~ A + B + C", "second_heywood", "cfa")
add("unidentified_two_indicators", "Quality =~ q1 + q2", "survey", "cfa")
add("unidentified_scale", "
  Quality =~ NA*q1 + q2 + q3 + q4
  Value =~ v1 + v2 + v3", "survey", "cfa")

# Several groups
grouped <- function(name, model, args, fun = "cfa", data = "survey") add(name, model, data, fun, args)
small <- "
  Quality =~ q1 + q2 + q3
  Satisfaction =~ s1 + s2 + s3
  Loyalty =~ l1 + l2 + l3"
grouped("group_configural", small, list(group = "segment"))
grouped("group_metric", small, list(group = "segment", group.equal = "loadings"))
grouped("group_scalar", small, list(group = "segment", group.equal = c("loadings", "intercepts")))
grouped("group_strict", small, list(group = "segment", group.equal = c("loadings", "intercepts", "residuals")))
grouped("group_scalar_partial", small, list(group = "segment", group.equal = c("loadings", "intercepts"),
  group.partial = c("Quality=~q3", "s2~1", "s3~1")))
grouped("group_means_and_variances", small, list(group = "segment",
  group.equal = c("loadings", "intercepts", "means", "lv.variances", "lv.covariances")))
grouped("group_labels", paste0(small, "
  Satisfaction ~ c(a1, a2)*Quality
  Loyalty ~ c(b1, b2)*Satisfaction + c(d, d)*Quality
  difference := a1*b1 - a2*b2"), list(group = "segment"), "sem")
grouped("group_fixed", "
  Quality =~ c(1, 1)*q1 + c(0.8, NA)*q2 + q3
  Loyalty =~ l1 + l2 + l3
  Loyalty ~ c(0.5, 0.7)*Quality
  Quality ~~ c(NA, 1)*Quality", list(group = "segment"), "sem")
grouped("group_regressions_equal", paste0(small, "
  Satisfaction ~ Quality + income
  Loyalty ~ Satisfaction"), list(group = "segment", group.equal = c("loadings", "intercepts", "regressions")), "sem")
grouped("group_std_lv_metric", small, list(group = "segment", group.equal = "loadings", std.lv = TRUE))
grouped("group_path", "
  m1 ~ x1 + x2
  y1 ~ m1", list(group = "half"), "sem", "paths_half")

# Corrections for answers that are not normal
robust <- function(name, model, args = list(), fun = "cfa", data = "survey") add(name, model, data, fun, args)
covariates <- "
  Quality =~ q1 + q2 + q3 + q4
  Quality ~ age + income
  visits ~ Quality + income"
for (estimator in c("MLR", "MLM", "MLMV")) {
  name <- paste0("estimator_", tolower(estimator))
  robust(name, small, list(estimator = estimator))
  robust(paste0(name, "_structural"), paste0(structure, "\n  indirect := b*d"), list(estimator = estimator), "sem")
  robust(paste0(name, "_covariates"), covariates, list(estimator = estimator), "sem")
  robust(paste0(name, "_covariates_means"), covariates, list(estimator = estimator, meanstructure = TRUE), "sem")
  robust(paste0(name, "_random_x"), covariates, list(estimator = estimator, fixed.x = FALSE), "sem")
  robust(paste0(name, "_means"), small, list(estimator = estimator, meanstructure = TRUE))
  robust(paste0(name, "_constraint"), paste0(small, "\n  q1 ~~ r*q1\n  q2 ~~ s*q2\n  r == 1.2*s"), list(estimator = estimator))
  robust(paste0(name, "_group_metric"), small, list(estimator = estimator, group = "segment", group.equal = "loadings"))
}

# Least squares, and what waits: nonlinear and inequality constraints
later <- function(name, model, args = list(), fun = "cfa", data = "survey") add(name, model, data, fun, args, "later")
later("estimator_mlmvs", small, list(estimator = "MLMVS"))
for (estimator in c("GLS", "ULS", "WLS", "DWLS")) {
  add(paste0("estimator_", tolower(estimator)), small, "survey", "cfa", list(estimator = estimator))
}
later("constraint_nonlinear", "
  m1 ~ a*x1 + x2
  y1 ~ b*m1 + x1
  a*b == 0.15", fun = "sem", data = "paths")
later("constraint_inequality", "
  f =~ h1 + h2 + h3 + h4
  g =~ h5 + h6
  h1 ~~ r*h1
  r > 0.01", data = "heywood_over")

datasets$paths_half <- cbind(paths, half = rep(c("first", "second"), c(80, 70)))

# ------------------------------------------------------------------------------------------------------ fitting
lower <- function(m) {
  m <- unclass(m)
  list(names = I(rownames(m)), lower = I(unname(m[upper.tri(m, diag = TRUE)])))  # upper by columns
}
quietly <- function(expr) {
  seen <- character()
  value <- withCallingHandlers(
    tryCatch(expr, error = function(e) structure(list(message = conditionMessage(e)), class = "failed")),
    warning = function(w) {
      seen <<- c(seen, gsub("\\s+", " ", trimws(conditionMessage(w))))
      invokeRestart("muffleWarning")
    })
  list(value = value, warnings = seen)
}
columns <- c("lhs", "op", "rhs", "group", "label", "est", "se", "z", "pvalue", "ci.lower", "ci.upper", "std.lv",
  "std.all")
per_group <- function(x) if (is.list(x)) unname(x) else list(x)

run <- function(case) {
  call <- c(list(model = case$model), case$args)
  if (case$data %in% names(datasets)) {
    call$data <- datasets[[case$data]]
    if (!is.null(case$rows)) call$data <- call$data[seq_len(case$rows), ]
  } else {
    input <- matrices[[case$data]]
    call$sample.cov <- if (case$name == "mixed_scales") {
      input$cov / outer(units[colnames(input$cov)], units[colnames(input$cov)])
    } else input$cov
    call$sample.nobs <- input$nobs
    call$sample.mean <- input$mean
  }
  # lavaan stops at a relative change of 1e-10 in the function, which leaves the estimates good to about 1e-5. The
  # tightest stopping rule that nlminb still accepts as convergence is used instead. One attempt only: the second one
  # of lavaan 0.6-14 starts elsewhere and loses the constant of constraints such as a + b == 0.7. Where
  # a latent correlation ends beyond 1, no check of the start values either: it would pull the correlation back to 1
  # inside modificationIndices(), which then come out wrong.
  for (tolerance in c(1e-15, 1e-14, 1e-13, 1e-12, 1e-11, 1e-10)) {
    options <- list(optim.attempts = 1L, check.start = case$name != "improper_correlation_above_one",
      control = list(rel.tol = tolerance, iter.max = 20000))
    attempt <- quietly(do.call(case$fun, c(call, options)))
    if (!inherits(attempt$value, "failed") && lavInspect(attempt$value, "converged") &&
      !any(grepl("baseline", attempt$warnings))) break
  }
  fit <- attempt$value
  out <- case[c("name", "stage", "fun", "data")]
  out$args <- if (length(case$args)) case$args else setNames(list(), character())
  if (!is.null(case$rows)) out$rows <- case$rows
  if (nzchar(case$note)) out$note <- case$note
  out$model <- case$model
  out$rel_tol <- tolerance
  out$warnings <- as.list(attempt$warnings)
  if (inherits(fit, "failed")) {
    out$error <- fit$message
    return(out)
  }
  out$converged <- lavInspect(fit, "converged")
  check <- quietly(lavInspect(fit, "post.check"))
  out$post_check <- isTRUE(check$value)
  out$post_check_warnings <- as.list(check$warnings)
  out$max_gradient <- max(abs(lavTech(fit, "optim.gradient")), 0)
  out$group_labels <- as.list(lavInspect(fit, "group.label"))
  pe <- parameterEstimates(fit, standardized = TRUE)
  pe <- pe[!pe$op %in% c("==", "<", ">"), ]
  if (is.null(pe$group)) pe$group <- ifelse(pe$op == ":=", 0L, 1L)
  if (is.null(pe$label)) pe$label <- ""
  for (column in setdiff(columns, names(pe))) pe[[column]] <- NA_real_
  pe <- lapply(pe[columns], I)
  names(pe) <- gsub(".", "_", names(pe), fixed = TRUE)
  out$estimates <- pe
  measures <- quietly(fitMeasures(fit))
  if (!inherits(measures$value, "failed")) {
    m <- unclass(measures$value)
    m <- m[!grepl("ci.level|ci_level|notclose|\\.h0", names(m))]
    names(m) <- gsub(".", "_", names(m), fixed = TRUE)
    out$fit <- as.list(m)
  }
  r2 <- quietly(lavInspect(fit, "r2", drop.list.single.group = FALSE))$value
  if (!inherits(r2, "failed")) out$r2 <- lapply(unname(r2), function(x) as.list(unclass(x)))
  candidates <- quietly(modificationIndices(fit))
  if (!inherits(candidates$value, "failed") && nrow(candidates$value)) {
    m <- candidates$value
    if (is.null(m$group)) m$group <- rep(1L, nrow(m))
    m <- m[is.finite(m$mi), ]
    m <- head(m[order(-m$mi), ], 15)
    m <- lapply(m[c("lhs", "op", "rhs", "group", "mi", "epc", "sepc.all")], I)
    names(m) <- gsub(".", "_", names(m), fixed = TRUE)
    out$mi <- m
  } else if (inherits(candidates$value, "failed")) out$mi_error <- candidates$value$message
  implied <- lavInspect(fit, "implied", drop.list.single.group = FALSE)
  out$implied <- lapply(unname(implied), function(g) {
    o <- lower(g$cov)
    if (!is.null(g$mean)) o$mean <- I(unname(as.numeric(g$mean)))
    o
  })
  res <- lavResiduals(fit, type = "raw", se = FALSE, zstat = FALSE, summary = FALSE, drop.list.single.group = FALSE)
  out$residuals <- lapply(unname(res), function(g) {
    o <- lower(g$cov)
    if (!is.null(g$mean)) o$mean <- I(unname(as.numeric(g$mean)))
    o
  })
  if (length(lavNames(fit, "lv"))) {
    out$cov_lv <- lapply(unname(lavInspect(fit, "cov.lv", drop.list.single.group = FALSE)), lower)
  }
  if (case$name == "mixed_scales") in_units(out) else out
}

# Maximum likelihood is equivariant under changes of unit: estimates change by powers of the units, tests do not.
in_units <- function(out) {
  size <- function(op, lhs, rhs, latent) {  # latent: the unit of a latent variable, or 1 where it is standardised
    u <- function(name) unname(ifelse(name %in% names(latent), latent[name], units[name]))
    ifelse(op == "=~", u(rhs) / u(lhs), ifelse(op == "~", u(lhs) / u(rhs), u(lhs) * u(rhs)))
  }
  e <- out$estimates
  raw <- size(e$op, e$lhs, e$rhs, units[c("Quality", "Satisfaction", "Loyalty")])
  for (column in c("est", "se", "ci_lower", "ci_upper")) e[[column]] <- I(e[[column]] * raw)
  e$std_lv <- I(e$std_lv * size(e$op, e$lhs, e$rhs, c(Quality = 1, Satisfaction = 1, Loyalty = 1)))
  out$estimates <- e
  out$mi$epc <- I(out$mi$epc * size(out$mi$op, out$mi$lhs, out$mi$rhs, units[c("Quality", "Satisfaction", "Loyalty")]))
  out$fit <- out$fit[!grepl("^rmr|logl|^aic|^bic", names(out$fit))]  # these depend on the units
  for (part in c("implied", "residuals", "cov_lv")) {
    m <- out[[part]][[1]]
    k <- outer(units[m$names], units[m$names])
    out[[part]][[1]]$lower <- I(m$lower * k[upper.tri(k, diag = TRUE)])
  }
  out
}

results <- lapply(cases, run)

store_data <- function(d) as.list(d)
store_matrix <- function(m) {
  o <- c(lower(m$cov), list(nobs = m$nobs))
  if (!is.null(m$mean)) o$mean <- I(unname(m$mean))
  o
}
out <- list(
  about = paste("Written by fits.R; do not edit. Lower triangles are stored row by row. Covariance matrices are divided",
    "by nobs - 1, as printed; lavaan and this package rescale them by (nobs - 1)/nobs. gfi and agfi are those of",
    "Joreskog and Sorbom, the definition of lavaan before 0.7."),
  versions = list(R = as.character(getRversion()), lavaan = as.character(packageVersion("lavaan"))),
  datasets = lapply(datasets, store_data),
  matrices = lapply(matrices, store_matrix),
  cases = results
)
# One case per line keeps the file readable in a diff. digits = NA: 15 significant digits.
one <- function(x) toJSON(x, digits = NA, auto_unbox = TRUE, na = "null", null = "null")
block <- function(named) paste(sprintf("  %s: %s", sapply(names(named), function(k) toJSON(unbox(k))), sapply(named, one)),
  collapse = ",\n")
text <- c("{", paste0('"about": ', one(out$about), ","), paste0('"versions": ', one(out$versions), ","),
  '"datasets": {', block(out$datasets), "},", '"matrices": {', block(out$matrices), "},",
  '"cases": [', paste0("  ", sapply(out$cases, one), collapse = ",\n"), "]", "}")
con <- file(file.path(here, "fits.json"), "w", encoding = "UTF-8")
writeLines(text, con, useBytes = TRUE)
close(con)
