# Ordinal items in several groups, the theta parameterisation, and ordinal beside continuous variables by lavaan: writes
# ordinal_groups.json beside this file.
#
#     LC_ALL=C.UTF-8 OPENBLAS_NUM_THREADS=1 Rscript tests/reference/ordinal_groups.R
#
# One simulated survey of two groups, whose constructs differ in mean and spread: eight items of 2 to 5 categories, and
# the responses behind two of them, one of which is skewed; and the same survey with holes. Then fits, and what lavaan
# frees and holds equal.

suppressPackageStartupMessages({
  library(lavaan)
  library(jsonlite)
})
RNGkind("Mersenne-Twister", "Inversion", "Rejection")
here <- dirname(sub("^--file=", "", grep("^--file=", commandArgs(FALSE), value = TRUE)))

set.seed(11)
size <- c(north = 220, south = 170)
loadings <- c(0.7, 0.8, 0.75, 0.6, 0.7, 0.8, 0.85, 0.65)
cuts <- list(0.2, c(-1.0, 0.1, 1.1), c(-0.7, 0.6), c(-1.4, -0.6, 0.3, 1.2), 0.3, c(-0.9, 0.0, 1.0),
  c(-1.3, -0.5, 0.4, 1.1), c(-0.5, 0.7))
survey <- do.call(rbind, lapply(names(size), function(label) {
  n <- size[[label]]
  shift <- if (label == "south") 0.25 else 0
  f <- shift + rnorm(n, sd = if (label == "south") 1.15 else 1)
  g <- shift + 0.6 * f + 0.8 * rnorm(n)
  y <- sapply(1:8, function(j) loadings[j] * (if (j <= 4) f else g) + sqrt(1 - loadings[j]^2) * rnorm(n))
  out <- as.data.frame(sapply(1:8, function(j) as.integer(findInterval(y[, j], cuts[[j]])) + 1L))
  names(out) <- paste0("y", 1:8)
  out$x3 <- round(2 * y[, 3] + 5, 3)
  out$x7 <- round(y[, 7] + 0.15 * y[, 7]^2, 3)
  out$two4 <- as.integer(y[, 4] > 0.1)
  out$two8 <- as.integer(y[, 8] > 0.2)
  out$region <- label
  out
}))

holes <- survey
for (name in c("y1", "y2", "y3", "y4", "y5", "y6", "x3", "x7")) holes[[name]][runif(nrow(holes)) < 0.12] <- NA

