"""Goods that come back: asked for, received, judged, and what is owed for them."""
