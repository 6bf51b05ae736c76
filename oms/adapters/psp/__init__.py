"""Payment service providers, each with an adapter of its own."""
