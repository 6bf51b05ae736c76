"""Which location supplies what: rules as data, plans made by them, decisions kept with reasons."""
