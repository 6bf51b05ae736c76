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
_DIMENSIONS: Final = (
    ("tender", "Tender", Unit.TEXT, "What it was paid with."),
    ("refund_kind", "Kind", Unit.TEXT, "Owed, shipping or goodwill."),
    ("refund_state", "State", Unit.TEXT, "How far the refund is."),
    ("return_reason", "Reason", Unit.TEXT, "As who took it back has told."),
    ("document_type", "Type", Unit.TEXT, "Invoice, credit note or receipt."),
)
MONEY: Final = (*_REFUNDS, *_RETURNS, *_DOCUMENTS, *_DIMENSIONS)
REFUNDS: Final = tuple(name for name, *_ in _REFUNDS)
RETURNS: Final = tuple(name for name, *_ in _RETURNS)
DOCUMENTS: Final = tuple(name for name, *_ in _DOCUMENTS)
