"""Stripe's itemized payout reconciliation and balance reports (docs.stripe.com/reports)."""

from datetime import timedelta
from typing import Final

import polars as pl

from oms.adapters.settlements.reading import Reader, kinds
from oms.settlements.model import RowType
from oms.settlements.port import Settled

COLUMNS: Final = (
    "balance_transaction_id", "created_utc", "currency", "gross", "fee", "net",
    "reporting_category", "source_id",
)  # fmt: skip
# Our number of an operation, as the adapter leaves it at a payment intent or a refund.
METADATA: Final = "oms_transaction"
_KINDS: Final = {
    "charge": RowType.CAPTURE, "refund": RowType.REFUND,
    "refund_failure": RowType.REFUND_REVERSAL, "dispute": RowType.CHARGEBACK,
    "dispute_reversal": RowType.CHARGEBACK_REVERSAL, "fee": RowType.FEE,
    "network_cost": RowType.FEE, "risk_reserved_funds": RowType.BALANCE, "payout": RowType.PAYOUT,
    "payout_reversal": RowType.PAYOUT,
}  # fmt: skip


class StripeLayout:
    """Reads Stripe's reports; columns it does not know are left."""

    name = "stripe"
    shift_max = timedelta(days=1)

    def read(self, content: bytes) -> Settled:
        """Read a file. Raises Unreadable."""
        reader = Reader(content, COLUMNS)
        currency, source = reader.currency("currency"), reader.text("source_id")
        kind = kinds(reader.text("reporting_category"), _KINDS)
        payout = reader.text("automatic_payout_id")
        is_payout = kind == RowType.PAYOUT
        ours = reader.text(f"refund_metadata[{METADATA}]")
        theirs = reader.text(f"payment_metadata[{METADATA}]")
        return reader.settled({
            "entry_ref": reader.text("balance_transaction_id"),
            "payout_ref": pl.select(
                pl.when(is_payout & payout.is_null()).then(source).otherwise(payout)
            ).to_series(),
            "type": kind, "psp_reference": source,
            "payment_reference": reader.text("payment_intent_id"),
            "reference": pl.select(pl.coalesce(ours, theirs)).to_series(), "currency": currency,
            "amount_minor": reader.minor("gross", currency), "net_currency": currency,
            "fee_minor": reader.minor("fee", currency), "net_minor": reader.minor("net", currency),
            "occurred_at": reader.instant("created_utc", "%Y-%m-%d %H:%M:%S"),
        })  # fmt: skip
