"""A chart on the page."""

from typing import Any, Final

import plotly.graph_objects as go
import streamlit as st

_CONFIG: Final = {"displayModeBar": False, "scrollZoom": False, "doubleClick": "reset"}


def show(drawn: go.Figure, key: str, alt: str) -> Any:
    """Show a chart, described for those who cannot see it."""
    return st.plotly_chart(drawn, key=key, config=dict(_CONFIG), alt=alt)
