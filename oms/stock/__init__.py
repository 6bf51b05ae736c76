"""Stock: movements, levels, counts, reservations, and what is available to sell."""
