"""What the API answers, on the screen: words for codes, amounts, ages, and tables of records."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any, Final
from urllib.parse import quote
from uuid import uuid4

import streamlit as st

from dashboards import format as written
from dashboards.api_client import ApiRefusal, Client, Json
from dashboards.panels import navigation
from dashboards.widgets import address
from oms.kernel.clock import now

ROWS_IN_SIGHT_MAX: Final = 16
HEIGHT_PX: Final = 600
_MONEY: Final = frozenset({"amount", "currency"})
_ICONS: Final[Mapping[str, str]] = {
    "placed": "blue", "in_progress": "orange", "completed": "green", "canceled": "gray",
    "backordered": "red", "delivery_failed": "red", "rejected": "red", "uncollected": "red",
    "ready_for_collection": "violet", "shipped": "green", "collected": "green",
    "delivered": "green", "enabled": "green", "paused": "orange", "disabled": "red",
}  # fmt: skip


def words(code: object) -> str:
    """Write a code as people say it."""
    return str(code or "").replace("_", " ").replace(".", " ").strip().capitalize()


def amount(money: Json | None) -> str:
    """Write an amount of the API."""
    if money is None:
        return written.NOTHING
    return written.money(Decimal(money["amount"]), money["currency"])


def instant(text: str | None) -> str:
    """Write an instant of the API."""
    if text is None:
        return written.NOTHING
    at = datetime.fromisoformat(text)
    return f"{written.day(at.date())}, {at:%H:%M}"


def ago(text: str) -> str:
    """Write how long ago an instant was."""
    return written.age((now() - datetime.fromisoformat(text)).total_seconds())


def cell(value: Any) -> Any:
    """Write any value of an answer for a table."""
    if isinstance(value, dict):
        if set(value) == _MONEY:
            return amount(value)
        return ", ".join(f"{words(name)}: {cell(each)}" for name, each in value.items())
    if isinstance(value, list):
        return ", ".join(str(cell(each)) for each in value)
    if isinstance(value, bool):
        return "yes" if value else "no"
    return written.NOTHING if value is None else value


def state(code: str) -> None:
    """Show a state as a badge."""
    color: Any = _ICONS.get(code, "blue")
    st.badge(words(code), color=color)


def table(
    rows: Sequence[Json], columns: Mapping[str, str], key: str, *, opens: str | None = None,
    by: str = "order_number", shows: str = "number",
) -> None:  # fmt: skip
    """Show records; a cell that is clicked opens its record on the page that is named."""
    turn = st.session_state.setdefault(f"{key}_turn", 0)
    options: dict[str, Any] = (
        {"on_select": "rerun", "selection_mode": "single-cell"} if opens else {}
    )
    chosen = st.dataframe(
        [{title: cell(row.get(name)) for name, title in columns.items()} for row in rows],
        key=f"{key}_{turn}", hide_index=True,
        height=HEIGHT_PX if len(rows) > ROWS_IN_SIGHT_MAX else "content",
        column_config={
            title: st.column_config.Column(title, pinned=not at)
            for at, title in enumerate(columns.values())
        },
        **options,
    )  # fmt: skip
    if opens is None:
        return
    if chosen.selection.cells:
        st.session_state[f"{key}_turn"] += 1  # coming back finds nothing chosen
        navigation.go(opens, **{shows: str(rows[chosen.selection.cells[0][0]][by])})
    st.caption("Choose a cell to open its row.")


def facts(values: Mapping[str, object]) -> None:
    """Show names and values, one to a line."""
    together([f"**{name}** {written.plain(str(value))}" for name, value in values.items()])


def together(sentences: Sequence[str]) -> None:
    """Show sentences of Markdown, one to a line."""
    st.markdown("  \n".join(sentences))


def text(label: str, name: str, **options: Any) -> str:
    """Let a text be typed that stands in the URL."""
    if name not in st.session_state:
        st.session_state[name] = next(iter(address.recall(name)), "")
    value = str(st.session_state[name]).strip()
    address.keep(name, [value] if value else [])
    st.text_input(label, key=name, **options)
    return value


def private(label: str, name: str, **options: Any) -> str:
    """Let a text be typed that is somebody's, and so stands in no URL."""
    return str(st.text_input(label, key=name, **options)).strip()


def in_path(text: str) -> str:
    """Write a code as a part of a path."""
    return quote(text, safe="")


def fresh_turn() -> int:
    """Return a turn of its own, for what may be done again and again."""
    return uuid4().int


def channel_codes(client: Client) -> list[str]:
    """Return the codes of the channels one may know of; none for who may list no channels."""
    try:
        return [each["channel_code"] for each in client.get("/v1/channels")]
    except ApiRefusal as refused:
        if refused.status == 403:  # noqa: PLR2004 - a status as HTTP calls it
            return []
        raise
