"""The rules of a channel's returns: who may give back what, until when, and what becomes of it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from fractions import Fraction
from typing import Any, Final, Literal, Self
from zoneinfo import ZoneInfo

from pydantic import BaseModel, ConfigDict, Field, NonNegativeInt, ValidationError

from oms.kernel.errors import Conflict, OmsError, Rejected
from oms.kernel.money import round_half_up, shares_of_units
from oms.returns.model import (
    Condition,
    Disposition,
    Inspected,
    Return,
    ReturnReason,
    Row,
    Sorted,
    Told,
)

DAYS_MAX: Final = 3_650
Outcome = Literal["accept", "reject", "manual"]

# What becomes of a unit nobody has said more of.
USUAL: Final[dict[Condition, Disposition]] = {
    Condition.NEW: Disposition.RESTOCK, Condition.OPENED: Disposition.REGRADE,
    Condition.USED: Disposition.OUTLET, Condition.DAMAGED: Disposition.SCRAP,
    Condition.WRONG_ITEM: Disposition.SEND_BACK,
}  # fmt: skip
# Whoever sold takes nothing off for these.
OUR_FAULT: Final = frozenset({
    ReturnReason.DAMAGED_IN_SHIPPING, ReturnReason.DEFECTIVE, ReturnReason.WRONG_ITEM,
    ReturnReason.NOT_AS_EXPECTED, ReturnReason.LATE, ReturnReason.POOR_SERVICE,
    ReturnReason.UNLIKE_PHOTO, ReturnReason.REFUSED,
})  # fmt: skip


class BadReturnPolicy(Rejected):
    """The channel's way of taking goods back cannot be read."""


class QuantityExceedsReturnable(Conflict):
    """That much of the line cannot be returned any more."""

    code = "QTY_EXCEEDS_RETURNABLE"


class NotShipped(Conflict):
    """Nothing of the line has left."""

    code = "NOT_SHIPPED"


class AlreadyReturned(Conflict):
    """All of the line has come back, or is about to."""

    code = "ALREADY_RETURNED"


class WindowExpired(Conflict):
    """The time in which the line could be returned is over."""

    code = "WINDOW_EXPIRED"


class FinalSale(Conflict):
    """The line was sold for good."""

    code = "FINAL_SALE"


class PaidHere(Conflict):
    """What is owed is refunded here, and the return completed by that."""

    code = "REFUNDED_HERE"


class ResolutionNotOffered(Rejected):
    """Goods are taken back for their money, or for nothing: nothing else is given for them yet."""

    code = "RESOLUTION_NOT_OFFERED"


class InspectionRule(BaseModel):
    """What is done with units that came, where all it names is so; the first that fits counts."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    then: Outcome
    conditions: tuple[Condition, ...] = ()
    reasons: tuple[ReturnReason, ...] = ()
    unit_minor_max: int | None = Field(default=None, ge=0)

    def fits(self, found: Inspected, reason: ReturnReason, unit_minor: int) -> bool:
        """Tell whether units that were looked at are meant."""
        return (
            (not self.conditions or found.condition in self.conditions)
            and (not self.reasons or reason in self.reasons)
            and (self.unit_minor_max is None or unit_minor <= self.unit_minor_max)
        )


class Policy(BaseModel):
    """How a channel takes goods back."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    approval: Literal["auto", "manual"] = "manual"
    window_days: int = Field(default=30, ge=0, le=DAYS_MAX)  # from delivery
    shipment_days: int = Field(default=5, ge=0, le=DAYS_MAX)  # more, from when it was sent
    expires_days: int = Field(default=30, ge=1, le=DAYS_MAX)
    location: str | None = None  # None: the first of the channel's network
    carrier: str | None = None  # whose label what is approved gets; None: none of ours
    fee_minor: dict[str, NonNegativeInt] = Field(default_factory=dict)  # of a return, by currency
    credit_days: int | None = Field(default=None, ge=1, le=DAYS_MAX)  # None: it is good for ever
    refunds_shipping: Literal["never", "full_return", "standard"] = "full_return"
    standard_shipping_minor: dict[str, NonNegativeInt] = Field(default_factory=dict)  # by currency
    final_sale_skus: frozenset[str] = frozenset()
    final_sale_types: frozenset[str] = frozenset()  # product types and categories
    inspection: tuple[InspectionRule, ...] = ()

    @classmethod
    def of(cls, written: Mapping[str, Any]) -> Self:
        """Read a channel's policy. Raises BadReturnPolicy, naming what is wrong where."""
        try:
            return cls.model_validate(written)
        except ValidationError as error:
            first = error.errors(include_url=False)[0]
            place = ".".join(map(str, first["loc"]))
            raise BadReturnPolicy(f"return_policy.{place}: {first['msg']}") from None

    def outcome(self, found: Inspected, reason: ReturnReason, unit_minor: int) -> Outcome:
        """Return what is done with units that were looked at, where nobody says it."""
        fitting = (each for each in self.inspection if each.fits(found, reason, unit_minor))
        rule = next(fitting, None)
        return "manual" if rule is None else rule.then


