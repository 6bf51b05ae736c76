"""Attention: what somebody should look at, over every part of the system."""
