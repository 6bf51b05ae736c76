"""Documents in quarantine: listed, and one of them in full with what may be done."""

import json
from collections.abc import Sequence
from functools import partial
from typing import Final

import streamlit as st

from dashboards import format as written
from dashboards.api_client import ApiRefusal, Client, Json
from dashboards.panels import frame, lists, session, show
from dashboards.widgets import choice

_COLUMNS: Final = {
    "quarantine_id": "No.", "codes": "What is wrong", "external_ref": "Reference",
    "channel_code": "Channel", "topic": "Topic", "first_seen_at": "First seen (UTC)",
    "attempts": "Attempts", "file_name": "File", "line": "Line",
}  # fmt: skip


def listing(state: str, channel: str, code: str, ref: str) -> lists.Listing:
    """Return the list of documents that could not be used."""
    asked = {"state": state, "channel": channel, "code": code, "external_ref": ref}
    return lists.Listing(
        name="quarantine", path="/v1/quarantine", columns=_COLUMNS, row=_row,
        asked={name: value for name, value in asked.items() if value},
    )  # fmt: skip


def _row(each: Json) -> Json:
    codes = sorted({show.words(problem["code"]) for problem in each["problems"]})
    return {**each, "codes": codes}


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
        st.markdown(f"**{written.plain(problem['detail'])}**")
        st.caption(written.plain(f"{problem['code']} at {problem['field'] or 'the document'}"))
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
        st.code(_laid_out(document["fragment"]), language=None, wrap_lines=True)
    else:
        st.caption("The document is not text; it is kept as it came.")


def _laid_out(fragment: str) -> str:
    """Write JSON line by line; anything else stays as it came."""
    try:
        return json.dumps(json.loads(fragment), indent=2, ensure_ascii=False)
    except ValueError:
        return fragment


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
