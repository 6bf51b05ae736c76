"""Charts of what comes in."""

from typing import Final

import plotly.graph_objects as go
import polars as pl

from dashboards import format as written
from dashboards.charts import style

_OUTCOMES: Final = (
    ("captured", "Captured", written.PALETTE[0]),
    ("updated", "Updated", written.PALETTE[7]),
    ("duplicate", "Duplicate", "#c3ccd5"),
    ("stale", "Stale", written.OTHER_COLOR),
    ("quarantined", "Quarantined", written.PALETTE[1]),
    ("failed", "Failed payloads", "#b3362c"),
)


def by_day(frame: pl.DataFrame) -> go.Figure:
    """Draw documents by day, stacked by what became of them."""
    if frame.is_empty():
        return style.empty("Nothing came in during this period")
    drawn = style.figure()
    for column, name, color in _OUTCOMES:
        if frame[column].sum():
            drawn.add_bar(
                x=frame["received_on"].to_list(),
                y=frame[column].to_list(),
                name=name,
                marker={"color": color},
                hovertemplate="%{y:,}<extra>%{fullData.name}</extra>",
            )
    sums = frame.select(pl.sum_horizontal(name for name, *_ in _OUTCOMES)).to_series()
    drawn.update_layout(barmode="stack").update_yaxes(style.count_axis("Documents", sums))
    drawn.update_xaxes(
        type="date", hoverformat="%a %-d %b %Y",
        **style.day_ticks(frame["received_on"].n_unique()),
    )  # fmt: skip
    return drawn


def by_code(frame: pl.DataFrame) -> go.Figure:
    """Draw open documents in quarantine by what is wrong with them."""
    rows = frame.filter(pl.col("open_count") > 0)
    if rows.is_empty():
        return style.empty("Nothing waits in quarantine")
    drawn = style.figure(style.rows_px(rows.height))
    drawn.add_bar(
        x=rows["open_count"].to_list(),
        y=[style.label(code) for code in rows["code"]],
        orientation="h",
        marker={"color": written.PALETTE[1]},
        text=[f"{value:,}" for value in rows["open_count"]],
        textposition="auto",
        hovertemplate="%{x:,} documents<extra></extra>",
        showlegend=False,
    )
    drawn.update_layout(hovermode="closest")
    axis = style.count_axis("Documents", rows["open_count"])
    drawn.update_xaxes(axis, showgrid=True, gridcolor=style.GRID_COLOR)
    drawn.update_yaxes(autorange="reversed", showgrid=False, title=None)
    return drawn
