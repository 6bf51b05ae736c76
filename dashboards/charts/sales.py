"""Charts of sales."""

from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from typing import Final

import plotly.graph_objects as go
import polars as pl

from dashboards import format as written
from dashboards.charts import style
from oms.reports.model import Grain, Period
from oms.reports.pivot import ALL_CHANNELS, Pivot, column_of

RANKS_MAX: Final = 12
MARKED_STEPS_MAX: Final = 40
NOW_WIDTH: Final = 0.46
BEFORE_WIDTH: Final = 0.82
TEXT_ROOM_RATIO: Final = 0.2
EMPTY: Final = "No sales in this period"
_EVERY: Final = {Grain.DAY: "1d", Grain.WEEK: "1w", Grain.MONTH: "1mo"}
_HOVER: Final = "%{customdata}<extra>%{fullData.name}</extra>"


def over_time(
    frame: pl.DataFrame,
    before: pl.DataFrame | None,
    *,
    period: Period,
    grain: Grain,
    currency: str,
) -> go.Figure:
    """Draw net sales over time, and the period compared with behind them."""
    if frame.is_empty() and (before is None or before.is_empty()):
        return style.empty(EMPTY)
    drawn = style.figure()
    _line(drawn, _filled(frame, period, grain), "This period", currency, is_now=True)
    if before is not None:
        _line(drawn, _filled(before, period, grain), "Period before", currency, is_now=False)
    drawn.update_yaxes(style.money_axis(currency, "Net sales"))
    drawn.update_xaxes(_time_axis(grain, period))
    return drawn


def by_channel_over_time(
    frame: pl.DataFrame,
    *,
    channels: Mapping[str, str],
    period: Period,
    grain: Grain,
    currency: str,
) -> go.Figure:
    """Draw net sales over time, stacked by channel."""
    if frame.is_empty():
        return style.empty(EMPTY)
    drawn = style.figure()
    colors = written.channel_colors(channels)
    for code, name in channels.items():
        sold = frame.filter(pl.col("channel_code") == code)
        if not sold.is_empty():
            steps = _filled(sold, period, grain)
            drawn.add_bar(
                x=steps["sold_on"].to_list(),
                y=_numbers(steps["net_amount"]),
                name=style.label(name),
                marker={"color": colors[code]},
                customdata=_moneys(steps["net_amount"], currency),
                hovertemplate=_HOVER,
            )
    # Returns can outweigh sales: what is negative then hangs below the line.
    drawn.update_layout(barmode="relative").update_yaxes(style.money_axis(currency, "Net sales"))
    drawn.update_xaxes(_time_axis(grain, period))
    return drawn


def channel_ranking(
    frame: pl.DataFrame, *, channels: Mapping[str, str], currency: str
) -> go.Figure:
    """Draw net sales by channel, the largest on top, with a mark where they were before."""
    if frame.is_empty():
        return style.empty(EMPTY)
    colors = written.channel_colors(channels)
    return _ranking(
        frame.select(
            "net_amount", *_before(frame), name=pl.coalesce("channel_name", "channel_code")
        ),
        [colors.get(code, style.QUIET_COLOR) for code in frame["channel_code"]],
        currency,
    )


def product_ranking(frame: pl.DataFrame, *, currency: str) -> go.Figure:
    """Draw net sales of the largest products or groups, all others in one bar."""
    if frame.is_empty():
        return style.empty(EMPTY)
    named = frame.select("net_amount", *_before(frame), name=_named(frame))
    top = named.head(RANKS_MAX)
    others = named.slice(RANKS_MAX)
    colors = [style.NOW_COLOR] * top.height
    if not others.is_empty():
        rest = others.select(pl.exclude("name").sum(), name=pl.lit(f"{others.height:,} others"))
        top = pl.concat([top, rest.select(top.columns)], how="vertical_relaxed")
        colors.append(style.QUIET_COLOR)
    return _ranking(top, colors, currency)


def crossed(
    pivot: Pivot, *, channels: Mapping[str, str], currency: str | None, title: str
) -> go.Figure:
    """Draw one bar for each product group, in the colors of the channels that sold it."""
    groups = pivot.rows.filter("is_subtotal")
    if groups.is_empty():
        return style.empty(EMPTY)
    top, others = groups.head(RANKS_MAX), groups.slice(RANKS_MAX)
    amounts = [column_of(code) for code, _ in pivot.channels]
    shown = top.select(*amounts, ALL_CHANNELS, name="outer_value")
    if not others.is_empty():
        rest = others.select(
            pl.col(*amounts, ALL_CHANNELS).sum(), name=pl.lit(f"{others.height:,} others")
        )
        shown = pl.concat([shown, rest], how="vertical_relaxed")
    drawn = style.figure(style.rows_px(shown.height))
    colors = written.channel_colors(channels)
    for code, name in pivot.channels:
        values = shown[column_of(code)]
        drawn.add_bar(
            x=_numbers(values),
            y=_unique([style.label(value) for value in shown["name"]]),
            orientation="h",
            name=style.label(name),
            marker={"color": colors.get(code, style.QUIET_COLOR)},
            customdata=_moneys(values, currency) if currency else [f"{v:,.0f}" for v in values],
            hovertemplate=_HOVER,
        )
    axis = style.money_axis(currency, title) if currency else style.count_axis(title)
    drawn.update_layout(barmode="relative", hovermode="y unified")
    drawn.update_xaxes(axis, showgrid=True, gridcolor=style.GRID_COLOR)
    drawn.update_yaxes(autorange="reversed", showgrid=False, title=None)
    return drawn


