"""Alembic's migrations of the ledger, one numbered file a change, and how they are applied."""
