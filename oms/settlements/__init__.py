"""Settlements: what payment services report they paid out, held against what we know of."""
