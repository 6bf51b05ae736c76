"""What all charts share: size, margins, legend, labels, and how an empty one looks."""

from html import escape
from typing import Final

import plotly.graph_objects as go
import polars as pl

from dashboards import format as written

HEIGHT_PX: Final = 340
ROW_PX: Final = 30
FRAME_PX: Final = 96
LABEL_CHARACTERS_MAX: Final = 26
NOW_COLOR: Final = written.PALETTE[0]
BEFORE_COLOR: Final = "#8a97a5"
QUIET_COLOR: Final = written.OTHER_COLOR
PALE_COLOR: Final = "rgba(120, 135, 150, 0.28)"
GRID_COLOR: Final = "rgba(120, 135, 150, 0.22)"
# With more of them, the ticks that are chosen by themselves are whole numbers.
SINGLE_TICKS_MAX: Final = 10
DAY_MILLISECONDS: Final = 24 * 60 * 60 * 1_000
_TICK_PREFIX: Final = written.SYMBOLS


def figure(height_px: int = HEIGHT_PX) -> go.Figure:
    """Return a figure without traces, laid out as all of them are."""
    return go.Figure(
        layout={
            "height": height_px,
            "margin": {"l": 8, "r": 12, "t": 36, "b": 8},
            "paper_bgcolor": "rgba(0,0,0,0)",
            "plot_bgcolor": "rgba(0,0,0,0)",
            "bargap": 0.28,
            "hovermode": "x unified",
            "hoverlabel": {"namelength": -1},
            "separators": ".,",
            "legend": {
                "orientation": "h",
                "x": 0,
                "y": 1.02,
                "yanchor": "bottom",
                "traceorder": "normal",
            },
            "xaxis": {"automargin": True, "showgrid": False, "title": None},
            "yaxis": {"automargin": True, "gridcolor": GRID_COLOR, "zerolinecolor": GRID_COLOR},
        }
    )


def empty(text: str) -> go.Figure:
    """Return a figure that says why there is nothing in it."""
    drawn = figure(HEIGHT_PX // 2)
    drawn.update_xaxes(visible=False).update_yaxes(visible=False)
    drawn.add_annotation(text=escape(text), showarrow=False, font={"size": 15, "color": "#6b7785"})
    return drawn


def rows_px(rows: int) -> int:
    """Return the height of a chart with a bar in each row."""
    return max(200, rows * ROW_PX + FRAME_PX)


def label(text: str) -> str:
    """Write data as a label: short, and never as markup."""
    short = text if len(text) <= LABEL_CHARACTERS_MAX else f"{text[: LABEL_CHARACTERS_MAX - 1]}…"
    return escape(short)


def money_axis(currency: str, title: str) -> dict[str, object]:
    """Return an axis of money, its ticks in thousands and millions."""
    symbol = _TICK_PREFIX.get(currency, "")
    return {"title": f"{title}, {currency}", "tickprefix": symbol, "tickformat": "~s"}


def count_axis(title: str, shown: pl.Series | None = None) -> dict[str, object]:
    """Return an axis of whole things; where few are shown it has a tick for each."""
    axis: dict[str, object] = {"title": title, "tickformat": ",~s", "rangemode": "tozero"}
    is_few = shown is not None and not (shown > SINGLE_TICKS_MAX).any()
    return {**axis, "dtick": 1} if is_few else axis


def day_ticks(days: int) -> dict[str, object]:
    """Return what an axis of so many days is marked with: of few each day, and never an hour."""
    return {"dtick": DAY_MILLISECONDS} if days <= SINGLE_TICKS_MAX else {}
