"""Saved views: questions to the list of orders, asked again by their names."""

from collections.abc import Mapping
from functools import partial
from typing import Final

import streamlit as st

from dashboards.api_client import Client, Json
from dashboards.panels import frame, order_filters
from dashboards.widgets import address

_PATH: Final = "/v1/views"


def offered(client: Client, asked: Json) -> None:
    """Offer the views one has, and to keep what is asked now."""
    views = client.get(_PATH)
    with st.popover("Views", icon=":material/bookmark:"):
        if not views:
            st.caption("No view is kept yet. Ask for some orders, and keep the question here.")
        for view in views:
            _offer(client, view)
        _keep(client, asked)


def _offer(client: Client, view: Json) -> None:
    number = view["view_id"]
    with st.container(horizontal=True, gap="small", vertical_alignment="center"):
        st.button(
            view["name"], key=f"view_{number}", type="tertiary", on_click=_ask,
            args=(view["query"],), icon=":material/group:" if view["is_shared"] else None,
            help="Shared with everybody of your role." if view["is_shared"] else None,
        )  # fmt: skip
        if st.button("Remove", key=f"remove_{number}", type="tertiary"):
            work = partial(client.delete, f"{_PATH}/{number}")
            frame.do(work, "The view is removed; the orders are as they were.")


def _keep(client: Client, asked: Json) -> None:
    form = "keep a view"
    turn = frame.turn(form)
    with st.form("keep_view", border=False):
        name = st.text_input("Keep this question as", key="view_name", max_chars=100)
        is_shared = st.checkbox("Share it with my role", key="view_shared")
        if st.form_submit_button("Keep", icon=":material/bookmark_add:") and name.strip():
            body = {"name": name.strip(), "query": _query(asked), "is_shared": is_shared}
            work = partial(client.post, _PATH, body, turn=turn)
            frame.do(work, "The view is kept.", form=form)


def _query(asked: Json) -> Json:
    """Write what is asked as a view keeps it: what may be several is a list."""
    return {
        name: [value] if name in order_filters.SEVERAL and not isinstance(value, list) else value
        for name, value in asked.items()
    }


def _ask(query: Mapping[str, object]) -> None:
    """Put what a view asks into the filters, and take everything else away."""
    address.forget(order_filters.NAMES)
    for parameter, name in order_filters.names().items():
        if parameter in query:
            value = query[parameter]
            values = value if isinstance(value, list) else [value]
            address.remember(name, [order_filters.text_of(each) for each in values])
