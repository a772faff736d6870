"""Reliability, validity and exploratory factor analysis."""
