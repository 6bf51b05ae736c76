"""Why a stock number is what it is: the movements and the reservations behind it."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime

from oms.ledger.database import Tx
from oms.ledger.rows import by_name
from oms.stock import store
from oms.stock.model import Kept, KeptSum, Moved, MovedSum


@dataclass(frozen=True, slots=True, kw_only=True)
class Sought:
    """Which movements of a SKU; what is not given means any."""

    location_code: str | None = None
    kinds: Sequence[str] | None = None
    from_at: datetime | None = None
    to_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """Which reservations of a SKU; what is not given means any that keeps or wants something."""

    location_code: str | None = None
    kinds: Sequence[str] | None = None
    states: Sequence[str] | None = None


def movements(
    tx: Tx, sku: str, sought: Sought, *, after: int | None, limit: int
) -> tuple[list[Moved], int | None]:
    """Return movements of a SKU, the newest first, and where the next page begins."""
    rows = store.ANALYSIS.run(
        tx, "movements", sku=sku, after=after, limit=limit + 1, **asdict(sought)
    )
    found = [Moved(**by_name(row)) for row in rows]
    return found[:limit], found[limit - 1].movement_id if len(found) > limit else None


def moved(tx: Tx, sku: str) -> list[MovedSum]:
    """Return what the movements of a SKU come to: their sums are what its locations have."""
    rows = store.ANALYSIS.run(tx, "moved", sku=sku)
    return [MovedSum(**by_name(row)) for row in rows]


def reservations(
    tx: Tx, sku: str, wanted: Wanted, *, after: int, limit: int, at: datetime
) -> tuple[list[Kept], int | None]:
    """Return what is kept of a SKU or wanted of it, the oldest first, and where to go on."""
    rows = store.ANALYSIS.run(
        tx, "reservations", sku=sku, after=after, limit=limit + 1, at=at, **asdict(wanted)
    )
    found = [Kept(**by_name(row)) for row in rows]
    return found[:limit], found[limit - 1].reservation_id if len(found) > limit else None


def reserved(tx: Tx, sku: str, *, at: datetime) -> list[KeptSum]:
    """Return what is kept of a SKU or wanted of it, added up."""
    rows = store.ANALYSIS.run(tx, "reserved", sku=sku, at=at)
    return [KeptSum(**by_name(row)) for row in rows]
