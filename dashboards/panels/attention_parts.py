"""What needs a person: each kind with its places, and the way to where it is seen to."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any, Final

import streamlit as st

from dashboards import format as written
from dashboards.api_client import Client, Json
from dashboards.panels import navigation, show

PLACES_MAX: Final = 12
_PLACE: Final = "{place}"
_SEVERITIES: Final[Mapping[str, tuple[str, Any]]] = {
    "error": ("Stands still", "red"), "warning": ("Somebody waits", "orange"),
}  # fmt: skip
_FILE: Final = {
    "title": "What", "severity": "How bad", "place": "Where", "channel_code": "Channel",
    "count": "How many", "oldest_at": "Since (UTC)", "advice": "What to do",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class _Way:
    """A page to go to, and what it is to show."""

    label: str
    page: str
    shown: Mapping[str, str]


_FRESHNESS: Final = _Way("What came in", "freshness", {"channel": _PLACE, "period": "all"})
_ENDPOINT: Final = _Way("The endpoint", "deliveries", {"outward": "messages"})
_FAILED: Final = _Way(
    "The operations", "payments", {"payments_psp": _PLACE, "payments_shown": "failed"}
)
_STOCK: Final = _Way("Its stock", "deliveries", {"outward": "stock"})
_OVERPAID: Final = _Way(
    "The orders", "orders",
    {"order_channel": _PLACE, "order_paid": "overpaid", "order_sort": "placed_at"},
)  # fmt: skip
_WAYS: Final[Mapping[str, Sequence[_Way]]] = {
    "PAYLOAD_FAILED": (_FRESHNESS,),
    "INBOX_WAITS": (_FRESHNESS,),
    "QUARANTINED": (_Way("The documents", "quarantine", {"document_channel": _PLACE}),),
    "SUBSCRIPTION_DISABLED": (_ENDPOINT,),
    "SUBSCRIPTION_FAILING": (_ENDPOINT,),
    "MESSAGES_PARKED": (
        _Way("The messages", "deliveries", {"outward": "messages", "delivery_state": "parked"}),
    ),
    "FEED_HELD": (_STOCK,),
    "STOCK_REFUSED": (_STOCK,),
    "SETTLEMENT_DIFFERS": (
        _Way("The differences", "reconciliation", {"difference_finding": _PLACE}),
    ),
    "ORDER_EXCEPTION": (
        _Way("The orders", "orders", {"order_exception": _PLACE, "order_sort": "placed_at"}),
    ),
    "HOLD_OPEN": (_Way("The holds", "holds", {"hold_type": _PLACE}),),
    "WORK_UNTOUCHED": (_Way("The work", "store_work", {"location": _PLACE, "work_state": "new"}),),
    "TRANSFER_AWAY": (
        _Way("The transfers", "transfers",
             {"transfer_at": _PLACE, "transfer_way": "in", "transfer_state": "shipped"}),
    ),
    "PARCEL_SILENT": (
        _Way("Silent ones", "parcels", {"parcels_shown": "silent", "parcels_carrier": _PLACE}),
        _Way("Lost or damaged", "parcels",
             {"parcels_shown": "trouble", "parcels_carrier": _PLACE}),
    ),
    "PAYMENT_UNKNOWN": (_Way("The operations", "payments", {"payments_psp": _PLACE}),),
    "CAPTURE_FAILED": (_FAILED,),
    "VOID_FAILED": (_FAILED,),
    "CHARGED_BACK": (
        _Way("The orders", "orders",
             {"order_channel": _PLACE, "order_paid": "chargeback", "order_sort": "-updated_at"}),
    ),
    "NOTICE_PARKED": (_Way("The notifications", "payments", {"payments_psp": _PLACE}),),
    "REFUND_FAILED": (
        _Way("The refunds", "refunds", {"refund_state": "failed", "refund_kind": _PLACE}),
    ),
    "REFUND_WAITS": (
        _Way("The refunds", "refunds",
             {"refund_state": "awaiting_approval", "refund_kind": _PLACE}),
    ),
    "REFUND_NOT_BEGUN": (_OVERPAID,),
    "OVERPAID": (_OVERPAID,),
}  # fmt: skip
_ENDPOINTS: Final = frozenset({
    "SUBSCRIPTION_DISABLED", "SUBSCRIPTION_FAILING", "MESSAGES_PARKED",
})  # fmt: skip
_AT_LOCATIONS: Final = frozenset({"WORK_UNTOUCHED", "TRANSFER_AWAY"})
_CODED: Final = frozenset({"ORDER_EXCEPTION", "HOLD_OPEN", "REFUND_FAILED", "REFUND_WAITS"})


def listed(client: Client, matters: Sequence[Json]) -> None:
    """Show every kind of matter there is, as the API has them: worst first."""
    for _, found in groupby(matters, key=lambda each: each["code"]):
        _kind(client, list(found))
    rows = [
        {**each, "place": _named(client, each), "severity": _SEVERITIES[each["severity"]][0]}
        for each in map(show.readable, matters)
    ]
    show.download(rows, _FILE, "attention")


def _kind(client: Client, matters: Sequence[Json]) -> None:
    first = matters[0]
    word, color = _SEVERITIES[first["severity"]]
    count = sum(each["count"] for each in matters)
    with st.container(border=True, key=f"matter_{first['code']}"):
        with st.container(horizontal=True, gap="small", vertical_alignment="center"):
            st.badge(word, color=color)
            st.markdown(f"**{first['title']}: {count:,}**", width="content")
            st.caption(f"oldest {_age(matters)}", width="content")
        st.caption(first["advice"])
        places = _by_place(matters)
        for place, found in places[:PLACES_MAX]:
            _place(client, place, found)
        if others := places[PLACES_MAX:]:
            more = sum(each["count"] for _, found in others for each in found)
            st.caption(f"And {more:,} at {len(others):,} other places: the file has them all.")


def _place(client: Client, place: str, found: Sequence[Json]) -> None:
    count = sum(each["count"] for each in found)
    code = found[0]["code"]
    with st.container(horizontal=True, gap="small", vertical_alignment="center"):
        where = written.plain(_named(client, found[0]))
        st.markdown(f"{where}: **{count:,}**, oldest {_age(found)}", width="content")
        for way in _WAYS.get(code, ()):
            if st.button(way.label, key=f"see_{code}_{place}_{way.label}", type="tertiary",
                         icon=":material/arrow_forward:"):  # fmt: skip
                shown = {name: value.format(place=place) for name, value in way.shown.items()}
                if code in _ENDPOINTS:
                    shown |= _subscription(client, place)
                navigation.go(way.page, **shown)


def _by_place(matters: Sequence[Json]) -> list[tuple[str, list[Json]]]:
    """Bring together what several channels have at one place, the oldest first."""
    found: dict[str, list[Json]] = {}
    for each in sorted(matters, key=lambda one: str(one["oldest_at"])):
        found.setdefault(each["place"] or "", []).append(each)
    return list(found.items())


def _age(matters: Sequence[Json]) -> str:
    return show.ago(min(each["oldest_at"] for each in matters))


def _named(client: Client, matter: Json) -> str:
    """Name a place as people know it."""
    place, code = matter["place"], matter["code"]
    if code in _AT_LOCATIONS:
        return show.place(client, place)
    return show.words(place) if code in _CODED else str(place or "everywhere")


def _subscription(client: Client, place: str) -> Mapping[str, str]:
    """Find the subscription that is known by a name."""
    for each in client.get("/v1/webhooks"):
        if place in {each["description"], each["url"], each["channel_code"]}:
            return {"subscription": str(each["subscription_id"])}
    return {}
