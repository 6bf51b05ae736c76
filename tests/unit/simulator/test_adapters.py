"""The real adapters read every format: their drafts, folded, say what the answer book says."""

import csv
import io
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from oms.adapters.channels import canonical, shopify
from oms.adapters.channels.tabular.mapping import TabularMapping
from oms.simulator import setup
from oms.simulator.model import Payload
from oms.simulator.network import CHANNELS
from oms.workflows.documents import DRAFT_TABLES, ChannelFacts, ChannelMapping, Documents, Source
from tests.unit.simulator.stories import WILD, Story, a_story

MAPPINGS: dict[str, Callable[[dict[str, Any]], ChannelMapping]] = {
    "shopify": shopify.build,
    "canonical": canonical.build,
    "tabular": lambda options: TabularMapping.from_options(options, Path("/")),
}
TENDERS = {
    "webshop-eu": {"card", "wallet"}, "webshop-uk": {"card", "wallet"},
    "pos": {"card", "cash"}, "kiosk": {"card"}, "marketplace": {"wallet"},
    "phone": set(),  # of two orders either
}  # fmt: skip
CODES = [channel.code for channel in CHANNELS]


class Drafts:
    """What the adapters made of a channel's payloads, newest order documents and every change."""

    def __init__(self, story: Story, code: str) -> None:
        self.story, self.code = story, code
        self.draft = next(draft for draft in setup.channels() if draft["code"] == code)
        self.mapping = MAPPINGS[self.draft["adapter"]](self.draft["adapter_options"])
        self.places = {place["code"] for place in setup.locations()}
        self.orders: dict[str, dict[str, Any]] = {}
        self.lines: dict[str, list[dict[str, Any]]] = {}
        self.changes: dict[tuple[str, ...], dict[str, Any]] = {}
        self.payments: dict[str, dict[str, dict[str, Any]]] = defaultdict(dict)
        self.refused: Counter[str] = Counter()
        seen: set[bytes] = set()
        for payload in story.payloads:
            if payload.channel_code == code and (
                payload.transport != "file" or _new(payload, seen)
            ):
                for documents in self.mapping.documents(self._source(payload)):
                    self._take(documents)

    def _source(self, payload: Payload) -> Source:
        names = ("code", "currency", "prices_include_tax", "time_zone")
        facts = ChannelFacts(**{name: self.draft[name] for name in names})
        return Source(
            topic=payload.topic, content_type=payload.content_type, received_at=payload.at,
            channel=facts, body=payload.body, file_name=payload.file_name,
        )  # fmt: skip

    def _take(self, documents: Documents) -> None:
        for rejected in documents.rejected:
            self.refused[rejected.problems[0].code] += 1
            assert documents.fragment(rejected.position).body
        lines, changes, payments = defaultdict(list), defaultdict(list), defaultdict(list)
        for row in _rows(documents, "payments"):
            payments[row["position"]].append(row)
        for row in _rows(documents, "lines"):
            lines[row["position"]].append(row)
        for row in _rows(documents, "changes"):
            changes[row["position"]].append(row)
        for order in _rows(documents, "orders"):
            self._order(order, lines[order["position"]], changes[order["position"]])
            if order["external_ref"] in self.orders:
                self._pay(order["external_ref"], payments[order["position"]])

    def _order(
        self, order: dict[str, Any], lines: list[dict[str, Any]], changes: list[dict[str, Any]]
    ) -> None:
        """Do what capture does: refuse unknown SKUs and places, keep the newest document."""
        ref = order["external_ref"]
        if any(line["sku"] not in self.story.skus for line in lines):
            self.refused["UNKNOWN_SKU"] += 1
            return
        if order["location_code"] and order["location_code"] not in self.places:
            self.refused["UNKNOWN_LOCATION"] += 1
            return
        assert all(change["location_code"] in {"", *self.places} for change in changes)
        for change in changes:
            key = (ref, change["kind"], change["change_ref"], change["line_ref"])
            self.changes[key] = change
        if not _is(order["is_partial"]):
            known = self.orders.get(ref)
            if known is None or int(order["version"] or 0) > int(known["version"] or 0):
                self.orders[ref], self.lines[ref] = order, lines

    def _pay(self, ref: str, told: list[dict[str, Any]]) -> None:
        """Do what payments do: of each the highest totals are what is known."""
        for row in told:
            known = self.payments[ref].setdefault(row["external_ref"], row)
            for name in ("captured_minor", "refunded_minor"):
                known[name] = str(max(int(known[name]), int(row[name])))

    def sales(self) -> tuple[int, ...]:
        """Add up what was ordered: orders, units, net, tax, shipping."""
        rows = [(line, self._mode(ref)) for ref, lines in self.lines.items() for line in lines]
        return (
            len(self.orders),
            sum(int(line["quantity"]) for line, _ in rows),
            sum(_net(line, with_tax=mode) for line, mode in rows),
            sum(int(line["tax_minor"]) for line, _ in rows),
            sum(int(o["shipping_net_minor"] or 0) for o in self.orders.values()),
            sum(int(o["shipping_tax_minor"] or 0) for o in self.orders.values()),
        )

    def events(self, kind: str) -> tuple[int, ...]:
        """Add up one kind of change: events, units, net, tax."""
        rows = [(row, self._mode(key[0])) for key, row in self.changes.items() if key[1] == kind]
        has_money = kind != "ship"
        return (
            len(rows),
            sum(int(row["quantity"]) for row, _ in rows),
            sum(_net(row, with_tax=mode) for row, mode in rows if has_money),
            sum(int(row["tax_minor"]) for row, _ in rows if has_money),
        )

    def _mode(self, ref: str) -> bool:
        return _is(self.orders[ref]["prices_include_tax"])


