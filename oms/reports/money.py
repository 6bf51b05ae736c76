"""The reports of money: from cash to taxes, by what divides each of them."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

import polars as pl

from oms.reports.facts import facts
from oms.reports.measures import CASH, columns
from oms.reports.model import NO_VALUE, Filters
from oms.reports.money_measures import (
    DIFFERENCES,
    DOCUMENTS,
    REFUNDS,
    RETURNS,
    SETTLEMENTS,
    TAXES,
)
from oms.reports.published import Publication
from oms.reports.sheet import Held, Sheet

_WITHOUT: Final = frozenset({
    "Basis", "Product types", "Categories", "Brands", "SKUs", "Locations",
})  # fmt: skip


class Subject(StrEnum):
    """What of money a report is about."""

    CASH = "cash"
    REFUNDS = "refunds"
    RETURNS = "returns"
    DOCUMENTS = "documents"
    TAXES = "taxes"
    SETTLEMENTS = "settlements"
    DIFFERENCES = "differences"

    @property
    def label(self) -> str:
        """Name it for people."""
        return self.value.capitalize()

    @property
    def groups(self) -> "tuple[Group, ...]":
        """What it is divided by, the usual first."""
        return tuple(_ABOUT[self].groups)

    @property
    def measures(self) -> tuple[str, ...]:
        """What is counted, the main one first."""
        return _ABOUT[self].measures


class Group(StrEnum):
    """What a report of money is divided by."""

    DAY = "day"
    CHANNEL = "channel"
    TENDER = "tender"
    KIND = "kind"
    STATE = "state"
    REASON = "reason"
    PRODUCT_TYPE = "product_type"
    TYPE = "type"
    COUNTRY = "country"
    RATE = "rate"
    SCHEME = "scheme"
    MONTH = "month"
    SERVICE = "service"
    FINDING = "finding"

    @property
    def label(self) -> str:
        """Name it for people, in a sentence."""
        return self.value.replace("_", " ")


@dataclass(frozen=True, slots=True, kw_only=True)
class _About:
    """How a subject is counted: its rows, what is added up of them, and what divides them."""

    dated: str
    rows: str
    measures: tuple[str, ...]
    sums: str
    groups: dict[Group, str]  # and the column each is written in


# What documents come to for a tax return; receipts are of what invoices or tills have already.
VAT_SUMS: Final = """
    coalesce(sum(billed_sign * net_amount), 0)::decimal(38,3) as vat_net_amount,
    coalesce(sum(billed_sign * tax_amount), 0)::decimal(38,3) as vat_amount,
    coalesce(sum(billed_sign * total_amount), 0)::decimal(38,3) as vat_total_amount,
    coalesce(sum(net_amount) filter (billed_sign = 1), 0)::decimal(38,3)
        as vat_invoiced_net_amount,
    coalesce(sum(tax_amount) filter (billed_sign = 1), 0)::decimal(38,3) as vat_invoiced_amount,
    coalesce(-sum(net_amount) filter (billed_sign = -1), 0)::decimal(38,3)
        as vat_credited_net_amount,
    coalesce(-sum(tax_amount) filter (billed_sign = -1), 0)::decimal(38,3) as vat_credited_amount,
    count(distinct document_id) as taxed_documents_count
