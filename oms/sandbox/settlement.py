"""The settlement report of the sandbox PSP: what a day's operations came to, paid out in one."""

import csv
import io
from collections import defaultdict
from collections.abc import Iterable
from datetime import date
from typing import Final

from oms.kernel.money import text_from_minor
from oms.sandbox.book import Operation

COLUMNS: Final = (
    "entry_id", "payout_id", "type", "operation_id", "payment_id", "reference", "currency",
    "gross", "fee", "net", "occurred_at",
)  # fmt: skip
_SIGNS: Final = {"capture": 1, "refund": -1}


def report(operations: Iterable[Operation], day: date, *, fee_ppm: int) -> str:
    """Write the report of a day: what was taken costs so many millionths of it."""
    file = io.StringIO()
    rows = csv.writer(file, lineterminator="\n")
    rows.writerow(COLUMNS)
    paid: dict[str, int] = defaultdict(int)
    last_at = f"{day.isoformat()}T23:59:59Z"
    for each in operations:
        if each.type not in _SIGNS or each.state != "succeeded":
            continue
        if not each.changed_at.startswith(day.isoformat()):
            continue
        gross = each.amount_minor * _SIGNS[each.type]
        fee = gross * fee_ppm // 1_000_000 if gross > 0 else 0
        paid[each.currency] += gross - fee
        rows.writerow([
            f"ent_{each.id}", _payout(day, each.currency), each.type, each.id, each.payment_id,
            each.reference, each.currency, *_texts(each.currency, gross, fee),
            each.changed_at.replace("+00:00", "Z"),
        ])  # fmt: skip
    for currency, net in sorted(paid.items()):
        payout = _payout(day, currency)
        rows.writerow([
            f"ent_{payout}", payout, "payout", "", "", "", currency, *_texts(currency, -net, 0),
            last_at,
        ])  # fmt: skip
    return file.getvalue()


def _payout(day: date, currency: str) -> str:
    return f"po_{day:%Y%m%d}_{currency}"


def _texts(currency: str, gross: int, fee: int) -> list[str]:
    return [text_from_minor(each, currency) for each in (gross, fee, gross - fee)]
