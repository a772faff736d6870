"""Before the survey: simulated answers."""
