"""Refunds: money that goes back, by whose wish and whose leave, to which payments."""
