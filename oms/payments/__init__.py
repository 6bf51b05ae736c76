"""Payments: what was paid for orders with which tender, and every operation on it."""
