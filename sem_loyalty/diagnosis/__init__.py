"""Why a solution cannot be trusted, and what helps: findings, and remedies that were tried by refitting."""
