"""Lists of the API: a page of one, the pages before and after it, and all of it as a file."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Final

import streamlit as st

from dashboards.api_client import Client, Json
from dashboards.panels import show

PAGE_ROWS: Final = 50
FILE_PAGE_ROWS: Final = 200
FILE_ROWS_MAX: Final = 20_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Listing:
    """A list of the API: where it is, what of it is asked for, and how a row is shown."""

    name: str
    path: str
    columns: Mapping[str, str]
    asked: Json = field(default_factory=dict)
    row: Callable[[Json], Json] = dict


def page(client: Client, listing: Listing, *, limit: int = PAGE_ROWS) -> Json:
    """Return the page of a list that is shown; another question begins at its beginning."""
    answer: Json = client.get(
        listing.path, **listing.asked, after=cursor(listing.name, listing.asked), limit=limit
    )
    return answer


def shown(client: Client, listing: Listing, answer: Json, **options: Any) -> None:
    """Show a page of a list as a table, with the pages beside it and all of it as a file."""
    table(listing, answer, **options)
    with st.container(horizontal=True, gap="small"):
        turner(listing.name, answer["next_after"])
        show.download(partial(whole, client, listing), listing.columns, listing.name)


def table(listing: Listing, answer: Json, **options: Any) -> None:
    """Show a page of a list as a table."""
    rows = [listing.row(each) for each in answer["items"]]
    show.table(rows, listing.columns, f"{listing.name}_table", **options)


def cursor(name: str, asked: Json) -> str | None:
    """Return where the page of a list that is shown begins."""
    kept = st.session_state.get(f"{name}_cursors")
    if kept is None or kept["asked"] != asked:
        kept = st.session_state[f"{name}_cursors"] = {"asked": dict(asked), "after": [None]}
    found: str | None = kept["after"][-1]
    return found


def turner(name: str, next_after: str | None) -> None:
    """Offer the pages before and after the one that is shown."""
    after = st.session_state[f"{name}_cursors"]["after"]
    if len(after) > 1:
        st.button("Back", key=f"{name}_back", icon=":material/chevron_left:", on_click=after.pop)
    if next_after is not None:
        st.button(
            "More", key=f"{name}_on", icon=":material/chevron_right:", on_click=after.append,
            args=(next_after,),
        )  # fmt: skip


def whole(client: Client, listing: Listing) -> Sequence[Json]:
    """Read a list to its end, or as much of it as a file may have."""
    rows: list[Json] = []
    after = None
    while len(rows) < FILE_ROWS_MAX:
        answer = client.get(listing.path, **listing.asked, after=after, limit=FILE_PAGE_ROWS)
        rows += [show.readable(listing.row(each)) for each in answer["items"]]
        after = answer["next_after"]
        if after is None:
            break
    return rows
