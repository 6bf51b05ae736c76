"""Carriers: each one's own service, or what is known of it."""
