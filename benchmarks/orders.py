"""A file of orders from a seed: 100,000 of them with 300,000 lines, as NDJSON and as CSV."""

import json
import os
import random
from datetime import UTC, datetime, timedelta
from pathlib import Path

SKUS = 2_000
LINES = 3
STOCK = 10_000


def sku(index: int) -> str:
    return f"BENCH-{index:05d}"


def write_catalog(path: Path) -> None:
    with path.open("w") as file:
        for index in range(SKUS):
            document = {
                "sku": sku(index), "title": f"Article {index}",
                "product_type": f"Type {index % 25}", "category": f"Category {index % 8}",
                "brand": f"Brand {index % 30}",
            }  # fmt: skip
            file.write(json.dumps(document) + "\n")


def write_receipts(path: Path, at: datetime) -> None:
    with path.open("w") as file:
        for index in range(SKUS):
            document = {
                "movement_ref": f"open-{index}", "kind": "receipt", "sku": sku(index),
                "location_code": "BENCH-DC", "quantity": STOCK, "occurred_at": at.isoformat(),
            }  # fmt: skip
            file.write(json.dumps(document) + "\n")


def write_orders(
    ndjson: Path, csv: Path, *, orders: int, seed: int, paid: Path | None = None
) -> tuple[int, int]:
    """Write the same orders in both formats; return how many lines, and their sum in cents.

    With `paid` they are written a third time, each paid by card.
    """
    dice = random.Random(seed)
    begin = datetime(2026, 1, 1, 8, tzinfo=UTC)
    lines_count = total_all = 0
    with (
        ndjson.open("w") as json_file, csv.open("w") as csv_file,
        (paid or Path(os.devnull)).open("w") as paid_file,
    ):  # fmt: skip
        csv_file.write("order;placed;customer;email;line;sku;quantity;total;tax\n")
        for number in range(orders):
            placed = (begin + timedelta(seconds=number * 60)).isoformat().replace("+00:00", "Z")
            lines, total = [], 0
            for line in range(1, LINES + 1):
                quantity, each = dice.randint(1, 3), dice.randint(199, 9999)
                amount = quantity * each
                tax = amount * 21 // 121
                total += amount
                item = sku(dice.randrange(SKUS))
                lines.append({
                    "line_ref": str(line), "sku": item, "quantity": quantity,
                    "total": _text(amount), "tax": _text(tax),
                })  # fmt: skip
                csv_file.write(
                    f"B{number};{placed};Person {number % 20000};p{number % 20000}@example.com;"
                    f"{line};{item};{quantity};{_text(amount)};{_text(tax)}\n"
                )
            document = {
                "external_ref": f"B{number}", "version": 1, "updated_at": placed,
                "placed_at": placed, "currency": "EUR", "prices_include_tax": True,
                "customer_name": f"Person {number % 20000}",
                "customer_email": f"p{number % 20000}@example.com", "total": _text(total),
                "lines": lines,
            }  # fmt: skip
            json_file.write(json.dumps(document) + "\n")
            if paid is not None:
                paid_file.write(json.dumps({**document, "payments": [_card(number, total)]}))
                paid_file.write("\n")
            lines_count += len(lines)
            total_all += total
    return lines_count, total_all


def _card(number: int, total: int) -> dict[str, str]:
    return {
        "ref": "1", "tender": "card", "amount": _text(total), "authorized": _text(total),
        "captured": _text(total), "psp": "elsewhere", "psp_reference": f"pay-{number}",
    }  # fmt: skip


def _text(minor: int) -> str:
    return f"{minor // 100}.{minor % 100:02d}"
