"""Orders of every channel: captured, read, listed, and their story."""
