# lavaan's parameter tables, complete after defaults: writes defaults.json beside this file.
#
#     LC_ALL=C.UTF-8 OPENBLAS_NUM_THREADS=1 Rscript tests/reference/defaults.R
#
# Nothing is estimated (do.fit = FALSE): tests/model/test_defaults_reference.py compares which parameters exist, which
# of them are free, which share a value, and at what the others are fixed.

suppressPackageStartupMessages({
  library(lavaan)
  library(jsonlite)
})
RNGkind("Mersenne-Twister", "Inversion", "Rejection")
here <- dirname(sub("^--file=", "", grep("^--file=", commandArgs(FALSE), value = TRUE)))

set.seed(11)
n <- 240
common <- rnorm(n)
data <- as.data.frame(sapply(1:20, function(j) 0.6 * common + rnorm(n)))
names(data) <- c(paste0("y", 1:12), paste0("x", 1:4), "m", "w", "z1", "z2")
data$two <- rep(c("a", "b"), c(130, 110))
data$three <- rep(c("p", "q", "r"), c(90, 80, 70))

cases <- list()
add <- function(name, model, fun = "sem", ...) {
  cases[[length(cases) + 1]] <<- list(name = name, fun = fun, args = list(...),
    model = gsub("(^|\n) +", "\\1", trimws(model)))
}
both <- function(name, model, ...) for (fun in c("cfa", "sem")) add(paste(name, fun, sep = "_"), model, fun, ...)

three <- "
  f =~ y1 + y2 + y3
  g =~ y4 + y5 + y6
  h =~ y7 + y8 + y9"
