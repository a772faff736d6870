"""Partial least squares path modelling: the composite-based sibling of covariance-based estimation."""
