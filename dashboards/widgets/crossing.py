"""The crossed table: what to cross, its cells, and the orders behind the one chosen."""

from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from typing import Final

import polars as pl
import streamlit as st

from dashboards import format as written
from dashboards import warehouse
from dashboards.widgets import address, choice, table
from oms.reports.model import Filters, Level
from oms.reports.pivot import ALL_CHANNELS, Pivot, column_of
from oms.reports.sales import Found
from oms.reports.sheet import Column, Sheet, Unit

Levels = tuple[Level, Level | None]

_NAME: Final = "cell"
_NOTHING: Final = "nothing"
_LABEL: Final = "label"
_INDENT: Final = "\u2003"
_LEVELS: Final = {level.value: level.label for level in Level}


@dataclass(frozen=True, slots=True)
class Cell:
    """A cell by what it is the sum of; an empty text stands for all."""

    outer: str = ""
    inner: str = ""
    channel: str = ""


def levels() -> Levels:
    """Let people choose what the rows are."""
    outer = Level(choice.select("Rows", "rows", _LEVELS, Level.CATEGORY.value))
    others = {value: label for value, label in _LEVELS.items() if value != outer.value}
    default = Level.PRODUCT_TYPE.value if outer is Level.CATEGORY else _NOTHING
    inner = choice.select("Then by", "then", {_NOTHING: "Nothing", **others}, default)
    return outer, None if inner == _NOTHING else Level(inner)


def show(crossed: Pivot, sheet: Sheet, chosen: Levels) -> Cell | None:
    """Draw the table and return the cell that is chosen."""
    outer, inner = chosen
    cells = _cells(crossed, inner)
    label = pl.when("is_subtotal").then("outer_value").otherwise(_INDENT + pl.col("inner_value"))
    title = outer.label if inner is None else f"{outer.label}, {inner.label.lower()}"
    width = 1 if inner is None else 2
    first = Column(name=_LABEL, title=title, unit=Unit.TEXT)
    table.show(
        replace(sheet, columns=(first, *sheet.columns[width:])),
        "pivot",
        frame=crossed.rows.with_columns(label.alias(_LABEL)),
        strong=[] if inner is None else _subtotals(crossed),
        lead=(ALL_CHANNELS,),
        on_select=lambda: _choose(cells),
    )
    values = address.recall(_NAME)
    address.keep(_NAME, values)
    return Cell(*values) if len(values) == len(fields(Cell)) else None


def narrowed(filters: Filters, cell: Cell, chosen: Levels) -> Filters:
    """Return the filters that leave in only what a cell is the sum of."""
    outer, inner = chosen
    only = replace(filters, channels=(cell.channel,)) if cell.channel else filters
    if cell.outer:
        only = only.only(outer, cell.outer)
    return only.only(inner, cell.inner) if cell.inner and inner is not None else only


def orders(found: Found, sheet: Sheet, cell: Cell, channels: dict[str, str]) -> None:
    """Draw the orders behind a cell."""
    where = (cell.outer or "All products", cell.inner, channels.get(cell.channel, "all channels"))
    with st.container(horizontal=True, vertical_alignment="bottom"):
        st.subheader(f"Orders: {written.plain(', '.join(filter(None, where)))}", anchor=False)
        st.button(
            "Close",
            key="close",
            icon=":material/close:",
            type="tertiary",
            on_click=address.forget,
            args=((_NAME,),),
        )
    if not found.orders_count:
        st.caption("No orders: what is left in has no such cell.")
        return
    amount = sheet.columns[-2]
    together = written.quantity(found.amount, amount.unit, sheet.currency)
    said = f"{found.orders_count:,} orders, {found.units:,} units, {amount.title} {together}."
    if found.orders.height < found.orders_count:
        said += f" The newest {found.orders.height:,} are shown; the files have all."
    st.caption(written.plain(said))
    table.show(
        replace(sheet, total=None),
        "orders",
        frame=found.orders,
        links={"order_number": warehouse.order_address},
    )


def _cells(crossed: Pivot, inner: Level | None) -> Sequence[tuple[str, str]]:
    """Return what each row of the table is the sum of; one is the total."""
    rows = crossed.rows.select("outer_value", "inner_value", "is_subtotal").iter_rows()
    keys = [(outer, "" if inner is None or whole else value) for outer, value, whole in rows]
    total = ("", "")
    return [total, *keys] if table.is_tall(len(keys)) else [*keys, total]


def _choose(cells: Sequence[tuple[str, str]]) -> None:
    """Take over the cell people chose, before the page is drawn again."""
    selected = st.session_state["pivot"]["selection"]["cells"]
    if not selected:
        address.forget((_NAME,))
        return
    row, column = selected[0]
    outer, inner = cells[row]
    channel = "" if column in {ALL_CHANNELS, _LABEL} else column.removeprefix(column_of(""))
    address.remember(_NAME, [outer, inner, channel])


def _subtotals(crossed: Pivot) -> list[int]:
    return [at for at, whole in enumerate(crossed.rows["is_subtotal"]) if whole]
