"""The notes of an order: shown by kind, added, edited, pinned, redacted."""

from collections.abc import Sequence
from functools import partial
from typing import Final

import streamlit as st

from dashboards import format as written
from dashboards.api_client import Client, Json
from dashboards.panels import attachment_parts, frame, session, show
from dashboards.widgets import choice
from oms.notes.model import RULES, Kind

ALL: Final = "all"
REDACT_SCOPE: Final = "customers:manage"
_WHOLE: Final = "The order"


def notes(client: Client, order: Json) -> None:
    """Show the notes one may read, and take one more."""
    st.subheader("Notes", anchor=False)
    if not order["notes"]:
        st.caption("Nobody has remarked on it.")
    may = _writable(client)
    for note in _of_kind(order["notes"]):
        with st.container(border=note["is_pinned"], key=f"note_{note['note_id']}"):
            _show(client, note, may)
    if may:
        _add(client, order, may)


def _of_kind(found: Sequence[Json]) -> Sequence[Json]:
    kinds = list(dict.fromkeys(note["kind"] for note in found))
    if len(kinds) < 2:  # noqa: PLR2004 - there is nothing to choose among one
        return found
    options = {ALL: "All", **{each: show.words(each) for each in kinds}}
    chosen = choice.segments("Notes", "note_kind", options, ALL)
    return [note for note in found if chosen in {ALL, note["kind"]}]


def _show(client: Client, note: Json, may: Sequence[str]) -> None:
    if note["body"] is None:
        st.markdown("*Redacted.*")
        st.caption(
            f"by {written.plain(note['redacted_by'])}, {show.instant(note['redacted_at'])}: "
            f"{written.plain(note['redact_reason'] or '')}"
        )
        return
    pin = ":material/keep: " if note["is_pinned"] else ""
    st.markdown(f"{pin}{written.plain(note['body'])}")
    st.caption(_about(note))
    for before in note["previous"]:
        said = written.plain(before["body"] or "")
        st.caption(
            f"Before: “{said}” by {written.plain(before['written_by'])}, "
            f"{show.instant(before['written_at'])}"
        )
    attachment_parts.files(client, f"/v1/notes/{note['note_id']}", note["attachments"])
    if note["visibility"] in may:
        with st.container(horizontal=True, gap="small"):
            _pin(client, note)
            if not note["is_captured"]:
                _edit(client, note, may)
            attachment_parts.add(client, note)
            if session.may(client, REDACT_SCOPE):
                _redact(client, note)


def _about(note: Json) -> str:
    about = [written.plain(note["author"]), show.instant(note["created_at"])]
    if note["kind"] != Kind.FREE:
        about.append(show.words(note["kind"]).lower())
    part = note["fulfillment_number"] or note["parcel_number"]
    if part or note["line_no"]:
        about.append(f"on {part or 'line ' + str(note['line_no'])}")
    about.append(f"for {show.words(note['visibility']).lower()}")
    if note["edited_by"]:
        about.append(
            f"edited by {written.plain(note['edited_by'])}, {show.instant(note['edited_at'])}"
        )
    return ", ".join(about)


def _pin(client: Client, note: Json) -> None:
    number, is_pinned = note["note_id"], note["is_pinned"]
    form = f"pin {number}"
    if st.button("Unpin" if is_pinned else "Pin", key=f"pin_{number}", type="tertiary"):
        body = {"is_pinned": not is_pinned}
        work = partial(client.post, f"/v1/notes/{number}/pin", body, turn=frame.turn(form))
        frame.do(work, "The note is pinned." if not is_pinned else "It is not.", form=form)


def _edit(client: Client, note: Json, may: Sequence[str]) -> None:
    number = note["note_id"]
    version = frame.seen(f"note {number}", note["version"])
    with st.popover("Edit", type="tertiary"), st.form(f"edit_{number}", border=False):
        body = st.text_area("Note", note["body"], key=f"note_{number}_body_{version}", height=80)
        visibility = st.selectbox(
            "For", may, may.index(note["visibility"]), key=f"note_{number}_for_{version}",
            format_func=show.words,
        )  # fmt: skip
        if st.form_submit_button("Change it", type="primary"):
            said = {"body": body, "visibility": visibility}
            work = partial(client.post, f"/v1/notes/{number}/edit", said, version=version)
            frame.do(work, "The note is changed; what it said before stays beside it.")


def _redact(client: Client, note: Json) -> None:
    number = note["note_id"]
    with st.popover("Redact", type="tertiary"), st.form(f"redact_{number}", border=False):
        st.caption("Nothing it says or ever said will be left, nor its files, for good.")
        reason = st.text_input("Why; it is kept, so name nobody", key=f"redact_why_{number}")
        if st.form_submit_button("Redact it"):
            work = partial(
                client.post, f"/v1/notes/{number}/redact", {"reason": reason.strip()},
                turn=note["version"],
            )  # fmt: skip
            frame.do(work, "The note is redacted.")


def _add(client: Client, order: Json, may: Sequence[str]) -> None:
    number = order["order_number"]
    # The same words again are another note once the first one stands there.
    turn = frame.seen(f"notes of {number}", len(order["notes"]))
    parts: dict[str, Json] = {_WHOLE: {}}
    parts |= {f"Line {each['line_no']}": {"line_no": each["line_no"]} for each in order["lines"]}
    for name, found in (("fulfillment_number", "fulfillments"), ("parcel_number", "parcels")):
        parts |= {each[name]: {name: each[name]} for each in order[found]}
    with st.form("add_note", clear_on_submit=True):
        body = st.text_area("Note", key="note_body", height=80)
        left, right = st.columns(2)
        kind = left.selectbox("Kind", list(Kind), key="note_is", format_func=show.words)
        visibility = right.selectbox("For", may, key="note_for", format_func=show.words)
        part = st.selectbox("On", list(parts), key="note_on")
        if st.form_submit_button("Add note", icon=":material/add_comment:") and body.strip():
            said = {"body": body.strip(), "visibility": visibility, "kind": kind, **parts[part]}
            path = f"/v1/orders/{number}/notes"
            frame.do(partial(client.post, path, said, turn=turn), "The note is added.")


def _writable(client: Client) -> list[str]:
    return [each.value for each, rule in RULES.items() if session.may(client, rule.write_scope)]
