# Panel models by lavaan: invariance over waves, cross-lagged panels with and without random intercepts, growth.
# Run from the root of the project:
#
#     LC_ALL=C.UTF-8 OPENBLAS_NUM_THREADS=1 Rscript tests/reference/panel.R
#
# Two constructs of three items in three waves, with stable differences between customers. The loading of sat2 differs in
# the third wave, and the intercept of loy3 in the second. Models are written by hand.
suppressMessages({library(lavaan); library(jsonlite)})
RNGkind("Mersenne-Twister", "Inversion", "Rejection")
set.seed(20261123)
n <- 600
between <- MASS::mvrnorm(n, c(0, 0), matrix(c(0.6, 0.3, 0.3, 0.5), 2))
within <- MASS::mvrnorm(n, c(0, 0), matrix(c(0.6, 0.2, 0.2, 0.7), 2))
survey <- data.frame(row.names = 1:n)
for (wave in 1:3) {
  if (wave > 1) within <- cbind(0.4 * within[, 1] + 0.1 * within[, 2], 0.25 * within[, 1] + 0.35 * within[, 2]) +
    MASS::mvrnorm(n, c(0, 0), matrix(c(0.45, 0.1, 0.1, 0.5), 2))
  score <- sweep(between + within, 2, c(0.2, 0.1) * (wave - 1), "+")
  for (k in 1:2) {
    stem <- c("sat", "loy")[k]
    survey[[paste0(c("SAT", "LOY")[k], "_", wave)]] <- score[, k]
    for (j in 1:3) {
      if (wave == 1) survey[[paste0("u_", stem, j)]] <- rnorm(n, sd = 0.3)
      loading <- c(0.9, 0.8, 0.85)[j] - 0.35 * (k == 1 && j == 2 && wave == 3)
      survey[[paste0(stem, j, "_", wave)]] <- loading * score[, k] + 0.45 * (k == 2 && j == 3 && wave == 2) +
        survey[[paste0("u_", stem, j)]] + rnorm(n, sd = 0.5)
    }
  }
}
survey <- round(survey[, !startsWith(names(survey), "u_")], 3)
# The same survey with trends that differ between customers, for growth models.
trend <- survey
slopes <- MASS::mvrnorm(n, c(0.1, 0.2), matrix(c(0.16, 0.04, 0.04, 0.12), 2))
for (name in names(trend)) {
  time <- c(0, 1, 3)[as.integer(sub(".*_", "", name))]
  trend[[name]] <- round(trend[[name]] + time * slopes[, if (grepl("sat", tolower(name))) 1 else 2], 3)
}
latent <- survey[, !grepl("^(SAT|LOY)", names(survey))]
trend_latent <- trend[, names(latent)]

keys <- c("chisq", "df", "pvalue", "cfi", "rmsea", "srmr")
specific <- paste(sapply(c("sat1", "sat2", "sat3", "loy1", "loy2", "loy3"), function(i)
  sprintf("%s_1 ~~ %s_2 + %s_3\n%s_2 ~~ %s_3", i, i, i, i, i)), collapse = "\n")
measured <- function(step, spared = character()) {
  out <- specific
  for (construct in c("SAT", "LOY")) for (wave in 1:3) {
    stem <- tolower(construct)
    latent <- paste0(construct, "_", wave)
    for (j in 1:3) {
      item <- paste0(stem, j, "_", wave)
      l <- if (step >= 1 && !paste0("l", item) %in% spared) paste0("l", stem, j, "*") else "NA*"
      i <- if (step >= 2 && !paste0("i", item) %in% spared) paste0("i", stem, j, "*") else ""
      out <- c(out, sprintf("%s =~ NA*%s + %s%s", latent, item, l, item), sprintf("%s ~ %s1", item, i))
      if (step >= 3) out <- c(out, sprintf("%s ~~ r%s%d*%s", item, stem, j, item))
    }
    out <- c(out, sprintf("%s ~~ %s*%s", latent, if (wave == 1 || step < 1) "1" else "NA", latent))
    out <- c(out, sprintf("%s ~ %s*1", latent, if (wave == 1 || step < 2) "0" else "NA"))
  }
  paste(out, collapse = "\n")
}
steps <- c(configural = 0, metric = 1, scalar = 2, strict = 3)
invariance <- function(spared, estimator = "ML") {
  fits <- lapply(steps, function(step) cfa(measured(step, spared), latent, estimator = estimator))
  own <- if (estimator == "MLR") c("chisq.scaled", "df", "pvalue.scaled", "cfi.robust", "rmsea.robust", "srmr") else keys
  means <- parameterEstimates(fits$scalar)
  means <- means[means$op == "~1" & means$lhs %in% c("SAT_2", "SAT_3", "LOY_2", "LOY_3"), c("lhs", "est", "se")]
  list(measures = lapply(fits, function(fit) setNames(as.list(fitMeasures(fit)[own]), keys)),
    tests = setNames(lapply(2:4, function(k) {
      t <- lavTestLRT(fits[[k - 1]], fits[[k]])
      list(chisq_diff = t[2, "Chisq diff"], df_diff = t[2, "Df diff"], pvalue = t[2, "Pr(>Chisq)"])
    }), names(steps)[2:4]), means = as.list(means))
}

