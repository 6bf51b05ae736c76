"""What goes wrong with documents on their way: broken, repeated, stale and late ones."""

from __future__ import annotations

from typing import TYPE_CHECKING

from oms.simulator.model import FINE, Trouble

if TYPE_CHECKING:
    import random

    from oms.simulator.model import Channel, Rates

# Why a document is broken. All but wrong totals must be refused; an order whose total is not
# the sum of its lines is an order still.
TRUNCATED = "truncated_json"
UNKNOWN_SKU = "unknown_sku"
UNKNOWN_STORE = "unknown_store"
WRONG_TOTALS = "wrong_totals"
UNKNOWN_CURRENCY = "unknown_currency"
BAD_DATE = "bad_date"
WRONG_COLUMNS = "wrong_column_count"

# Truncation in a page of a pull would lose the page, which a web shop's API never does; a typed
# column of a Parquet file has no room for a date that is none.
REASONS: dict[str, tuple[str, ...]] = {
    "webshop-eu": (TRUNCATED, UNKNOWN_SKU, WRONG_TOTALS, UNKNOWN_CURRENCY, BAD_DATE),
    "webshop-uk": (UNKNOWN_SKU, WRONG_TOTALS, UNKNOWN_CURRENCY, BAD_DATE),
    "pos": (UNKNOWN_SKU, UNKNOWN_STORE, BAD_DATE, WRONG_COLUMNS),
    "kiosk": (TRUNCATED, UNKNOWN_SKU, UNKNOWN_STORE, WRONG_TOTALS, UNKNOWN_CURRENCY, BAD_DATE),
    "marketplace": (UNKNOWN_SKU, UNKNOWN_CURRENCY, BAD_DATE, WRONG_COLUMNS),
    "phone": (UNKNOWN_SKU, WRONG_TOTALS, UNKNOWN_CURRENCY),
}
STATEFUL = frozenset({"webshop-eu", "webshop-uk", "kiosk"})  # each document is the whole order

NO_SUCH_SKU = "SAMPLE-0000"
NO_SUCH_STORE = "S-ATLANTIS"
NO_SUCH_STORE_NUMBER = 999
NO_SUCH_CURRENCY = "EUX"
NO_SUCH_DATE = "2025-02-30"
TOTALS_OFF_BY = 1000  # minor units


def trouble_of(channel: Channel, lines_count: int, rates: Rates, rng: random.Random) -> Trouble:
    """Draw what goes wrong with an order's documents: mostly nothing."""
    chance = rng.random()
    if chance < rates.broken:
        reasons = [
            reason
            for reason in REASONS[channel.code]
            if reason != WRONG_COLUMNS or lines_count == 1
        ]
        return Trouble(broken=rng.choice(reasons))
    if channel.code not in STATEFUL:
        return FINE
    chance -= rates.broken
    if chance < rates.repeated:
        return Trouble(is_repeated=True)
    chance -= rates.repeated
    if chance < rates.stale:
        return Trouble(is_stale=True)
    chance -= rates.stale
    return Trouble(is_late=True) if chance < rates.late else FINE


def is_refused(trouble: Trouble) -> bool:
    """Tell whether the documents of an order are so broken that it cannot be captured."""
    return trouble.broken not in {"", WRONG_TOTALS}


def cut(document: bytes) -> bytes:
    """Break a document off between two characters, as a connection that ends too early does."""
    return document[: len(document) * 3 // 5].decode(errors="ignore").encode()
