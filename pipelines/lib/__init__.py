"""How loading, transforming and publishing are done; what is done when lies in defs."""
