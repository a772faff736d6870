"""From a specification and moments to a certified solution."""
