"""Published matrices and the simulated demonstration survey."""
