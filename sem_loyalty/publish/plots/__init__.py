"""Plots of loyalty for a manager: importance-performance map, drivers, segments, net promoter score."""
