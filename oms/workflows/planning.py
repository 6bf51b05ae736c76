"""Planning of a batch: delivery groups one after another, each with what those before it left."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from oms.locations.model import distance_km, point
from oms.sourcing import messages
from oms.sourcing.model import Candidate, Demand, DemandLine, OrderGroup, Plan, Rules, outcome_of
from oms.sourcing.queries import Known
from oms.sourcing.rules import plan, urgency
from oms.stock.model import Units

Target = tuple[int, bool]
"""Where units are to be kept, and whether they are given out there."""
Shelf = tuple[int, int]
"""A product, and a location."""
Free = dict[int, dict[int, int]]
"""How much of a product is free, by location."""


@dataclass(slots=True, kw_only=True)
class Batch:
    """A batch of delivery groups that was planned, and what it needs for that."""

    rules: Rules
    known: Known
    let_off: str | None  # a location that just rejected
    free: Free = field(default_factory=dict)
    needed: dict[Shelf, int] = field(default_factory=dict)  # what must be free for it
    given: Counter[int] = field(default_factory=Counter)  # parts by location
    decisions: list[tuple[OrderGroup, Sequence[str]]] = field(default_factory=list)
    idle: set[OrderGroup] = field(default_factory=set)  # of which nothing is given to anybody
    kept: list[tuple[Units, list[tuple[Target, int]]]] = field(default_factory=list)
    urgency: dict[int, tuple[int, datetime]] = field(default_factory=dict)  # by order
    hubs: dict[OrderGroup, int] = field(default_factory=dict)  # where parts are gathered

    def group_of(self, units: Units) -> OrderGroup:
        """Return the delivery group units are of."""
        return units.order_id, self.known.lines[units.order_id, units.line_no].group_no

    def risen(self) -> frozenset[Shelf]:
        """Return where units left, so that there is more for others."""
        return frozenset(
            (product_id, location_id)
            for product_id, at in self.free.items()
            for location_id, quantity in at.items()
            if quantity > self.known.free.get(product_id, {}).get(location_id, 0)
        )

    def fits(self, free: Mapping[Shelf, int], capacity_left: Mapping[int, int]) -> bool:
        """Tell whether it can be carried out with what is free and may be given by now."""
        known = {number: self.known.places[number].capacity_left or 0 for number in capacity_left}
        return all(free[shelf] >= quantity for shelf, quantity in self.needed.items()) and all(
            left >= min(self.given[number], known[number]) for number, left in capacity_left.items()
        )


def planned(units: Iterable[Units], known: Known, rules: Rules, *, let_off: str | None) -> Batch:
    """Plan units by delivery group, the most urgent first; nothing is written."""
    free = {product_id: dict(at) for product_id, at in known.free.items()}
    batch = Batch(rules=rules, known=known, let_off=let_off, free=free)
    groups: dict[OrderGroup, list[Units]] = defaultdict(list)
    for each in units:
        groups[batch.group_of(each)].append(each)
    demands = [_demand(known, group, of) for group, of in groups.items()]
    urgent = {(each.order_id, each.group_no): urgency(each, rules) for each in demands}
    for demand in sorted(demands, key=lambda each: _turn(each, urgent)):
        group = demand.order_id, demand.group_no
        priority, promised_by = urgent[group]
        known_yet = batch.urgency.get(demand.order_id, (priority, promised_by))
        batch.urgency[demand.order_id] = (
            max(priority, known_yet[0]), min(promised_by, known_yet[1]),
        )  # fmt: skip
        _plan_group(batch, demand, groups[group], promised_by)
    return batch


def _turn(demand: Demand, urgent: Mapping[OrderGroup, tuple[int, datetime]]) -> tuple[object, ...]:
    group = demand.order_id, demand.group_no
    priority, promised_by = urgent[group]
    return -priority, promised_by, demand.placed_at, group


def _plan_group(
    batch: Batch, demand: Demand, units: Sequence[Units], promised_by: datetime
) -> None:
    """Plan a delivery group with what those before it in the batch have left."""
    for each in units:  # nobody else's: it may go wherever the plan says
        _put(batch.free, each.product_id, each.location_id, each.quantity)
    candidates = _candidates(batch, demand, units)
    made = plan(demand, candidates, batch.rules)
    if made.group is None:
        pieces = [(each, [((each.location_id, True), each.quantity)]) for each in units]
    else:
        pieces = list(_pieces(units, _targets(batch.known, units, made)))
    for each, targets in pieces:
        for (location_id, _), quantity in targets:
            _put(batch.free, each.product_id, location_id, -quantity)
    batch.kept += pieces
    if made.group is None:
        return
    _note_needs(batch, units, made)
    outcome = outcome_of(made, candidates, promised_by)
    group = demand.order_id, demand.group_no
    batch.decisions.append((group, messages.kept(demand, candidates, made, outcome)))
    if not made.parts:
        batch.idle.add(group)
    if made.hub is not None:
        batch.hubs[group] = batch.known.location_ids[made.hub]


def _note_needs(batch: Batch, units: Sequence[Units], made: Plan) -> None:
    """Note what must be free, beyond what the batch itself brings, for a plan to be carried out."""
    product_of = {each.line_no: each.product_id for each in units}
    if made.hub is not None:  # it is asked; who sends to it is not
        batch.given[batch.known.location_ids[made.hub]] += 1
    for part in made.parts:
        location_id = batch.known.location_ids[part.code]
        batch.given[location_id] += made.hub is None
        for line_no in part.quantities:
            shelf = product_id, _ = product_of[line_no], location_id
            before = batch.known.free.get(product_id, {}).get(location_id, 0)
            taken = before - batch.free[product_id][location_id]
            if taken > 0:
                needed = taken + part.buffer
                batch.needed[shelf] = max(needed, batch.needed.get(shelf, 0))


def _demand(known: Known, group: OrderGroup, units: Sequence[Units]) -> Demand:
    of = known.groups[group]
    wanted = Counter[int]()
    for each in units:
        wanted[each.line_no] += each.quantity
    lines = [known.lines[of.order_id, line_no] for line_no in sorted(wanted)]
    return Demand(
        order_id=of.order_id, group_no=of.group_no, channel_code=of.channel_code,
        method=of.method, country_code=of.country_code, currency=of.currency,
        value_minor=of.value_minor, placed_at=of.placed_at, has_account=of.has_account,
        hub=known.hubs.get(group),
        lines=tuple(
            DemandLine(
                line_no=line.line_no, sku=line.sku, quantity=wanted[line.line_no],
                product_type=line.product_type, category=line.category, brand=line.brand,
            )
            for line in lines
        ),
    )  # fmt: skip


def _candidates(batch: Batch, demand: Demand, units: Sequence[Units]) -> tuple[Candidate, ...]:
    """Return the locations of a group's network with what they have, its own units among it."""
    known, order_id = batch.known, demand.order_id
    of = known.groups[order_id, demand.group_no]
    customer = point(of.latitude, of.longitude)
    shelves = {known.lines[order_id, each.line_no].sku: batch.free[each.product_id]
               for each in units}  # fmt: skip
    found = []
    for place, priority in known.networks.get(of.channel_id, ()):
        here, left, stock = place.location_id, place.capacity_left, {}
        for sku, at in shelves.items():
            quantity = at.get(here, 0)
            stock[sku] = max(0, quantity)
        found.append(
            Candidate(
                node=place.node, priority=priority, stock=stock,
                distance_km=distance_km(customer, place.point),
                has_rejected=(order_id, here) in known.rejected
                or place.node.code == batch.let_off,
                capacity_left=None if left is None else max(0, left - batch.given[here]),
            )
        )  # fmt: skip
    return tuple(found)


