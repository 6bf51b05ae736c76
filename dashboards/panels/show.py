"""What the API answers, on the screen: words for codes, amounts, ages, and tables of records."""

import csv
import io
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any, Final
from urllib.parse import quote

import streamlit as st

from dashboards import format as written
from dashboards.api_client import ApiRefusal, Client, Json
from dashboards.panels import navigation
from dashboards.widgets import address
from oms.kernel.clock import now
from oms.locations.hours import DAYS

ROWS_IN_SIGHT_MAX: Final = 16
HEIGHT_PX: Final = 600
# Streamlit measures the first rows only: a column that begins empty would cut its instants off.
INSTANT_PX: Final = 124
_UTC: Final = "(UTC)"
PLACES_KNOWN_FOR: Final = timedelta(minutes=1)
_PLACES: Final = "places_known"
_MONEY: Final = frozenset({"amount", "currency"})
# Fields of the API that hold a code of ours; everywhere else a text is somebody's own words.
_CODED: Final = frozenset({
    "state", "order_state", "fulfillment_state", "fulfillment_method", "method", "kind", "type",
    "reason", "visibility", "cause_type", "topic", "code",
})  # fmt: skip
_NAMES: Final[Mapping[str, str]] = {
    "dc": "Distribution center", "pos_sale": "Sold at a till", "ship": "Shipped",
    "receipt": "Received", "return_restock": "Returned, for sale again",
    "return_unsellable": "Returned, not for sale", "write_off": "Written off",
    "count_adjust": "Counted", "adjust": "Corrected", "transfer_out": "Sent to another location",
    "transfer_in": "Came from another location", "regrade": "No longer for sale",
    "ship_home": "Sent home", "carry_out": "Carried out", "collect_store": "Collected in a store",
    "pickup_point": "Sent to a pick-up point", "reserve": "Reserved, paid in the store",
    "ship_from_store": "Sent from a store", "customer_request": "Customer asked",
}  # fmt: skip
_ICONS: Final[Mapping[str, str]] = {
    "placed": "blue", "in_progress": "orange", "completed": "green", "canceled": "gray",
    "backordered": "red", "delivery_failed": "red", "rejected": "red", "uncollected": "red",
    "ready_for_collection": "violet", "at_pickup_point": "violet", "ready_for_pickup": "violet",
    "shipped": "green", "collected": "green", "delivered": "green", "enabled": "green",
    "paused": "orange", "disabled": "red",
    "lost": "red", "damaged": "red", "voided": "gray", "taken_back": "gray",
    "returned_to_sender": "red",
    "received": "green", "partially_received": "orange", "closed": "gray", "draft": "orange",
    "open": "orange",
    "active": "green", "archived": "gray", "waiting_for_transfer": "orange", "parked": "red",
    "requested": "orange", "declined": "gray", "inspected": "orange", "resolved": "violet",
    "expired": "gray",
    "awaiting_approval": "orange", "succeeded": "green", "partially_succeeded": "red",
    "failed": "red", "reversed": "red", "unknown": "red", "paid": "green", "captured": "green",
    "none": "gray",
    "awaiting": "orange", "partially_paid": "orange", "overpaid": "red", "chargeback": "red",
    "charged_back": "red",
}  # fmt: skip


def words(code: object) -> str:
    """Write a code as people say it."""
    if code in _NAMES:
        return _NAMES[str(code)]
    return str(code or "").replace("_", " ").replace(".", " ").strip().capitalize()


def amount(money: Json | None) -> str:
    """Write an amount of the API."""
    if money is None:
        return written.NOTHING
    return written.money(Decimal(money["amount"]), money["currency"])


def added(*parts: Json) -> Json:
    """Return what amounts of one currency come to."""
    return {**parts[0], "amount": str(sum(Decimal(each["amount"]) for each in parts))}


def instant(text: str | None) -> str:
    """Write an instant of the API."""
    if text is None:
        return written.NOTHING
    at = datetime.fromisoformat(text)
    return f"{written.day(at.date())}, {at:%H:%M}"


def ago(text: str) -> str:
    """Write how long ago an instant was."""
    return written.age((now() - datetime.fromisoformat(text)).total_seconds())


def readable(row: Json) -> Json:
    """Write the codes and the instants of a record as people read them."""
    return {name: _readable(name, value) for name, value in row.items()}


def _readable(name: str, value: Any) -> Any:
    if not isinstance(value, str):
        return value
    if name in _CODED:
        return words(value)
    return instant(value) if name.endswith("_at") else value


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


def state(code: str, *, said: str | None = None) -> None:
    """Show a state as a badge, in words of its own where its code says too little."""
    color: Any = _ICONS.get(code, "blue")
    st.badge(said or words(code), color=color)


