"""Measures of loyalty from surveys and transactions: indices, behaviour, segments, drivers, regressions."""
