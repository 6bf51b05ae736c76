"""Measurements: each path beside its floor, in one run, printed as ratios."""
