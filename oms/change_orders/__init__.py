"""Change orders: what an order shall be instead, looked at before it is made."""
