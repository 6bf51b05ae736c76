"""The sales reports as tables."""

from dataclasses import replace
from typing import Any, Final

from oms.reports import sales
from oms.reports.facts import facts
from oms.reports.measures import COLUMNS, HEADLINES, PARTS, columns
from oms.reports.model import Comparison, Filters, Grain, Level
from oms.reports.pivot import ALL_CHANNELS, Pivot, column_of, pivot
from oms.reports.published import Publication
from oms.reports.sheet import Column, Held, Sheet

_STEPS: Final = {Grain.DAY: "Day", Grain.WEEK: "Week from", Grain.MONTH: "Month from"}
_LINES: Final = (
    *("order_number", "line_no", "event_kind", "event_on", "placed_on", "channel_name"),
    *("channel_code", "sku", "title", "product_type", "category", "brand", "quantity"),
    *("gross_amount", "discount_amount", "net_amount", "tax_amount", "reason"),
)


def sales_by_time(publication: Publication, filters: Filters, grain: Grain | None = None) -> Sheet:
    """Make the table of sales by day, week or month."""
    step = grain or filters.period.grain
    frame = sales.by_time(publication, filters, step)
    dated = replace(COLUMNS["sold_on"], title=_STEPS[step])
    return Sheet(
        name=f"sales_by_{step.value}",
        title=f"Sales by {step.value}",
        columns=(dated, *columns((*HEADLINES, "order_value_amount", "return_ratio", *PARTS))),
        frames=Held(frame),
        facts=facts(publication, filters),
        currency=filters.currency,
        total=sales.totals(publication, filters),
    )


def sales_by_channel(publication: Publication, filters: Filters) -> Sheet:
    """Make the table of sales by channel, beside the period compared with."""
    frame = sales.by_channel(publication, filters)
    first, *others = HEADLINES
    names = (first, *_compared(filters), "share_ratio", *others, "order_value_amount")
    return Sheet(
        name="sales_by_channel",
        title="Sales by channel",
        columns=columns(("channel_name", "channel_code", *names, "return_ratio", *PARTS)),
        frames=Held(frame),
        facts=_compared_facts(publication, filters),
        currency=filters.currency,
        total=_total(publication, filters),
    )


def sales_by_product(publication: Publication, filters: Filters, level: Level = Level.SKU) -> Sheet:
    """Make the table of sales by product type, category, brand or SKU."""
    frame = sales.by_product(publication, filters, level)
    titled = ("title",) if level is Level.SKU else ()
    first, *others = HEADLINES
    names = (first, *_compared(filters), "share_ratio", *others, "unit_price_amount")
    group = replace(COLUMNS[level.value], name="product")
    return Sheet(
        name=f"sales_by_{level.value}",
        title=f"Sales by {level.label if level is Level.SKU else level.label.lower()}",
        columns=(group, *columns((*titled, *names, "return_ratio", *PARTS))),
        frames=Held(frame),
        facts=_compared_facts(publication, filters),
        currency=filters.currency,
        total=_total(publication, filters),
    )


def channel_by_product(
    publication: Publication,
    filters: Filters,
    levels: tuple[Level, Level | None] = (Level.PRODUCT_TYPE, Level.CATEGORY),
    measure: str = "net_amount",
) -> Sheet:
    """Make the table of products down and channels across, with subtotals and totals."""
    return pivot_sheet(
        publication, filters, pivot(publication, filters, levels, measure), levels, measure
    )


def pivot_sheet(
    publication: Publication,
    filters: Filters,
    crossed: Pivot,
    levels: tuple[Level, Level | None],
    measure: str,
) -> Sheet:
    """Make a table of a pivot already asked for."""
    measured = COLUMNS[measure]
    outer, inner = levels
    groups = [replace(COLUMNS[outer.value], name="outer_value")]
    if inner is not None:
        groups.append(replace(COLUMNS[inner.value], name="inner_value"))
    amounts = [*((column_of(code), name) for code, name in crossed.channels)]
    cells = [
        Column(name=name, title=title, unit=measured.unit, definition=measured.definition)
        for name, title in (*amounts, (ALL_CHANNELS, "All channels"))
    ]
    asked = ("Measure", f"{measured.title}: {measured.definition}")
    return Sheet(
        name="channel_by_product",
        title=f"{measured.title} by product and channel",
        columns=(*groups, *cells),
        frames=Held(crossed.rows),
        facts=(asked, *facts(publication, filters)),
        currency=filters.currency,
        total=crossed.total,
    )


def orders(publication: Publication, filters: Filters, measure: str = "net_amount") -> Sheet:
    """Make the table of all orders a number is the sum of."""
    found = sales.orders(publication, filters, measure, orders_max=1)
    return orders_sheet(publication, filters, measure, found)


def orders_sheet(
    publication: Publication, filters: Filters, measure: str, found: sales.Found
) -> Sheet:
    """Make a table of orders already asked for; it lists all of them, not only the newest."""
    measured = COLUMNS[measure]
    names = ("order_number", "external_number", "channel_name", "placed_on", "order_state")
    units = () if measure == "units" else ("units",)
    return Sheet(
        name="orders",
        title=f"Orders behind: {measured.title}",
        columns=(
            *columns((*names, *units)),
            replace(measured, name="amount"),
            COLUMNS["total_amount"],
        ),
        frames=lambda: sales.order_batches(publication, filters, measure),
        facts=facts(publication, filters),
        currency=filters.currency,
        total={"units": found.units, "amount": found.amount},
    )


def order_lines(publication: Publication, filters: Filters) -> Sheet:
    """Make the table of every sales event of every line."""
    return Sheet(
        name="order_lines",
        title="Order lines",
        columns=columns(_LINES),
        frames=lambda: sales.line_batches(publication, filters),
        facts=facts(publication, filters),
        currency=filters.currency,
        total=sales.line_totals(publication, filters),
    )


def _total(publication: Publication, filters: Filters) -> dict[str, Any]:
    """Add up everything, with the compared period beside it."""
    total = sales.totals(publication, filters)
    compared = filters.compared()
    if compared is None:
        return {**total, "share_ratio": 1.0}
    before = sales.totals(publication, compared)["net_amount"]
    change = float(total["net_amount"] - before) / float(before) if before > 0 else None
    return {**total, "share_ratio": 1.0, "compared_net_amount": before, "change_ratio": change}


def _compared(filters: Filters) -> tuple[str, ...]:
    without = filters.comparison is Comparison.NONE
    return () if without else ("compared_net_amount", "change_ratio")


def _compared_facts(publication: Publication, filters: Filters) -> tuple[tuple[str, str], ...]:
    compared = filters.compared()
    before = f"{filters.comparison.label}: {compared.period}" if compared else "nothing"
    return (*facts(publication, filters), ("Compared with", before))
