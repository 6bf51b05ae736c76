"""Customers: one person over every channel, known by what is shown to be theirs."""
