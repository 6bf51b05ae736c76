"""Typical questions to the list of a million orders: how long each takes, and by which way.

The orders are made in SQL, a transaction per 5,000, and indexed by the follower as in use. A page
and its facets are two requests, as the API has it, and asked at once, as the console does: each is
told, and when both are there.
"""

import statistics
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import md5
from pathlib import Path
from typing import Any

from sqlalchemy import text

from benchmarks.plans import checked
from benchmarks.stage import stage
from oms.ledger.database import Ledger, Tx
from oms.ledger.statements import Statements
from oms.orders import search
from oms.orders.cursors import Sort
from oms.orders.facets import facets
from oms.orders.filters import Filters
from oms.worker import index_orders

ORDERS = 1_000_000
PRODUCTS = 10_000
SLICE = 5_000
ROUNDS = 40
WARMING_ROUNDS = 20
CHECKED_ROUNDS = 8
PAGE_ROWS = 50
SQL = Statements(Path(__file__).with_name("search.sql"))


Times = tuple[float, float, float]
"""How long both took that were asked at once, the page, and its facets, in milliseconds."""


@dataclass(frozen=True, slots=True)
class Question:
    """What somebody asks for, a little different each time."""

    title: str
    filters: Callable[[int], dict[str, Any]]
    sort: Sort = Sort.PLACED_AT_DOWN


def at(year: int, month: int, day: int = 1) -> datetime:
    return datetime(year, month, day, tzinfo=UTC)


def _digest(order_id: int) -> str:
    return md5(str(order_id).encode(), usedforsecurity=False).hexdigest()[:16]


NAMES = ("bergsen", "haanstra", "kosterink", "lundhof", "silvamans", "holmveld")
TOWNS = ("utrecht", "gent", "koln", "zurich", "den haag")
LOOK_UPS = (
    Question("our number", lambda n: {"q": f"R{100000001 + n * 9973}"}),
    Question("a channel's number", lambda n: {"q": f"#{1 + n * 7919}"}),
    Question("its digits, without zeros", lambda n: {"q": f"{500001 + n * 13}"}),
    Question("an e-mail as it begins", lambda n: {"q": f"julia.{NAMES[n % 6]}{n % 9 + 1}"}),
    Question("a phone number", lambda n: {"q": f"06 {(n * 7919) % 10000:04} {n * 131 % 10000:04}"}),
    Question("half a surname, a first name", lambda n: {"q": f"{NAMES[n % 6][:7]} anna"}),
    Question("a name, a postcode", lambda n: {"q": f"{NAMES[n % 6]} {1000 + n * 97}"}),
    Question("a GTIN", lambda n: {"q": f"{8710000000000 + (100 + n * 211) * 97}"}),
    Question("a SKU in words", lambda n: {"q": f"sku-{2000 + n * 171:05}"}),
    Question("a payment's reference", lambda n: {"q": f"pay_{_digest(100000001 + n * 97)}"}),
    Question("a return's number", lambda n: {"q": f"RMA{800000001 + n * 997}"}),
    Question("number as a filter", lambda n: {"number": f"R{100000001 + n * 9001}"}),
)
WIDE = (
    Question("everything", lambda _: {}),
    Question("a type of product", lambda n: {"product_types": (f"Type {n % 60}",)}),
    Question("a type, backordered", lambda n: {
        "product_types": (f"type {n % 60}",), "fulfillment_states": ("backordered",)}),
    Question("a brand, a quarter, by total", lambda n: {
        "brands": (f"Brand {n % 150}",), "placed_from": at(2024, 4), "placed_to": at(2024, 7)},
        Sort.TOTAL_DOWN),
    Question("a category, a country", lambda n: {
        "categories": (f"Category {n % 12}",), "country_codes": (("BE", "DE", "CH")[n % 3],)}),
    Question("a store, a month, by name", lambda n: {
        "location_codes": (f"S{1 + n % 40:03}",), "placed_from": at(2025, 1 + n % 11),
        "placed_to": at(2025, 2 + n % 11)}, Sort.CUSTOMER_NAME),
    Question("what is open, by age", lambda _: {"order_states": ("placed", "in_progress")},
             Sort.UPDATED_AT),
    Question("what is open, by promise", lambda n: {
        "order_states": ("placed", "in_progress"), "promised_to": at(2026, 1),
        "channel_codes": (("web", "us", "phone")[n % 3],)}, Sort.PROMISED_AT),
    Question("promised in a week, by channel", lambda n: {
        "promised_from": at(2025, 1 + n % 11), "promised_to": at(2025, 1 + n % 11, 8)},
        Sort.CHANNEL),
    Question("tagged, of two places", lambda n: {
        "tags": (("vip", "call first")[n % 2],),
        "fulfillment_location_codes": (f"S{1 + n % 40:03}", "DC")}, Sort.STATE),
    Question("types, brands, channels, methods", lambda n: {
        "product_types": tuple(f"Type {(n + each) % 60}" for each in range(5)),
        "brands": (f"Brand {n % 150}", f"Brand {n % 149}"), "channel_codes": ("web", "us"),
        "methods": ("ship_home", "pickup_point")}, Sort.STATE_SINCE),
    Question("paid with, and how far", lambda n: {
        "payment_methods": (("card", "bank"), ("invoice",), ("gift_card",))[n % 3],
        "payment_states": (("paid",), ("awaiting", "authorized"), ("chargeback",))[n % 3]}),
    Question("a surname, a town", lambda n: {"q": f"{NAMES[n % 6]} {TOWNS[n % 5]}"}),
    Question("two words of a title", lambda n: {"q": f"{('blue', 'oak', 'wool')[n % 3]} lamp"}),
    Question("large ones in dollars", lambda n: {
        "currency": "USD", "total_from_minor": 50_000 + n * 1000}, Sort.TOTAL_DOWN),
)  # fmt: skip


