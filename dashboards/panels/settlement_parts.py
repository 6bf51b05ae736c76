"""Settlements: differences looked at one by one and resolved, reports with their totals."""

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Final

import streamlit as st

from dashboards import format as written
from dashboards.api_client import Client, Json
from dashboards.panels import frame, lists, session, show
from dashboards.widgets import choice

ANY: Final = "any"
SHOWN: Final = {"differences": "Differences", "reports": "Reports"}
STATES: Final = {"open": "Open", "resolved": "Resolved", ANY: "All"}
FINDINGS: Final[Mapping[str, str]] = {
    "missing": "In no report", "unknown": "Unknown to us", "not_succeeded": "Not succeeded here",
    "amount_differs": "Amount", "currency_differs": "Currency", "fee_differs": "Fee",
    "type_differs": "Type or sign", "other_payment": "Another payment's",
    "period_differs": "Another day", "duplicate": "Told twice", "payout_total": "Payout's total",
}  # fmt: skip
WORDS: Final[Mapping[str, str]] = {**FINDINGS, "matched": "Agrees", "own": "The service's own"}
_COLUMNS: Final = {
    "difference_number": "Difference", "what": "What differs", "ours": "Ours",
    "theirs": "The service's", "psp": "Service", "order_number": "Order",
    "transaction_number": "Our operation", "where": "Where", "state": "State",
    "found_at": "Since (UTC)", "resolved_by": "Resolved by", "explained": "Explained by",
}  # fmt: skip
_REPORTS: Final = {
    "report_number": "Report", "psp": "Service", "name": "File", "rows_count": "Rows",
    "open_count": "Open differences", "first_at": "From (UTC)", "last_at": "To (UTC)",
    "received_by": "Taken in by", "received_at": "Taken in (UTC)",
}  # fmt: skip
_TOTALS: Final = {
    "what": "What was found", "type": "Type", "count": "Rows", "amount": "Amount", "fee": "Fees",
}  # fmt: skip
_PAYOUTS: Final = {
    "payout_ref": "Payout", "rows_count": "Rows", "rows_total": "Its rows", "paid": "Paid out",
}  # fmt: skip


def listing(state: str, finding: str) -> lists.Listing:
    """Return the list of differences in a state, of a finding."""
    asked: Json = {} if state == ANY else {"state": state}
    asked |= {} if finding == ANY else {"finding": finding}
    return lists.Listing(
        name="differences", path="/v1/settlement-differences", columns=_COLUMNS, asked=asked,
        row=_row,
    )  # fmt: skip


def nothing(state: str) -> None:
    """Say that there is no such difference, and where reports come from."""
    st.info(
        f"There is no {'' if state == ANY else STATES[state].lower() + ' '}difference. A "
        "settlement report is taken in above, posted to the API, or put into the folder of its "
        "service."
    )


def one(client: Client, found: Sequence[Json]) -> None:
    """Let one difference be looked at and resolved."""
    names = {
        each["difference_number"]: f"{each['difference_number']}: {_what(each).lower()}, "
        f"{show.amount(each['theirs'] or each['ours'])}"
        for each in found
    }
    number = choice.select("Difference", "difference", names, next(iter(names)))
    _card(client, next(each for each in found if each["difference_number"] == number))


def _card(client: Client, difference: Json) -> None:
    number = difference["difference_number"]
    version = frame.seen(number, difference["version"])
    with st.container(border=True, key=f"difference_card_{number}"):
        with st.container(horizontal=True, gap="small", vertical_alignment="center"):
            st.markdown(f"**{_what(difference)}** {number}", width="content")
            show.state(difference["state"])
            st.caption(written.plain(_where(difference)), width="content")
        facts = {"Ours": _money(difference["ours"]), "The service's": _money(difference["theirs"])}
        facts |= {"Explained by": difference["reason"]} if difference["reason"] else {}
        show.together([written.plain(f"{name}: {value}") for name, value in facts.items()])
        if difference["state"] == "open" and session.may(client, "settlements:write"):
            _resolving(client, number, version)


def _resolving(client: Client, number: str, version: int) -> None:
    form = f"resolve_{number}"
    turn = frame.turn(form)
    reason = st.text_input("What explains it", key=f"{form}_{turn}", max_chars=200)
    if st.button("Resolve", key=f"{form}_tap", type="primary", disabled=not reason.strip()):
        path = f"/v1/settlement-differences/{number}/resolve"
        work = partial(client.post, path, {"reason": reason.strip()}, version=version, turn=turn)
        frame.do(work, f"{number} is resolved.", form=form)


def reports(client: Client) -> None:
    """Show the reports, and what one of them comes to."""
    listed = lists.Listing(name="settlements", path="/v1/settlements", columns=_REPORTS)
    answer = lists.page(client, listed)
    if not answer["items"]:
        st.info("No settlement report has come yet. Take one in above, post it to the API, or put "
                "it into the folder of its service.")  # fmt: skip
        return
    lists.shown(client, listed, answer)
    names = {each["report_number"]: f"{each['report_number']}: {each['psp']}, {each['name']}"
             for each in answer["items"]}  # fmt: skip
    number = choice.select("Report", "settlement", names, next(iter(names)))
    detail = client.get(f"/v1/settlements/{number}")
    _files(client, detail)
    if detail["rows_count"] == 0:
        st.info("The report has no rows: nothing was settled.")
        return
    show.table([{**each, "what": _what(each)} for each in detail["totals"]], _TOTALS,
               "settlement_totals")  # fmt: skip
    if detail["payouts"]:
        show.table(detail["payouts"], _PAYOUTS, "settlement_payouts")


def _files(client: Client, report: Json) -> None:
    """Offer a report as it was matched, and as it came."""
    path = f"/v1/settlements/{report['report_number']}"
    with st.container(horizontal=True, gap="small"):
        st.download_button(
            "Its rows, matched", data=partial(client.file, f"{path}/export"), mime="text/csv",
            file_name=f"{report['report_number']}.csv", on_click="ignore", icon=":material/csv:",
            key="settlement_export", type="tertiary",
        )  # fmt: skip
        st.download_button(
            "The file as it came", data=partial(client.file, f"{path}/file"), mime="text/csv",
            file_name=report["name"], on_click="ignore", icon=":material/download:",
            key="settlement_file", type="tertiary",
        )  # fmt: skip


def _what(each: Json) -> str:
    return WORDS.get(each["finding"]) or show.words(each["finding"])


def _money(amount: Json | None) -> str:
    return "nothing" if amount is None else show.amount(amount)


def _where(difference: Json) -> str:
    parts = [
        difference["psp"],
        f"row {difference['row_no']} of {difference['report_number']}"
        if difference["report_number"] else "in no report",
        f"order {difference['order_number']}" if difference["order_number"] else "",
        f"resolved by {difference['resolved_by']}" if difference["resolved_by"] else "",
    ]  # fmt: skip
    return " · ".join(part for part in parts if part)


def _row(difference: Json) -> Json:
    return {
        **difference, "what": _what(difference), "where": _where(difference),
        "explained": difference["reason"],
    }  # fmt: skip
