"""Store credit: accounts behind a code, every entry of each."""
