"""Measure along lines: snapping, distances, K functions, density, scans and clusters on a network of cable."""
