"""Holds: what keeps an order from being routed, picked, sent, canceled or edited for a while."""
