"""Pick-up points: looked for, chosen for an order, asked again as long as nothing has left.

What a carrier says of its points is asked when an order names one, when labels are made, and now
and then between. An order whose point takes nothing any more is shown to a person, and its channel
is told of it.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any, Final

from oms.fulfillment.model import FulfillmentOrder
from oms.kernel import clock
from oms.ledger.database import Ledger, Tx
from oms.orders import operations as orders
from oms.orders import queries
from oms.orders.queries import AtPoint
from oms.points.model import (
    ALTERNATIVES_KM,
    ALTERNATIVES_MAX,
    CarrierAway,
    Chosen,
    Near,
    NoPickupPoints,
    PickupPoint,
    PickupPointUnavailable,
    PointStatus,
    Sought,
    UnknownPickupPoint,
)
from oms.points.port import PointFinder
from oms.shipments import queries as shipments
from oms.shipments.model import LabelRefused, ParcelDraft
from oms.shipments.port import Carrier

Carriers = Mapping[str, Carrier]

EXCEPTION: Final = "PICKUP_POINT_UNAVAILABLE"
GROUPS_AT_ONCE_MAX: Final = 500
_TOLD: Final = ("group_no", "provider", "point_id", "point_status")


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """Points near something, nearest first, and the carriers that could not be asked."""

    points: tuple[Near, ...]
    away: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What a carrier says of a point, and which others there are for one that takes nothing."""

    point: PickupPoint | None
    alternatives: list[dict[str, Any]]

    @property
    def status(self) -> PointStatus:
        """How it is; what its carrier does not know is gone."""
        return PointStatus.GONE if self.point is None else self.point.status

    @property
    def is_open(self) -> bool:
        """Whether it takes parcels."""
        return self.status is PointStatus.OPEN


Asked = dict[tuple[str, str], Answer]  # by provider and the point's id


def near(carriers: Carriers, sought: Sought, *, carrier: str | None = None) -> Found:
    """Return the points of a carrier near something, or those of all that have some.

    Raises NoPickupPoints for a carrier of which none are known, CarrierAway when nobody answers.
    """
    asked = {
        code: each.points for code, each in carriers.items()
        if each.points is not None and carrier in {None, code}
    }  # fmt: skip
    if not asked:
        raise NoPickupPoints(carrier=carrier)
    found: list[Near] = []
    away = []
    for code, finder in asked.items():
        try:
            found += finder.near(sought)
        except CarrierAway:
            away.append(code)
    if len(away) == len(asked):
        raise CarrierAway(carriers=away)
    found.sort(key=lambda each: (each.distance_km, each.point.provider, each.point.point_id))
    return Found(points=tuple(found[: sought.limit]), away=tuple(away))


def choose(carriers: Carriers, provider: str, point_id: str) -> PickupPoint | None:
    """Return a point that takes parcels; None where nobody here knows the provider's points.

    Raises UnknownPickupPoint, PickupPointUnavailable with the nearest others, CarrierAway.
    """
    finder = _finder(carriers, provider)
    if finder is None:
        return None
    found = finder.point(point_id)
    if found is None:
        raise UnknownPickupPoint(provider=provider, point_id=point_id)
    if not found.is_open:
        raise _unavailable(finder, found)
    return found


def addressed(
    tx: Tx, held: FulfillmentOrder, drafts: Sequence[ParcelDraft], carriers: Carriers
) -> dict[str, Any] | None:
    """Return the pick-up point parcels are to be addressed to, which takes them now.

    Raises LabelRefused for parcels of another carrier, or that are too much for the point;
    PickupPointUnavailable, CarrierAway.
    """
    kept = shipments.point_of(tx, held.fulfillment_id)
    if kept is None:
        return None
    chosen = Chosen.of(kept)
    for draft in drafts:
        if chosen.provider in carriers and draft.carrier != chosen.provider:
            raise LabelRefused(
                "it goes to a pick-up point of another carrier", carrier=chosen.provider
            )
    finder = _finder(carriers, chosen.provider)
    if finder is not None:
        _refuse_unfit(finder, chosen, drafts)
    return kept


def _refuse_unfit(finder: PointFinder, chosen: Chosen, drafts: Sequence[ParcelDraft]) -> None:
    now = finder.point(chosen.point_id)
    if now is None:
        raise PickupPointUnavailable(
            provider=chosen.provider, point_id=chosen.point_id, point_status=PointStatus.GONE.value,
            alternatives=[],
        )  # fmt: skip
    if not now.is_open:
        raise _unavailable(finder, now)
    for draft in drafts:
        size = draft.size
        why = now.too_much(
            weight_grams=size.weight_grams, sides_mm=(size.length_mm, size.width_mm, size.height_mm)
        )
        if why is not None:
            raise LabelRefused(why, point_id=now.point_id)


def _finder(carriers: Carriers, provider: str) -> PointFinder | None:
    return carriers[provider].points if provider in carriers else None


def _unavailable(finder: PointFinder, point: PickupPoint) -> PickupPointUnavailable:
    others = _alternatives(finder, point)
    return PickupPointUnavailable(
        f"the pick-up point {point.point_id[:60]} is {point.status}", provider=point.provider,
        point_id=point.point_id, point_status=point.status.value, alternatives=others,
    )  # fmt: skip


