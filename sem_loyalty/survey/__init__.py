"""What was observed: surveys, codebooks, screening and sample moments."""
