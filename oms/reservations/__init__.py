"""What is reserved online to be paid in a store: how long it is kept, and the sales it became."""
