"""Services that settle what was paid: a report a day each, with fees, and now and then an error.

What goes wrong is drawn from an operation's own id: an amount is off by cents, a fee is taken out
of the amount, a row is told twice or never, and one is of somebody else. Banks take some payments
back.
"""

from __future__ import annotations

import csv
import io
from collections import defaultdict
from datetime import timedelta
from typing import TYPE_CHECKING, Final, NamedTuple
from zlib import crc32

from oms.simulator.formats import callcenter_parquet, marketplace_tsv, pos_csv
from oms.simulator.formats.texts import amount, utc
from oms.simulator.formats.transactions import transaction_id
from oms.simulator.model import Payload
from oms.simulator.snapshot import Snapshot
from oms.simulator.streams import scatter
from oms.simulator.tenders import payments_of, service_of
from oms.simulator.timeline import midnight
from oms.simulator.trouble import is_refused

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from datetime import date, datetime

    from oms.simulator.model import Order
    from oms.simulator.retailer import Day, Happening
    from oms.simulator.tenders import Paid

TRANSPORT: Final = "settlement"
LAYOUT: Final = "sandbox"  # whose columns the reports have
COLUMNS: Final = (
    "entry_id", "payout_id", "type", "operation_id", "payment_id", "reference", "currency",
    "gross", "fee", "net", "occurred_at",
)  # fmt: skip
# What a service keeps of what it takes, in millionths.
FEES_PPM: Final[Mapping[str, int]] = {
    "shopify_payments": 17_000, "terminal": 9_000, "marketpay": 120_000, "paylink": 15_000,
}  # fmt: skip
TILLS: Final = "terminal"
RENT_MINOR: Final = 2_450  # of terminals, a month
_SIGNS: Final = {"capture": 1, "refund": -1, "chargeback": -1}
REPORTED_AFTER: Final = timedelta(hours=7)
CHARGED_BACK_AFTER: Final = timedelta(days=11)
CHARGED_BACK_EVERY: Final = 300  # one payment by card in so many
_WRONG_OF: Final = 1_500
_WRONG: Final = {0: "amount", 1: "fee", 2: "twice", 3: "never", 4: "stranger"}
_SALT: Final = 47


class Settled(NamedTuple):
    """Something a service did with a payment."""

    service: str
    kind: str  # capture, refund or chargeback
    payment: str  # the service's id of it
    number: int  # which operation of the payment it is
    currency: str
    minor: int
    at: datetime

    @property
    def ref(self) -> str:
        """The service's id of the operation."""
        return f"{self.kind[:3]}-{self.payment}-{self.number}"


def reference_of(order: Order, paid: Paid) -> str:
    """Say by which id a service knows a payment."""
    match order.channel.kind:
        case "webshop":
            return str(transaction_id(order, paid))
        case "pos":
            return f"{pos_csv.receipt(order)}-{paid.no}"
        case "marketplace":
            return marketplace_tsv.payment_ref(order)
    return f"{callcenter_parquet.order_no(order)}-{paid.no}"


def settled_of(happening: Happening) -> Iterator[Settled]:
    """Say what services do as something happens: what is sold is taken, what goes is given back."""
    order, upto = happening.order, happening.upto
    if is_refused(order.trouble) or order.is_test:
        return
    before = {} if upto == 0 else {
        paid.no: paid for paid in payments_of(Snapshot(order, upto - 1))
    }  # fmt: skip
    for paid in payments_of(Snapshot(order, upto)):
        service, was = service_of(order, paid), before.get(paid.no)
        if service is None:
            continue
        facts = (reference_of(order, paid), upto, order.currency)
        taken = paid.captured - (was.captured if was else 0)
        if taken > 0:
            yield Settled(service, "capture", *facts, taken, happening.at)
        back = paid.refunded - (was.refunded if was else 0)
        if back > 0:
            yield Settled(service, "refund", *facts, back, happening.at)


