"""Charts of money."""

from typing import Any, Final

import plotly.graph_objects as go
import polars as pl

from dashboards import format as written
from dashboards.charts import style
from oms.reports.measures import COLUMNS
from oms.reports.money import Group, Subject
from oms.reports.sheet import Unit

ROWS_MAX: Final = 15
_BACK: Final = "#b3362c"
# What is drawn of each subject, beside or on top of each other.
_PARTS: Final = {
    Subject.CASH: (
        ("captured_amount", written.PALETTE[2]), ("refunded_amount", written.PALETTE[1]),
        ("charged_back_amount", _BACK),
    ),
    Subject.REFUNDS: (
        ("paid_back_amount", written.PALETTE[2]), ("open_amount", written.PALETTE[1]),
    ),
    Subject.RETURNS: (("returned_units", written.PALETTE[1]),),
    Subject.DOCUMENTS: (
        ("invoiced_amount", written.PALETTE[2]), ("credited_amount", written.PALETTE[1]),
    ),
    Subject.TAXES: (
        ("vat_invoiced_amount", written.PALETTE[2]), ("vat_credited_amount", written.PALETTE[1]),
    ),
    Subject.SETTLEMENTS: (("settled_fee_amount", written.PALETTE[1]),),
    Subject.DIFFERENCES: (("differences_count", _BACK),),
}  # fmt: skip
_NONE: Final = {
    Subject.CASH: "No money moved",
    Subject.REFUNDS: "Nobody asked for a refund",
    Subject.RETURNS: "Nothing came back",
    Subject.DOCUMENTS: "Nothing was issued",
    Subject.TAXES: "Nothing that is taxed was issued",
    Subject.SETTLEMENTS: "Nothing was settled",
    Subject.DIFFERENCES: "Nothing differs",
}


def drawn(subject: Subject, group: Group, frame: pl.DataFrame, currency: str) -> go.Figure:
    """Draw a subject, group by group: days from left to right, others from the top."""
    parts = _PARTS[subject]
    if frame.is_empty() or not any((frame[name] != 0).any() for name, _ in parts):
        return style.empty(_NONE[subject])
    is_days = group in {Group.DAY, Group.MONTH}
    # The most first, and the bars of a chart are drawn from the bottom.
    shown = frame if is_days else frame.head(ROWS_MAX).reverse()
    figure = style.figure() if is_days else style.figure(style.rows_px(shown.height))
    key = shown.columns[0]
    for name, color in parts:
        if (shown[name] != 0).any():
            bars = _bars(shown.select(key, name), currency, is_days=is_days)
            figure.add_bar(**bars, marker={"color": color})
    figure.update_layout(barmode="relative", showlegend=len(parts) > 1)
    counted = COLUMNS[parts[0][0]]
    axis = (
        style.money_axis(currency, subject.label)
        if counted.unit is Unit.MONEY
        else style.count_axis(counted.title, shown[counted.name])
    )
    if is_days:
        return figure.update_yaxes(**axis)
    return figure.update_xaxes(**axis, showgrid=True, gridcolor=style.GRID_COLOR).update_layout(
        hovermode="y unified"
    )


def _bars(frame: pl.DataFrame, currency: str, *, is_days: bool) -> dict[str, Any]:
    """Return the bars of one measure: its frame has what they stand for, and how long they are."""
    keys, values = frame.get_columns()
    column = COLUMNS[values.name]
    along = keys.to_list() if is_days else [style.label(str(key)) for key in keys]
    heights = values.cast(pl.Float64).to_list()
    return {
        "x": along if is_days else heights,
        "y": heights if is_days else along,
        "orientation": "v" if is_days else "h",
        "name": column.title,
        "customdata": [written.quantity(value, column.unit, currency) for value in values],
        "hovertemplate": "%{customdata}",
    }
