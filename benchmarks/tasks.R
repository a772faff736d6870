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
full <- function(...) {
  fit <- sem(model, data, ...)
  parameterEstimates(fit, standardized = TRUE)
  fitMeasures(fit)
}
cat(toJSON(list(
  "one ML fit with standard errors, standardised solution and fit measures" = median_of(function() full(), 9),
  "the same with MLR corrections" = median_of(function() full(estimator = "MLR"), 5),
  "metric invariance, two groups" = median_of(function() full(group = "group", group.equal = "loadings"), 5)
), auto_unbox = TRUE, digits = 6))