chain <- paste0(three, "
  g ~ f
  h ~ g")
fan <- paste0(three, "
  g ~ f
  h ~ f")

# Scale, covariances and means of a measurement model
both("measurement", three)
add("measurement_std_lv", three, "cfa", std.lv = TRUE)
add("measurement_orthogonal", three, "cfa", orthogonal = TRUE)
add("measurement_means", three, "cfa", meanstructure = TRUE)
add("measurement_std_lv_means", three, "cfa", std.lv = TRUE, meanstructure = TRUE)
add("measurement_growth", three, "growth")
add("freed_marker", "f =~ NA*y1 + y2 + y3\nf ~~ 1*f", "cfa")
add("freed_marker_only", "f =~ NA*y1 + y2 + y3", "cfa")
add("marker_elsewhere", "f =~ NA*y1 + y2 + 1*y3", "cfa")
add("marker_of_another_value", "f =~ 2*y1 + y2 + y3", "cfa")
add("label_on_marker", "f =~ a*y1 + b*y2 + y3", "cfa")
add("label_on_freed_marker", "f =~ NA*y1 + a*y1 + b*y2 + y3\nf ~~ 1*f", "cfa")
add("start_on_marker", "f =~ start(0.8)*y1 + y2 + y3", "cfa")
add("std_lv_with_written_variance", "f =~ y1 + y2 + y3\nf ~~ v*f", "cfa", std.lv = TRUE)
add("std_lv_with_fixed_variance", "f =~ y1 + y2 + y3\nf ~~ 2*f", "cfa", std.lv = TRUE)
add("std_lv_with_freed_variance", "f =~ 1*y1 + y2 + y3\nf ~~ NA*f", "cfa", std.lv = TRUE)
add("std_lv_with_fixed_loading", "f =~ 1*y1 + y2 + y3", "cfa", std.lv = TRUE)
add("equal_labels", "f =~ y1 + k*y2 + k*y3\ng =~ y4 + k*y5 + y6", "cfa")
add("equal_label_with_fixed", "f =~ 1*y1 + y2 + y3\ny1 ~~ r*y1\ny2 ~~ r*y2\nf ~~ 0.5*f", "cfa")
add("equal_modifier", "f =~ y1 + y2 + equal(\"f=~y2\")*y3", "cfa")
add("constraint_rows", "f =~ y1 + a*y2 + b*y3 + d*y4\na == b\nd == 2*b", "cfa")
add("cross_loading", "f =~ y1 + y2 + y3 + y4\ng =~ y4 + y5 + y6", "cfa")
add("factor_in_two_lines", "f =~ y1 + y2\ng =~ y4 + y5 + y6\nf =~ y3", "cfa")
add("single_indicator", "f =~ y1\ng =~ y4 + y5 + y6", "cfa")
add("single_indicator_written_residual", "f =~ y1\ng =~ y4 + y5 + y6\ny1 ~~ 0.2*y1", "cfa")
add("single_indicator_freed_residual", "f =~ y1\ng =~ y4 + y5 + y6\ny1 ~~ NA*y1", "cfa")
add("single_indicator_shared", "f =~ y1\ng =~ y1 + y4 + y5 + y6", "cfa")
add("single_indicator_two_factors", "f =~ y1\ng =~ y2\nh =~ y3\nh ~ f + g")
add("single_indicator_std_lv", "f =~ y1\ng =~ y4 + y5 + y6", "cfa", std.lv = TRUE)
add("residual_covariances", paste0(three, "\n  y1 ~~ y2 + y4\n  f ~~ 0*g"), "cfa")
add("latent_with_residual", paste0(three, "\n  f ~~ y7"), "cfa")
add("written_intercepts", "f =~ y1 + y2 + y3\ny1 ~ 1\ny2 ~ 0*1", "cfa")
add("written_latent_mean", "f =~ y1 + y2 + y3\ny1 ~ 0*1\nf ~ 1", "cfa")
add("one_latent_mean_label", "f =~ y1 + y2 + y3\nf ~ a*1\ny1 ~ -1*1", "cfa")

# Second order
both("second_order", paste0(three, "\n  s =~ f + g + h"))
add("second_order_std_lv", paste0(three, "\n  s =~ f + g + h"), "cfa", std.lv = TRUE)
add("second_order_first", "s =~ f + g + h\nf =~ y1 + y2 + y3\ng =~ y4 + y5 + y6\nh =~ y7 + y8 + y9", "cfa")
add("second_order_partial", paste0(three, "\n  s =~ f + g\n  h ~ s"))
add("second_order_beside_item", paste0(three, "\n  s =~ f + g + y10\n  s ~ h"))
add("second_order_single", "f =~ y1 + y2 + y3\ns =~ f", "cfa")
add("third_order", paste0(three, "
  k =~ y10 + y11 + y12
  s =~ f + g
  t =~ h + k
  u =~ s + t"), "cfa")
add("second_order_means", paste0(three, "\n  s =~ f + g + h"), "cfa", meanstructure = TRUE)

# Regressions among latent variables
both("chain", chain)
both("fan", fan)
add("fan_orthogonal", fan, "sem", orthogonal = TRUE)
add("fan_covariance_written", paste0(fan, "\n  g ~~ 0*h"))
add("chain_std_lv", chain, "sem", std.lv = TRUE)
add("chain_means", chain, "sem", meanstructure = TRUE)
add("chain_growth", chain, "growth")
add("two_causes", paste0(three, "\n  h ~ f + g"))
add("two_causes_cov_zero", paste0(three, "\n  h ~ f + g\n  f ~~ 0*g"))
add("non_recursive", paste0(three, "\n  k =~ y10 + y11 + y12\n  f ~ g + h\n  g ~ f + k"))
add("defined", "f =~ y1 + y2 + y3\ng =~ y4 + y5 + y6\nm ~ a*f\ng ~ b*m + c*f\nab := a*b\ntotal := ab + c")
add("causes_and_spare_factor", paste0(three, "\n  g ~ f"))
add("negative_and_zero_paths", paste0(three, "\n  g ~ -0.5*f\n  h ~ 0*f + g"))
add("latent_explains_own_item_set", paste0(three, "\n  y7 ~ f"))

# Covariates and observed outcomes
both("mimic", "f =~ y1 + y2 + y3\nf ~ x1 + x2")
add("mimic_random_x", "f =~ y1 + y2 + y3\nf ~ x1 + x2", "sem", fixed.x = FALSE)
add("mimic_means", "f =~ y1 + y2 + y3\nf ~ x1 + x2", "sem", meanstructure = TRUE)
add("mimic_means_random_x", "f =~ y1 + y2 + y3\nf ~ x1 + x2", "sem", meanstructure = TRUE, fixed.x = FALSE)
add("mimic_growth", "i =~ 1*y1 + 1*y2 + 1*y3\ns =~ 0*y1 + 1*y2 + 2*y3\ni ~ x1\ns ~ x1 + x2", "growth")
add("growth_time_varying", "i =~ 1*y1 + 1*y2 + 1*y3\ns =~ 0*y1 + 1*y2 + 2*y3\ny1 ~ x1\ny2 ~ x2\ny3 ~ x3", "growth")
add("growth_outcome", "i =~ 1*y1 + 1*y2 + 1*y3\ns =~ 0*y1 + 1*y2 + 2*y3\nz1 ~ i + s", "growth")
add("covariate_beside_latent", "f =~ y1 + y2 + y3\ng =~ y4 + y5 + y6\ng ~ f + x1 + x2")
add("covariate_covaries_with_latent", "f =~ y1 + y2 + y3\ng =~ y4 + y5 + y6\ng ~ f + x1\nx1 ~~ f")
add("covariate_covariance_written", "m ~ x1 + x2 + x3\nx1 ~~ x2")
add("covariate_variance_written", "m ~ x1 + x2 + x3\nx1 ~~ x1")
add("covariate_mean_written", "m ~ x1 + x2\nx1 ~ 1")
add("covariate_covariance_written_random_x", "m ~ x1 + x2 + x3\nx1 ~~ 0*x2", "sem", fixed.x = FALSE)
add("covariate_is_indicator", "f =~ y1 + y2 + x1\nm ~ x1 + x2 + f")
add("path_two_outcomes", "z1 ~ x1 + m\nz2 ~ x2 + m\nm ~ x1 + x2")
add("path_two_outcomes_cfa", "z1 ~ x1 + m\nz2 ~ x2 + m\nm ~ x1 + x2", "cfa")
add("path_three_outcomes", "z1 ~ x1\nz2 ~ x1\nm ~ x1")
add("path_intercept_only", "z1 ~ 1\nz1 ~~ z1\nz2 ~~ z1", "sem")
add("path_zero_intercept", "z1 ~ 0*1 + x1\nz2 ~ x1 + z1")
add("path_means_random_x", "z1 ~ x1 + x2\nz2 ~ z1", "sem", meanstructure = TRUE, fixed.x = FALSE)
add("outcome_observed_and_latent", "f =~ y1 + y2 + y3\ng =~ y4 + y5 + y6\ng ~ f\nz1 ~ f\nz2 ~ f")
add("outcome_observed_after_latent_mediator", "f =~ y1 + y2 + y3\ng =~ y4 + y5 + y6\ng ~ f\nz1 ~ g\nz2 ~ g + x1")
add("item_as_outcome", "f =~ y1 + y2 + y3\ng =~ y4 + y5 + y6\ny2 ~ x1\ng ~ f\nz1 ~ f")
add("item_as_predictor", "f =~ y1 + y2 + y3\ng =~ y4 + y5 + y6\nz1 ~ y2 + f\ng ~ y1")
add("second_order_and_covariates", paste0(three, "\n  s =~ f + g + h\n  s ~ x1\n  f ~ x2\n  z1 ~ s"))
add("outcome_with_written_covariance_to_mediator", "z1 ~ m + x1\nm ~ x1 + x2\nz2 ~ x2\nz1 ~~ m\nz2 ~~ z1")
add("observed_covary_only", "y1 ~~ y2 + y3\ny2 ~~ y3")
add("observed_variance_and_path", "z1 ~ m\nm ~~ w\nz2 ~ w")
add("free_variable_covaries_with_factor", "f =~ y1 + y2 + y3\nz1 ~~ f")
add("phantom", "p =~ 0*y4\nf =~ y1 + y2 + y3\np ~ 1*x1 + x2\np ~~ 0*p\nf ~ p\ny4 ~~ y4")
add("zero_variance", "f =~ y1 + y2 + y3\nf ~ x1\nf ~~ 0*f\ny2 ~~ 0*y2")

# Several groups
add("groups", three, "cfa", group = "two")
add("groups_std_lv", three, "cfa", group = "two", std.lv = TRUE)
add("groups_loadings", three, "cfa", group = "two", group.equal = "loadings")
add("groups_std_lv_loadings", three, "cfa", group = "two", group.equal = "loadings", std.lv = TRUE)
add("groups_intercepts", three, "cfa", group = "three", group.equal = c("loadings", "intercepts"))
add("groups_intercepts_only", three, "cfa", group = "two", group.equal = "intercepts")
add("groups_residuals", three, "cfa", group = "two", group.equal = c("loadings", "intercepts", "residuals"))
add("groups_means", three, "cfa", group = "two", group.equal = c("loadings", "intercepts", "means"))
add("groups_latent_covariances", three, "cfa", group = "two",
  group.equal = c("loadings", "lv.variances", "lv.covariances"))
add("groups_residual_covariances", paste0(three, "\n  y1 ~~ y4"), "cfa", group = "two",
  group.equal = c("loadings", "residual.covariances"))
add("groups_regressions", chain, "sem", group = "two", group.equal = c("loadings", "regressions"))
add("groups_structural_intercepts", paste0(chain, "\n  z1 ~ h"), "sem", group = "two",
  group.equal = c("loadings", "intercepts", "regressions"))
add("groups_partial", three, "cfa", group = "two", group.equal = c("loadings", "intercepts"),
  group.partial = c("f=~y2", "y3~1", "y7 ~ 1"))
add("groups_labels", paste0(three, "\n  g ~ c(a1, a2)*f\n  h ~ c(b, b)*f"), "sem", group = "two")
add("groups_one_label", "f =~ y1 + k*y2 + y3", "cfa", group = "two")
add("groups_fixed", "f =~ c(1, 1)*y1 + c(0.8, NA)*y2 + y3\nf ~~ c(NA, 1)*f", "cfa", group = "two")
add("groups_covariates", "f =~ y1 + y2 + y3\nf ~ x1 + x2\nz1 ~ f + x1", "sem", group = "two", group.equal = "loadings")
add("groups_no_means", three, "cfa", group = "two", meanstructure = FALSE)
add("groups_growth", "i =~ 1*y1 + 1*y2 + 1*y3\ns =~ 0*y1 + 1*y2 + 2*y3", "growth", group = "two")
add("groups_second_order", paste0(three, "\n  s =~ f + g + h"), "cfa", group = "two",
  group.equal = c("loadings", "intercepts"))
add("groups_intercept_labels", "f =~ y1 + y2 + y3\ny1 ~ c(i1, i1)*1\nf ~ c(0, NA)*1", "cfa", group = "two")
add("groups_equal_with_user_label", "f =~ y1 + c(a, b)*y2 + y3 + y4", "cfa", group = "two", group.equal = "loadings")
add("groups_marker_freed", "f =~ NA*y1 + y2 + y3\nf ~~ 1*f", "cfa", group = "two", group.equal = "loadings")
add("groups_freed_by_na", "f =~ y1 + c(NA, NA)*y2 + y3 + NA*y4", "cfa", group = "two", group.equal = "loadings")
add("groups_freed_marker_metric_std_lv", "f =~ NA*y1 + y2 + y3", "cfa", group = "two", group.equal = "loadings",
  std.lv = TRUE)
add("groups_written_variance", "f =~ NA*y1 + y2 + y3\nf ~~ c(1, NA)*f", "cfa", group = "two", group.equal = "loadings")
add("groups_start_values", "f =~ y1 + start(c(0.5, 0.7))*y2 + y3", "cfa", group = "two", group.equal = "loadings")
add("groups_residual_label", "f =~ y1 + y2 + y3\ny1 ~~ c(r, r)*y1", "cfa", group = "two")
add("groups_scalar_covariates", "f =~ y1 + y2 + y3\ng =~ y4 + y5 + y6\nf ~ x1\ng ~ f + x1", "sem", group = "two",
  group.equal = c("loadings", "intercepts", "regressions", "means"))
add("groups_scalar_lv_intercepts_written", "f =~ y1 + y2 + y3\nf ~ 0*1", "cfa", group = "two",
  group.equal = c("loadings", "intercepts"))
add("groups_orthogonal", three, "cfa", group = "two", group.equal = "loadings", orthogonal = TRUE)
add("groups_all_equal", three, "cfa", group = "two", group.equal = c("loadings", "intercepts", "means", "residuals",
  "lv.variances", "lv.covariances"))
add("groups_partial_variance", three, "cfa", group = "two", group.equal = c("loadings", "residuals", "lv.variances"),
  group.partial = c("y2~~y2", "f~~f"))
add("groups_path_intercepts", "z1 ~ x1 + m\nm ~ x1", "sem", group = "two", group.equal = c("regressions", "intercepts"))
add("groups_path_residuals", "z1 ~ x1 + m\nm ~ x1\nz2 ~ m", "sem", group = "two",
  group.equal = c("regressions", "residuals", "residual.covariances"))

# Rules that meet each other
add("fan_orthogonal_observed_outcome", paste0(fan, "\n  z1 ~ f\n  z2 ~ f"), "sem", orthogonal = TRUE)
add("orthogonal_with_written_covariance", paste0(three, "\n  f ~~ g"), "cfa", orthogonal = TRUE)
add("orthogonal_second_order", paste0(three, "\n  s =~ f + g\n  h ~~ s"), "cfa", orthogonal = TRUE)
add("mimic_orthogonal", paste0(three, "\n  h ~ f + g + x1 + x2"), "sem", orthogonal = TRUE)
add("one_covariate_random_of_three", "m ~ x1 + x2 + x3\nz1 ~ x3\nx3 ~~ v*x3")
add("one_covariate_random_of_three_random_x", "m ~ x1 + x2 + x3\nx3 ~~ v*x3", "sem", fixed.x = FALSE)
add("covariate_mean_written_random_x", "m ~ x1 + x2\nx1 ~ 1", "sem", fixed.x = FALSE)
add("covariate_covaries_with_item", "f =~ y1 + y2 + y3\nf ~ x1 + x2\ny1 ~~ x1")
add("covariates_cfa_random_x", "f =~ y1 + y2 + y3\ng =~ y4 + y5 + y6\nf ~ x1\ng ~ x1 + x2", "cfa", fixed.x = FALSE)
add("single_indicator_as_covariate_and_outcome", "f =~ y1\ng =~ y4 + y5 + y6\nf ~ g\nz1 ~ f")
add("single_indicator_explained", "f =~ y1\ng =~ y4 + y5 + y6\ny1 ~ x1", "sem")
add("single_indicator_covaries", "f =~ y1\ng =~ y4 + y5 + y6\ny1 ~~ y4", "cfa")
add("single_indicator_scaled", "f =~ 0.9*y1\ng =~ y4 + y5 + y6", "cfa")
add("single_indicator_freed_loading", "f =~ NA*y1\nf ~~ 1*f\ng =~ y4 + y5 + y6", "cfa")
add("label_and_value", "f =~ y1 + a*y2 + 0.8*y2 + y3", "cfa")
add("label_and_start", "f =~ y1 + a*y2 + start(0.8)*y2 + y3", "cfa")
add("shared_label_of_paths", "z1 ~ a*x1 + a*x2\nm ~ a*x1")
add("shared_label_path_and_covariance", "z1 ~ k*x1\nz2 ~ x1\nz1 ~~ k*z2")
add("constraint_of_three", "z1 ~ a*x1 + b*x2 + c*x3\na + b + c == 1\na == b")
add("constraint_repeated", "z1 ~ a*x1 + b*x2\na == b\nb == a")
add("constraint_to_a_value", "z1 ~ a*x1 + b*x2\na == 0.5")
add("constraint_on_a_definition", "z1 ~ a*x1 + b*x2\ntotal := a + b\ntotal == 1")
add("several_on_the_left", "z1 + z2 ~ x1 + x2\ny1 + y2 ~~ y3")
add("comments_and_semicolons", "# a comment\nf =~ y1 + y2 +\n y3 ; g =~ y4 + y5 + y6 ! another\ng ~ f")
add("outcome_explains_item", "f =~ y1 + y2 + y3\nf ~ x1\nz1 ~ f\ny2 ~ z1")
add("cycle_of_observed", "z1 ~ z2 + x1\nz2 ~ m\nm ~ z1 + x2")
add("factor_with_covariate_indicator_and_outcome", "f =~ y1 + y2 + y3\nf ~ x1\ny3 ~ x1\nz1 ~ y3\nz2 ~ f")
add("growth_latent_mean_fixed", "i =~ 1*y1 + 1*y2 + 1*y3\ns =~ 0*y1 + 1*y2 + 2*y3\ns ~ 0*1", "growth")
add("growth_free_scores", "i =~ 1*y1 + 1*y2 + 1*y3 + 1*y4\ns =~ 0*y1 + 1*y2 + y3 + y4", "growth")
add("growth_std_lv", "i =~ y1 + y2 + y3\ns =~ y4 + y5 + y6", "growth", std.lv = TRUE)
add("growth_second_order", paste0(three, "\n  s =~ f + g + h"), "growth")

run <- function(case) {
  seen <- character()
  arguments <- c(list(model = case$model, data = data, do.fit = FALSE), case$args)
  fit <- withCallingHandlers(
    tryCatch(do.call(case$fun, arguments), error = function(e) conditionMessage(e)),
    warning = function(w) {
      seen <<- c(seen, gsub("\\s+", " ", trimws(conditionMessage(w))))
      invokeRestart("muffleWarning")
    })
  out <- case[c("name", "fun")]
  out$args <- if (length(case$args)) case$args else setNames(list(), character())
  out$model <- case$model
  out$warnings <- as.list(seen)
  if (is.character(fit)) {
    out$error <- fit
    return(out)
  }
  out$groups <- as.list(lavInspect(fit, "group.label"))
  out$observed <- I(lavNames(fit, "ov"))
  out$latent <- I(lavNames(fit, "lv"))
  out$exogenous <- I(lavNames(fit, "ov.x"))
  restrictions <- fit@Model@con.jac
  out$npar <- lavInspect(fit, "npar") - if (nrow(restrictions)) qr(restrictions)$rank else 0
  columns <- c("lhs", "op", "rhs", "user", "group", "free", "ustart", "exo", "label", "plabel")
  out$table <- lapply(parTable(fit)[columns], I)
  out
}
results <- lapply(cases, run)
one <- function(x) toJSON(x, digits = NA, auto_unbox = TRUE, na = "null", null = "null")
text <- c("{", '"about": "Written by defaults.R; do not edit.",',
  paste0('"versions": ', one(list(R = as.character(getRversion()), lavaan = as.character(packageVersion("lavaan")))),
    ","),
  '"cases": [', paste0("  ", sapply(results, one), collapse = ",\n"), "]", "}")
con <- file(file.path(here, "defaults.json"), "w", encoding = "UTF-8")
writeLines(text, con, useBytes = TRUE)
close(con)