def charged_back(order: Order) -> Iterator[Settled]:
    """Say which payments of a new order a bank will take back: of orders nothing happens to."""
    at = order.placed_at + CHARGED_BACK_AFTER
    if any(change.kind not in {"ship", "note"} for change in order.changes):
        return
    for paid in payments_of(Snapshot(order, 0)):
        service = service_of(order, paid)
        if service is None or paid.tender != "card":
            continue
        ref = reference_of(order, paid)
        if _drawn(f"bank {ref}") % CHARGED_BACK_EVERY == 0:
            yield Settled(service, "chargeback", ref, 99, order.currency, paid.captured, at)


class Row(NamedTuple):
    """A row of a report, its amounts in minor units."""

    entry: str
    payout: str
    kind: str
    operation: str
    payment: str
    reference: str
    currency: str
    gross: int
    fee: int
    occurred_at: str


class Clearing:
    """The services' desk: it gathers what was done on a day, and reports it on the next."""

    def __init__(self) -> None:
        """Begin with nothing to report."""
        self._coming: defaultdict[date, list[Settled]] = defaultdict(list)

    def reports(self, day: Day) -> list[Payload]:
        """Take in a day, and write the reports of what was done on it."""
        done = self._coming.pop(day.on, [])
        for happenings in day.happenings.values():
            for happening in happenings:
                done += settled_of(happening)
                if happening.upto == 0 and not is_refused(happening.order.trouble):
                    for taken in charged_back(happening.order):
                        self._coming[taken.at.date()].append(taken)
        by_service: defaultdict[str, list[Settled]] = defaultdict(list)
        for each in done:
            by_service[each.service].append(each)
        at = midnight(day.on + timedelta(days=1)) + REPORTED_AFTER
        return [
            Payload(service, TRANSPORT, LAYOUT, "text/csv", f"{service}_{day.on}.csv",
                    report(service, day.on, by_service[service]), at)
            for service in sorted(by_service)
        ]  # fmt: skip


def report(service: str, on: date, done: Sequence[Settled]) -> bytes:
    """Write what a service did on a day, and what it pays out of it."""
    file = io.StringIO()
    written = csv.writer(file, lineterminator="\n")
    written.writerow(COLUMNS)
    paid_out: defaultdict[str, int] = defaultdict(int)
    for row in _rows(service, on, done):
        gross, fee, currency = row.gross, row.fee, row.currency
        paid_out[currency] += gross - fee
        amounts = (amount(gross), amount(fee), amount(gross - fee))
        written.writerow([*row[:7], *amounts, row.occurred_at])
    end = f"{on}T23:59:59Z"
    for currency, net in sorted(paid_out.items()):
        payout, text = f"{service}-{on}-{currency}", amount(-net)
        written.writerow(
            [f"out-{payout}", payout, "payout", "", "", "", currency, text, "0.00", text, end]
        )
    return file.getvalue().encode()


def _rows(service: str, on: date, done: Sequence[Settled]) -> Iterator[Row]:
    """Write rows, amounts in minor units, with what goes wrong."""
    for each in sorted(done, key=lambda one: (one.at, one.ref)):
        gross = each.minor * _SIGNS[each.kind]
        fee = gross * FEES_PPM[service] // 1_000_000 if each.kind == "capture" else 0
        wrong = _WRONG.get(_drawn(f"{service} {each.ref}") % _WRONG_OF, "")
        if wrong == "never":
            continue
        gross -= {"amount": 3, "fee": fee}.get(wrong, 0)
        row = _row(service, on, each, gross, fee)
        yield row
        if wrong == "twice":
            yield row
        if wrong == "stranger":
            yield row._replace(
                entry=f"{row.entry}-x", operation=f"{each.ref}-x", payment=f"{each.payment}-x"
            )
    if service == TILLS and on.day == 1:
        at = f"{on}T06:00:00Z"
        payout = f"{service}-{on}-EUR"
        yield Row(f"rent-{on}", payout, "fee", "", "", "", "EUR", 0, RENT_MINOR, at)


def _row(service: str, on: date, each: Settled, gross: int, fee: int) -> Row:
    payout = f"{service}-{on}-{each.currency}"
    return Row(
        f"{service}-{each.ref}", payout, each.kind, each.ref, each.payment, "", each.currency,
        gross, fee, utc(each.at),
    )  # fmt: skip


def _drawn(text: str) -> int:
    return scatter(_SALT, crc32(text.encode()))
