"""The files of notes: taken away, and put beside a note."""

from collections.abc import Sequence
from functools import partial

import streamlit as st

from dashboards import format as written
from dashboards.api_client import Client, Json
from dashboards.panels import frame
from oms.kernel.limits import ATTACHMENT_BYTES_MAX, NOTE_ATTACHMENTS_MAX
from oms.notes.model import TYPES

MIB = 1024 * 1024


def files(client: Client, path: str, found: Sequence[Json]) -> None:
    """Offer the files of a note, which lies at a path, to be taken away."""
    for each in found:
        st.download_button(
            written.plain(f"{each['name']} ({_size(each['size_bytes'])})"),
            data=partial(client.file, f"{path}/attachments/{each['attachment_id']}"),
            file_name=each["name"], mime=each["media_type"], icon=":material/attach_file:",
            on_click="ignore", type="tertiary", key=f"file_{path}_{each['attachment_id']}",
        )  # fmt: skip


def add(client: Client, note: Json) -> None:
    """Let a picture or a paper be put beside a note."""
    if len(note["attachments"]) >= NOTE_ATTACHMENTS_MAX:
        return
    number = note["note_id"]
    with st.popover("Attach", type="tertiary"), st.form(f"attach_{number}", border=False):
        endings = [ending for *_, all_of in TYPES.values() for ending in all_of]
        chosen = st.file_uploader(
            f"A picture or a PDF, {ATTACHMENT_BYTES_MAX // MIB} MB at most", type=endings,
            key=f"attach_file_{number}_{len(note['attachments'])}",
            max_upload_size=ATTACHMENT_BYTES_MAX // MIB,
        )  # fmt: skip
        if st.form_submit_button("Attach it", type="primary") and chosen is not None:
            path = f"/v1/notes/{number}/attachments"
            work = partial(client.send, path, chosen.getvalue(), name=chosen.name)
            frame.do(work, "The file is beside the note.")


def _size(size_bytes: int) -> str:
    return f"{size_bytes / MIB:.1f} MB" if size_bytes >= MIB else f"{-(-size_bytes // 1024)} kB"
