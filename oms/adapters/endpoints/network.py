"""The network as endpoints are called over it: checked addresses only, and never for too long."""

import socket
import ssl
import threading
import time
from collections.abc import Iterable
from ipaddress import ip_address
from typing import Any, Final

import httpcore

from oms.kernel.targets import Address, is_loopback, is_public

# How many of a host's addresses are tried.
ADDRESSES_MAX: Final = 2


class TargetForbidden(Exception):
    """The host's address is not one to send to."""


class HostUnknown(Exception):
    """The host has no address."""


class Deadline(threading.local):
    """When the call this thread is making must have ended."""

    at = float("inf")

    def left(self, timeout: float | None) -> float:
        """Return how long one step may take; raises ReadTimeout when the time is over."""
        left = self.at - time.monotonic()
        if left <= 0:
            raise httpcore.ReadTimeout
        return left if timeout is None else min(left, timeout)


class CheckedNetwork(httpcore.NetworkBackend):
    """Connects to the very address that was checked, whatever its name leads to a moment later."""

    def __init__(self, deadline: Deadline, *, is_local_allowed: bool) -> None:
        """Take the deadline of each call, and whether this machine itself may be called."""
        self._inner = httpcore.SyncBackend()
        self._deadline, self._is_local_allowed = deadline, is_local_allowed

    def connect_tcp(
        self, host: str, port: int, timeout: float | None = None, local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.NetworkStream:  # fmt: skip
        """Connect to a host by an address that was checked.

        Raises HostUnknown, TargetForbidden, and httpcore's ConnectError and ConnectTimeout.
        """
        addresses = self._addresses(host, port)
        for number, address in enumerate(addresses, start=1):
            try:
                stream = self._inner.connect_tcp(
                    str(address), port, self._deadline.left(timeout), local_address,
                    socket_options,
                )  # fmt: skip
            except (httpcore.ConnectError, httpcore.ConnectTimeout):
                if number == len(addresses):
                    raise
            else:
                return _BoundedStream(stream, self._deadline)
        raise HostUnknown

    def _addresses(self, host: str, port: int) -> list[Address]:
        try:
            found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        except (OSError, UnicodeError) as error:
            raise HostUnknown from error
        addresses = list(dict.fromkeys(ip_address(each[4][0]) for each in found))
        if not all(self._may(address) for address in addresses):
            raise TargetForbidden
        return addresses[:ADDRESSES_MAX]

    def _may(self, address: Address) -> bool:
        return is_public(address) or (self._is_local_allowed and is_loopback(address))


class _BoundedStream(httpcore.NetworkStream):
    """A connection whose every step is bounded by the deadline of the call."""

    def __init__(self, inner: httpcore.NetworkStream, deadline: Deadline) -> None:
        """Wrap a connection."""
        self._inner, self._deadline = inner, deadline

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        """Read what is there."""
        return self._inner.read(max_bytes, self._deadline.left(timeout))

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        """Write everything."""
        self._inner.write(buffer, self._deadline.left(timeout))

    def close(self) -> None:
        """End the connection."""
        self._inner.close()

    def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None,
        timeout: float | None = None,
    ) -> httpcore.NetworkStream:  # fmt: skip
        """Go on encrypted, with the certificate checked against the host's name."""
        inner = self._inner.start_tls(ssl_context, server_hostname, self._deadline.left(timeout))
        return _BoundedStream(inner, self._deadline)

    def get_extra_info(self, info: str) -> Any:
        """Return what is known of the connection."""
        return self._inner.get_extra_info(info)
