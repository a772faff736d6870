# Fits the replicates of hard_cases.py by lavaan: reads cases.json and the csv files of a folder, writes lavaan.json.

suppressPackageStartupMessages({
  library(lavaan)
  library(jsonlite)
})

folder <- commandArgs(TRUE)[1]
cases <- fromJSON(file.path(folder, "cases.json"), simplifyDataFrame = FALSE)
found <- list()
for (case in cases) {
  data <- read.csv(file.path(folder, paste0(case$name, ".csv")))
  arguments <- list(model = case$model, data = data)
  if (!is.null(case$group)) arguments$group <- case$group
  if (!is.null(case$group_equal)) arguments$group.equal <- unlist(case$group_equal)
  run <- if (identical(case$kind, "growth")) "growth" else "sem"
  fit <- tryCatch(suppressWarnings(do.call(run, arguments)), error = function(e) NULL)
  converged <- !is.null(fit) && lavInspect(fit, "converged")
  found[[case$name]] <- list(
    converged = converged,
    admissible = converged && isTRUE(suppressWarnings(lavInspect(fit, "post.check"))),
    F = if (converged) 2 * as.numeric(fitMeasures(fit, "fmin")) else NULL
  )
}
write_json(found, file.path(folder, "lavaan.json"), auto_unbox = TRUE, digits = NA, null = "null")
