# The tasks of the benchmark for lavaan; prints seconds by task as JSON. Arguments: model file, csv file.
suppressMessages({library(lavaan); library(jsonlite)})
arguments <- commandArgs(trailingOnly = TRUE)
model <- paste(readLines(arguments[1]), collapse = "\n")
data <- read.csv(arguments[2])
data$group <- rep(c("a", "b"), length.out = nrow(data))
median_of <- function(work, repeats) {
  work()
  median(replicate(repeats, system.time(work())[["elapsed"]]))
}
set.seed(2)
items <- setdiff(names(data), "group")
gaps <- data
gaps[items][matrix(runif(nrow(data) * length(items)) < .1, nrow(data))] <- NA
levels <- as.data.frame(lapply(data[items], function(x) cut(x, c(-Inf, -1.2, -.4, .4, 1.2, Inf), labels = FALSE)))
of <- function(data, ...) {
  fit <- sem(model, data, ...)
  parameterEstimates(fit, standardized = TRUE)
  fitMeasures(fit)
}
full <- function(...) {
  fit <- sem(model, data, ...)
  parameterEstimates(fit, standardized = TRUE)
  fitMeasures(fit)
}
many <- data[rep(seq_len(nrow(data)), 4000), items]
correlated <- paste(model, "IMAG1 ~~ CUEX1", "PERQ1 ~~ PERQ2", "CUSA1 ~~ CUSL1", "PERQ5 ~~ IMAG5", sep = "\n")
# Scaled from 200 draws, to which lavaan's time is proportional.
drawn <- function(model) {
  seconds <- function(draws) system.time(suppressWarnings(sem(model, data, se = "bootstrap", bootstrap = draws)))
  seconds(200)[["elapsed"]] * 25
}
cat(toJSON(list(
  "5,000 bootstrap draws with intervals" = drawn(model),
  "the same with four correlated residuals" = drawn(correlated),
  "one ML fit with standard errors, standardised solution and fit measures" = median_of(function() full(), 9),
  "one ML fit to a million respondents" = median_of(function() parameterEstimates(sem(model, many)), 1),
  "the same with MLR corrections" = median_of(function() full(estimator = "MLR"), 5),
  "metric invariance, two groups" = median_of(function() full(group = "group", group.equal = "loadings"), 5),
  "FIML, 10 % of answers missing, with fit measures" = median_of(function() of(gaps, missing = "ml"), 1),
  "WLSMV, five categories, with fit measures" = median_of(function() of(levels, ordered = TRUE), 3)
), auto_unbox = TRUE, digits = 6))
