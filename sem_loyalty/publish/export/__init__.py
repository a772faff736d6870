"""Models in the language of other programs: lavaan in R, Mplus, semopy."""
