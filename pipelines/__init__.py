"""From the ledger's journal to published marts, and the watched runs around them."""
