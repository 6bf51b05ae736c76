"""Which invoices a credit note corrects: the oldest first, none beyond what it has."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from oms.billing.model import Amounts, DocumentType
from oms.billing.rules import Earlier, Part
from oms.kernel.money import split


@dataclass(frozen=True, slots=True, kw_only=True)
class Room:
    """What of an invoice's line is not credited yet."""

    document_id: int
    line_no: int
    quantity: int
    amounts: Amounts


def rooms(earlier: Iterable[Earlier]) -> list[Room]:
    """Return what can still be credited, the oldest invoice first."""
    found: dict[tuple[int, int], Room] = {}
    for each in sorted(earlier, key=lambda e: (e.document_id, e.line_no)):
        is_invoice = each.type is DocumentType.INVOICE
        key = (each.document_id if is_invoice else each.preceding_id or 0, each.line_no)
        room = found.get(
            key, Room(document_id=key[0], line_no=key[1], quantity=0, amounts=Amounts())
        )
        sign = 1 if is_invoice else -1
        found[key] = replace(
            room, quantity=room.quantity + sign * each.quantity,
            amounts=room.amounts + (each.amounts if is_invoice else -each.amounts),
        )  # fmt: skip
    return list(found.values())


def allocate(credit: Part, open_rooms: Sequence[Room]) -> dict[int, Part]:
    """Return which invoice a line's credit corrects, by document; a part of none has no money.

    Units go to the oldest invoices that have some left, money with them in proportion, and what
    does not fit there to the next: no invoice's line is credited beyond what it has.
    """
    own = [room for room in open_rooms if room.line_no == credit.line_no]
    units, left = [], credit.quantity
    for room in own:
        units.append(min(left, max(room.quantity, 0)))
        left -= units[-1]
    nets = _fill(credit.amounts.net_minor, units, [room.amounts.net_minor for room in own])
    taxes = _fill(credit.amounts.tax_minor, units, [room.amounts.tax_minor for room in own])
    counted = _fill(credit.counted, [1, *[0] * (len(own) - 1)], units if credit.counted else [])
    return {
        room.document_id: Part(
            line_no=credit.line_no, quantity=units[i], counted=counted[i] if counted else 0,
            amounts=Amounts(net_minor=nets[i], tax_minor=taxes[i]),
        )
        for i, room in enumerate(own)
        if units[i] or nets[i] or taxes[i]
    }  # fmt: skip


def _fill(amount: int, weights: Sequence[int], limits: Sequence[int]) -> list[int]:
    """Split an amount by weights, none beyond its limit; what is over goes where there is room."""
    if not limits:
        return []
    wanted = split(amount, weights) if any(weights) else [amount, *[0] * (len(limits) - 1)]
    parts = [min(part, limit) for part, limit in zip(wanted, limits, strict=True)]
    over = amount - sum(parts)
    for i, limit in enumerate(limits):
        more = min(over, limit - parts[i])
        parts[i] += more
        over -= more
    return parts
