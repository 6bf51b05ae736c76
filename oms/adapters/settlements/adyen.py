"""Adyen's settlement details report (docs.adyen.com/reporting/settlement-detail-report)."""

from datetime import timedelta
from typing import Final

import polars as pl

from oms.adapters.settlements.reading import Reader, kinds
from oms.kernel.money import EXPONENTS
from oms.settlements.model import RowType
from oms.settlements.port import Settled

COLUMNS: Final = (
    "Psp Reference", "Merchant Reference", "Creation Date", "TimeZone", "Type",
    "Modification Reference", "Gross Currency", "Gross Debit (GC)", "Gross Credit (GC)",
    "Net Currency", "Net Debit (NC)", "Net Credit (NC)", "Batch Number",
)  # fmt: skip
_FEES: Final = ("Commission (NC)", "Markup (NC)", "Scheme Fees (NC)", "Interchange (NC)")
_KINDS: Final = {
    "Settled": RowType.CAPTURE, "SettledBulk": RowType.CAPTURE,
    "SettledInInstallments": RowType.CAPTURE, "Refunded": RowType.REFUND,
    "RefundedBulk": RowType.REFUND, "RefundedReversed": RowType.REFUND_REVERSAL,
    "Chargeback": RowType.CHARGEBACK, "SecondChargeback": RowType.CHARGEBACK,
    "ChargebackReversed": RowType.CHARGEBACK_REVERSAL, "Fee": RowType.FEE,
    "MiscCosts": RowType.FEE, "InvoiceDeduction": RowType.FEE, "PaymentCost": RowType.FEE,
    "Balancetransfer": RowType.BALANCE, "DepositCorrection": RowType.BALANCE,
    "ReserveAdjustment": RowType.BALANCE, "MerchantPayout": RowType.PAYOUT,
    "PaidOut": RowType.PAYOUT,
}  # fmt: skip
# Hours ahead of UTC, by the names Adyen writes: each tells summer from winter.
_HOURS: Final = {
    "UTC": 0, "GMT": 0, "WET": 0, "BST": 1, "WEST": 1, "CET": 1, "CEST": 2, "EET": 2, "EEST": 3,
    "PST": -8, "PDT": -7, "MST": -7, "MDT": -6, "CST": -6, "CDT": -5, "EST": -5, "EDT": -4,
    "BRT": -3, "SGT": 8, "HKT": 8, "JST": 9, "AEST": 10, "AEDT": 11, "NZST": 12, "NZDT": 13,
}  # fmt: skip


class AdyenLayout:
    """Reads Adyen's reports: debit and credit apart, fees in the currency that is paid out."""

    name = "adyen"
    # It says when something was settled, which is days after it was captured.
    shift_max = timedelta(days=7)

    def read(self, content: bytes) -> Settled:
        """Read a file. Raises Unreadable."""
        reader = Reader(content, COLUMNS)
        payment = reader.text("Psp Reference")
        done, kind = reader.text("Modification Reference"), kinds(reader.text("Type"), _KINDS)
        net_currency = reader.currency("Net Currency")
        net = reader.minor("Net Credit (NC)", net_currency) - reader.minor(
            "Net Debit (NC)", net_currency
        )
        currency, amount = _gross(reader, net_currency, net)
        fee = sum((reader.minor(name, net_currency) for name in _FEES), net * 0)
        clock = reader.text("TimeZone").fill_null("UTC")
        reader.need("TimeZone", clock.is_in(list(_HOURS)), "is not a time zone we know")
        hours = clock.replace_strict(_HOURS, default=0, return_dtype=pl.Int64)
        batch = reader.text("Batch Number")
        ours = reader.text("Modification Merchant Reference")
        return reader.settled({
            "entry_ref": pl.select(
                pl.concat_str(reader.text("Type"), payment, done, batch, separator=":")
            ).to_series(),
            "payout_ref": batch, "type": kind,
            "psp_reference": pl.select(pl.when(done != payment).then(done)).to_series(),
            "payment_reference": payment,
            "reference": pl.select(
                pl.coalesce(ours, reader.text("Merchant Reference"))
            ).to_series(),
            "currency": currency, "amount_minor": amount, "net_currency": net_currency,
            "fee_minor": fee, "net_minor": net,
            "occurred_at": reader.instant("Creation Date", "%Y-%m-%d %H:%M:%S", hours=hours),
        })  # fmt: skip


def _gross(reader: Reader, net_currency: pl.Series, net: pl.Series) -> tuple[pl.Series, pl.Series]:
    """Return what rows did before fees, in its currency; what has no gross is as it is paid out."""
    given = reader.text("Gross Currency")
    has_gross = given.is_not_null()
    currency = pl.select(pl.coalesce(given.str.to_uppercase(), net_currency)).to_series()
    reader.need("Gross Currency", currency.is_in(list(EXPONENTS)), "is not a currency")
    gross = reader.minor("Gross Credit (GC)", currency) - reader.minor("Gross Debit (GC)", currency)
    return currency, pl.select(pl.when(has_gross).then(gross).otherwise(net)).to_series()
