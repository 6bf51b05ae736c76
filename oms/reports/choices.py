"""What there is to choose from: channels, currencies, products, locations and days."""

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final

from oms.kernel.errors import NotFound
from oms.reports.published import Publication

_ONE_DAY: Final = timedelta(days=1)
_CHANNELS: Final = """
    select channel_code, channel_name from dim_channels order by channel_id
"""
# The currency most orders are in comes first; amounts of two currencies are not comparable.
_CURRENCIES: Final = """
    select currency from sales_by_channel_daily
    where basis = 'placed'
    group by currency
    order by sum(orders_count) desc, currency
"""
_LOCATIONS: Final = """
    select location_code, location_name from dim_locations order by location_name, location_code
"""
_PRODUCT_TYPES: Final = """
    select distinct coalesce(product_type, '(none)') as value
    from dim_products where is_current order by value
"""
_CATEGORIES: Final = """
    select distinct coalesce(category, '(none)') as value
    from dim_products where is_current order by value
"""
_BRANDS: Final = """
    select distinct coalesce(brand, '(none)') as value
    from dim_products where is_current order by value
"""
_SPAN: Final = """
    select min(sold_on) as first_on, max(sold_on) as last_on
    from sales_by_channel_daily
    where (net_amount <> 0 or orders_count > 0) and sold_on <= $after_on
"""
_SPANS: Final = """
    select currency, min(sold_on), max(sold_on)
    from sales_by_channel_daily
    where (net_amount <> 0 or orders_count > 0) and sold_on <= $after_on
    group by currency
"""
_UNKNOWN_SKUS: Final = """
    select sku from (select unnest($skus::varchar[]) as sku) as asked
    where sku not in (select sku from dim_products)
    order by sku
"""


class UnknownChoice(NotFound):
    """There is nothing of this code to choose."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Choices:
    """Everything a filter can be set to; codes with the names people know."""

    channels: dict[str, str]
    currencies: tuple[str, ...]
    locations: dict[str, str]
    product_types: tuple[str, ...]
    categories: tuple[str, ...]
    brands: tuple[str, ...]
    first_on: date
    last_on: date
    spans: dict[str, tuple[date, date]]  # by currency: the first and the last day of its sales

    @property
    def is_empty(self) -> bool:
        """Tell whether nothing was ever sold."""
        return not self.currencies


def choices(publication: Publication) -> Choices:
    """Ask a publication what there is to choose from."""
    # An order dated in the future must not make "the last 7 days" a week that has not been.
    published_on = publication.stamp.published_at.date()
    until = {"after_on": published_on + _ONE_DAY}
    first_on, last_on = publication.ask(_SPAN, until).row(0)
    spans = publication.ask(_SPANS, until)
    return Choices(
        channels=dict(publication.ask(_CHANNELS).iter_rows()),
        currencies=_values(publication, _CURRENCIES),
        locations=dict(publication.ask(_LOCATIONS).iter_rows()),
        product_types=_values(publication, _PRODUCT_TYPES),
        categories=_values(publication, _CATEGORIES),
        brands=_values(publication, _BRANDS),
        first_on=first_on or published_on,
        last_on=last_on or published_on,
        spans={currency: (first, last) for currency, first, last in spans.iter_rows()},
    )


def check(
    publication: Publication, *, currency: str | None, channels: tuple[str, ...],
    locations: tuple[str, ...] = (),
) -> None:  # fmt: skip
    """Raise UnknownChoice for a currency nothing is sold in, or a code of nothing that is there."""
    if currency is not None:
        currencies = _values(publication, _CURRENCIES)
        if currency not in currencies:
            there = ", ".join(currencies) or "nothing"
            raise UnknownChoice(f"Nothing is sold in {currency[:8]!r}; there is {there}.")
    for what, sql, codes in (
        ("channel", _CHANNELS, channels), ("location", _LOCATIONS, locations),
    ):  # fmt: skip
        known = dict(publication.ask(sql).iter_rows()) if codes else {}
        for code in codes:
            if code not in known:
                there = ", ".join(known)
                raise UnknownChoice(f"There is no {what} {code[:60]!r}; there are {there}.")


def unknown_skus(publication: Publication, skus: tuple[str, ...]) -> tuple[str, ...]:
    """Return those SKUs the catalog does not have."""
    return tuple(publication.ask(_UNKNOWN_SKUS, {"skus": list(skus)}).get_column("sku"))


def _values(publication: Publication, sql: str) -> tuple[str, ...]:
    return tuple(row[0] for row in publication.ask(sql).iter_rows())
