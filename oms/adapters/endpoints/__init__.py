"""Endpoints of others: HTTP calls to addresses that were checked, files, platforms."""

from oms.adapters.endpoints.files import FileTeller
from oms.adapters.endpoints.platforms import PlatformTeller
from oms.adapters.endpoints.sender import HttpSender
from oms.adapters.endpoints.webhook import WebhookTeller

__all__ = ["FileTeller", "HttpSender", "PlatformTeller", "WebhookTeller"]
