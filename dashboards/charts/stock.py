"""Charts of stock."""

from typing import Final

import plotly.graph_objects as go
import polars as pl

from dashboards import format as written
from dashboards.charts import style

LOCATIONS_MAX: Final = 15
NO_STOCK: Final = "No stock to show"
_KINDS: Final = (
    ("available_to_fulfill", "Available", written.PALETTE[2]),
    ("allocated", "Allocated", written.PALETTE[0]),
    ("unavailable", "Unavailable", written.PALETTE[1]),
    ("kept_back", "Held and safety stock", written.OTHER_COLOR),
)
# From too little over right to too much.
_COVER_COLORS: Final = (
    *("#b3362c", "#d4703a", "#e3b23c", "#7fae6a", "#2a9d8f", "#4f8fb0", "#5f7a95", "#a9b4c0"),
)


def by_location(frame: pl.DataFrame) -> go.Figure:
    """Draw what is on hand at each location, by what it is there for."""
    if frame.is_empty() or not frame["on_hand"].sum():
        return style.empty(NO_STOCK)
    rows = _top(frame)
    drawn = style.figure(style.rows_px(rows.height))
    for column, name, color in _KINDS:
        drawn.add_bar(
            x=rows[column].to_list(),
            y=[style.label(value) for value in rows["name"]],
            orientation="h",
            name=name,
            marker={"color": color},
            hovertemplate="%{x:,} units<extra>%{fullData.name}</extra>",
        )
    drawn.update_layout(barmode="stack", hovermode="y unified")
    drawn.update_xaxes(style.count_axis("Units"), showgrid=True, gridcolor=style.GRID_COLOR)
    drawn.update_yaxes(autorange="reversed", showgrid=False, title=None)
    return drawn


def by_cover(frame: pl.DataFrame) -> go.Figure:
    """Draw how many products last how long."""
    if frame.is_empty() or not frame["products_count"].sum():
        return style.empty(NO_STOCK)
    drawn = style.figure()
    drawn.add_bar(
        x=frame["cover"].to_list(),
        y=frame["products_count"].to_list(),
        marker={"color": list(_COVER_COLORS)},
        text=[f"{value:,}" if value else "" for value in frame["products_count"]],
        textposition="outside",
        cliponaxis=False,
        customdata=frame["on_hand"].to_list(),
        hovertemplate="%{y:,} products, %{customdata:,} units<extra></extra>",
        showlegend=False,
    )
    drawn.update_yaxes(style.count_axis("Products"))
    drawn.update_xaxes(title="How long the stock on hand lasts", type="category")
    return drawn


def over_time(frame: pl.DataFrame) -> go.Figure:
    """Draw what was on hand at the end of each day, and what came and went."""
    if frame.is_empty():
        return style.empty(NO_STOCK)
    drawn = style.figure()
    days = frame["stock_on"].to_list()
    for column, name, color in (
        ("received_units", "Came in", written.PALETTE[2]),
        ("shipped_units", "Went out", written.PALETTE[1]),
    ):
        drawn.add_bar(
            x=days,
            y=frame[column].to_list(),
            name=name,
            marker={"color": color},
            hovertemplate="%{y:+,}<extra>%{fullData.name}</extra>",
        )
    drawn.add_scatter(
        x=days,
        y=frame["on_hand"].to_list(),
        name="On hand",
        mode="lines+markers" if len(days) == 1 else "lines",
        line={"color": style.NOW_COLOR, "width": 2.5, "shape": "hv"},
        hovertemplate="%{y:,}<extra>%{fullData.name}</extra>",
    )
    drawn.update_layout(barmode="relative").update_yaxes(style.count_axis("Units"))
    drawn.update_xaxes(type="date", hoverformat="%a %-d %b %Y")
    return drawn


def _top(frame: pl.DataFrame) -> pl.DataFrame:
    """Keep the fullest locations and add up the others."""
    kept_back = pl.col("on_hand") - pl.sum_horizontal(column for column, *_ in _KINDS[:3])
    rows = frame.select(
        *(column for column, *_ in _KINDS[:3]),
        kept_back=kept_back.clip(lower_bound=0),
        name=pl.coalesce("location_name", "location_code"),
    )
    top, others = rows.head(LOCATIONS_MAX), rows.slice(LOCATIONS_MAX)
    if others.is_empty():
        return top
    rest = others.select(pl.exclude("name").sum(), name=pl.lit(f"{others.height:,} others"))
    return pl.concat([top, rest], how="vertical_relaxed")
