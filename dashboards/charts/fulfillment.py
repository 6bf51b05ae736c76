"""Charts of fulfillment."""

from collections.abc import Sequence
from html import escape
from typing import Final

import plotly.graph_objects as go
import polars as pl

from dashboards import format as written
from dashboards.charts import style
from oms.reports.fulfillment import Group, Subject
from oms.reports.measures import COLUMNS

ROWS_MAX: Final = 15
ENDS_MAX: Final = 8
OTHERS: Final = "Others"
NODE_PX: Final = 34
HOUR_SECONDS: Final = 3_600
_TO: Final = " → "
_BAD: Final = "#b3362c"
_DURATIONS: Final = {
    Subject.TIMES: ("work_p50_seconds", "work_p90_seconds"),
    Subject.CARRIERS: ("transit_p50_seconds", "transit_p90_seconds"),
    Subject.HOLDS: ("held_p50_seconds", "held_p90_seconds"),
}
_PARTS: Final = {
    Subject.SPLITS: (
        ("one_shipment_count", written.PALETTE[2]),
        ("two_shipments_count", written.PALETTE[4]),
        ("more_shipments_count", written.PALETTE[1]),
    ),
    Subject.REJECTIONS: (
        ("not_found_units", written.PALETTE[0]),
        ("damaged_units", written.PALETTE[1]),
        ("no_capacity_units", written.PALETTE[4]),
        ("closed_units", written.PALETTE[5]),
        ("other_units", written.OTHER_COLOR),
    ),
    Subject.COLLECTION: (
        ("collected_count", written.PALETTE[2]),
        ("uncollected_count", written.PALETTE[1]),
        ("waiting_count", written.OTHER_COLOR),
    ),
    Subject.TRANSFERS: (
        ("received_units", written.PALETTE[2]),
        ("arrived_damaged_units", written.PALETTE[1]),
        ("missing_units", _BAD),
    ),
}
_UNITS: Final = {
    Subject.SPLITS: "Delivery groups",
    Subject.REJECTIONS: "Short units",
    Subject.COLLECTION: "Fulfillment orders",
    Subject.TRANSFERS: "Units",
}
_NONE: Final = {
    Subject.REJECTIONS: "No location lacked anything",
    Subject.FLOW: "No units left or came back",
}


def drawn(subject: Subject, group: Group, frame: pl.DataFrame) -> go.Figure:
    """Draw a subject, group by group, as it is best seen."""
    if subject is Subject.FLOW:
        return flow(frame)
    named = frame.with_columns(name=_name(group))
    if subject in _DURATIONS:
        return _durations(named, *_DURATIONS[subject])
    return _parts(named, _PARTS[subject], _UNITS[subject], _NONE.get(subject, "Nothing to show"))


def flow(frame: pl.DataFrame) -> go.Figure:
    """Draw units from where they were sold over where they left from to where they are now."""
    if frame.is_empty():
        return style.empty(_NONE[Subject.FLOW])
    ends = [_capped(frame, column) for column in ("sold", "left", "back")]
    rows = frame.select("flow_units", sold=ends[0], left=ends[1], back=ends[2])
    nodes = [
        (at, value)
        for at, column in enumerate(("sold", "left", "back"))
        for value in rows.group_by(column).agg(pl.sum("flow_units"))
        .sort("flow_units", column, descending=[True, False])[column]
    ]  # fmt: skip
    place = {node: number for number, node in enumerate(nodes)}
    links = [
        (place[at, left], place[at + 1, right], units)
        for at, pair in enumerate((("sold", "left"), ("left", "back")))
        for left, right, units in rows.group_by(pair).agg(pl.sum("flow_units")).sort(pair).rows()
    ]
    tallest = max(sum(at == column for at, _ in nodes) for column in range(3))
    shown = style.figure(max(style.HEIGHT_PX, tallest * NODE_PX + style.FRAME_PX))
    shown.add_sankey(
        node={
            "label": [style.label(value) for _, value in nodes],
            "color": [written.PALETTE[(0, 2, 1)[at]] for at, _ in nodes],
            "pad": 14, "thickness": 14,
            "hovertemplate": "%{label}: %{value:,} units<extra></extra>",
        },
        link={
            "source": [source for source, _, _ in links],
            "target": [target for _, target, _ in links],
            "value": [units for *_, units in links],
            "color": style.PALE_COLOR,
            "hovertemplate": "%{source.label} → %{target.label}: %{value:,}<extra></extra>",
        },
        valueformat=",",
    )  # fmt: skip
    heads = (("Sold at", 0.0, "left"), ("Left from", 0.5, "center"), ("Now at", 1.0, "right"))
    for text, x, anchor in heads:
        shown.add_annotation(text=text, x=x, y=1.0, yshift=22, xanchor=anchor, showarrow=False,
                             xref="paper", yref="paper", font={"color": "#6b7785"})  # fmt: skip
    return shown


