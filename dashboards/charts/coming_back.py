"""Charts of returns: units, the most from the top."""

from typing import Final

import plotly.graph_objects as go
import polars as pl

from dashboards import format as written
from dashboards.charts import style
from oms.reports.coming_back import Subject
from oms.reports.measures import COLUMNS

ROWS_MAX: Final = 15
_NONE: Final = {
    Subject.RETURNS: "Nothing came back",
    Subject.DISPOSITIONS: "Nothing was looked at",
}


def drawn(subject: Subject, frame: pl.DataFrame) -> go.Figure:
    """Draw a subject, group by group."""
    counted = COLUMNS[subject.counted]
    if frame.is_empty() or not (frame[counted.name] != 0).any():
        return style.empty(_NONE[subject])
    shown = frame.head(ROWS_MAX).reverse()
    values = shown[counted.name]
    figure = style.figure(style.rows_px(shown.height))
    figure.add_bar(
        x=values.to_list(), y=[style.label(str(key)) for key in shown.to_series(0)],
        orientation="h", name=counted.title, marker={"color": written.PALETTE[1]},
        customdata=[written.quantity(value, counted.unit, None) for value in values],
        hovertemplate="%{customdata}",
    )  # fmt: skip
    axis = style.count_axis(counted.title, values)
    return figure.update_xaxes(**axis, showgrid=True, gridcolor=style.GRID_COLOR).update_layout(
        hovermode="y unified", showlegend=False
    )
