# Models of ordinal items with observed covariates (conditional.x = TRUE) by lavaan: writes conditional.json here.
#
#     LC_ALL=C.UTF-8 OPENBLAS_NUM_THREADS=1 Rscript tests/reference/conditional.R
#
# One simulated survey: nine items of five, three and two categories and two continuous ones, which measure three
# constructs that depend on age and gender; one item depends on gender directly. And a copy with missing answers.

suppressPackageStartupMessages({
  library(lavaan)
  library(jsonlite)
})
RNGkind("Mersenne-Twister", "Inversion", "Rejection")
here <- dirname(sub("^--file=", "", grep("^--file=", commandArgs(FALSE), value = TRUE)))

cut_at <- function(x, at) as.integer(findInterval(x, at)) + 1L
five <- c(-1.2, -0.4, 0.4, 1.3)
skewed <- c(-2.0, -1.4, -0.8, 0.1)
survey <- function(n, seed) {
  set.seed(seed)
  age <- round(runif(n, 18, 70))
  female <- rbinom(n, 1, 0.55)
  old <- (age - 44) / 15
  image <- 0.35 * old + 0.4 * female + rnorm(n)
  sat <- 0.6 * image - 0.25 * old + 0.8 * rnorm(n)
  loy <- 0.3 * image + 0.5 * sat + 0.3 * female + 0.7 * rnorm(n)
  item <- function(f, loading, direct = 0) loading * f + direct * female + 0.7 * rnorm(n)
  data.frame(
    i1 = cut_at(item(image, 0.8), five), i2 = cut_at(item(image, 0.7), skewed), i3 = cut_at(item(image, 0.9), c(0.1)),
    s1 = cut_at(item(sat, 0.9), five), s2 = cut_at(item(sat, 0.8, 0.5), c(-0.8, 0.6)), s3 = cut_at(item(sat, 0.7), five),
    l1 = cut_at(item(loy, 0.8), skewed), l2 = cut_at(item(loy, 0.9), c(-0.3)), l3 = cut_at(item(loy, 0.8), c(0.5)),
    m1 = round(5 + 2 * item(sat, 0.8), 3), m2 = round(-1 + item(loy, 0.9), 3),
    age = age, female = female, shop = ifelse(rbinom(n, 1, 0.45) == 1, "town", "web")
  )
}
data <- survey(600, 4)
gaps <- data
set.seed(9)
for (name in c("i1", "i2", "i3", "s1", "s2", "s3", "m1")) gaps[[name]][runif(nrow(data)) < 0.08] <- NA