def measure(*, kept: Path | None = None) -> None:
    with stage(kept=kept) as made:
        ledger = made.system.ledger
        if not _is_made(ledger):
            _prepare(ledger)
        print(
            f"  {ROUNDS} rounds, ms; most rows read         median      p99    worst       rows"
            "   page p99  facets p99"
        )
        _ask(ledger, "look-ups, a page", LOOK_UPS, with_facets=False)
        _ask(ledger, "wide filters, a page and its facets", WIDE, with_facets=True)


def _is_made(ledger: Ledger) -> bool:
    with ledger.snapshot() as tx:
        return bool(tx.execute(text("select count(*) = :n from orders"), {"n": ORDERS}).scalar())


def _prepare(ledger: Ledger) -> None:
    begun = time.perf_counter()
    _make(ledger)
    made_seconds = time.perf_counter() - begun
    begun = time.perf_counter()
    while index_orders(ledger):
        pass
    seconds = time.perf_counter() - begun
    print(f"search: {ORDERS:,} orders made in {made_seconds:,.0f} s, indexed in"
          f" {seconds:,.0f} s = {ORDERS / seconds:,.0f} orders/s", flush=True)  # fmt: skip
    with ledger.engine.connect() as connection:
        connection.execution_options(isolation_level="AUTOCOMMIT").execute(text("vacuum analyze"))


def _make(ledger: Ledger) -> None:
    started = at(2024, 1)
    with ledger.transaction() as tx:
        SQL.run(tx, "make_places", at=started)
        SQL.run(tx, "make_channels", at=started)
        SQL.run(tx, "make_products", at=started, products=PRODUCTS)
        SQL.run(tx, "make_rules", at=started)
        SQL.run(tx, "make_moment")
    index_orders(ledger)
    for first in range(1, ORDERS + 1, SLICE):
        with ledger.transaction() as tx:
            tx.execute(text("select setseed(:seed)"), {"seed": first / ORDERS / 2})
            some = {"first": first, "last": first + SLICE - 1}
            SQL.run(tx, "make_orders", **some, orders=ORDERS)
            SQL.run(tx, "make_lines", **some, products=PRODUCTS)
            for name in (
                "add_up", "make_plans", "make_work", "make_payments", "make_balances",
                "make_returns", "add_tags",
            ):  # fmt: skip
                SQL.run(tx, name, **some)
    with ledger.transaction() as tx:
        SQL.run(tx, "make_exceptions")


def _ask(ledger: Ledger, title: str, questions: tuple[Question, ...], *, with_facets: bool) -> None:
    everything: list[Times] = []
    for question in questions:
        # Other questions of the kind first: of a server in use the pages are in memory.
        for number in range(ROUNDS, ROUNDS + WARMING_ROUNDS):
            _answer(ledger, question, number, with_facets=with_facets)
        times = [
            _answer(ledger, question, number, with_facets=with_facets) for number in range(ROUNDS)
        ]
        everything += times
        with ledger.snapshot() as tx, checked(tx) as most:
            for number in range(0, ROUNDS, ROUNDS // CHECKED_ROUNDS):
                _page(tx, question, number)
                if with_facets:
                    _facets(tx, question, number)
        print(f"    {question.title:<36} {_told(times)} {most():>10,} {_apart(times)}", flush=True)
    print(f"  {title:<38} {_told(everything)} {'':>10} {_apart(everything)}")


def _answer(ledger: Ledger, question: Question, number: int, *, with_facets: bool) -> Times:
    begun = time.perf_counter()
    with ThreadPoolExecutor() as beside:
        counted = beside.submit(_took, ledger, _facets, question, number) if with_facets else None
        page = _took(ledger, _page, question, number)
        counts = counted.result() if counted else 0.0
    return (time.perf_counter() - begun) * 1000, page, counts


def _took(
    ledger: Ledger, ask: Callable[[Tx, Question, int], object], question: Question, number: int
) -> float:
    begun = time.perf_counter()
    with ledger.snapshot() as tx:
        ask(tx, question, number)
    return (time.perf_counter() - begun) * 1000


def _page(tx: Tx, question: Question, number: int) -> None:
    filters = Filters(**question.filters(number))
    search.page(tx, filters, after=None, limit=PAGE_ROWS, sort=question.sort)


def _facets(tx: Tx, question: Question, number: int) -> None:
    facets(tx, Filters(**question.filters(number)))


def _told(times: list[Times]) -> str:
    both = [each[0] for each in times]
    return f"{statistics.median(both):8.1f} {_p99(both):8.1f} {max(both):8.1f}"


def _apart(times: list[Times]) -> str:
    _, pages, counts = zip(*times, strict=True)
    return f"{_p99(pages):10.1f} {_p99(counts):11.1f}"


def _p99(times: Sequence[float]) -> float:
    return statistics.quantiles(times, n=100, method="inclusive")[98]
