"""The cases of customer service about an order: opened where they are, linked, taken off."""

from functools import partial

import streamlit as st

from dashboards import format as written
from dashboards.api_client import Client, Json
from dashboards.panels import frame, session, show
from oms.cases.model import CaseState


def cases(client: Client, order: Json) -> None:
    """Show the cases of an order, and let who reads internal notes link one and take one off."""
    if not session.may(client, "notes:internal"):
        return
    st.subheader("Cases", anchor=False)
    if not order["cases"]:
        st.caption("No case of a customer service tool is linked to this order.")
    for case in order["cases"]:
        _case(client, order, case)
    _add(client, order)


def _case(client: Client, order: Json, case: Json) -> None:
    name = f"{case['tool']} {case['case_id']}"
    with st.container(border=True, horizontal=True, gap="small", vertical_alignment="center"):
        st.link_button(written.plain(name), case["url"], icon=":material/open_in_new:")
        show.state(case["state"])
        st.caption(f"by {written.plain(case['changed_by'])}, {show.instant(case['changed_at'])}")
        path = f"/v1/orders/{order['order_number']}/cases"
        other = CaseState.OPEN if case["state"] == CaseState.CLOSED else CaseState.CLOSED
        label = "Close" if other is CaseState.CLOSED else "Open again"
        if st.button(label, key=f"case_{name}_state", type="tertiary"):
            said = {part: case[part] for part in ("tool", "case_id", "url")} | {"state": other}
            work = partial(client.post, path, said, turn=frame.turn(f"case {name}"))
            frame.do(work, "The case is changed here; in its tool it is as it was.",
                     form=f"case {name}")  # fmt: skip
        if st.button("Unlink", key=f"case_{name}_unlink", type="tertiary"):
            gone = f"{path}/{show.in_path(case['tool'])}/{show.in_path(case['case_id'])}"
            frame.do(partial(client.delete, gone), "The case is taken off the order.")


def _add(client: Client, order: Json) -> None:
    form = f"case of {order['order_number']}"
    with (
        st.popover("Link a case", icon=":material/add_link:"),
        st.form(f"link_case_{frame.turn(form)}", border=False),
    ):
        tool = st.text_input("Tool", key="case_tool", placeholder="salesforce")
        case_id = st.text_input("Case", key="case_id", placeholder="5003000000D8cuI")
        url = st.text_input("Address", key="case_url", placeholder="https://…")
        if st.form_submit_button("Link it", type="primary"):
            said = {"tool": tool.strip().lower(), "case_id": case_id.strip(), "url": url.strip()}
            path = f"/v1/orders/{order['order_number']}/cases"
            work = partial(client.post, path, said, turn=frame.turn(form))
            frame.do(work, "The case is linked.", form=form)
