"""Saved views: what people ask the list of orders for again and again."""
