"""How money is given back, as data: what goes by itself, what in cash, and by whom how much."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime
from fractions import Fraction
from typing import Any, Final, Self

from oms.kernel.money import round_half_up, split
from oms.payments.model import Payment, Tender, TransactionState
from oms.refunds.model import (
    POLICIES,
    BackIn,
    LimitExceeded,
    Limits,
    LineValue,
    Mode,
    Occasion,
    Policy,
    Reduction,
    RefundKind,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """What is said of a channel, or of all: of what nothing is said, nothing is here."""

    policies: Mapping[str, Policy] = field(default_factory=dict)  # by kind, or by occasion
    cash_limits: Mapping[str, int] | None = None  # by currency, of what was not paid in cash
    roles: Mapping[str, Mapping[str, Limits]] = field(default_factory=dict)  # by currency

    @classmethod
    def of(cls, kept: Mapping[str, Any]) -> Self:
        """Read what was kept of them."""
        return cls(
            policies={
                name: Policy(mode=Mode(each["mode"]), limit_minor=each["limit_minor"],
                             limits=each.get("limits", {}))
                for name, each in kept.get("policies", {}).items()
            },
            cash_limits=kept.get("cash_limits"),
            roles={
                role: {currency: Limits(**each) for currency, each in of.items()}
                for role, of in kept.get("roles", {}).items()
            },
        )  # fmt: skip

    def kept(self) -> dict[str, Any]:
        """Return them as they are kept."""
        policies = {
            name: {"mode": each.mode.value, "limit_minor": each.limit_minor,
                   "limits": dict(each.limits)}
            for name, each in self.policies.items()
        }  # fmt: skip
        roles = {
            role: {currency: asdict(each) for currency, each in of.items()}
            for role, of in self.roles.items()
        }  # fmt: skip
        return {"policies": policies, "cash_limits": self.cash_limits, "roles": roles}


@dataclass(frozen=True, slots=True, kw_only=True)
class Version:
    """Rules as somebody set them."""

    channel_code: str | None  # None: of every channel that says nothing
    version_no: int
    rules: Rules
    reason: str
    set_by: str
    set_at: datetime


# Why an order's events say it became cheaper; any other cancel is one, any other return, too.
_OCCASIONS: Final[Mapping[tuple[str, str], Occasion]] = {
    **{("cancel", reason): Occasion.SHORT_SHIPPED
       for reason in ("not_found", "damaged", "out_of_stock", "no_stock", "short_pick")},
    **{("cancel", reason): Occasion.NOT_COLLECTED
       for reason in ("no_show", "not_collected", "refused")},
    **{("return", reason): Occasion.NOT_COLLECTED for reason in ("no_show", "not_collected")},
    **{("return", reason): Occasion.DELIVERY_FAILED for reason in ("undeliverable", "refused")},
}  # fmt: skip
_USUALLY: Final = {
    "cancel": Occasion.CANCELLATION, "return": Occasion.RETURN_ACCEPTED,
    "edit": Occasion.PRICE_ADJUSTED,
}  # fmt: skip


def occasion_of(kind: str, reason: str | None) -> Occasion:
    """Return what an event that made an order cheaper has something owed for."""
    return _OCCASIONS.get((kind, reason or ""), _USUALLY[kind])


def by_occasion(
    amount_minor: int, cheaper: Iterable[tuple[Occasion, int]], paid: Mapping[str, int]
) -> list[tuple[Occasion, int]]:
    """Say what an amount is owed for: what made the order cheaper last and is not paid back yet.

    `cheaper` is what did, the last first; `paid` is what was begun for each occasion. What nothing
    made cheaper was paid too much.
    """
    sums: dict[Occasion, int] = {}
    for occasion, minor in cheaper:
        sums[occasion] = sums.get(occasion, 0) + minor
    left, found = amount_minor, []
    for occasion, minor in sums.items():
        part = min(left, minor - paid.get(occasion, 0))
        if part > 0:
            found.append((occasion, part))
            left -= part
    return [*found, (Occasion.OVERPAYMENT, left)] if left else found


@dataclass(frozen=True, slots=True, kw_only=True)
class Again:
    """Parts of payments a refund goes to instead: those given for the first time, and anew."""

    first: list[tuple[int, int]]
    anew: list[tuple[int, int]]


def given_again(shares: Sequence[tuple[int, int]], given: Mapping[int, int]) -> Again:
    """Say what of shares of payments was `given` before, by payment, and came back.

    A payment gives again what it gave; what another gave, whoever has room for it.
    """
    own = {payment_id: min(minor, given.get(payment_id, 0)) for payment_id, minor in shares}
    left = sum(given.values()) - sum(own.values())
    found = Again(first=[], anew=[])
    for payment_id, minor in shares:
        anew = own[payment_id] + min(left, minor - own[payment_id])
        left -= anew - own[payment_id]
        found.anew.extend([(payment_id, anew)] if anew else [])
        found.first.extend([(payment_id, minor - anew)] if minor > anew else [])
    return found


def policy_of(said: Sequence[Rules], kind: RefundKind, occasion: Occasion | None = None) -> Policy:
    """Return how a refund is let go, by the first of these rules that says it.

    What is said of its occasion goes before what is said of all that is owed.
    """
    names = [kind.value] if occasion is None else [occasion.value, kind.value]
    found = (rules.policies.get(name) for rules in said for name in names)
    return next((each for each in found if each is not None), POLICIES[kind])


def limits_of(said: Sequence[Rules], role: str, currency: str) -> Limits:
    """Return the most a role lets go."""
    found = (rules.roles[role] for rules in said if role in rules.roles)
    return next(found, {}).get(currency, Limits())


def beyond(
    limits: Limits, amount_minor: int, currency: str, *, of_order_minor: int, of_day_minor: int
) -> LimitExceeded | None:
    """Return what limit an amount exceeds, with the most that is left, beside what was let go."""
    left = {
        "refund": limits.refund_minor,
        "order": None if limits.order_minor is None else limits.order_minor - of_order_minor,
        "day": None if limits.day_minor is None else limits.day_minor - of_day_minor,
    }
    for name, most in left.items():
        if most is not None and amount_minor > most:
            return LimitExceeded(limit=name, max_minor=max(0, most), currency=currency)
    return None


def cash_limit_minor(said: Sequence[Rules], currency: str) -> int:
    """Return up to how much of what was not paid in cash goes back in cash."""
    found = (rules.cash_limits for rules in said if rules.cash_limits is not None)
    return next(found, {}).get(currency, 0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Counter:
    """A till that gives money back: in what, and whether a manager set the rules aside."""

    visit_id: int
    location_code: str
    back_in: BackIn
    is_overridden: bool

    def payable(self, payments: Sequence[Payment]) -> list[Payment]:
        """Return what money can be given back from here, in the order it is taken from.

        In cash what was paid in cash comes first. What only its channel moves is not ours.
        """
        found = [each for each in payments if each.is_ours_to_move or each.tender is Tender.CASH
                 or (self.back_in is BackIn.CASH and each.location_code is not None)]  # fmt: skip
        if self.back_in is BackIn.CASH:
            found.sort(key=lambda each: each.tender is not Tender.CASH)
        return found

    def is_cash(self, payment: Payment) -> bool:
        """Tell whether what goes back of a payment comes out of the drawer."""
        return self.back_in is BackIn.CASH or payment.tender is Tender.CASH


def turned_to_cash_minor(payments: Sequence[Payment]) -> int:
    """Return what of payments in other tenders went back in cash so far."""
    return sum(
        done.amount_minor
        for each in payments if each.tender is not Tender.CASH
        for done in each.transactions
        if done.tender is Tender.CASH and done.state is TransactionState.SUCCEEDED
    )  # fmt: skip


def reduced(
    amount_minor: int, values: Sequence[LineValue], *, is_of_shipping: bool
) -> list[Reduction]:
    """Say which lines a refund without goods makes cheaper: by largest remainder, with tax.

    Off what has left and stays before what is still to leave, shipping first where it is of
    shipping. What is more than the lines come to was paid too much, and makes nothing cheaper.
    """
    held = [max(0, each.held_minor - each.reduced_minor) for each in values]
    in_all = [max(0, each.minor - each.reduced_minor) for each in values]
    rest = [most - part for most, part in zip(in_all, map(min, held, in_all), strict=True)]
    first = [most * (is_of_shipping and not each.line_no)
             for most, each in zip(in_all, values, strict=True)]  # fmt: skip
    left, parts = amount_minor, [0] * len(values)
    for room in (first, held, rest):
        weights = [min(most, all_ - part)
                   for most, all_, part in zip(room, in_all, parts, strict=True)]  # fmt: skip
        taken = min(left, sum(weights))
        parts = [part + more for part, more in zip(parts, split(taken, weights), strict=True)]
        left -= taken
    return [_reduction(each, part) for each, part in zip(values, parts, strict=True) if part]


def _reduction(of: LineValue, minor: int) -> Reduction:
    tax = min(max(round_half_up(Fraction(of.tax_minor * minor, of.minor)), 0), minor)
    return Reduction(line_no=of.line_no, net_minor=minor - tax, tax_minor=tax)