def _put(free: Free, product_id: int, location_id: int, quantity: int) -> None:
    at = free.setdefault(product_id, {})
    at[location_id] = at.get(location_id, 0) + quantity


def _by_place(units: Sequence[Units]) -> Counter[Shelf]:
    own: Counter[Shelf] = Counter()
    for each in units:
        own[each.product_id, each.location_id] += each.quantity
    return own


def _targets(known: Known, units: Sequence[Units], made: Plan) -> dict[int, Counter[Target]]:
    """Return by line where its units are to be: given out, or left where some are kept already."""
    codes = known.location_ids
    product_of = {each.line_no: each.product_id for each in units}
    own, targets = _by_place(units), defaultdict[int, Counter[Target]](Counter)
    for part in made.parts:
        for line_no, quantity in part.quantities.items():
            targets[line_no][codes[part.code], True] += quantity
            own[product_of[line_no], codes[part.code]] -= quantity
    for line_no, left in sorted(made.left.items()):
        given = targets[line_no].total()
        for location_id in _own_first(units, line_no, own):
            still = left - targets[line_no].total() + given
            stays = min(still, max(0, own[product_of[line_no], location_id]))
            if stays:
                targets[line_no][location_id, False] += stays
                own[product_of[line_no], location_id] -= stays
        assert targets[line_no].total() == given + left, "what is left is kept somewhere"
    return targets


def _own_first(units: Sequence[Units], line_no: int, own: Mapping[Shelf, int]) -> list[int]:
    """Return the locations units are kept at, those of a line before the others."""
    line = {each.location_id for each in units if each.line_no == line_no}
    return [*sorted(line), *sorted({location_id for _, location_id in own} - line)]


def _pieces(
    units: Sequence[Units], targets: Mapping[int, Counter[Target]]
) -> Iterator[tuple[Units, list[tuple[Target, int]]]]:
    """Lay the reservations of each line on its targets, so that as few units move as can be."""
    rest = {line_no: Counter(each) for line_no, each in targets.items()}
    found: dict[int, list[tuple[Target, int]]] = defaultdict(list)
    missing = {each.reservation_id: each.quantity for each in units}
    by_age = sorted(units, key=lambda one: one.reservation_id)
    for is_moving in (False, True):
        for each in by_age:
            line = rest[each.line_no]
            for target in sorted(line, key=lambda one: (not one[1], one[0])):
                if not is_moving and target[0] != each.location_id:
                    continue
                quantity = min(line[target], missing[each.reservation_id])
                if quantity:
                    found[each.reservation_id].append((target, quantity))
                    line[target] -= quantity
                    missing[each.reservation_id] -= quantity
    yield from ((each, found[each.reservation_id]) for each in units)
