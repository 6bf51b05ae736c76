"""What a tax return is filled in from: documents by month, seller, country, scheme and rate."""

from typing import Final

from oms.reports.facts import facts
from oms.reports.measures import columns
from oms.reports.model import Filters
from oms.reports.money import VAT_SUMS
from oms.reports.money_measures import TAXES
from oms.reports.published import Publication
from oms.reports.sheet import Held, Sheet

KEYS: Final = ("issued_month", "seller_code", "destination_code", "tax_scheme", "rate_text")
_NOT_OF_TAXES: Final = frozenset({
    "Basis", "Product types", "Categories", "Brands", "SKUs", "Locations",
})  # fmt: skip
_SCOPE: Final = """
    with scope as (
        select strftime(issued_on, '%Y-%m') as issued_month, seller_code, destination_code,
            tax_scheme, tax_rate, printf('%g %%', tax_rate * 100) as rate_text, document_id,
            billed_sign, net_amount, tax_amount, total_amount
        from fct_document_lines
        where billed_sign <> 0 and currency = $currency
            and issued_on >= $from_on and issued_on < $to_on
            and (len($channels::varchar[]) = 0
                or channel_code in (select unnest($channels::varchar[])))
    )
"""


def vat_return(publication: Publication, filters: Filters) -> Sheet:
    """Make the table of taxes: one row per month, seller, country, scheme and rate."""
    keys, asked = ", ".join(KEYS), filters.parameters()
    rows = (
        f"{_SCOPE} select {keys}, {VAT_SUMS} from scope group by {keys}, tax_rate order by {keys}"  # noqa: S608 - our own names
    )
    whole = f"{_SCOPE} select {VAT_SUMS} from scope"  # noqa: S608 - our own names
    return Sheet(
        name="vat_return",
        title="Taxes by month, country, scheme and rate",
        columns=columns((*KEYS, *TAXES)),
        frames=Held(publication.ask(rows, asked)),
        facts=(
            ("Counted", "On the day its document was issued"),
            *facts(publication, filters, _NOT_OF_TAXES),
        ),
        currency=filters.currency,
        total=publication.ask(whole, asked).row(0, named=True),
    )
