"""The way from one page of the console to another, with what it is to show."""

from collections.abc import Mapping
from typing import Any, Final

import streamlit as st

_PAGES: Final = "console_pages"


def register(pages: Mapping[str, Any]) -> None:
    """Make pages known by their names, for this session."""
    st.session_state[_PAGES] = dict(pages)


def go(name: str, **shown: str) -> None:
    """Show another page."""
    st.switch_page(st.session_state[_PAGES][name], query_params=shown)
