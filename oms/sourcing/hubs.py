"""Consolidation, as a pure function: whether parts are gathered at a hub, where, and why."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from functools import lru_cache

from oms.sourcing.model import (
    Candidate,
    Consolidation,
    Demand,
    Group,
    InTime,
    Part,
    gathered_at,
)

Chosen = tuple[str | None, str | None]
"""The hub at which parts are gathered, if they are, and why there or why not."""


@lru_cache(maxsize=1_024)
def moment(at: datetime) -> str:
    """Write an instant as reasons say it."""
    return f"{at.astimezone(UTC):%Y-%m-%d %H:%M} UTC"


def chosen(
    demand: Demand, parts: Sequence[Part], known: Sequence[Candidate], group: Group,
    promised_by: datetime,
) -> Chosen:  # fmt: skip
    """Say at which hub the parts of a plan are gathered, and why there, or why they are not.

    What comes to a delivery group while the rest of it waits at a hub is sent there, too.
    """
    at = {each.node.code: each for each in known}
    senders = [at[part.code] for part in parts]
    if not parts:
        return None, None
    if demand.hub is not None:
        if demand.hub not in at:
            return None, f"sent apart: the rest waits at {demand.hub}, {_NO_MEMBER}"
        why = f"gathered at {demand.hub}, where the rest of it waits"
        return demand.hub, why + _late(at[demand.hub], senders, promised_by)
    rule = group.split.consolidate
    if rule is None or len(parts) < rule.parts_min or _is_at_a_hub(parts, rule):
        return None, None
    return _first_able(rule, at, senders, group, promised_by)


def _first_able(
    rule: Consolidation, at: Mapping[str, Candidate], senders: Sequence[Candidate], group: Group,
    promised_by: datetime,
) -> Chosen:  # fmt: skip
    passed = []
    for code in rule.at:
        if why := next(_hindrances(at.get(code), senders, group, promised_by), None):
            passed.append(f"{code} {why}")
            continue
        said = "1 part is sent" if len(senders) == 1 else f"{len(senders)} parts are gathered"
        late = _late(at[code], senders, promised_by)
        others = f"; {'; '.join(passed)}" if passed else ""
        return code, (
            f"{said} by way of {code} and leave together:"
            f" {group.name} consolidates from {rule.parts_min} on{late}{others}"
        )
    return None, f"sent apart: {'; '.join(passed)}"


_NO_MEMBER = "which does not supply this channel"


def _is_at_a_hub(parts: Sequence[Part], rule: Consolidation) -> bool:
    """Tell whether one hub has all of it itself."""
    return len(parts) == 1 and parts[0].code in rule.at


def _hindrances(
    hub: Candidate | None, senders: Sequence[Candidate], group: Group, promised_by: datetime
) -> Iterator[str]:
    """Give what keeps parts from being gathered at a location."""
    if hub is None:
        yield _NO_MEMBER.removeprefix("which ")
        return
    if not hub.node.is_enabled:
        yield "is disabled"
    if hub.has_rejected:
        yield "has rejected this order before"
    if hub.capacity_left == 0:
        yield "has no capacity left today"
    ready_at = gathered_at(hub, senders)
    if group.split.in_time is not InTime.IGNORE and ready_at > promised_by:
        late = f"{moment(ready_at)}, promised was {moment(promised_by)}"
        yield f"would have all of it ready {late}"


def _late(hub: Candidate, senders: Sequence[Candidate], promised_by: datetime) -> str:
    ready_at = gathered_at(hub, senders)
    if ready_at <= promised_by:
        return ""
    return f"; late: ready {moment(ready_at)}, promised {moment(promised_by)}"
