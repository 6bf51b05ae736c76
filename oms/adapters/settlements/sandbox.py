"""The sandbox PSP's own settlement report: amounts with the sign of what they do to our money."""

from datetime import timedelta
from typing import Final

from oms.adapters.settlements.reading import Reader, kinds
from oms.settlements.model import RowType
from oms.settlements.port import Settled

COLUMNS: Final = (
    "entry_id", "payout_id", "type", "operation_id", "payment_id", "reference", "currency",
    "gross", "fee", "net", "occurred_at",
)  # fmt: skip


class SandboxLayout:
    """Reads what `GET /settlements/{day}` of the sandbox gives."""

    name = "sandbox"
    shift_max = timedelta(days=1)

    def read(self, content: bytes) -> Settled:
        """Read a file. Raises Unreadable."""
        reader = Reader(content, COLUMNS)
        currency = reader.currency("currency")
        return reader.settled({
            "entry_ref": reader.text("entry_id"), "payout_ref": reader.text("payout_id"),
            "type": kinds(reader.text("type"), {each: each for each in RowType}),
            "psp_reference": reader.text("operation_id"),
            "payment_reference": reader.text("payment_id"),
            "reference": reader.text("reference"), "currency": currency,
            "amount_minor": reader.minor("gross", currency), "net_currency": currency,
            "fee_minor": reader.minor("fee", currency), "net_minor": reader.minor("net", currency),
            "occurred_at": reader.instant("occurred_at", "%Y-%m-%dT%H:%M:%S%.fZ"),
        })  # fmt: skip
