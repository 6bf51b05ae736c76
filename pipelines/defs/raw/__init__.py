"""Raw: from the ledger's journal into the warehouse."""
