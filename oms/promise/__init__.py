"""Promises: which place can give what by when, computed from stock, hours and distances."""
