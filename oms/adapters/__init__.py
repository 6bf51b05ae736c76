"""Adapters: one folder for each kind of outside party."""
