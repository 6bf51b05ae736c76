"""Upkeep: what is run when, and what must hold."""