def table(
    rows: Sequence[Json], columns: Mapping[str, str], key: str, *, opens: str | None = None,
    by: str = "order_number", shows: str = "number", file: str | None = None,
) -> None:  # fmt: skip
    """Show records; a cell that is clicked opens its record on the page that is named.

    With the name of a file they can be taken away.
    """
    columns = _with_content(rows, columns)
    turn = st.session_state.setdefault(f"{key}_turn", 0)
    options: dict[str, Any] = (
        {"on_select": "rerun", "selection_mode": "single-cell"} if opens else {}
    )
    chosen = st.dataframe(
        [
            {title: cell(each.get(name)) for name, title in columns.items()}
            for each in map(readable, rows)
        ],
        key=f"{key}_{turn}", hide_index=True,
        height=HEIGHT_PX if len(rows) > ROWS_IN_SIGHT_MAX else "content",
        column_config={
            title: st.column_config.Column(
                title, pinned=not at, width=INSTANT_PX if title.endswith(_UTC) else None
            )
            for at, title in enumerate(columns.values())
        },
        **options,
    )  # fmt: skip
    if file is not None:
        download(rows, columns, file)
    if opens is None:
        return
    if chosen.selection.cells:
        number = rows[chosen.selection.cells[0][0]].get(by)
        st.session_state[f"{key}_turn"] += 1  # coming back finds nothing chosen
        if number:
            navigation.go(opens, **{shows: str(number)})
    st.caption("Choose a cell to open its row.")


def _with_content(rows: Sequence[Json], columns: Mapping[str, str]) -> Mapping[str, str]:
    """Leave out columns that hold nothing in any row, but the first."""
    first = next(iter(columns))
    return {
        name: title for name, title in columns.items()
        if name == first or any(row.get(name) not in (None, "", []) for row in rows)
    }  # fmt: skip


def download(
    rows: Sequence[Json] | Callable[[], Sequence[Json]], columns: Mapping[str, str], name: str
) -> None:
    """Offer records as a CSV file; a function is asked for them when the file is."""

    def made() -> bytes:
        return csv_of(rows() if callable(rows) else rows, columns)

    st.download_button(
        "CSV", data=made, file_name=f"{name}.csv", mime="text/csv", icon=":material/csv:",
        on_click="ignore", key=f"{name}_csv",
    )  # fmt: skip


def csv_of(rows: Sequence[Json], columns: Mapping[str, str]) -> bytes:
    """Write records as a CSV file; no text of theirs becomes a formula."""
    file = io.StringIO()
    writer = csv.writer(file)
    writer.writerow(columns.values())
    for row in rows:
        writer.writerow([_harmless(cell(row.get(name))) for name in columns])
    return file.getvalue().encode()


def _harmless(value: Any) -> Any:
    """Keep a spreadsheet from taking a text for a formula."""
    is_text = isinstance(value, str) and value[:1] in tuple("=+-@\t\r")
    return f"'{value}" if is_text else value


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


def places(client: Client) -> Mapping[str, Json]:
    """Return locations by their codes; none for who may not know of stock."""
    kept = st.session_state.get(_PLACES)
    if kept is None or kept[0] != client.key_id or now() - kept[1] > PLACES_KNOWN_FOR:
        kept = st.session_state[_PLACES] = (client.key_id, now(), _read_places(client))
    found: Mapping[str, Json] = kept[2]
    return found


def place(client: Client, code: str | None) -> str:
    """Name a location."""
    known = places(client).get(str(code))
    return str(code or written.NOTHING) if known is None else str(known["name"])


def place_options(client: Client) -> dict[str, str]:
    """Return what locations may be chosen, named and with their codes."""
    return {code: f"{each['name']} ({code})" for code, each in places(client).items()}


def _read_places(client: Client) -> dict[str, Json]:
    try:
        return {each["location_code"]: each for each in client.get("/v1/locations")}
    except ApiRefusal as refused:
        if refused.status == 403:  # noqa: PLR2004 - a status as HTTP calls it
            return {}
        raise


def channel_codes(client: Client) -> list[str]:
    """Return the codes of the channels one may know of; none for who may list no channels."""
    try:
        return [each["channel_code"] for each in client.get("/v1/channels")]
    except ApiRefusal as refused:
        if refused.status == 403:  # noqa: PLR2004 - a status as HTTP calls it
            return []
        raise


def week(hours_of: dict[str, list[list[str]]]) -> str:
    """Write the hours of a week, days with the same hours together."""
    told: list[tuple[str, str, str]] = []
    for day in DAYS:
        hours = " ".join(f"{opens}-{closes}" for opens, closes in hours_of.get(day, ()))
        if told and told[-1][2] == hours:
            told[-1] = (told[-1][0], day, hours)
        else:
            told.append((day, day, hours))
    spans = [
        f"{first.capitalize()}{'' if first == last else f'-{last.capitalize()}'} {hours}"
        for first, last, hours in told if hours
    ]  # fmt: skip
    return ", ".join(spans) or "always"


def point(kept: Json | None) -> str | None:
    """Write a pick-up point as an order keeps it: where it is, and what its carrier calls it."""
    if kept is None:
        return None
    where = ("name", "street", "postcode", "city", "country_code")
    known = [str(kept[name]) for name in where if kept.get(name)]
    return f"{', '.join(known)} ({kept['provider']} {kept['point_id']})".strip()
