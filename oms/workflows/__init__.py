"""The business across features: what follows when a document arrives."""
