"""Our own format: JSON documents that already speak of orders the way we do."""

from oms.adapters.channels.canonical.mapping import CanonicalMapping, build

__all__ = ["CanonicalMapping", "build"]
