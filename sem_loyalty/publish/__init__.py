"""Results as tables, diagrams and reports."""
