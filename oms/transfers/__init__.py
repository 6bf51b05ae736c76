"""Goods on their way from one location to another, for an order or to fill shelves."""