clpm <- "SAT_2 ~ SAT_1 + LOY_1\nLOY_2 ~ SAT_1 + LOY_1\nSAT_3 ~ SAT_2 + LOY_2\nLOY_3 ~ SAT_2 + LOY_2
SAT_2 ~~ LOY_2\nSAT_3 ~~ LOY_3"
within <- function(lags) paste0("bs =~ 1*SAT_1 + 1*SAT_2 + 1*SAT_3\nbl =~ 1*LOY_1 + 1*LOY_2 + 1*LOY_3
s1 =~ 1*SAT_1\ns2 =~ 1*SAT_2\ns3 =~ 1*SAT_3\nl1 =~ 1*LOY_1\nl2 =~ 1*LOY_2\nl3 =~ 1*LOY_3
SAT_1 ~~ 0*SAT_1\nSAT_2 ~~ 0*SAT_2\nSAT_3 ~~ 0*SAT_3\nLOY_1 ~~ 0*LOY_1\nLOY_2 ~~ 0*LOY_2\nLOY_3 ~~ 0*LOY_3\n", lags, "
bs ~~ bs\nbl ~~ bl\nbs ~~ bl\ns1 ~~ l1\ns2 ~~ l2\ns3 ~~ l3
s1 ~~ s1\ns2 ~~ s2\ns3 ~~ s3\nl1 ~~ l1\nl2 ~~ l2\nl3 ~~ l3\nbs + bl ~~ 0*s1 + 0*l1")
free <- "s2 ~ s1 + l1\nl2 ~ s1 + l1\ns3 ~ s2 + l2\nl3 ~ s2 + l2"
equal <- "s2 ~ a*s1 + b*l1\nl2 ~ c*s1 + d*l1\ns3 ~ a*s2 + b*l2\nl3 ~ c*s2 + d*l2"
items <- paste(c(specific, sapply(1:3, function(w) sprintf(
  "SAT_%d =~ 1*sat1_%d + ls2*sat2_%d + ls3*sat3_%d\nLOY_%d =~ 1*loy1_%d + ll2*loy2_%d + ll3*loy3_%d",
  w, w, w, w, w, w, w, w))), collapse = "\n")
growth <- "is =~ 1*SAT_1 + 1*SAT_2 + 1*SAT_3\nss =~ 0*SAT_1 + 1*SAT_2 + 3*SAT_3
il =~ 1*LOY_1 + 1*LOY_2 + 1*LOY_3\nsl =~ 0*LOY_1 + 1*LOY_2 + 3*LOY_3"
strong <- paste(sapply(1:3, function(w) sprintf(
  "sat1_%d ~ 0*1\nsat2_%d ~ is2*1\nsat3_%d ~ is3*1\nloy1_%d ~ 0*1\nloy2_%d ~ il2*1\nloy3_%d ~ il3*1", w, w, w, w, w, w)),
  collapse = "\n")
observed <- survey
models <- list(
  clpm = sem(clpm, observed),
  clpm_items = sem(paste(items, clpm, "SAT_1 ~~ LOY_1", sep = "\n"), latent),
  riclpm = lavaan(within(free), observed, auto.var = FALSE, meanstructure = TRUE, int.ov.free = TRUE),
  riclpm_equal = lavaan(within(equal), observed, auto.var = FALSE, meanstructure = TRUE, int.ov.free = TRUE),
  riclpm_items = sem(paste(items, within(free), sep = "\n"), latent),
  growth = growth(growth, trend),
  growth_items = sem(paste(items, strong, growth, "is ~ 1\nss ~ 1\nil ~ 1\nsl ~ 1", sep = "\n"), trend_latent)
)
panel <- lapply(models, function(fit) {
  table <- parameterEstimates(fit)
  list(measures = setNames(as.list(fitMeasures(fit)[keys]), keys),
    paths = as.list(table[table$op == "~", c("lhs", "rhs", "est", "se")]),
    means = as.list(table[table$op == "~1" & table$lhs %in% c("is", "ss", "il", "sl"), c("lhs", "est", "se")]))
})
released <- c("lsat2_3", "isat2_3", "iloy3_2")
out <- list(about = "lavaan: panel models of three waves",
  versions = list(R = R.version.string, lavaan = as.character(packageVersion("lavaan"))), data = as.list(survey), trend = as.list(trend),
  invariance = list(ML = invariance(character()), MLR = invariance(character(), "MLR"), partial = invariance(released)),
  panel = panel)
write(toJSON(out, digits = 10, auto_unbox = TRUE, na = "null"), "tests/reference/panel.json")
