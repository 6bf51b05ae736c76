"""Feeds: what each channel may sell, kept beside the ledger and told to whoever sells it."""
