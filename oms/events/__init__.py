"""What happened to orders of every channel, for those who follow it."""