def _new(payload: Payload, seen: set[bytes]) -> bool:
    is_new = payload.body not in seen
    seen.add(payload.body)
    return is_new


def _rows(documents: Documents, table: str) -> Iterator[dict[str, Any]]:
    text = documents.tables.get(table, b"").decode()
    for row in csv.reader(io.StringIO(text)):
        yield dict(zip(DRAFT_TABLES[table], row, strict=True))


def _is(text: str) -> bool:
    return text in {"t", "true", "True"}


def _net(row: dict[str, Any], *, with_tax: bool) -> int:
    return int(row["total_minor"]) - (int(row["tax_minor"]) if with_tax else 0)


@pytest.fixture(scope="module", params=CODES)
def drafts(request: pytest.FixtureRequest) -> Drafts:
    return Drafts(a_story(days=3, rates=WILD), request.param)


class TestDrafts:
    def test_hold_the_sales_of_the_book(self, drafts: Drafts) -> None:
        book, code, currency = drafts.story.book, drafts.code, drafts.draft["currency"]
        sale, edit = (book.total(kind, code, currency) for kind in ("sale", "edit"))
        orders = [s for key, s in book.orders.items() if key.channel == code]
        assert drafts.sales() == (
            book.orders_count(code),
            sale.units + edit.units,
            sale.net + edit.net,
            sale.tax + edit.tax,
            sum(s.shipping_net for s in orders),
            sum(s.shipping_tax for s in orders),
        )

    @pytest.mark.parametrize("kind", ["ship", "cancel", "return"])
    def test_hold_the_changes_of_the_book(self, drafts: Drafts, kind: str) -> None:
        sums = drafts.story.book.total(kind, drafts.code, drafts.draft["currency"])
        assert drafts.events(kind) == (sums.events, sums.units, sums.net, sums.tax)

    def test_leave_out_what_is_broken(self, drafts: Drafts) -> None:
        broken = {k: n for k, n in drafts.story.book.broken.items() if k[0] == drafts.code and n}
        assert sum(drafts.refused.values()) == sum(broken.values()), (drafts.refused, broken)

    def test_know_how_and_when_it_was_sold(self, drafts: Drafts) -> None:
        zone = ZoneInfo(drafts.draft["time_zone"])
        days: Counter[str] = Counter()
        for order in drafts.orders.values():
            at = datetime.fromisoformat(order["placed_at"])
            days[at.astimezone(zone).date().isoformat()] += 1
            assert order["fulfillment_method"]
            if order["fulfillment_method"] == "carry_out":
                assert order["location_code"]
            else:
                assert order["ship_to"]
        booked: Counter[str] = Counter()
        for key, sums in drafts.story.book.orders.items():
            if key.channel == drafts.code:
                booked[key.placed_on.isoformat()] += sums.orders
        assert days == booked

    def test_are_paid_for_and_what_is_gone_is_given_back(self, drafts: Drafts) -> None:
        """Of every order: what was captured is its total, what was refunded is what is gone."""
        told = {ref: list(paid.values()) for ref, paid in drafts.payments.items() if paid}
        assert len(told) > len(drafts.orders) * 0.8, "all but what is paid in the store"
        for ref, paid in told.items():
            total, gone = self._sums(drafts, ref)
            captured, refunded = (
                sum(int(each[f"{name}_minor"]) for each in paid)
                for name in ("captured", "refunded")
            )
            if paid[0]["tender"] == "invoice" and not captured:
                assert (int(paid[0]["amount_minor"]), refunded) == (total, 0)
            else:
                assert captured - refunded == total - gone, ref
            assert all(each["managed_by"] == "channel" for each in paid)
        tenders = {each["tender"] for paid in told.values() for each in paid}
        assert tenders >= TENDERS[drafts.code]
        assert {len(paid) for paid in told.values()} <= {1, 2, 3}

    def _sums(self, drafts: Drafts, ref: str) -> tuple[int, int]:
        """Return what an order came to with tax, and what of it is gone."""
        order, lines = drafts.orders[ref], drafts.lines[ref]
        is_gross = _is(order["prices_include_tax"])
        shipping = int(order["shipping_net_minor"]) + int(order["shipping_tax_minor"])
        total = sum(_net(line, with_tax=is_gross) + int(line["tax_minor"]) for line in lines)
        gone = [
            change for key, change in drafts.changes.items()
            if key[0] == ref and key[1] in {"cancel", "return"}
        ]  # fmt: skip
        back = sum(_net(each, with_tax=is_gross) + int(each["tax_minor"]) for each in gone)
        canceled = sum(int(each["quantity"]) for each in gone if each["kind"] == "cancel")
        is_canceled = canceled == sum(int(line["quantity"]) for line in lines)
        return total + shipping, back + (shipping if is_canceled else 0)
