"""Products as the core needs them, and what they were before."""
