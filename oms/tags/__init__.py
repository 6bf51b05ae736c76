"""Tags: words people sort orders by, put on and taken off."""