"""
_ABOUT: Final = {
    Subject.CASH: _About(
        dated="On the day the money moved, whenever its order was placed",
        measures=CASH,
        groups={Group.DAY: "occurred_on", Group.CHANNEL: "channel_name", Group.TENDER: "tender"},
        rows="""
            select occurred_on as counted_on, occurred_on, channel_code, currency, tender,
                transaction_type, cash_amount
            from fct_payments
            where not is_test and not coalesce(is_store_credit, false)
                and transaction_type not in ('authorize', 'void')
        """,
        sums="""
            coalesce(sum(cash_amount), 0)::decimal(38,3) as cash_amount,
            coalesce(sum(cash_amount) filter (transaction_type = 'capture'), 0)::decimal(38,3)
                as captured_amount,
            coalesce(sum(cash_amount) filter (
                transaction_type in ('refund', 'refund_reversal')), 0)::decimal(38,3)
                as refunded_amount,
            coalesce(sum(cash_amount) filter (
                transaction_type in ('chargeback', 'chargeback_reversal')), 0)::decimal(38,3)
                as charged_back_amount,
            count(*) as transactions_count
        """,
    ),
    Subject.REFUNDS: _About(
        dated="On the day it was asked for",
        measures=REFUNDS,
        groups={
            Group.CHANNEL: "channel_name", Group.KIND: "refund_kind", Group.STATE: "refund_state",
            Group.DAY: "occurred_on",
        },
        rows="""
            select requested_on as counted_on, requested_on as occurred_on, channel_code, currency,
                refund_kind, refund_state, amount, refund_seconds
            from fct_refunds where not is_test
        """,
        sums="""
            count(*) as refunds_count,
            coalesce(sum(amount), 0)::decimal(38,3) as asked_amount,
            coalesce(sum(amount) filter (refund_state = 'succeeded'), 0)::decimal(38,3)
                as paid_back_amount,
            coalesce(sum(amount) filter (
                refund_state not in ('succeeded', 'rejected', 'canceled')), 0)::decimal(38,3)
                as open_amount,
            quantile_cont(refund_seconds, 0.5) filter (refund_state = 'succeeded')::bigint
                as refund_p50_seconds,
            quantile_cont(refund_seconds, 0.9) filter (refund_state = 'succeeded')::bigint
                as refund_p90_seconds
        """,
    ),
    Subject.RETURNS: _About(
        dated="On the day of the sale or the return",
        measures=RETURNS,
        groups={
            Group.CHANNEL: "channel_name", Group.PRODUCT_TYPE: "product_type",
            Group.REASON: "return_reason",
        },
        rows="""
            select event_on as counted_on, channel_code, currency, products.product_type,
                case when event_kind = 'return' then lines.reason end as return_reason,
                event_kind, quantity, net_amount, tax_amount
            from fct_order_lines as lines
            left join dim_products as products on products.product_key = lines.product_key
            where not is_test
        """,
        sums="""
            coalesce(-sum(quantity) filter (event_kind = 'return'), 0)::bigint as returned_units,
            coalesce(sum(quantity) filter (
                event_kind in ('sale', 'edit', 'cancel')), 0)::bigint as sold_units,
            returned_units / nullif(sold_units, 0)::double as returned_ratio,
            coalesce(-sum(net_amount) filter (event_kind = 'return'), 0)::decimal(38,3)
                as returned_net_amount,
            coalesce(-sum(net_amount + tax_amount) filter (
                event_kind = 'return'), 0)::decimal(38,3) as owed_amount
        """,
    ),
    Subject.DOCUMENTS: _About(
        dated="On the day it was issued",
        measures=DOCUMENTS,
        groups={
            Group.CHANNEL: "channel_name", Group.TYPE: "document_type", Group.DAY: "occurred_on",
        },
        rows="""
            select issued_on as counted_on, issued_on as occurred_on, channel_code, currency,
                document_type, billed_sign, net_amount, tax_amount, total_amount
            from fct_documents
        """,
        sums="""
            coalesce(sum(billed_sign * total_amount), 0)::decimal(38,3) as billed_amount,
            coalesce(sum(total_amount) filter (billed_sign = 1), 0)::decimal(38,3)
                as invoiced_amount,
            coalesce(-sum(total_amount) filter (billed_sign = -1), 0)::decimal(38,3)
                as credited_amount,
            coalesce(sum(billed_sign * net_amount), 0)::decimal(38,3) as billed_net_amount,
            coalesce(sum(billed_sign * tax_amount), 0)::decimal(38,3) as billed_tax_amount,
            count(*) as documents_count
        """,
    ),
    Subject.TAXES: _About(
        dated="On the day its document was issued",
        measures=TAXES,
        groups={
            Group.COUNTRY: "destination_code", Group.RATE: "rate_text",
            Group.SCHEME: "tax_scheme", Group.MONTH: "issued_month", Group.CHANNEL: "channel_name",
        },
        rows="""
            select issued_on as counted_on, strftime(issued_on, '%Y-%m') as issued_month,
                channel_code, currency, document_id, destination_code, tax_scheme,
                printf('%g %%', tax_rate * 100) as rate_text,
                billed_sign, net_amount, tax_amount, total_amount
            from fct_document_lines where billed_sign <> 0
        """,
        sums=VAT_SUMS,
    ),
    Subject.SETTLEMENTS: _About(
        dated="On the day it happened, UTC, as its service says",
        measures=SETTLEMENTS,
        groups={
            Group.SERVICE: "service", Group.DAY: "occurred_on", Group.CHANNEL: "channel_name",
            Group.TYPE: "row_type", Group.FINDING: "finding",
        },
        rows="""
            select settled_on as counted_on, settled_on as occurred_on, channel_code, currency,
                service, row_type, finding, is_agreed, amount, payout_seconds,
                case when net_currency = currency then fee_amount end as fee_amount
            from fct_settlements where not is_test
        """,
        sums="""
            coalesce(sum(fee_amount) filter (finding <> 'duplicate'), 0)::decimal(38,3)
                as settled_fee_amount,
            coalesce(sum(amount) filter (finding <> 'duplicate'
                and row_type not in ('payout', 'balance', 'fee')), 0)::decimal(38,3)
                as settled_amount,
            settled_fee_amount::double / nullif(sum(amount) filter (
                finding <> 'duplicate' and row_type = 'capture'), 0)::double as fee_ratio,
            count(*) as settled_rows_count,
            count(*) filter (not is_agreed) as differing_rows_count,
            round(quantile_cont(payout_seconds, 0.5))::bigint as payout_p50_seconds,
            round(quantile_cont(payout_seconds, 0.9))::bigint as payout_p90_seconds
        """,
    ),
    Subject.DIFFERENCES: _About(
        dated="On the day it was found, UTC",
        measures=DIFFERENCES,
        groups={
            Group.FINDING: "finding", Group.SERVICE: "service", Group.STATE: "difference_state",
            Group.DAY: "occurred_on",
        },
        rows="""
            select found_on as counted_on, found_on as occurred_on, channel_code, currency,
                service, finding, difference_state, differs_amount, open_seconds
            from fct_settlement_differences
        """,
        sums="""
            count(*) as differences_count,
            count(*) filter (difference_state = 'open') as open_differences_count,
            coalesce(sum(differs_amount), 0)::decimal(38,3) as differs_amount,
            round(quantile_cont(open_seconds, 0.5))::bigint as explained_p50_seconds
        """,
    ),
}  # fmt: skip
_SCOPE: Final = """
    with scope as (
        select facts.*, coalesce(channels.channel_name, facts.channel_code) as channel_name
        from ({rows}) as facts
        left join dim_channels as channels on channels.channel_code = facts.channel_code
        where facts.currency = $currency and counted_on >= $from_on and counted_on < $to_on
            and (len($channels::varchar[]) = 0
                or facts.channel_code in (select unnest($channels::varchar[])))
    )
