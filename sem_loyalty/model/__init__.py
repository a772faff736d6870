"""What is claimed: model syntax, the parameter table, and the library of models."""