@dataclass(frozen=True, slots=True, kw_only=True)
class LineFacts:
    """What is known of an order's line when somebody wants to give some of it back."""

    line_no: int
    product_id: int
    sku: str
    title: str
    product_type: str | None
    category: str | None
    quantity: int
    canceled: int
    shipped: int
    returned: int
    in_returns: int  # asked for, and neither come and decided nor over
    net_minor: int
    tax_minor: int
    shared: int  # units gone before whose money is their share of the line
    shipped_at: datetime | None
    delivered_at: datetime | None
    is_handed_over: bool  # what is carried or collected has arrived when it leaves


@dataclass(frozen=True, slots=True, kw_only=True)
class Returnable:
    """How much of a line may be given back, until when, what for, and why not else."""

    facts: LineFacts
    quantity: int
    until: datetime | None
    net_minor: int  # of that many units
    tax_minor: int
    refusals: tuple[OmsError, ...]


def returnable(facts: LineFacts, policy: Policy, *, time_zone: str, at: datetime) -> Returnable:
    """Return how much of a line may be given back now, by the channel's rules."""
    left = max(0, facts.shipped - facts.returned - facts.in_returns)
    until = window_end(facts, policy, time_zone=time_zone)
    refusals: list[OmsError] = []
    if not facts.shipped:
        refusals.append(NotShipped(line_no=facts.line_no, max=0))
    elif not left:
        refusals.append(AlreadyReturned(line_no=facts.line_no, max=0))
    if until is not None and at >= until:
        refusals.append(WindowExpired(line_no=facts.line_no, until=until.isoformat()))
    if is_final(facts, policy):
        refusals.append(FinalSale(line_no=facts.line_no))
    net, tax = shares_of_units(facts.net_minor, facts.tax_minor, facts.quantity, facts.shared, left)
    return Returnable(
        facts=facts, quantity=left, until=until, net_minor=net, tax_minor=tax,
        refusals=tuple(refusals),
    )  # fmt: skip


def refuse(found: Returnable, quantity: int, *, is_overridden: bool) -> None:
    """Say why a line is not taken back. A person may set aside time and kind, never how many.

    Raises NotShipped, AlreadyReturned, WindowExpired, FinalSale, QuantityExceedsReturnable.
    """
    for each in found.refusals:
        if not (is_overridden and isinstance(each, WindowExpired | FinalSale)):
            raise each
    if quantity > found.quantity:
        raise QuantityExceedsReturnable(line_no=found.facts.line_no, max=found.quantity)


def window_end(facts: LineFacts, policy: Policy, *, time_zone: str) -> datetime | None:
    """Return the end of the last day, as the channel counts days; None before it has left."""
    is_there = facts.delivered_at is not None or facts.is_handed_over
    begun_at = facts.delivered_at or facts.shipped_at
    if begun_at is None:
        return None
    days = policy.window_days + (0 if is_there else policy.shipment_days)
    zone = ZoneInfo(time_zone)
    last_on = begun_at.astimezone(zone).date() + timedelta(days=days)
    return datetime.combine(last_on + timedelta(days=1), time(), tzinfo=zone).astimezone(UTC)


def is_final(facts: LineFacts, policy: Policy) -> bool:
    """Tell whether a line was sold for good."""
    kinds = {facts.product_type, facts.category}
    return facts.sku in policy.final_sale_skus or bool(kinds & policy.final_sale_types)


def sort_out(of: Return, told: Sequence[Told]) -> list[Sorted]:
    """Return what units that came are to a return: as announced, too many, or another item."""
    left = {line.line_no: line.awaited for line in of.lines}
    rows = []
    for each in told:
        meant = [
            line for line in of.lines
            if each.line_no in {None, line.line_no} and each.sku in {None, line.sku}
        ]  # fmt: skip
        rest = each.quantity
        for line in meant:
            quantity = min(rest, left[line.line_no])
            left[line.line_no] -= quantity
            rest -= quantity
            rows.append(_sorted(Row.TAKEN, quantity, line.sku, line.line_no, each))
        state = Row.OVER if meant else Row.WRONG_ITEM
        line_no = meant[0].line_no if meant else None
        sku = meant[0].sku if meant else each.sku or ""
        rows.append(_sorted(state, rest, sku, line_no, each))
    return [row for row in rows if row.quantity]


def _sorted(state: Row, quantity: int, sku: str, line_no: int | None, told: Told) -> Sorted:
    return Sorted(state=state, quantity=quantity, sku=sku, line_no=line_no, told=told)


def shipping_back(
    policy: Policy, currency: str, net_minor: int, tax_minor: int, reasons: Sequence[ReturnReason]
) -> tuple[int, int]:
    """Return what of its shipping, net and tax, an order that is returned whole gives back.

    By `standard` no more than the least expensive common delivery costs, which is all a consumer
    who chose a dearer one has a right to (Directive 2011/83/EU, Article 13(2)); all of it where
    the seller is at fault.
    """
    if policy.refunds_shipping == "never":
        return 0, 0
    whole = net_minor + tax_minor
    standard = policy.standard_shipping_minor.get(currency, whole)
    if policy.refunds_shipping == "full_return" or set(reasons) & OUR_FAULT or standard >= whole:
        return net_minor, tax_minor
    tax = round_half_up(Fraction(tax_minor * standard, whole))
    return standard - tax, tax


def fee_of(policy: Policy, currency: str, reasons: Sequence[ReturnReason]) -> int:
    """Return what is kept of a return for its reasons: nothing where the seller is at fault."""
    return 0 if set(reasons) & OUR_FAULT else policy.fee_minor.get(currency, 0)
