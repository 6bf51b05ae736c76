"""A settlement report taken in at the console: what became of it, row by row."""

from typing import Any, Final

import streamlit as st

from dashboards.api_client import ApiRefusal, Client, Json
from dashboards.panels import frame, lists, session, settlement_parts, show
from dashboards.widgets import choice
from oms.kernel.limits import INBOX_BODY_BYTES_MAX

MIB: Final = 1024 * 1024
OWN: Final = "own"
# The kinds of file the API reads; one of a service's own name needs no choice.
LAYOUTS: Final = {
    OWN: "The service's own", "sandbox": "Sandbox", "stripe": "Stripe", "adyen": "Adyen",
}  # fmt: skip
_FORM: Final = "take_settlement"
_REFUSED: Final = "settlement_refused"
_TAKEN: Final = "settlement_taken"
_ROWS: Final = {
    "row_no": "Row", "what": "What was found", "type": "Type", "amount": "Amount", "fee": "Fee",
    "net": "Net", "order_number": "Order", "transaction_number": "Our operation",
    "psp_reference": "Its operation", "payout_ref": "Payout", "occurred_at": "Occurred (UTC)",
}  # fmt: skip
_PROBLEMS: Final = {"row": "Row", "column": "Column", "detail": "What is wrong"}


def take(client: Client) -> None:
    """Let a report be taken in, and show what became of the last one."""
    turn = frame.turn(_FORM)
    with st.expander("Take in a report", icon=":material/upload_file:"):
        with st.container(horizontal=True, gap="small", vertical_alignment="bottom"):
            service = st.text_input(
                "Service", key=f"{_FORM}_service_{turn}", max_chars=40,
                help="As it stands on payments: stripe, adyen, terminal …",
            )  # fmt: skip
            layout = st.selectbox(
                "Layout", list(LAYOUTS), key=f"{_FORM}_layout_{turn}",
                format_func=LAYOUTS.__getitem__,
            )  # fmt: skip
        file = st.file_uploader(
            "File", type="csv", key=f"{_FORM}_file_{turn}",
            max_upload_size=INBOX_BODY_BYTES_MAX // MIB,
        )  # fmt: skip
        is_ready = bool(service.strip()) and file is not None
        if st.button("Take it in", key=f"{_FORM}_tap", type="primary", disabled=not is_ready):
            assert file is not None, "the button waits for a file"
            asked = {"psp": service.strip().lower(), "name": file.name[:200]}
            _send(client, file.getvalue(), asked if layout == OWN else {**asked, "layout": layout})
        _refused()
    _taken(client)


def _send(client: Client, content: bytes, asked: Json) -> None:
    st.session_state.pop(_REFUSED, None)
    st.session_state.pop(_TAKEN, None)
    done: list[Json] = []

    def work() -> None:
        try:
            done.append(client.send("/v1/settlements", content, **asked))
        except ApiRefusal as refused:
            st.session_state[_REFUSED] = refused.facts.get("problems") or []
            raise
        st.session_state[_TAKEN] = done[0]["report_number"]

    frame.do(work, f"{asked['name']} is taken in: its rows are below.", form=_FORM)


def _refused() -> None:
    """Show each row for which a file was refused."""
    if problems := st.session_state.get(_REFUSED):
        st.caption("Nothing of the file was taken. Mend these rows, and take it in again:")
        show.table(problems, _PROBLEMS, "settlement_problems")


def _taken(client: Client) -> None:
    number = st.session_state.get(_TAKEN)
    if number is None or not session.may(client, "settlements:read"):
        return
    report = client.get(f"/v1/settlements/{number}")
    st.subheader(f"{number}: {report['rows_count']:,} rows of {report['psp']}", anchor=False)
    if report["open_count"]:
        st.caption(f"{report['open_count']:,} of them differ from what we have.")
    rows(client, number)


def rows(client: Client, number: str) -> None:
    """Show the rows of a report, each with what was found for it."""
    every = {settlement_parts.ANY: "Everything", **settlement_parts.WORDS}
    finding = choice.select("Rows", f"rows_found_{number}", every, settlement_parts.ANY)
    listing = lists.Listing(
        name=f"rows_of_{number}", path=f"/v1/settlements/{number}/rows", columns=_ROWS, row=_row,
        asked={} if finding == settlement_parts.ANY else {"finding": finding},
    )  # fmt: skip
    answer = lists.page(client, listing)
    if answer["items"]:
        lists.shown(client, listing, answer, opens="order")
    else:
        st.info("The report has no such rows.")


def _row(row: Json) -> dict[str, Any]:
    return {**row, "what": settlement_parts.WORDS.get(row["finding"], row["finding"])}
