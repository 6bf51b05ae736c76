"""The core of the order management system: what an order is, and the ledger it lives in."""
