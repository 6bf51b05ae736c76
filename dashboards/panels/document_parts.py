"""Documents: listed, looked at, taken away as files, and issued for an order."""

from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from decimal import Decimal
from functools import partial
from typing import Final

import streamlit as st

from dashboards import format as written
from dashboards.api_client import Client, Json
from dashboards.panels import frame, lists, session, show
from dashboards.widgets import choice, periods
from oms.billing.model import BUNDLE_DOCUMENTS_MAX, SHIPPING_LINE_NO, Category, DocumentType
from oms.kernel.clock import now

ANY: Final = "any"
TYPES: Final[Mapping[str, str]] = {
    DocumentType.INVOICE: "Invoices", DocumentType.CREDIT_NOTE: "Credit notes",
    DocumentType.RECEIPT: "Receipts",
}  # fmt: skip
_DAYS: Final = {"7": "Last 7 days", "28": "Last 28 days", "365": "Last year", ANY: "All days"}
_COLUMNS: Final = {
    "number": "Document", "order_number": "Order", "type": "Type", "issued_on": "Issued",
    "net": "Without VAT", "tax": "VAT", "total": "Total", "corrects": "Corrects",
    "buyer_name": "Buyer", "channel_code": "Channel", "sent_at": "Sent (UTC)",
}  # fmt: skip
_LINES: Final = {
    "what": "What", "sku": "SKU", "quantity": "Units", "net": "Without VAT",
    "rate_percent": "VAT %", "tax": "VAT", "discount": "Discount",
}  # fmt: skip
_GROUPS: Final = {
    "rate_percent": "VAT %", "why": "Why this rate", "net": "Without VAT", "tax": "VAT",
    "off": "More than the rate says",
}  # fmt: skip
_ISSUES: Final[Mapping[str, str]] = {
    DocumentType.INVOICE: "Invoice", DocumentType.CREDIT_NOTE: "Credit note",
    DocumentType.RECEIPT: "Receipt",
}  # fmt: skip

_CATEGORIES: Final[Mapping[str, str]] = {
    Category.STANDARD: "The rate of the country", Category.ZERO: "Zero-rated",
    Category.REVERSE_CHARGE: "Reverse charge", Category.EXPORT: "Export",
    Category.INTRA_COMMUNITY: "Within the EU, to a business",
}  # fmt: skip
_FILES: Final = {
    "pdf": "As it is sent, with the XML inside", "xml": "EN 16931 as CII, as it is in the PDF",
    "ubl": "EN 16931 as UBL",
}  # fmt: skip


def listing(client: Client) -> lists.Listing:
    """Let documents be chosen by type, days and channel; return their list."""
    kind = choice.segments("Type", "document_type", {ANY: "All", **TYPES}, ANY)
    with st.container(horizontal=True, gap="small", vertical_alignment="bottom"):
        days = choice.select("Issued", "document_days", _DAYS, "28")
        codes = {code: code for code in show.channel_codes(client)}
        channel = choice.select(
            "Channel", "document_channel_code", {ANY: "Every channel", **codes}, ANY
        )
    asked: Json = {} if kind == ANY else {"type": kind}
    asked |= {} if channel == ANY else {"channel": channel}
    asked |= {} if days == ANY else {"from": _days_ago(int(days)).isoformat()}
    return lists.Listing(
        name="documents", path="/v1/documents", columns=_COLUMNS, asked=asked, row=_row
    )


def bundle(client: Client, asked: Json) -> None:
    """Offer the documents that are listed as one file of PDFs."""
    st.download_button(
        "All as PDF (ZIP)", data=partial(client.file, "/v1/documents/export", **asked),
        file_name="documents.zip", mime="application/zip", icon=":material/folder_zip:",
        on_click="ignore", key="documents_zip",
    )  # fmt: skip
    st.caption(f"A file has {BUNDLE_DOCUMENTS_MAX:,} documents at most: choose fewer days for more "
               "of them.")  # fmt: skip


def one(client: Client, found: Sequence[Json]) -> None:
    """Let one document be looked at."""
    names = {
        each["number"]: f"{each['number']}: {show.amount(each['total'])}, {each['buyer_name']}"
        for each in found
    }
    number = choice.select("Document", "document", names, next(iter(names)))
    whole(client, client.get(f"/v1/documents/{show.in_path(number)}"))


def whole(client: Client, document: Json) -> None:
    """Show all that stands on a document, and offer it as files."""
    number = document["number"]
    with st.container(border=True, key=f"document_{number}"):
        with st.container(horizontal=True, gap="small", vertical_alignment="center"):
            st.markdown(f"**{written.plain(number)}**", width="content")
            st.badge(_ISSUES[document["type"]], color="gray")
            st.caption(written.plain(_about(document)), width="content")
        with st.container(horizontal=True, gap="small"):
            files(client, document)
            _mail(client, document)
            _sent(client, document)
        lines = [{**each, "what": _line(each)} for each in document["lines"]]
        show.table(lines, _LINES, f"document_lines_{number}", file=f"lines_{number}")
        show.table([_group(each) for each in document["groups"]], _GROUPS,
                   f"document_taxes_{number}")  # fmt: skip
        is_credit = document["type"] == DocumentType.CREDIT_NOTE
        sums = {"Without VAT": "net", "VAT": "tax", "Total": "total",
                "To give back" if is_credit else "To pay": "payable"}  # fmt: skip
        if Decimal(document["rounding"]["amount"]):
            sums |= {"Rounding": "rounding"}
        show.facts({label: show.amount(document[name]) for label, name in sums.items()})
        show.together([written.plain(each) for each in document["remarks"]])


