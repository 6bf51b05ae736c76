"""Where we may send to: addresses that lie in the public internet, and URLs that lead there."""

import re
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address, ip_network
from typing import Final
from urllib.parse import SplitResult, urlsplit

Address = IPv4Address | IPv6Address

URL_CHARACTERS_MAX: Final = 2_000
_SENDABLE: Final = re.compile(r"[\x21-\x7e]+")
# An IPv4 address may lie inside an IPv6 one: in its last 32 bits …
_LAST_32_BITS: Final = tuple(
    IPv6Network(each) for each in ("::/96", "::ffff:0:0/96", "64:ff9b::/96", "::ffff:0:0:0/96")
)
# … or in the 32 bits after the prefix (6to4).
_AFTER_16_BITS: Final = IPv6Network("2002::/16")
# What `is_global` calls public in some version of Python and is not, or leads on to somewhere
# nobody can check: relays, translations to a prefix of their own, Teredo.
_NEVER: Final = tuple(
    ip_network(each)
    for each in (
        "0.0.0.0/8", "100.64.0.0/10", "192.0.0.0/24", "192.88.99.0/24", "198.18.0.0/15",
        "224.0.0.0/4", "240.0.0.0/4", "64:ff9b:1::/48", "2001::/23", "2001:db8::/32",
        "3fff::/20", "5f00::/16", "fc00::/7", "fe80::/10", "fec0::/10", "ff00::/8",
    )
)  # fmt: skip


def is_public(address: Address) -> bool:
    """Tell whether an address is somebody's in the public internet, whatever it is wrapped in."""
    inner = _inside(address)
    if inner is not None:
        return is_public(inner)
    if any(address in network for network in _NEVER if network.version == address.version):
        return False
    return address.is_global and not (
        address.is_multicast or address.is_reserved or address.is_unspecified
        or address.is_loopback or address.is_private or address.is_link_local
    )  # fmt: skip


def is_loopback(address: Address) -> bool:
    """Tell whether an address is this machine's own."""
    return (_inside(address) or address).is_loopback


def url_problem(url: str, *, is_local_allowed: bool) -> str | None:
    """Return why a URL cannot be sent to, as far as it can be told without resolving its host."""
    if len(url) > URL_CHARACTERS_MAX or not _SENDABLE.fullmatch(url):
        return "the URL is too long, or has characters no URL has"
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        return "it is not a URL"
    if parts.username is not None or parts.password is not None or "@" in parts.netloc:
        return "the URL carries a user's name or password"
    if not parts.hostname or port == 0 or parts.fragment:
        return "the URL has no host, or something after a #"
    return _scheme_problem(parts, is_local_allowed=is_local_allowed)


def _scheme_problem(parts: SplitResult, *, is_local_allowed: bool) -> str | None:
    literal = _literal(parts.hostname or "")
    is_local = parts.hostname == "localhost" or (literal is not None and is_loopback(literal))
    if is_local_allowed and is_local and parts.scheme in {"http", "https"}:
        return None
    if parts.scheme != "https":
        return "the URL must begin with https"
    if is_local or (literal is not None and not is_public(literal)):
        return "the URL leads to an address that is not public"
    return None


def _literal(host: str) -> Address | None:
    try:
        return ip_address(host)
    except ValueError:
        return None


def _inside(address: Address) -> IPv4Address | None:
    """Return the IPv4 address an IPv6 address carries, if it is of a kind that carries one."""
    if not isinstance(address, IPv6Address) or address.packed[:15] == bytes(15):
        return None  # ::1 and :: are addresses of their own
    if any(address in network for network in _LAST_32_BITS):
        return IPv4Address(address.packed[12:])
    if address in _AFTER_16_BITS:
        return IPv4Address(address.packed[2:6])
    return None
