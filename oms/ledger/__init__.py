"""The ledger: PostgreSQL, its transactions, its migrations and its journal."""
