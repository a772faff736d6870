# Multiple and logistic regression with HC3 errors, by base R: Rscript tests/reference/regression.R
# The data are R's own `swiss` (47 provinces about 1888); HC3 is written out from leverages and residuals.
library(jsonlite)

hc3 <- function(model) {
  X <- model.matrix(model)
  if (inherits(model, "glm")) {
    bread <- summary(model)$cov.unscaled
    residual <- residuals(model, type = "response")
  } else {
    bread <- solve(crossprod(X))
    residual <- residuals(model)
  }
  meat <- crossprod(X * residual / (1 - hatvalues(model)))
  sqrt(diag(bread %*% meat %*% bread))
}

data <- swiss
data$high <- as.integer(swiss$Fertility > 70)
predictors <- c("Agriculture", "Education", "Catholic")
multiple <- lm(Fertility ~ Agriculture + Education + Catholic, data)
logistic <- glm(high ~ Agriculture + Education + Catholic, binomial, data, control = list(epsilon = 1e-14))
X <- data[, predictors]
vif <- sapply(predictors, function(name) {
  others <- setdiff(predictors, name)
  1 / (1 - summary(lm(X[[name]] ~ as.matrix(X[, others])))$r.squared)
})
p <- fitted(logistic)
pairs <- outer(p[data$high == 1], p[data$high == 0], function(a, b) (a > b) + (a == b) / 2)
yes <- rowMeans(pairs)
no <- colMeans(pairs)

found <- list(
  made_with = list(R = as.character(getRversion())),
  data = c(as.list(X), list(Fertility = data$Fertility, high = data$high)),
  predictors = predictors,
  multiple = list(
    b = unname(coef(multiple)), se = unname(sqrt(diag(vcov(multiple)))), hc3 = unname(hc3(multiple)),
    r2 = summary(multiple)$r.squared, adjusted_r2 = summary(multiple)$adj.r.squared, sigma = sigma(multiple),
    vif = unname(vif)
  ),
  logistic = list(
    b = unname(coef(logistic)), se = unname(sqrt(diag(vcov(logistic)))), hc3 = unname(hc3(logistic)),
    deviance = deviance(logistic), null_deviance = logistic$null.deviance,
    auc = mean(pairs), auc_se = sqrt(var(yes) / length(yes) + var(no) / length(no)),
    brier = mean((data$high - p)^2)
  )
)
out <- file.path(dirname(sub("--file=", "", grep("--file=", commandArgs(), value = TRUE))), "regression.json")
write_json(found, out, digits = 15, auto_unbox = TRUE, pretty = TRUE)
