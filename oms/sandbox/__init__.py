"""Sandboxes: services of others that we play ourselves, over real HTTP, for trials and tests."""
