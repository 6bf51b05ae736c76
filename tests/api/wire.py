"""Bodies for the API, one sentence each: an_order(lines=[a_line(quantity=2)])."""

from collections.abc import Iterable
from typing import Any

Json = dict[str, Any]


def a_line(sku: str = "PEN", quantity: int = 1, **fields: Any) -> Json:
    """Return a line: 10.00 a unit with 21 % tax inside, unless the test says more."""
    return {
        "line_ref": sku, "sku": sku, "quantity": quantity, "total": f"{quantity * 10}.00",
        "tax": f"{quantity * 1000 * 21 // 121 / 100:.2f}", **fields,
    }  # fmt: skip


def an_order(ref: str = "W-1", *, lines: Iterable[Json] | None = None, **fields: Any) -> Json:
    """Return an order of the web shop: one pen, sent home, unless the test says more."""
    return {
        "channel_code": "web", "external_ref": ref, "external_number": f"#{ref}", "version": 1,
        "placed_at": "2026-01-05T12:00:00Z", "currency": "EUR", "customer_name": "Ada Pen",
        "customer_email": "ada@example.org",
        "lines": [a_line()] if lines is None else list(lines), **fields,
    }  # fmt: skip


def a_receipt(ref: str = "T-1", **fields: Any) -> Json:
    """Return a till's order: carried out of the shop as it is paid."""
    return an_order(
        ref, **{"channel_code": "till", "fulfillment_method": "carry_out", "location_code": "AMS",
                **fields}
    )  # fmt: skip


def a_movement(ref: str = "m-1", quantity: int = 5, **fields: Any) -> Json:
    """Return pens received in the distribution center, unless the test says more."""
    return {
        "movement_ref": ref, "kind": "receipt", "sku": "PEN", "location_code": "DC",
        "quantity": quantity, "occurred_at": "2026-01-05T11:00:00Z", **fields,
    }  # fmt: skip


def a_count(ref: str = "c-1", counted: int = 7, **fields: Any) -> Json:
    """Return a count of pens in the distribution center, unless the test says more."""
    return {
        "count_ref": ref, "sku": "PEN", "location_code": "DC", "counted": counted,
        "counted_at": "2026-01-05T11:00:00Z", **fields,
    }  # fmt: skip
