"""How money is given back: what goes by itself and by whom, of which payments, off which lines."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime
from fractions import Fraction
from typing import Any, Final, Self

from oms.kernel.money import round_half_up, split
from oms.payments.model import Payment, Tender, TransactionState
from oms.refunds.model import (
    BackIn,
    LimitExceeded,
    Limits,
    Mode,
    Occasion,
    Policy,
    Reduction,
    RefundExceeded,
    RefundKind,
    RefundState,
    TenderOrder,
    TenderShare,
    WrongLines,
)

# Where nothing is said: what is owed goes back by itself, what is not is agreed on.
POLICIES: Final[Mapping[RefundKind, Policy]] = {
    RefundKind.OWED: Policy(mode=Mode.AUTO, limit_minor=50_000),
    RefundKind.SHIPPING: Policy(mode=Mode.AUTO, limit_minor=2_500),
    RefundKind.GOODWILL: Policy(mode=Mode.APPROVE, limit_minor=0),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """What is said of a channel, or of all: of what nothing is said, nothing is here."""

    policies: Mapping[str, Policy] = field(default_factory=dict)  # by kind, or by occasion
    cash_limits: Mapping[str, int] | None = None  # by currency, of what was not paid in cash
    roles: Mapping[str, Mapping[str, Limits]] = field(default_factory=dict)  # by currency
    tender_order: TenderOrder | None = None

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
            tender_order=TenderOrder(kept["tender_order"]) if kept.get("tender_order") else None,
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
        return {
            "policies": policies, "cash_limits": self.cash_limits, "roles": roles,
            "tender_order": self.tender_order,
        }  # fmt: skip


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


def tender_order_of(said: Sequence[Rules]) -> TenderOrder:
    """Return of which payments money is taken first."""
    found = (rules.tender_order for rules in said if rules.tender_order is not None)
    return next(found, TenderOrder.AS_PAID)


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


@dataclass(frozen=True, slots=True, kw_only=True)
class LineValue:
    """What a line of an order comes to, with tax; line 0 is its shipping."""

    line_no: int
    held_minor: int  # what has left and stays
    open_minor: int  # what is still to leave
    minor: int
    tax_minor: int  # in all of it
    reduced_minor: int  # what was taken off it before
    waiting_minor: int  # what refunds that wait for leave, or failed, would take off it

    @property
    def held_left_minor(self) -> int:
        """Return what of it has left and stays is not taken off yet."""
        return max(0, self.held_minor - self.reduced_minor)

    @property
    def reducible_minor(self) -> int:
        """Return what can be taken off it still."""
        return max(0, self.minor - self.reduced_minor - self.waiting_minor)

    @property
    def held_free_minor(self) -> int:
        """Return what of that has left and stays."""
        return min(self.reducible_minor, max(0, self.held_left_minor - self.waiting_minor))

    def gives_back(self, before_minor: int, by_minor: int) -> int:
        """Return by how much less is left of it once it comes to so much less than before.

        What was taken off it before went back before.
        """
        before = max(0, before_minor - self.reduced_minor)
        return before - max(0, before_minor - by_minor - self.reduced_minor)


def reduced(amount_minor: int, values: Sequence[LineValue]) -> list[Reduction]:
    """Say which lines goodwill makes cheaper that names none: by largest remainder, with tax.

    Off what has left and stays before what is still to leave, and what waits for others last of
    all. What is more than the lines come to was paid too much, and makes nothing cheaper.
    """
    free = [each.reducible_minor for each in values]
    held = [min(most, each.held_left_minor) for most, each in zip(free, values, strict=True)]
    whole = [max(0, each.minor - each.reduced_minor) for each in values]
    left, parts = amount_minor, [0] * len(values)
    for room in (held, free, whole):
        weights = [max(0, most - part) for most, part in zip(room, parts, strict=True)]
        taken = min(left, sum(weights))
        parts = [part + more for part, more in zip(parts, split(taken, weights), strict=True)]
        left -= taken
    return [_reduction(each, part) for each, part in zip(values, parts, strict=True) if part]


def reduced_by_name(
    lines: Mapping[int, int], values: Sequence[LineValue], *, stays_minor: int, currency: str
) -> list[Reduction]:
    """Say what a refund that names lines takes off them; 0 is shipping.

    Raises as `refuse_beyond` does; WrongLines for a line that is none of the order's.
    """
    known = {each.line_no: each for each in values}
    for line_no in lines:
        if line_no not in known:
            raise WrongLines(line_no=line_no)
    refuse_beyond(lines, values, stays_minor=stays_minor, currency=currency)
    return [_reduction(known[line_no], minor) for line_no, minor in sorted(lines.items())]


def refuse_beyond(
    lines: Mapping[int, int], values: Sequence[LineValue], *, stays_minor: int, currency: str
) -> None:
    """Refuse to take more off lines than there is. Raises RefundExceeded with what one has left.

    What has not left is made cheaper only by what was paid ahead, for it is not on paper yet:
    `stays_minor` is what of the order's money stays.
    """
    ahead = _ahead_minor(values, stays_minor)
    for each in values:
        minor = lines.get(each.line_no, 0)
        most = min(each.reducible_minor, each.held_free_minor + ahead)
        if minor > most:
            raise RefundExceeded(max_minor=most, currency=currency, line_no=each.line_no)
        ahead -= max(0, minor - each.held_free_minor)


def room_minor(numbers: Collection[int], values: Sequence[LineValue], stays_minor: int) -> int:
    """Return the most that can be taken off some lines together."""
    of = [each for each in values if each.line_no in numbers]
    held = sum(each.held_free_minor for each in of) + _ahead_minor(values, stays_minor)
    return min(sum(each.reducible_minor for each in of), held)


def _ahead_minor(values: Sequence[LineValue], stays_minor: int) -> int:
    return max(0, stays_minor - sum(each.held_left_minor for each in values))


def _reduction(of: LineValue, minor: int) -> Reduction:
    tax = min(max(round_half_up(Fraction(of.tax_minor * minor, of.minor)), 0), minor)
    return Reduction(line_no=of.line_no, net_minor=minor - tax, tax_minor=tax)


_TAKEN_FIRST: Final[Mapping[TenderOrder, frozenset[Tender]]] = {
    TenderOrder.CARD_FIRST: frozenset({Tender.CARD, Tender.WALLET}),
    TenderOrder.GIFT_CARD_FIRST: frozenset({Tender.GIFT_CARD, Tender.STORE_CREDIT}),
}


def spread(
    amount_minor: int, payments: Sequence[Payment], order: TenderOrder = TenderOrder.AS_PAID
) -> list[tuple[Payment, int]]:
    """Spread an amount over payments, each of which gets no more back than it gave.

    "First" and "last" are of the sequence, which has them as they were made or a till takes them.
    Raises RefundExceeded with the most they have.
    """
    rooms = [each.sums.refundable for each in payments]
    if amount_minor > sum(rooms):
        currency = payments[0].currency if payments else None
        raise RefundExceeded(max_minor=sum(rooms), currency=currency)
    if order is TenderOrder.PROPORTIONAL:
        parts = split(amount_minor, rooms)
    else:
        left, parts = amount_minor, [0] * len(payments)
        for at in _turns(payments, order):
            parts[at] = min(left, rooms[at])
            left -= parts[at]
    return [(each, part) for each, part in zip(payments, parts, strict=True) if part]


def _turns(payments: Sequence[Payment], order: TenderOrder) -> list[int]:
    """Return the positions of payments in the order money is taken from them."""
    turns = list(range(len(payments)))
    if order is TenderOrder.LAST_FIRST:
        return turns[::-1]
    first = _TAKEN_FIRST.get(order, frozenset())
    return sorted(turns, key=lambda at: payments[at].tender not in first)


def state_of(tenders: Sequence[TenderShare]) -> RefundState:
    """Return how far a refund is that was asked for, from what became of its parts."""
    live = [each for each in tenders if not each.is_given_up]
    ends = {each.state for each in live}
    if not ends <= {TransactionState.SUCCEEDED, TransactionState.FAILED}:
        return RefundState.REQUESTED
    dead = [each for each in live if each.is_dead]
    if not dead:
        return RefundState.SUCCEEDED
    if len(dead) < len(live):
        return RefundState.PARTIALLY_SUCCEEDED
    is_back = all(each.is_reversed for each in dead)
    return RefundState.REVERSED if is_back else RefundState.FAILED
