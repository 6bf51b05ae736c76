"""Channels, the inbox their payloads lie in first, and the quarantine of what cannot be used."""