"""


def rows(
    publication: Publication, filters: Filters, subject: Subject, group: Group
) -> pl.DataFrame:
    """Add up a subject, group by group: days in their order, others the most first.

    What has no value of it (a unit sold has no reason of a return) is one row or, of reasons,
    none.
    """
    about, column = _ABOUT[subject], _ABOUT[subject].groups[group]
    is_day = group in {Group.DAY, Group.MONTH}
    only = "where event_kind = 'return'" if group is Group.REASON else ""
    shown = column if is_day else f"coalesce({column}, '{NO_VALUE}')"
    order = "1" if is_day else f"{about.measures[0]} desc, 1"
    sql = f"""
        {_SCOPE.format(rows=about.rows)}
        select {shown} as {column}, {about.sums} from scope {only} group by 1 order by {order}
    """  # noqa: S608 - our own names
    frame = publication.ask(sql, filters.parameters())
    # Of a reason nothing was sold: there is no ratio to it.
    return frame.drop("sold_units", "returned_ratio") if group is Group.REASON else frame


def totals(publication: Publication, filters: Filters, subject: Subject) -> dict[str, Any]:
    """Add up a subject as a whole."""
    about = _ABOUT[subject]
    sql = f"{_SCOPE.format(rows=about.rows)} select {about.sums} from scope"  # noqa: S608 - ours
    return publication.ask(sql, filters.parameters()).row(0, named=True)


def money_by(publication: Publication, filters: Filters, subject: Subject, group: Group) -> Sheet:
    """Make the table of a subject, group by group."""
    frame = rows(publication, filters, subject, group)
    whole = totals(publication, filters, subject)
    return Sheet(
        name=f"{subject.value}_by_{group.value}",
        title=f"{subject.label} by {group.label}",
        columns=columns(frame.columns),
        frames=Held(frame),
        facts=(("Counted", _ABOUT[subject].dated), *facts(publication, filters, _WITHOUT)),
        currency=filters.currency,
        total={name: value for name, value in whole.items() if name in frame.columns},
    )
