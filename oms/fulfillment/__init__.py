"""The work of getting an order's goods to its customer: who picks what where, and how far it is."""
