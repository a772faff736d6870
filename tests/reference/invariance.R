# Reference values for measurement invariance and for paths compared between groups.
# Run from the root of the project: LC_ALL=C.UTF-8 Rscript tests/reference/invariance.R
suppressMessages({library(lavaan); library(jsonlite)})
set.seed(20261108)
sizes <- c(north = 220, south = 180, west = 200)
one <- function(label, n, shift, loading, path) {
  S <- rnorm(n); T <- path * S + .8 * rnorm(n); L <- .4 * S + .3 * T + .7 * rnorm(n)
  item <- function(f, l, m = 0) round(m + l * f + rnorm(n, sd = .6), 4)
  data.frame(s1 = item(S, .8), s2 = item(S, .7), s3 = item(S, .75), s4 = item(S, .7),
             t1 = item(T, .8), t2 = item(T, loading), t3 = item(T, .7), t4 = item(T, .75),
             l1 = item(L, .85), l2 = item(L, .7, shift), l3 = item(L, .6), l4 = item(L, .8), g = label)
}
d <- rbind(one("north", sizes[1], 0, .7, .6), one("south", sizes[2], .6, .7, .6), one("west", sizes[3], 0, .1, .2))
measurement <- "S =~ s1 + s2 + s3 + s4\nT =~ t1 + t2 + t3 + t4\nL =~ l1 + l2 + l3 + l4\n"
paths <- "T ~ S\nL ~ T + S\n"
sets <- list(configural = "", metric = "loadings", scalar = c("loadings", "intercepts"),
             strict = c("loadings", "intercepts", "residuals"))
names_of <- c("chisq", "df", "pvalue", "cfi", "rmsea", "srmr")
steps <- function(estimator, partial = list()) {
  fits <- lapply(names(sets), function(s) cfa(measurement, d, group = "g", std.lv = TRUE, estimator = estimator,
                                              group.equal = sets[[s]], group.partial = if (is.null(partial[[s]])) "" else partial[[s]]))
  names(fits) <- names(sets)
  tests <- lapply(2:4, function(k) { t <- lavTestLRT(fits[[k - 1]], fits[[k]])
    list(chisq_diff = t[2, "Chisq diff"], df_diff = t[2, "Df diff"], pvalue = t[2, "Pr(>Chisq)"]) })
  keys <- if (estimator == "MLR") c("chisq.scaled", "df", "pvalue.scaled", "cfi.robust", "rmsea.robust", "srmr") else names_of
  measures <- lapply(fits, function(f) { m <- as.list(fitMeasures(f)[keys]); names(m) <- names_of; m })
  list(measures = measures, tests = setNames(tests, names(sets)[2:4]), fits = fits)
}
full <- steps("ML"); robust <- steps("MLR")
released <- list(metric = c("T=~t2", "t2~1"), scalar = c("T=~t2", "t2~1", "l2~1"), strict = c("T=~t2", "t2~1", "l2~1"))
partial <- steps("ML", released)
pe <- parameterEstimates(partial$fits$scalar)
means <- pe[pe$op == "~1" & pe$lhs %in% c("S", "T", "L") & pe$group > 1, c("lhs", "group", "est", "se")]
free <- sem(paste0(measurement, paths), d, group = "g", group.equal = "loadings")
keys <- c("T~S", "L~T", "L~S")
single <- lapply(keys, function(k) {
  t <- lavTestLRT(free, sem(paste0(measurement, paths), d, group = "g", group.equal = c("loadings", "regressions"),
                            group.partial = setdiff(keys, k)))
  list(chisq_diff = t[2, "Chisq diff"], df_diff = t[2, "Df diff"], pvalue = t[2, "Pr(>Chisq)"]) })
all <- lavTestLRT(free, sem(paste0(measurement, paths), d, group = "g", group.equal = c("loadings", "regressions")))
out <- list(about = "lavaan: measurement invariance in three groups, paths between groups", data = as.list(d),
            versions = list(R = R.version.string, lavaan = as.character(packageVersion("lavaan"))),
            model = paste0(measurement, paths),
            full = full[1:2], robust = robust[1:2], partial = partial[1:2], means = as.list(means),
            paths = setNames(single, c("T ~ S", "L ~ T", "L ~ S")),
            joint = list(chisq_diff = all[2, "Chisq diff"], df_diff = all[2, "Df diff"], pvalue = all[2, "Pr(>Chisq)"]))
write(toJSON(out, digits = 15, auto_unbox = TRUE, na = "null"), "tests/reference/invariance.json")
