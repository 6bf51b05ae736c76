"""One module per format: pure functions from orders to the bytes a channel sends."""
