"""Every measure and dimension of the reports of money: one title and one definition each."""

from typing import Final

from oms.reports.sheet import Unit

_REFUNDS: Final = (
    ("refunds_count", "Refunds", Unit.COUNT, "Refunds that were asked for here."),
    ("asked_amount", "Asked for", Unit.MONEY, "What they come to, whatever became of them."),
    ("paid_back_amount", "Paid back", Unit.MONEY, "Of these, refunds that succeeded as a whole."),
    ("open_amount", "Open", Unit.MONEY,
     "Of these, refunds that are on their way, wait for a second person or failed."),
    ("refund_p50_seconds", "Until paid, median", Unit.SECONDS,
     "From the moment it was asked for until it had succeeded; half took less."),
    ("refund_p90_seconds", "Until paid, 9 of 10", Unit.SECONDS,
     "From asked for until succeeded; nine of ten took less."),
)  # fmt: skip
_RETURNS: Final = (
    ("returned_units", "Units back", Unit.COUNT, "Units that were sent or brought back."),
    ("sold_units", "Units sold", Unit.COUNT, "Units sold in the same days, less canceled ones."),
    ("returned_ratio", "Units back, of sold", Unit.RATIO,
     "Units back divided by units sold, both as counted in this period."),
    ("returned_net_amount", "Worth", Unit.MONEY, "What came back, without tax."),
    ("owed_amount", "Worth with tax", Unit.MONEY, "What came back, with tax, without shipping."),
)  # fmt: skip
_DOCUMENTS: Final = (
    ("billed_amount", "Billed", Unit.MONEY, "Invoices less credit notes, with tax."),
    ("invoiced_amount", "Invoiced", Unit.MONEY, "Invoices, with tax."),
    ("credited_amount", "Credited", Unit.MONEY, "Credit notes, with tax; negative."),
    ("billed_net_amount", "Billed, net", Unit.MONEY, "Invoices less credit notes, without tax."),
    ("billed_tax_amount", "Tax on it", Unit.MONEY, "The tax of invoices less credit notes."),
    ("documents_count", "Documents", Unit.COUNT, "Invoices, credit notes and receipts issued."),
)  # fmt: skip
_SETTLEMENTS: Final = (
    ("settled_fee_amount", "Fees", Unit.MONEY,
     "What services kept, of rows in one currency; told twice it counts once."),
    ("settled_amount", "Settled", Unit.MONEY,
     "Taken, given back and charged back as services say, before fees; told twice it counts once."),
    ("fee_ratio", "Fees, of taken", Unit.RATIO, "Fees divided by what was taken."),
    ("settled_rows_count", "Rows", Unit.COUNT, "Rows of reports, payouts and fees among them."),
    ("differing_rows_count", "Rows that differ", Unit.COUNT, "Rows we do not agree with."),
    ("payout_p50_seconds", "Until paid out, median", Unit.SECONDS,
     "From taken until the payout it is in; half took less."),
    ("payout_p90_seconds", "Until paid out, 9 of 10", Unit.SECONDS,
     "From taken until paid out; nine of ten took less."),
)  # fmt: skip
_DIFFERENCES: Final = (
    ("differences_count", "Differences", Unit.COUNT,
     "What services say otherwise than we know it, or no report tells of in time."),
    ("open_differences_count", "Open differences", Unit.COUNT,
     "Of these, those nobody has explained yet."),
    ("differs_amount", "Theirs less ours", Unit.MONEY,
     "What services say beyond what we have, where both are in one currency."),
    ("explained_p50_seconds", "Until explained, median", Unit.SECONDS,
     "From found until somebody said why; half took less."),
)  # fmt: skip
_TAXES: Final = (
    ("vat_net_amount", "Taxed", Unit.MONEY, "Invoices less credit notes, without tax."),
    ("vat_amount", "Tax", Unit.MONEY, "The tax of invoices less credit notes."),
    ("vat_total_amount", "With tax", Unit.MONEY, "Invoices less credit notes, with tax."),
    ("vat_invoiced_net_amount", "Invoiced, net", Unit.MONEY, "Invoices, without tax."),
    ("vat_invoiced_amount", "Tax invoiced", Unit.MONEY, "The tax of invoices."),
    ("vat_credited_net_amount", "Credited, net", Unit.MONEY,
     "Credit notes, without tax; negative."),
    ("vat_credited_amount", "Tax credited", Unit.MONEY, "The tax of credit notes; negative."),
    ("taxed_documents_count", "Documents", Unit.COUNT, "Invoices and credit notes."),
)  # fmt: skip
_DIMENSIONS: Final = (
    ("service", "Service", Unit.TEXT, "The payment service."),
    ("row_type", "Type", Unit.TEXT, "What a row of a settlement report is about."),
    ("finding", "Found", Unit.TEXT, "What was found for it; matched and own need nobody."),
    ("difference_state", "State", Unit.TEXT, "Open, or resolved by somebody who said why."),
    ("destination_code", "Country", Unit.TEXT, "Where the goods are supplied, ISO 3166."),
    ("seller_code", "Seller", Unit.TEXT, "The country of the legal entity, ISO 3166."),
    (
        "tax_scheme",
        "Scheme",
        Unit.TEXT,
        "Domestic, one stop shop, registered there, in the Union, reverse charge or export.",
    ),
    ("rate_text", "Rate", Unit.TEXT, "In percent."),
    ("issued_month", "Month", Unit.TEXT, "Of the date documents bear."),
    ("tender", "Tender", Unit.TEXT, "What it was paid with."),
    ("refund_kind", "Kind", Unit.TEXT, "Owed, shipping or goodwill."),
    ("refund_state", "State", Unit.TEXT, "How far the refund is."),
    ("return_reason", "Reason", Unit.TEXT, "As who took it back has told."),
    ("document_type", "Type", Unit.TEXT, "Invoice, credit note or receipt."),
)
MONEY: Final = (
    *_REFUNDS, *_RETURNS, *_DOCUMENTS, *_SETTLEMENTS, *_DIFFERENCES, *_TAXES, *_DIMENSIONS,
)  # fmt: skip
REFUNDS: Final = tuple(name for name, *_ in _REFUNDS)
RETURNS: Final = tuple(name for name, *_ in _RETURNS)
DOCUMENTS: Final = tuple(name for name, *_ in _DOCUMENTS)
SETTLEMENTS: Final = tuple(name for name, *_ in _SETTLEMENTS)
DIFFERENCES: Final = tuple(name for name, *_ in _DIFFERENCES)
TAXES: Final = tuple(name for name, *_ in _TAXES)
