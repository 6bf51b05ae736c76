"""The tills' file: semicolons, windows-1252, decimal comma, one row per receipt line."""

from __future__ import annotations

from typing import TYPE_CHECKING

from oms.simulator.formats.texts import amount, wall
from oms.simulator.people import plain
from oms.simulator.snapshot import Snapshot
from oms.simulator.tenders import payments_of, service_of
from oms.simulator.trouble import (
    BAD_DATE,
    NO_SUCH_SKU,
    NO_SUCH_STORE_NUMBER,
    UNKNOWN_SKU,
    UNKNOWN_STORE,
    WRONG_COLUMNS,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from datetime import datetime

    from oms.simulator.model import Change, Line, Order, Part, Place
    from oms.simulator.retailer import Happening

ENCODING = "windows-1252"
HEADER = (
    "Store", "Till", "Receipt", "Line", "Date", "Time", "Type", "Article", "EAN", "Description",
    "Qty", "Price", "Discount", "Amount", "VAT", "Currency", "Handover", "Customer", "Email",
    "Street", "Postcode", "City", "Country", "OrigReceipt", "OrigLine", "Reason", "Restock",
    "Tender", "Card", "Service", "ServiceRef", "Paid", "PaidBack",
)  # fmt: skip
TYPES = {"sale": "S", "return": "R", "ship": "D", "cancel": "X", "pay": "P"}
_NOT_PAID = ("",) * 6
HANDOVERS = {"carry_out": "0", "ship_home": "1"}
_NOT_A_DAY = "31-02-2025"


def receipt(order: Order) -> str:
    """Say the number printed on a receipt: store, till, day and a count."""
    assert order.store is not None, "a receipt comes from a store"
    return f"{order.store.number}{order.till}-{order.day:05d}-{order.seq:06d}"


def till_file(happenings: Iterable[Happening]) -> bytes:
    """Write what happened at the tills of one store as its file."""
    rows = [";".join(HEADER)]
    for happening in happenings:
        order = happening.order
        if happening.upto:
            rows.extend(_change_rows(order, order.changes[happening.upto - 1]))
        else:
            rows.extend(_sale_rows(order))
        rows.extend(_payment_rows(Snapshot(order, happening.upto)))
    return ("\r\n".join(rows) + "\r\n").encode(ENCODING)


def store_of(happening: Happening) -> Place:
    """Say whose file a happening belongs to: a return to the store that took it back."""
    order = happening.order
    assert order.store is not None, "a receipt comes from a store"
    if happening.upto:
        change = order.changes[happening.upto - 1]
        if change.kind == "return" and change.place is not None:
            return change.place
    return order.store


def _text(text: str) -> str:
    """Write a text as an old till can: in its code page, and without its separator."""
    try:
        text.encode(ENCODING)
    except UnicodeEncodeError:
        text = plain(text)
    return text.replace(";", ",")


def _moment(at: datetime, zone: str) -> tuple[str, str]:
    clock = wall(at, zone)
    return f"{clock:%d-%m-%Y}", f"{clock:%H:%M:%S}"


def _sale_rows(order: Order) -> Iterator[str]:
    """Write the rows of a receipt."""
    store, broken = order.store, order.trouble.broken
    assert store is not None, "a receipt comes from a store"
    day, time = _moment(order.placed_at, order.channel.time_zone)
    number = NO_SUCH_STORE_NUMBER if broken == UNKNOWN_STORE else store.number
    for index, line in enumerate(order.lines):
        is_unknown = broken == UNKNOWN_SKU and index == 0
        fields = [
            str(number), str(order.till), receipt(order), str(index + 1),
            _NOT_A_DAY if broken == BAD_DATE else day, time, TYPES["sale"],
            NO_SUCH_SKU if is_unknown else line.product.sku, line.product.gtin, _text(line.title),
            str(line.quantity), amount(line.unit_price, ","), amount(line.discount, ","),
            amount(line.total, ","), amount(line.tax, ","), order.currency,
            HANDOVERS[order.method], *_customer(order), "", "", "", "", *_NOT_PAID,
        ]  # fmt: skip
        yield ";".join(fields[:-5] if broken == WRONG_COLUMNS else fields)


def _change_rows(order: Order, change: Change) -> Iterator[str]:
    """Write the rows of a return, or of what the DC reports back for an order to be sent."""
    day, time = _moment(change.at, order.channel.time_zone)
    place = change.place or order.store
    assert place is not None, "a change happens somewhere"
    for number, part in enumerate(change.parts, 1):
        line = order.lines[part.line]
        yield ";".join(
            [
                str(place.number), "9", f"{receipt(order)}/{change.number}", str(number), day, time,
                TYPES[change.kind], line.product.sku, line.product.gtin, _text(line.title),
                *_amounts(change, part, line), order.currency, HANDOVERS[order.method],
                "", "", "", "", "", "", receipt(order), str(part.line + 1), change.reason,
                "Y" if change.kind == "return" and change.restock else "N", *_NOT_PAID,
            ]
        )  # fmt: skip


def _payment_rows(snapshot: Snapshot) -> Iterator[str]:
    """Write how a receipt is paid by now: again where something was paid back."""
    order = snapshot.order
    store, last = order.store, snapshot.changes[-1] if snapshot.upto else None
    assert store is not None, "a receipt comes from a store"
    if order.trouble.broken == WRONG_COLUMNS or (last is not None and last.kind == "ship"):
        return
    day, time = _moment(last.at if last else order.placed_at, order.channel.time_zone)
    place = (last.place if last else None) or store
    number = NO_SUCH_STORE_NUMBER if order.trouble.broken == UNKNOWN_STORE else place.number
    for paid in payments_of(snapshot):
        service = service_of(order, paid) or ""
        card = f"{paid.brand} {paid.last4}" if paid.last4 else ""
        yield ";".join([
            str(number), str(order.till) if last is None else "9", receipt(order), str(paid.no),
            _NOT_A_DAY if order.trouble.broken == BAD_DATE else day, time, TYPES["pay"],
            *[""] * 8, order.currency, HANDOVERS[order.method], *[""] * 10, paid.tender, card,
            service, f"{receipt(order)}-{paid.no}" if service else "",
            amount(paid.captured, ","), amount(paid.refunded, ","),
        ])  # fmt: skip


def _amounts(change: Change, part: Part, line: Line) -> list[str]:
    """Write quantity, price, discount, amount and tax: negative for what comes back."""
    if change.kind == "ship":
        return [str(part.quantity), "0,00", "0,00", "0,00", "0,00"]
    return [
        str(-part.quantity),
        amount(line.unit_price, ","),
        "0,00",
        amount(-part.total, ","),
        amount(-part.tax, ","),
    ]


def _customer(order: Order) -> tuple[str, ...]:
    """Write who it is and where it goes, as far as the till knows."""
    who, to = order.customer, order.ship_to
    address = (to.street, to.postcode, to.city, to.country_code) if to else ("", "", "", "")
    name = who.name if who else ""
    return tuple(_text(field) for field in (name, order.email, *address))
