"""Drafts for tests, one sentence each: an_order(lines=[a_line(quantity=2)])."""

import hashlib
import json
import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any, Final, Self

from oms.workflows.documents import DRAFT_TABLES, csv_rows

# How long random tests search, as a factor: OMS_TEST_EFFORT=20 takes twenty times as long.
EFFORT: Final = int(os.environ.get("OMS_TEST_EFFORT", "1"))
NOW: Final = datetime(2026, 1, 5, 12, tzinfo=UTC)

Row = dict[str, Any]


def minutes(count: float) -> datetime:
    """Return the moment so many minutes after the tests' now."""
    return NOW + timedelta(minutes=count)


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """One document: its rows in each draft table, still without a position."""

    rows: Mapping[str, tuple[Row, ...]] = field(default_factory=dict)

    def but(self, **columns: Any) -> Self:
        """Return the same document with other columns in its order row, digest included."""
        (order,) = self.rows["orders"]
        kept = {**order, "sha256": None, **columns}
        return replace(self, rows=_sealed({**self.rows, "orders": (kept,)}))


def drafts(*documents: Draft, first: int = 1) -> dict[str, bytes]:
    """Return documents as capture takes them: a CSV per draft table, numbered by position."""
    tables: dict[str, list[Row]] = {}
    for position, document in enumerate(documents, start=first):
        for name, rows in document.rows.items():
            tables.setdefault(name, []).extend({**row, "position": position} for row in rows)
    return {name: _csv(name, rows) for name, rows in tables.items()}


def a_line(
    sku: str = "PEN", quantity: int = 1, *, total: int | None = None, tax: int | None = None,
    discount: int = 0, ref: str | None = None, **columns: Any,
) -> Row:  # fmt: skip
    """Return a line of an order: 10.00 a unit, 21 % tax inside, unless the test says more."""
    total = quantity * 1000 - discount if total is None else total
    return {
        "line_ref": ref or sku, "sku": sku, "title": sku.title(), "quantity": quantity,
        "unit_price_minor": 1000, "discount_minor": discount, "total_minor": total,
        "tax_minor": total * 21 // 121 if tax is None else tax, **columns,
    }  # fmt: skip


def a_change(
    kind: str, quantity: int = 1, *, ref: str | None = None, line: str = "PEN",
    at: datetime = NOW, **columns: Any,
) -> Row:  # fmt: skip
    """Return something that happened to a line: a cancel, a ship or a return."""
    return {
        "kind": kind, "change_ref": ref or f"{kind}-1", "line_ref": line, "quantity": quantity,
        "occurred_at": at, **columns,
    }  # fmt: skip


def an_order(
    ref: str = "W-1", *, lines: Iterable[Row] | None = None, changes: Iterable[Row] = (),
    groups: Iterable[Row] = (), version: int | None = 1, placed_at: datetime = NOW, **columns: Any,
) -> Draft:  # fmt: skip
    """Return a whole order document: one pen, sent home, unless the test says more."""
    order = {
        "external_ref": ref, "external_number": f"#{ref}", "version": version,
        "updated_at": placed_at, "placed_at": placed_at, "currency": "EUR",
        "prices_include_tax": True, "fulfillment_method": "ship_home", "customer_name": "Ada Pen",
        "customer_email": "ada@example.org", "country_code": "NL", "is_test": False,
        "is_historical": False, "is_partial": False, **columns,
    }  # fmt: skip
    kept = (a_line(),) if lines is None else tuple(lines)
    rows = {"orders": (order,), "lines": kept, "changes": tuple(changes)}
    numbered = tuple({**group, "group_no": no} for no, group in enumerate(groups, start=1))
    return Draft(rows=_sealed(rows | ({"groups": numbered} if numbered else {})))


def a_group(method: str, *line_refs: str, location: str | None = None, **columns: Any) -> Row:
    """Return a delivery group: lines that get to the customer in one way."""
    refs = json.dumps(line_refs or ["PEN"])
    return {"method": method, "location_code": location, "line_refs": refs, **columns}


def a_receipt(ref: str = "T-1", location: str = "AMS", **columns: Any) -> Draft:
    """Return a till's order: carried out of the shop as it is paid."""
    columns = {"fulfillment_method": "carry_out", "location_code": location, **columns}
    return an_order(ref, **columns)


def a_partial(ref: str = "W-1", *changes: Row, **columns: Any) -> Draft:
    """Return a document that carries only changes of an order sent elsewhere."""
    order = {"external_ref": ref, "is_partial": True, **columns}
    return Draft(rows=_sealed({"orders": (order,), "changes": changes}))


def a_product(sku: str = "PEN", **columns: Any) -> Draft:
    """Return a catalog's word on a product."""
    row = {
        "sku": sku, "title": sku.title(), "product_type": "office", "tax_class": "standard",
        "is_sellable": True, "overwrite": True, **columns,
    }  # fmt: skip
    return Draft(rows={"products": (row,)})


def a_count(
    counted: int, *, sku: str = "PEN", location: str = "DC", at: datetime = NOW,
    ref: str = "count-1",
) -> Draft:  # fmt: skip
    """Return a count of what lies at a location."""
    row = {"count_ref": ref, "sku": sku, "location_code": location, "counted": counted,
           "counted_at": at}  # fmt: skip
    return Draft(rows={"counts": (row,)})


def a_movement(
    quantity: int, *, kind: str = "receipt", sku: str = "PEN", location: str = "DC",
    at: datetime = NOW - timedelta(days=1), ref: str | None = None,
) -> Draft:  # fmt: skip
    """Return goods that came or went without an order: a receipt, unless the test says more."""
    row = {
        "movement_ref": ref or f"{kind}-{sku}-{location}", "kind": kind, "sku": sku,
        "location_code": location, "quantity": quantity, "occurred_at": at,
    }  # fmt: skip
    return Draft(rows={"movements": (row,)})


def _sealed(rows: dict[str, tuple[Row, ...]]) -> dict[str, tuple[Row, ...]]:
    """Give the order row the digest of everything the document says, unless it has one."""
    (order,) = rows["orders"]
    if order.get("sha256") is None:
        content = json.dumps(rows, sort_keys=True, default=str).encode()
        order = {**order, "sha256": hashlib.sha256(content).hexdigest()}
    return {**rows, "orders": (order,)}


def _csv(name: str, rows: Iterable[Row]) -> bytes:
    columns = DRAFT_TABLES[name]
    for row in rows:
        assert set(row) <= set(columns), f"{name} has no {set(row) - set(columns)}"
    return csv_rows([row.get(column) for column in columns] for row in rows)
