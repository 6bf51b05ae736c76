"""Pick-up points of carriers: lockers and counters where customers collect their parcels."""
