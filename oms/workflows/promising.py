"""Promises as sourcing will keep them: what its rules gather at a hub is promised by way of it."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from oms.channels.model import Channel
from oms.ledger.database import Tx
from oms.points.model import Near
from oms.promise import queries
from oms.promise.model import Destination, Gathering, Promise
from oms.sourcing import queries as sourcing
from oms.sourcing.model import Demand
from oms.sourcing.rules import group_of


def promise(
    tx: Tx, wanted: Mapping[str, int], *, channel: Channel, to: Destination, radius_km: float,
    limit: int, at: datetime, points: Sequence[Near] = (),
) -> Promise:  # fmt: skip
    """Return what a channel may promise of a basket to a destination now, or to these points.

    Raises UnknownSku.
    """
    return queries.promise(
        tx, wanted, channel=channel, to=to, radius_km=radius_km, limit=limit, at=at, points=points,
        gathering=_gathering(tx, wanted, channel, to, at=at),
    )  # fmt: skip


def _gathering(
    tx: Tx, wanted: Mapping[str, int], channel: Channel, to: Destination, *, at: datetime
) -> Gathering | None:
    """Return where the active rules gather such a basket; None where each part is sent apart.

    A basket has no prices and no customer yet: rules of a value see one of nothing.
    """
    rules = sourcing.active(tx)
    if rules is None:
        return None
    basket = Demand(
        order_id=0, group_no=1, channel_code=channel.code, method="ship_home",
        country_code=to.country_code, currency=channel.currency, value_minor=0, placed_at=at,
        lines=tuple(sourcing.articles(tx, wanted)),
    )  # fmt: skip
    group = group_of(basket, rules.rules)
    consolidate = None if group is None else group.split.consolidate
    if consolidate is None:
        return None
    return Gathering(at=consolidate.at, parts_min=consolidate.parts_min)
