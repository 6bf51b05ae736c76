"""A believable retailer from one seed: what it sells, where, to whom, and how that is told."""