text <- "f =~ y1 + y2 + y3 + y4
g =~ y5 + y6 + y7 + y8
g ~ f
y2 ~~ y6"
plain <- "f =~ y1 + y2 + y3 + y4
g =~ y5 + y6 + y7 + y8"
small <- "f =~ y2 + y3 + y6 + y8"
two <- "f =~ y1 + y5 + two4 + two8"
mixed <- "f =~ y1 + y2 + x3 + y4
g =~ y5 + y6 + x7 + y8
g ~ f
x3 ~~ x7
y2 ~~ x7"
joint <- "f =~ y1 + y2 + y3 + y4
f ~ x7"
path <- "f =~ y1 + y2 + y3 + y4
x7 ~ f
y5 ~ f + x7"
written <- "f =~ y1 + y2 + y3 + y4
f ~ c(0, NA)*1
y2 ~*~ c(1, 1)*y2
y2 | c(u, v)*t1 + c(w, w)*t2"
some <- c("y1", "y2", "y4", "y5", "y6", "y8")
all <- c("loadings", "thresholds")
strict <- c("loadings", "thresholds", "residuals", "lv.variances", "lv.covariances", "regressions", "means")
requests <- list(
  configural = list(model = text, group = "region"),
  loadings = list(model = text, group = "region", group.equal = "loadings"),
  scalar = list(model = text, group = "region", group.equal = all),
  scalar_std_lv = list(model = plain, group = "region", group.equal = all, std.lv = TRUE),
  scalar_ULSMV = list(model = text, group = "region", group.equal = all, estimator = "ULSMV"),
  scalar_DWLS = list(model = text, group = "region", group.equal = all, estimator = "DWLS"),
  scalar_ULS = list(model = text, group = "region", group.equal = all, estimator = "ULS"),
  scalar_WLS = list(model = small, group = "region", group.equal = all, estimator = "WLS"),
  configural_WLS = list(model = small, group = "region", estimator = "WLS"),
  thresholds = list(model = plain, group = "region", group.equal = "thresholds"),
  strict = list(model = plain, group = "region", group.equal = strict),
  partial = list(model = text, group = "region", group.equal = all, group.partial = c("f =~ y3", "y6 | t2")),
  binary = list(model = two, group = "region", group.equal = all),
  binary_theta = list(model = two, group = "region", group.equal = c(all, "residuals"), parameterization = "theta"),
  theta = list(model = text, parameterization = "theta"),
  theta_ULSMV = list(model = text, parameterization = "theta", estimator = "ULSMV"),
  theta_WLS = list(model = small, parameterization = "theta", estimator = "WLS"),
  theta_groups = list(model = text, group = "region", parameterization = "theta"),
  theta_scalar = list(model = text, group = "region", group.equal = all, parameterization = "theta"),
  theta_strict = list(model = text, group = "region", group.equal = c(all, "residuals"), parameterization = "theta"),
  written = list(model = written, group = "region", group.equal = "loadings"),
  mixed = list(model = mixed, ordered = some),
  mixed_ULSMV = list(model = mixed, ordered = some, estimator = "ULSMV"),
  mixed_DWLS = list(model = mixed, ordered = some, estimator = "DWLS"),
  mixed_ULS = list(model = mixed, ordered = some, estimator = "ULS"),
  mixed_WLS = list(model = mixed, ordered = some, estimator = "WLS"),
  mixed_theta = list(model = mixed, ordered = some, parameterization = "theta"),
  mixed_groups = list(model = mixed, ordered = some, group = "region"),
  mixed_scalar = list(model = mixed, ordered = some, group = "region", group.equal = c(all, "intercepts")),
  mixed_strict = list(model = mixed, ordered = some, group = "region", group.equal = c(strict, "intercepts")),
  mixed_joint = list(model = joint, ordered = c("y1", "y2", "y3", "y4"), fixed.x = FALSE,
    conditional.x = FALSE),
  pairwise = list(model = plain, missing = "pairwise"),
  pairwise_scalar = list(model = plain, missing = "pairwise", group = "region", group.equal = all),
  pairwise_mixed = list(model = mixed, missing = "pairwise", ordered = some),
  mixed_path = list(model = path, ordered = c("y1", "y2", "y3", "y4", "y5"))
)
surveyed <- function(request) if (is.null(request$missing)) survey else holes
fits <- lapply(requests, function(request) {
  request$ordered <- if (is.null(request$ordered)) TRUE else request$ordered
  fit <- do.call("sem", c(list(data = surveyed(request)), request))
  table <- parameterEstimates(fit, standardized = TRUE)
  if (is.null(table$group)) table$group <- 1L
  measures <- as.list(unclass(fitMeasures(fit)))
  index <- modindices(fit, sort. = TRUE)
  if (is.null(index$group)) index$group <- 1L
  index <- head(index[!is.na(index$mi) & index$op != "|", c("lhs", "op", "rhs", "group", "mi", "epc")], 12)
  standard <- standardizedSolution(fit)
  list(
    request = request,
    estimates = table[, c("lhs", "op", "rhs", "group", "est", "se", "std.lv", "std.all")],
    standard_se = standard$se,
    measures = lapply(measures[!is.na(measures)], as.numeric),
    modification = index
  )
})
statistics <- lapply(list(mixed = fits$mixed$request, pairwise = fits$pairwise_mixed$request), function(request) {
  fit <- do.call("sem", c(list(data = surveyed(request), do.fit = FALSE), request))
  list(values = as.numeric(lavInspect(fit, "wls.obs")), gamma = unname(unclass(lavInspect(fit, "gamma"))))
})

# What is free (F), equal to the first group (e) or fixed (its value) in the second group, kind by kind.
pattern <- function(table, rows) {
  first <- table$label[table$group == 1]
  paste(ifelse(table$free[rows] > 0, ifelse(table$label[rows] %in% first & table$label[rows] != "", "e", "F"),
    as.character(table$ustart[rows])), collapse = "")
}
sets <- c("thresholds", "loadings", "intercepts", "means", "residuals", "lv.variances")
rules <- list()
for (parameterization in c("delta", "theta")) for (std.lv in c(FALSE, TRUE)) for (k in 0:63) {
  equal <- sets[bitwAnd(k, 2^(0:5)) > 0]
  fit <- sem("f =~ y1 + y2 + x3\ng =~ y5 + y6 + x7\ng ~ f", survey, ordered = c("y1", "y2", "y5", "y6"),
    group = "region", group.equal = if (length(equal)) equal else "", parameterization = parameterization,
    std.lv = std.lv, do.fit = FALSE)
  table <- parTable(fit)
  kinds <- c("=~", "~", "|", "~~", "~*~", "~1")
  rules[[length(rules) + 1]] <- list(parameterization = parameterization, std_lv = std.lv, equal = I(equal),
    pattern = paste(sapply(kinds, function(op) pattern(table, table$group == 2 & table$op == op)), collapse = " "))
}
write_json(list(data = as.list(survey), holes = as.list(holes), fits = fits, statistics = statistics, rules = rules),
  file.path(here, "ordinal_groups.json"), digits = I(10), na = "null", auto_unbox = TRUE, dataframe = "rows", pretty = FALSE)
