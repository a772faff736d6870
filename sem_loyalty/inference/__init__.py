"""What a fit says: estimates, fit measures, residuals, modification indices."""
