"""Exchanges: what a customer gets instead of what comes back, as an order of its own."""
