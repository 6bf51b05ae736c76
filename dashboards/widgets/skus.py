"""Lists of SKUs: as people paste them, and as a URL can carry ten thousand of them."""

import base64
import binascii
import re
import zlib
from collections.abc import Sequence
from typing import Final

SKUS_MAX: Final = 20_000
SKU_CHARACTERS_MAX: Final = 100
# A list longer than this is packed; short ones stay readable in the URL.
WRITTEN_OUT_MAX: Final = 20
# A small URL must not unpack to something large.
UNPACKED_BYTES_MAX: Final = SKUS_MAX * SKU_CHARACTERS_MAX
_PACKED: Final = "z:"
_SEPARATORS: Final = re.compile(r"[\n\r\t,;]+")


def skus_from_text(text: str) -> tuple[str, ...]:
    """Read SKUs one per line, or between commas, semicolons or tabs; each once."""
    parts = (part.strip() for part in _SEPARATORS.split(text))
    kept = dict.fromkeys(part for part in parts if part and len(part) <= SKU_CHARACTERS_MAX)
    return tuple(kept)[:SKUS_MAX]


def packed(skus: Sequence[str]) -> list[str]:
    """Write SKUs as the values of a URL parameter."""
    if len(skus) <= WRITTEN_OUT_MAX:
        return list(skus)
    squeezed = zlib.compress("\n".join(skus).encode(), level=9)
    return [_PACKED + base64.urlsafe_b64encode(squeezed).decode()]


def unpacked(values: Sequence[str]) -> tuple[str, ...]:
    """Read SKUs as `packed` wrote them; what was not written by it is no SKUs."""
    if len(values) != 1 or not values[0].startswith(_PACKED):
        return skus_from_text("\n".join(values))
    try:
        squeezed = base64.urlsafe_b64decode(values[0].removeprefix(_PACKED).encode())
        text = zlib.decompressobj().decompress(squeezed, UNPACKED_BYTES_MAX)
        return skus_from_text(text.decode())
    except (binascii.Error, zlib.error, ValueError):
        return ()
