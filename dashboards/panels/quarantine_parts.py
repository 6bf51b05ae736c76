"""Documents in quarantine: listed, and one of them in full with what may be done."""

from collections.abc import Sequence
from functools import partial
from typing import Final

import streamlit as st

from dashboards import format as written
from dashboards.api_client import ApiRefusal, Client, Json
from dashboards.panels import frame, session, show
from dashboards.widgets import choice

_COLUMNS: Final = {
    "quarantine_id": "No.", "codes": "What is wrong", "external_ref": "Reference",
    "channel_code": "Channel", "topic": "Topic", "seen": "First seen (UTC)",
    "attempts": "Attempts", "file_name": "File", "line": "Line",
}  # fmt: skip


def listed(documents: Sequence[Json]) -> None:
    """Show documents, one in a row."""
    rows = [
        {**each, "seen": show.instant(each["first_seen_at"]),
         "codes": sorted({problem["code"] for problem in each["problems"]})}
        for each in documents
    ]  # fmt: skip
    show.table(rows, _COLUMNS, "quarantine_table")


def opened(client: Client, documents: Sequence[Json]) -> None:
    """Show one document as it came, and offer to try it again or to dismiss it."""
    numbers = {
        str(
            each["quarantine_id"]
        ): f"{each['quarantine_id']}: {each['external_ref'] or written.NOTHING}"
        for each in documents
    }
    number = choice.select("Document", "document", numbers, next(iter(numbers)))
    document = client.get(f"/v1/quarantine/{number}")
    for problem in document["problems"]:
        st.markdown(written.plain(
            f"{problem['code']} at {problem['field'] or 'the document'}: {problem['detail']}"
        ))  # fmt: skip
    if document["state"] == "open":
        with st.container(horizontal=True, gap="small"):
            if st.button("Try again", key=f"replay_{number}", type="primary"):
                _replay(client, number)
            with st.popover("Dismiss"):
                st.caption("It is closed without being used, and can not be tried again.")
                if st.button("Dismiss it", key=f"dismiss_{number}"):
                    work = partial(client.post, f"/v1/quarantine/{number}:dismiss")
                    frame.do(work, f"Document {number} is dismissed.")
    if document["fragment_encoding"] == "utf-8":
        st.code(document["fragment"], language=None, wrap_lines=True)
    else:
        st.caption("The document is not text; it is kept as it came.")


def _replay(client: Client, number: str) -> None:
    try:
        answer = client.post(f"/v1/quarantine/{number}:replay")
    except ApiRefusal as refused:
        if refused.is_of_the_key:
            raise
        session.say(refused.sentence, is_refusal=True)
    else:
        still = ", ".join(each["code"] for each in answer["problems"])
        session.say(
            f"Document {number} still cannot be used: {still}." if still
            else f"Document {number} is taken in.", is_refusal=bool(still),
        )  # fmt: skip
    st.rerun()
