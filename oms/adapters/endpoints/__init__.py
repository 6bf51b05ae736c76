"""Endpoints of others: HTTP calls to addresses that were checked."""

from oms.adapters.endpoints.sender import HttpSender

__all__ = ["HttpSender"]