def _line(drawn: go.Figure, steps: pl.DataFrame, name: str, currency: str, *, is_now: bool) -> None:
    color = style.NOW_COLOR if is_now else style.BEFORE_COLOR
    marked = steps.height == 1 or (is_now and steps.height <= MARKED_STEPS_MAX)
    drawn.add_scatter(
        x=steps["sold_on"].to_list(),
        y=_numbers(steps["net_amount"]),
        name=name,
        mode="lines+markers" if marked else "lines",
        line={
            "color": color,
            "width": 2.5 if is_now else 1.5,
            "dash": "solid" if is_now else "dot",
        },
        marker={"size": 6 if steps.height > 1 else 12},
        fill="tozeroy" if is_now else None,
        fillcolor="rgba(37, 99, 168, 0.08)",
        customdata=_moneys(steps["net_amount"], currency),
        hovertemplate=_HOVER,
    )


def _ranking(rows: pl.DataFrame, colors: list[str], currency: str) -> go.Figure:
    """Draw a bar for each row, before a wider and paler one of the period compared with."""
    drawn = style.figure(style.rows_px(rows.height))
    names = _unique([style.label(name) for name in rows["name"]])
    now, ends = _numbers(rows["net_amount"]), [0.0]
    if "compared_net_amount" in rows.columns:
        ends = _numbers(rows["compared_net_amount"])
        drawn.add_bar(
            x=ends,
            y=names,
            orientation="h",
            name="Period before",
            width=BEFORE_WIDTH,
            marker={"color": style.PALE_COLOR},
            customdata=_moneys(rows["compared_net_amount"], currency),
            hovertemplate=_HOVER,
        )
    drawn.add_bar(
        x=now,
        y=names,
        orientation="h",
        name="This period",
        width=NOW_WIDTH,
        marker={"color": colors},
        customdata=_moneys(rows["net_amount"], currency),
        hovertemplate=_HOVER,
        showlegend="compared_net_amount" in rows.columns,
    )
    _written_beside(drawn, rows["net_amount"], names, ends, currency)
    drawn.update_layout(barmode="overlay", hovermode="y unified")
    least, most = min(*now, *ends, 0.0), max(*now, *ends, 0.0)
    room = (most - least) * TEXT_ROOM_RATIO
    drawn.update_xaxes(
        style.money_axis(currency, "Net sales"),
        range=[least * 1.04, most + room],
        showgrid=True,
        gridcolor=style.GRID_COLOR,
    )
    drawn.update_yaxes(autorange="reversed", showgrid=False, title=None)
    return drawn


def _written_beside(
    drawn: go.Figure, amounts: pl.Series, names: list[str], ends: list[float], currency: str
) -> None:
    """Write each amount to the right of both its bars, where nothing lies under it."""
    longest = zip(_numbers(amounts), ends * (len(amounts) if len(ends) == 1 else 1), strict=True)
    drawn.add_scatter(
        x=[max(*pair, 0.0) for pair in longest],
        y=names,
        mode="text",
        text=[f"\u2002{written.money_short(value, currency)}" for value in amounts],
        textposition="middle right",
        hoverinfo="skip",
        showlegend=False,
        cliponaxis=False,
    )


def _filled(frame: pl.DataFrame, period: Period, grain: Grain) -> pl.DataFrame:
    """Give every step of the period a row: one without sales is a zero, not a gap."""
    every = _EVERY[grain]
    steps = pl.date_range(_start(period.from_on, grain), period.last_on, every, eager=True)
    joined = steps.alias("sold_on").to_frame().join(frame, on="sold_on", how="left")
    return joined.select("sold_on", pl.col("net_amount").fill_null(Decimal(0))).sort("sold_on")


def _start(day: date, grain: Grain) -> date:
    if grain is Grain.MONTH:
        return day.replace(day=1)
    return date.fromordinal(day.toordinal() - day.weekday()) if grain is Grain.WEEK else day


def _time_axis(grain: Grain, period: Period) -> dict[str, object]:
    title = {Grain.DAY: None, Grain.WEEK: "Weeks from Monday", Grain.MONTH: "Months"}[grain]
    shown = "%b %Y" if grain is Grain.MONTH else "%a %-d %b %Y"
    ticks = style.day_ticks(period.days) if grain is Grain.DAY else {}
    return {"title": title, "hoverformat": shown, "type": "date", **ticks}


def _named(frame: pl.DataFrame) -> pl.Expr:
    """Call a product by its title, a group by itself."""
    return pl.coalesce("title", "product") if "title" in frame.columns else pl.col("product")


def _before(frame: pl.DataFrame) -> list[str]:
    return ["compared_net_amount"] if "compared_net_amount" in frame.columns else []


def _numbers(values: pl.Series) -> list[float]:
    """Return positions to draw at; what is written beside them stays exact."""
    return values.cast(pl.Float64).to_list()


def _moneys(values: pl.Series, currency: str) -> list[str]:
    return [written.money(value, currency) for value in values]


def _unique(names: list[str]) -> list[str]:
    """Tell rows apart whose shortened names are equal, or they would share one bar."""
    seen: dict[str, int] = {}
    for name in names:
        seen[name] = seen.get(name, 0) + 1
    count: dict[str, int] = {}
    told: list[str] = []
    for name in names:
        count[name] = count.get(name, 0) + 1
        told.append(name if seen[name] == 1 else f"{name} ({count[name]})")
    return told