def _alternatives(finder: PointFinder, point: PickupPoint) -> list[dict[str, Any]]:
    """Name the nearest points that take parcels, in what somebody needs to choose one."""
    sought = Sought(
        latitude=point.latitude, longitude=point.longitude, country_code=point.country_code,
        radius_km=ALTERNATIVES_KM, limit=ALTERNATIVES_MAX,
    )  # fmt: skip
    return [
        {"provider": each.point.provider, "point_id": each.point.point_id,
         "name": each.point.name, "street": each.point.street, "city": each.point.city,
         "distance_km": each.distance_km}
        for each in finder.near(sought)
    ]  # fmt: skip


def note_unavailable(
    tx: Tx, order_id: int, group_no: int, error: PickupPointUnavailable, *, at: datetime
) -> None:
    """Show to a person that a point took no label, as soon as that was refused."""
    orders.hold(tx, order_id)
    _flag(tx, order_id, {group_no: error.facts}, at=at)


def watch(ledger: Ledger, carriers: Carriers) -> bool:
    """Ask carriers about the points of orders that are still to be sent; False: it is all done.

    A worker's step. A carrier is asked outside of a transaction, and of each point once; whose
    carrier does not answer stays as it is.
    """
    providers = [code for code, each in carriers.items() if each.points is not None]
    asked: Asked = {}
    away: set[str] = set()
    after = 0
    while True:
        with ledger.snapshot() as tx:
            waiting = queries.at_points(tx, providers, after=after, limit=GROUPS_AT_ONCE_MAX)
        if not waiting:
            return False
        after = waiting[-1].order_id
        for each in waiting:
            _ask(carriers, each.chosen, asked, away)
        for order_id, groups in _by_order(waiting).items():
            if not away & {each.chosen.provider for each in groups} and _is_news(groups, asked):
                ledger.run(partial(_settle, order_id=order_id, providers=providers, asked=asked))


def _ask(carriers: Carriers, chosen: Chosen, asked: Asked, away: set[str]) -> None:
    """Ask the carrier of a point how it is, unless that is known or the carrier is away."""
    finder, place = _finder(carriers, chosen.provider), (chosen.provider, chosen.point_id)
    assert finder is not None, "only of carriers whose points are known was it asked"
    if place in asked or chosen.provider in away:
        return
    try:
        found = finder.point(chosen.point_id)
        others = _alternatives(finder, found) if found is not None and not found.is_open else []
    except CarrierAway:
        away.add(chosen.provider)
    else:
        asked[place] = Answer(point=found, alternatives=others)


def _by_order(waiting: Sequence[AtPoint]) -> dict[int, list[AtPoint]]:
    found: dict[int, list[AtPoint]] = defaultdict(list)
    for each in waiting:
        found[each.order_id].append(each)
    return found


def _answer(asked: Asked, each: AtPoint) -> Answer:
    return asked[each.chosen.provider, each.chosen.point_id]


def _is_bad(asked: Asked, each: AtPoint) -> bool:
    """Tell whether something is to be sent to a point that takes nothing."""
    return each.is_to_be_sent and not _answer(asked, each).is_open


def _is_news(groups: Sequence[AtPoint], asked: Asked) -> bool:
    """Tell whether what is kept of an order is not what its carriers say."""
    is_bad = any(_is_bad(asked, each) for each in groups)
    return is_bad != groups[0].is_flagged or any(
        not each.chosen.is_checked and _answer(asked, each).point for each in groups
    )


def _settle(tx: Tx, *, order_id: int, providers: Sequence[str], asked: Asked) -> None:
    """Write what carriers say of an order's points, if they are still the same ones."""
    at = clock.now()
    orders.hold(tx, order_id)
    groups = queries.at_points_of(tx, order_id, providers)
    if not groups or not asked.keys() >= {(e.chosen.provider, e.chosen.point_id) for e in groups}:
        return  # others were chosen meanwhile: they are asked about the next time
    for each in groups:
        now = _answer(asked, each).point
        if now is not None and not each.chosen.is_checked:
            orders.keep_point(tx, order_id, each.group_no, now.snapshot(at=at))
    bad = {
        each.group_no: {
            "provider": each.chosen.provider, "point_id": each.chosen.point_id,
            "point_status": _answer(asked, each).status.value,
            "alternatives": _answer(asked, each).alternatives,
        }
        for each in groups if _is_bad(asked, each)
    }  # fmt: skip
    if bad and not groups[0].is_flagged:
        _flag(tx, order_id, bad, at=at)
    elif not bad and groups[0].is_flagged:
        release(tx, order_id, at=at)


def _flag(tx: Tx, order_id: int, bad: Mapping[int, Mapping[str, Any]], *, at: datetime) -> None:
    groups = [{"group_no": no, **facts} for no, facts in sorted(bad.items())]
    if orders.flag(tx, order_id, EXCEPTION, {"groups": groups}, at=at):
        told = [{name: each.get(name) for name in _TOLD} for each in groups]
        step = (order_id, "order.pickup_point_unavailable", {"groups": told})
        orders.tell(tx, [step], actor_type="system", actor="pick-up points", at=at)


def release(tx: Tx, order_id: int, *, at: datetime) -> None:
    """Note that an order's points take parcels again, or that others were chosen."""
    if orders.unflag(tx, order_id, EXCEPTION, at=at):
        orders.tell(
            tx, [(order_id, "order.pickup_point_available", {})],
            actor_type="system", actor="pick-up points", at=at,
        )  # fmt: skip
