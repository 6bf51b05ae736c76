"""Webhooks: who is told of what, and every telling of it."""