ecsi <- "image =~ i1 + i2 + i3
sat =~ s1 + s2 + s3
loy =~ l1 + l2 + l3
sat ~ p*image + age + female
loy ~ image + q*sat + female
image ~ age + female
s2 ~ female
through := p*q"
mimic <- "sat =~ s1 + s2 + s3
sat ~ age + female"
mixed <- "sat =~ s1 + m1 + s3
loy =~ l1 + l2 + m2
loy ~ b*sat + female
sat ~ age + female
m2 ~ age"
outcome <- "image =~ i1 + i2 + i3
s1 ~ image + age
m1 ~ image + female
l2 ~ m1 + age"
binary <- "loy =~ l2 + l3 + i3
loy ~ age + female"
second <- "image =~ i1 + i2 + i3
sat =~ s1 + s2 + s3
loy =~ l1 + l2 + l3
bond =~ image + sat + loy
bond ~ age + female"
paths <- "l2 ~ age + female
s1 ~ age"
mediator <- "sat =~ s1 + s2 + s3
m1 ~ a*age + female
sat ~ b*m1 + 0.01*age
med := a*b"
items <- c("i1", "i2", "i3", "s1", "s2", "s3", "l1", "l2", "l3")
both <- c("loadings", "thresholds")
cases <- list(
  mimic = list(model = mimic),
  direct = list(model = paste0(mimic, "\ns3 ~ female")),
  ecsi = list(model = ecsi),
  ecsi_ulsmv = list(model = ecsi, estimator = "ULSMV"),
  ecsi_dwls = list(model = ecsi, estimator = "DWLS"),
  ecsi_uls = list(model = ecsi, estimator = "ULS"),
  ecsi_theta = list(model = ecsi, parameterization = "theta"),
  ecsi_std_lv = list(model = ecsi, std.lv = TRUE),
  wls = list(model = mimic, estimator = "WLS"),
  mixed = list(model = mixed),
  mixed_theta = list(model = mixed, parameterization = "theta"),
  mixed_wls = list(model = mixed, estimator = "WLS"),
  outcome = list(model = outcome),
  binary = list(model = binary),
  second = list(model = second),
  paths = list(model = paths),
  mediator = list(model = mediator),
  mediator_theta = list(model = mediator, parameterization = "theta", estimator = "ULSMV"),
  groups = list(model = ecsi, group = "shop"),
  groups_equal = list(model = ecsi, group = "shop", group.equal = both),
  groups_theta = list(model = ecsi, group = "shop", group.equal = both, parameterization = "theta"),
  groups_slopes = list(model = sub("p[*]", "", sub("q[*]", "", sub("through.*", "", ecsi))), group = "shop",
    group.equal = c(both, "regressions")),
  groups_mixed = list(model = mixed, group = "shop", group.equal = c("loadings", "thresholds", "intercepts")),
  pairwise = list(model = ecsi, missing = "pairwise"),
  pairwise_mixed = list(model = mixed, missing = "pairwise")
)
results <- lapply(cases, function(case) {
  used <- if (identical(case$missing, "pairwise")) gaps else data
  fit <- do.call("sem", c(case, list(data = used, ordered = items)))
  stopifnot(lavInspect(fit, "converged"), lavInspect(fit, "options")$conditional.x)
  table <- parameterEstimates(fit, standardized = TRUE)
  table$group <- if (is.null(table$group)) 1L else table$group
  measures <- as.list(unclass(fitMeasures(fit)))
  index <- tryCatch(modindices(fit, sort. = TRUE), error = function(e) NULL)
  if (!is.null(index)) {
    index$group <- if (is.null(index$group)) 1L else index$group
    index <- head(index[, c("lhs", "op", "rhs", "group", "mi", "epc")], 12)
  }
  sample <- lavInspect(fit, "sampstat", drop.list.single.group = FALSE)
  gamma <- lavInspect(fit, "gamma", drop.list.single.group = FALSE)
  r2 <- lavInspect(fit, "r2", drop.list.single.group = FALSE)
  standard <- standardizedSolution(fit)
  list(
    options = case,
    estimates = table[, c("lhs", "op", "rhs", "group", "est", "se", "pvalue", "std.lv", "std.all")],
    standard = standard[, c("lhs", "op", "rhs", "est.std", "se")],
    measures = lapply(measures[!is.na(measures)], as.numeric),
    modification = index,
    r2 = lapply(r2, as.list),
    sample = lapply(sample, function(s) list(
      names = rownames(s$res.cov), cov = unname(unclass(s$res.cov)), th = as.list(unclass(s$res.th)),
      slopes = unname(unclass(s$res.slopes)), covariates = colnames(s$res.slopes)
    )),
    gamma_diagonal = lapply(gamma, function(g) unname(diag(g)))
  )
})

# Differences of nested models.
narrow <- list(
  no_direct = list(wide = list(model = ecsi), narrow = list(model = sub("\ns2 ~ female", "", ecsi, fixed = TRUE))),
  no_effects = list(
    wide = list(model = ecsi), narrow = list(model = sub("sat ~ p*image + age + female", "sat ~ p*image + 0*age + 0*female",
      ecsi, fixed = TRUE))
  ),
  groups = list(wide = cases$groups_equal, narrow = cases$groups_slopes),
  mixed = list(wide = list(model = mixed), narrow = list(model = sub("m2 ~ age", "m2 ~ 0*age", mixed, fixed = TRUE)))
)
narrow$groups$wide$model <- narrow$groups$narrow$model
differences <- lapply(narrow, function(pair) {
  fits <- lapply(pair, function(case) suppressWarnings(do.call("sem", c(case, list(data = data, ordered = items)))))
  test <- lavTestLRT(fits$wide, fits$narrow, method = "satorra.2000")
  c(pair, list(chisq = test[2, "Chisq diff"], df = test[2, "Df diff"], pvalue = test[2, "Pr(>Chisq)"]))
})
# Effects of covariates on items, released one by one.
added <- list(
  mimic = "s2 ~ female\ns3 ~ age", ecsi = "s3 ~ female\nl2 ~ age\ni1 ~ age", ecsi_theta = "s3 ~ female\nl2 ~ age",
  mixed = "m1 ~ age\nl1 ~ female"
)
released <- lapply(names(added), function(name) {
  fit <- do.call("sem", c(cases[[name]], list(data = data, ordered = items)))
  found <- suppressWarnings(lavTestScore(fit, add = added[[name]]))$uni
  data.frame(case = name, name = as.character(found$lhs), mi = found$X2)
})
write_json(
  list(data = lapply(as.list(data), identity), gaps = lapply(as.list(gaps), identity), items = items, cases = results, differences = differences,
    released = do.call(rbind, released),
    lavaan = as.character(packageVersion("lavaan"))),
  file.path(here, "conditional.json"), digits = NA, auto_unbox = TRUE, dataframe = "rows", pretty = FALSE, na = "null"
)