def files(client: Client, document: Json) -> None:
    """Offer a document as PDF, and what its PDF has inside as XML."""
    path = f"/v1/documents/{show.in_path(document['number'])}"
    kinds = {"pdf": "application/pdf"}
    if document["type"] != DocumentType.RECEIPT:
        kinds |= {"xml": "application/xml", "ubl": "application/xml"}
    for kind, media_type in kinds.items():
        suffix = "ubl.xml" if kind == "ubl" else kind
        st.download_button(
            kind.upper(), data=partial(client.file, f"{path}/{kind}"), mime=media_type,
            file_name=f"{document['number']}.{suffix}", on_click="ignore",
            icon=":material/download:", key=f"{kind}_{document['number']}", type="tertiary",
            help=_FILES[kind],
        )  # fmt: skip


def of_order(client: Client, order: Json) -> None:
    """Show the documents of an order, and offer to issue what should be on one."""
    found = order["documents"]
    if found is None:
        return
    st.subheader("Documents", anchor=False)
    if not found:
        st.caption("Nothing is billed of it yet: its channel's policy says when that is.")
    for each in found:
        with st.container(horizontal=True, gap="small", vertical_alignment="center"):
            st.markdown(f"**{written.plain(each['number'])}**", width="content")
            st.badge(_ISSUES[each["type"]], color="gray")
            told = f"{show.amount(each['total'])} · {_day(each['issued_on'])}"
            told += f" · corrects {each['preceding_number']}" if each["preceding_number"] else ""
            st.caption(written.plain(told), width="content")
            files(client, each)
    if session.may(client, "documents:write"):
        _issue(client, order["order_number"])


def _issue(client: Client, number: str) -> None:
    """Offer to issue what should be on a document and is on none."""
    path = f"/v1/orders/{number}/documents"
    with st.popover("Issue a document", icon=":material/receipt:"):
        st.caption("It has its number from then on and is never changed. What is on a document "
                   "already is on no other.")  # fmt: skip
        for kind, label in _ISSUES.items():
            form = f"issue {kind} {number}"
            work = partial(client.post, path, {"type": kind}, turn=frame.turn(form))
            if st.button(label, key=f"issue_{kind}_{number}"):
                frame.do(work, f"{label} of {number} is issued.", form=form)


def _mail(client: Client, document: Json) -> None:
    """Offer to mail a document to the order's customer."""
    if not session.may(client, "documents:send"):
        return
    number = document["number"]
    path, form = f"/v1/documents/{show.in_path(number)}/mails", f"mail {number}"
    work = partial(client.post, path, {}, turn=frame.turn(form))
    if st.button("Mail it", key=f"mail_{number}", type="tertiary", icon=":material/mail:"):
        frame.do(work, f"{number} is on its way to its customer.", form=form)


def _sent(client: Client, document: Json) -> None:
    """Let it be noted that a document was sent."""
    if document["sent_at"] is not None or not session.may(client, "documents:write"):
        return
    number = document["number"]
    path, form = f"/v1/documents/{show.in_path(number)}/sent", f"sent {number}"
    work = partial(client.post, path, {}, turn=frame.turn(form))
    if st.button("It was sent", key=f"sent_{number}", type="tertiary", icon=":material/outbound:"):
        frame.do(work, f"{number} is noted as sent.", form=form)


def _about(document: Json) -> str:
    parts = [
        f"issued {_day(document['issued_on'])}", document["order_number"],
        document["buyer"]["name"],
        f"corrects {document['preceding_number']}" if document["preceding_number"] else "",
        f"sent {show.instant(document['sent_at'])}" if document["sent_at"] else "not noted as sent",
        document["reason"] or "",
    ]  # fmt: skip
    return " · ".join(part for part in parts if part)


def _line(line: Json) -> str:
    """Name what a line is of: an article, shipping, or the fee for having taken one back."""
    if line["line_no"] == SHIPPING_LINE_NO:
        return "Shipping"
    is_fee = line["line_no"] < SHIPPING_LINE_NO
    return f"Fee for taking back: {line['title']}" if is_fee else str(line["title"])


def _group(group: Json) -> Json:
    off = group["tax_delta"]
    return {
        **group, "why": _CATEGORIES.get(group["category"], group["category"]),
        "off": off if Decimal(off["amount"]) else None,
    }  # fmt: skip


def _day(text: str) -> str:
    return written.day(date.fromisoformat(text))


def _row(document: Json) -> Json:
    return {**document, "corrects": document["preceding_number"]}


def _days_ago(count: int) -> date:
    return max(now().date() - timedelta(days=count - 1), periods.FIRST_ON_MIN)
