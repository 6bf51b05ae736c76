"""The few values everything else is made of: money, instants, ids, errors, limits."""