def _capped(frame: pl.DataFrame, end: str) -> pl.Series:
    """Return one end of each flow: beyond the largest few they are the others.

    What is sold in a store is of that store, else of its channel.
    """
    online = pl.col("sold_location_name") == "Online"
    value = {
        "sold": pl.when(online).then("channel_name").otherwise("sold_location_name"),
        "left": pl.col("fulfilled_location_name"),
        "back": pl.col("returned_location_name"),
    }[end]
    named = frame.select("flow_units", end=value)
    sums = named.group_by("end").agg(pl.sum("flow_units"))
    largest = sums.sort("flow_units", "end", descending=[True, False]).head(ENDS_MAX)["end"]
    kept = pl.col("end").is_in(largest.to_list())
    return named.select(pl.when(kept).then("end").otherwise(pl.lit(OTHERS)))["end"]


def _durations(frame: pl.DataFrame, half: str, most: str) -> go.Figure:
    rows = frame.filter(pl.col(half).is_not_null()).head(ROWS_MAX)
    if rows.is_empty():
        return style.empty("Nothing took any time yet")
    shown = style.figure(style.rows_px(rows.height))
    labels = _categories(rows)
    longest = max(value for value in (*rows[half], *rows[most]) if value is not None)
    divisor, unit = _scale(longest)
    shown.add_bar(
        x=[value / divisor for value in rows[half]], y=labels, orientation="h", name="Median",
        marker={"color": written.PALETTE[0]},
        customdata=[written.duration(value) for value in rows[half]],
        hovertemplate="%{customdata}<extra>Median</extra>",
    )  # fmt: skip
    shown.add_scatter(
        x=[value / divisor for value in rows[most]], y=labels, mode="markers", name="9 of 10",
        marker={"color": written.PALETTE[1], "symbol": "line-ns-open", "size": 16,
                "line": {"width": 3}},
        customdata=[written.duration(value) for value in rows[most]],
        hovertemplate="%{customdata}<extra>9 of 10</extra>",
    )  # fmt: skip
    shown.update_layout(hovermode="y unified")
    shown.update_xaxes(title=unit, rangemode="tozero", showgrid=True, gridcolor=style.GRID_COLOR)
    shown.update_yaxes(_axis(rows))
    return shown


def _parts(
    frame: pl.DataFrame, parts: Sequence[tuple[str, str]], unit: str, nothing: str
) -> go.Figure:
    together = pl.sum_horizontal(name for name, _ in parts)
    rows = frame.filter(together > 0).sort(together, descending=True, maintain_order=True)
    rows = rows.head(ROWS_MAX)
    if rows.is_empty():
        return style.empty(nothing)
    shown = style.figure(style.rows_px(rows.height))
    for name, color in parts:
        if rows[name].sum():
            shown.add_bar(
                x=rows[name].to_list(), y=_categories(rows), orientation="h",
                name=COLUMNS[name].title, marker={"color": color},
                hovertemplate="%{x:,}<extra>%{fullData.name}</extra>",
            )  # fmt: skip
    shown.update_layout(barmode="stack", hovermode="y unified")
    axis = style.count_axis(unit, rows.select(together).to_series())
    shown.update_xaxes(axis, showgrid=True, gridcolor=style.GRID_COLOR)
    shown.update_yaxes(_axis(rows))
    return shown


def _categories(rows: pl.DataFrame) -> list[str]:
    """Return each row's whole name: two that begin alike are two."""
    return [escape(name) for name in rows["name"]]


def _axis(rows: pl.DataFrame) -> dict[str, object]:
    labels = ["<br>→ ".join(map(style.label, name.split(_TO))) for name in rows["name"]]
    return {
        "tickvals": _categories(rows), "ticktext": labels, "type": "category",
        "autorange": "reversed", "showgrid": False, "title": None,
    }  # fmt: skip


def _name(group: Group) -> pl.Expr:
    if group is Group.ROUTE:
        return pl.concat_str("from_location_name", "to_location_name", separator=_TO)
    return pl.col(group.columns[0]).fill_null("(none)").str.replace_all("_", " ")


def _scale(seconds: int) -> tuple[int, str]:
    if seconds < 2 * HOUR_SECONDS:
        return written.MINUTE_SECONDS, "Minutes"
    if seconds < 3 * written.DAY_SECONDS:
        return HOUR_SECONDS, "Hours"
    return written.DAY_SECONDS, "Days"
