"""Promises as pure arithmetic: distances, how much is shown, when it is ready and arrives."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from oms.locations.hours import (
    DAYS,
    DAYS_AHEAD_MAX,
    Week,
    after_open,
    is_open,
    local_day,
    opens_on,
    spans_of,
)
from oms.locations.model import distance_km, point
from oms.points.model import Near
from oms.promise.model import (
    Destination,
    Gathering,
    LineAt,
    Place,
    Point,
    PointAnswer,
    Promise,
    Shipment,
    StockStatus,
    StoreAnswer,
)

# From this many on a shelf is not called low any more.
LOW_UNITS_MAX: Final = 2
BANDS: Final = (10, 5, 3, 1)
# What is promised is rounded up to these, so that one answer serves many who ask.
READY_STEP: Final = timedelta(minutes=15)
# A promise is good for so long, where no cut-off comes before.
LASTS: Final = timedelta(minutes=15)


def status_of(available: int, wanted: int) -> StockStatus:
    """Return whether so many units suffice, and whether hardly any more are there."""
    if available < wanted:
        return StockStatus.OUT
    return StockStatus.LOW if available - wanted < LOW_UNITS_MAX else StockStatus.IN_STOCK


def line_at(sku: str, wanted: int, available: int, *, shown: str) -> LineAt:
    """Return what a place has of a SKU, as far as a channel shows it: exact, banded, hidden."""
    band = next((band for band in BANDS if available >= band), 0)
    return LineAt(
        sku=sku, wanted=wanted, status=status_of(available, wanted),
        quantity=available if shown == "exact" else None,
        at_least=None if shown == "hidden" else available if shown == "exact" else band,
    )  # fmt: skip


def ready_by(place: Place, at: datetime) -> datetime | None:
    """Return when a place will have something ready; None for one that never opens."""
    lead = timedelta(minutes=place.handling.collect_lead_minutes)
    found = after_open(place.opening_hours, place.time_zone, at, lead)
    return None if found is None else _rounded_up(found)


def answer_of(
    place: Place, wanted: Mapping[str, int], *, near: Point | None, shown: str, at: datetime,
    sources: Sequence[Place] = (),
) -> StoreAnswer:  # fmt: skip
    """Return what a store can give of a basket, and when; what it lacks is sent by sources."""
    lines = tuple(
        line_at(sku, quantity, place.available.get(sku, 0), shown=shown)
        for sku, quantity in wanted.items()
    )
    status = _worst([line.status for line in lines])
    can_serve_all = status is not StockStatus.OUT
    transfers = () if can_serve_all else _transfers(place, wanted, sources, at)
    costs = [place.handling.node_cost_minor, *(each.cost_minor for each in transfers)]
    return StoreAnswer(
        place=place, distance_km=distance_of(place, near), status=status,
        hours_today=tuple(
            spans_of(place.opening_hours, place.time_zone, local_day(place.time_zone, at))
        ),
        is_open=is_open(place.opening_hours, place.time_zone, at),
        can_serve_all=can_serve_all, ready_by=ready_by(place, at) if can_serve_all else None,
        lines=lines, transfers=transfers, by_transfer_at=_ready_after(place, transfers),
        cost_minor=sum(costs),
    )  # fmt: skip


def distance_of(place: Place, near: Point | None) -> float | None:
    """Return how far a place is from a point, in hundreds of meters; None where nobody knows."""
    if near is None:
        return None
    return distance_km(point(place.latitude, place.longitude), point(near.latitude, near.longitude))


def nearest(
    places: Sequence[Place], near: Point | None, *, radius_km: float, limit: int
) -> list[Place]:
    """Return the nearest places within a radius; without a point the first by their codes."""
    if near is None:
        return sorted(places, key=lambda place: place.location_code)[:limit]
    found = [
        (far, place.location_code, place)
        for place in places
        if (far := distance_of(place, near)) is not None and far <= radius_km
    ]
    return [place for _, _, place in sorted(found, key=lambda each: each[:2])[:limit]]


def _worst(statuses: Sequence[StockStatus]) -> StockStatus:
    return max(statuses, key=list(StockStatus).index)


def _rounded_up(at: datetime) -> datetime:
    midnight = datetime(at.year, at.month, at.day, tzinfo=UTC)
    return midnight - (midnight - at) // READY_STEP * READY_STEP


def promise_of(
    wanted: Mapping[str, int], *, available: Mapping[str, int], sources: Sequence[Place],
    stores: Sequence[StoreAnswer], to: Destination, at: datetime, points: Sequence[Near] = (),
    gathering: Gathering | None = None,
) -> Promise:  # fmt: skip
    """Return what may be promised of a basket, from sources best first.

    What is sent to the customer goes by way of a hub where it is gathered. It expires before the
    first cut-off it counts on.
    """
    shipments: tuple[Shipment, ...] = ()
    at_points: tuple[PointAnswer, ...] = ()
    if all(available.get(sku, 0) >= quantity for sku, quantity in wanted.items()):
        shipments = _sent(wanted, sources, to.country_code, gathering, at)
        at_points = tuple(_at_points(wanted, sources, points, gathering, at))
    collected = tuple(
        store for store in stores if store.can_serve_all or store.by_transfer_at is not None
    )
    counted = [
        *shipments, *(each for store in collected for each in store.transfers),
        *(each for answer in at_points for each in answer.shipments),
    ]  # fmt: skip
    return Promise(
        shipments=shipments, stores=collected, points=at_points, available=available,
        expires_at=min([at + LASTS, *(each.cut_off_at for each in counted)]),
    )  # fmt: skip


def _at_points(
    wanted: Mapping[str, int], sources: Sequence[Place], points: Sequence[Near],
    gathering: Gathering | None, at: datetime,
) -> Iterator[PointAnswer]:  # fmt: skip
    """Give the points all of it can be sent to, and when each is first open after it has come."""
    sent: dict[str, tuple[Shipment, ...]] = {}
    for near in points:
        country_code = near.point.country_code
        if country_code not in sent:
            sent[country_code] = _sent(wanted, sources, country_code, gathering, at)
        shipments = sent[country_code]
        comes_on = max((each.arrives_on for each in shipments), default=None)
        ready_on = None if comes_on is None else near.point.opens_from(comes_on)
        if ready_on is not None:
            yield PointAnswer(
                point=near.point, distance_km=near.distance_km, shipments=shipments,
                ready_on=ready_on, cost_minor=sum(each.cost_minor for each in shipments),
            )  # fmt: skip


def _sent(
    wanted: Mapping[str, int], sources: Sequence[Place], country_code: str,
    gathering: Gathering | None, at: datetime,
) -> tuple[Shipment, ...]:  # fmt: skip
    """Send a basket to a country: each part by itself, or all of it from where it is gathered."""
    parts = _shipments(wanted, sources, country_code, at)
    if gathering is None or not parts or len(parts) < gathering.parts_min:
        return parts
    known = {place.location_code: place for place in sources}
    hub = next((known[code] for code in gathering.at if code in known), None)
    if hub is None or (len(parts) == 1 and parts[0].location_code in gathering.at):
        return parts
    ready_on = max(_ready_at(hub, part, known[part.location_code]) for part in parts)
    days = _days_from(ready_on)
    leaves_on = next((day for day in days if _works(hub.opening_hours, day)), None)
    if leaves_on is None:
        return parts
    before = min(part.cut_off_at for part in parts)
    whole = _shipment(hub, wanted, country_code, leaves_on, before)
    gathers = tuple(
        _shipment(
            known[part.location_code], part.quantities, hub.country_code, part.ships_on,
            part.cut_off_at,
        )
        for part in parts
        if part.location_code != hub.location_code
    )  # fmt: skip
    cost_minor = whole.cost_minor + sum(each.cost_minor for each in gathers)
    return (replace(whole, cost_minor=cost_minor, gathers=gathers),)


def _ready_at(hub: Place, part: Shipment, source: Place) -> date:
    """Return on which day a part can leave a hub: its own at once, what comes by its lead time."""
    if source.location_code == hub.location_code:
        return part.ships_on
    arrives_on = _arrival(source, hub.country_code, part.ships_on)
    comes_at = datetime.combine(arrives_on, time(), ZoneInfo(hub.time_zone)).astimezone(UTC)
    return local_day(hub.time_zone, comes_at + timedelta(hours=hub.handling.lead_time_hours))


def _transfers(
    place: Place, wanted: Mapping[str, int], sources: Sequence[Place], at: datetime
) -> tuple[Shipment, ...]:
    """Take what a store lacks from the best of the others; nothing where they lack it, too."""
    missing = {
        sku: quantity - place.available.get(sku, 0)
        for sku, quantity in wanted.items()
        if quantity > place.available.get(sku, 0)
    }
    others = [source for source in sources if source.location_code != place.location_code]
    return _shipments(missing, others, place.country_code, at)


def _ready_after(place: Place, transfers: Sequence[Shipment]) -> datetime | None:
    """Return when something lies ready at a store once all that is sent to it has come."""
    if not transfers:
        return None
    day = max(each.arrives_on for each in transfers)
    return ready_by(place, datetime.combine(day, time(), ZoneInfo(place.time_zone)).astimezone(UTC))


def _shipments(
    wanted: Mapping[str, int], sources: Sequence[Place], country_code: str, at: datetime
) -> tuple[Shipment, ...]:
    """Take each SKU from the best sources that can spare it; all of it or nothing."""
    left = dict(wanted)
    found = []
    for place in sources:
        leaving = _leaving(place, at)
        if leaving is None:
            continue
        spare = place.handling.shipping_buffer
        taken = {sku: min(n, _spared(place, sku, spare)) for sku, n in left.items()}
        left = {sku: n - taken[sku] for sku, n in left.items()}
        if quantities := {sku: n for sku, n in taken.items() if n}:
            found.append(_shipment(place, quantities, country_code, *leaving))
    return () if any(left.values()) else tuple(found)


def _spared(place: Place, sku: str, buffer: int) -> int:
    return max(0, place.available.get(sku, 0) - buffer)


def _shipment(
    place: Place, quantities: Mapping[str, int], country_code: str, ships_on: date,
    cut_off_at: datetime,
) -> Shipment:  # fmt: skip
    return Shipment(
        location_code=place.location_code, quantities=quantities, cut_off_at=cut_off_at,
        ships_on=ships_on, transit_days=_transit_days(place, country_code),
        arrives_on=_arrival(place, country_code, ships_on),
        cost_minor=place.handling.node_cost_minor,
    )  # fmt: skip


def _transit_days(place: Place, country_code: str) -> int:
    handling, is_abroad = place.handling, place.country_code != country_code
    return handling.transit_days_abroad if is_abroad else handling.transit_days


def _arrival(place: Place, country_code: str, ships_on: date) -> date:
    """Return when what leaves a place arrives in a country: carriers work Monday to Friday."""
    arrives_on = ships_on
    for _ in range(_transit_days(place, country_code)):
        arrives_on += timedelta(days=1)
        while not _works({}, arrives_on):
            arrives_on += timedelta(days=1)
    return arrives_on


def _leaving(place: Place, at: datetime) -> tuple[date, datetime] | None:
    """Return on which day goods leave a place, and until when that is so; None if never.

    What is asked for before the cut-off of a day it works is ready so many hours later, and
    leaves on that day, or the next it works.
    """
    today = local_day(place.time_zone, at)
    for ahead in range(DAYS_AHEAD_MAX):
        day = today + timedelta(days=ahead)
        cut_off_at = _cut_off_at(place, day)
        if cut_off_at is not None and cut_off_at > at:
            midnight = datetime.combine(day, time(), ZoneInfo(place.time_zone)).astimezone(UTC)
            lead = timedelta(hours=place.handling.lead_time_hours)
            ready_on = local_day(place.time_zone, max(at, midnight) + lead)
            return next(
                ((later, cut_off_at) for later in _days_from(ready_on)
                 if _works(place.opening_hours, later)), None,
            )  # fmt: skip
    return None


def _days_from(day: date) -> Iterator[date]:
    yield from (day + timedelta(days=ahead) for ahead in range(DAYS_AHEAD_MAX))


def _cut_off_at(place: Place, day: date) -> datetime | None:
    """Return until when goods asked for are of a day's work; None when nobody works."""
    if not _works(place.opening_hours, day):
        return None
    zone = ZoneInfo(place.time_zone)
    if place.handling.cut_off is not None:
        return datetime.combine(day, place.handling.cut_off, zone).astimezone(UTC)
    closes = [span.closes_at for span in spans_of(place.opening_hours, place.time_zone, day)]
    return max(closes, default=datetime.combine(day + timedelta(days=1), time(), zone)).astimezone(
        UTC
    )


def _works(week: Week, day: date) -> bool:
    """Tell whether goods leave on a day: when the place is open; else from Monday to Friday."""
    if any(week.values()):
        return opens_on(week, day)
    return opens_on(week, day) if day.isoformat() in week else day.weekday() < DAYS.index("sat")
