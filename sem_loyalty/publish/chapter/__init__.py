"""The empirical chapter: from results to text, tables and figures in English and Chinese."""
