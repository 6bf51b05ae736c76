"""Parcels on their way: what is in each, who carries it, and how far it is."""
