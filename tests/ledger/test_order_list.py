"""The list of orders by what hangs on them: money, papers, promises, who supplies, the period."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import event, text

from oms.orders import estimates, facets, filters, finding, indexing, search
from oms.orders.cursors import Sort
from oms.orders.filters import Filters, search_of
from tests.builders import (
    NOW,
    Draft,
    a_change,
    a_line,
    a_movement,
    a_partial,
    a_product,
    an_order,
    minutes,
)
from tests.ledger.finding import found, indexed
from tests.ledger.issuing import bill, documents, register
from tests.ledger.routing import activate_all, pens, route, settle_places, stocked
from tests.ledger.shop import Shop
from tests.ledger.test_returns import asking

BOTH = ["W-2", "W-1"]


def paid(order: Draft, **columns: Any) -> Draft:
    """Give an order a payment its channel handles."""
    payment = {
        "external_ref": "p", "tender": "card", "managed_by": "channel", "psp": "acme",
        "amount_minor": 1000, "authorized_minor": 1000, "captured_minor": 0, "refunded_minor": 0,
    }  # fmt: skip
    return replace(order, rows={**order.rows, "payments": (payment | columns,)})


def counted(shop: Shop, name: str, **asked: Any) -> dict[str, int]:
    """Count the orders of a search by the values of something."""
    with shop.ledger.snapshot() as tx:
        counts = facets.facets(tx, Filters(**asked)).counts[name]
    return {each.value: each.orders_count for each in counts}


def promised(shop: Shop) -> dict[str, datetime | None]:
    with shop.ledger.snapshot() as tx:
        listed, _ = search.page(tx, Filters(), after=None, limit=100)
    return {each.external_ref: each.promised_at for each in listed}


class TestMoney:
    @pytest.fixture
    def told(self, shop: Shop) -> Shop:
        """Give a retailer with an order paid by card, one by bank, and one nobody paid."""
        shop.take(
            paid(an_order("W-1"), psp_reference="pay_7Xk-009"),
            paid(an_order("W-2", placed_at=minutes(1)), tender="bank", captured_minor=1000),
            an_order("W-3", placed_at=minutes(2)),
        )
        indexed(shop.ledger)
        return shop

    @pytest.mark.parametrize(
        "q", ["pay_7Xk-009", "PAY_7XK", "pay 7xk 9", "pay7xk009", "Y800000001"]
    )
    def test_an_order_is_found_by_its_payments(self, told: Shop, q: str) -> None:
        assert found(told, q=q) == ["W-1"]

    @pytest.mark.parametrize(
        ("asked", "refs"),
        [
            ({"payment_methods": ("card",)}, ["W-1"]),
            ({"payment_methods": ("card", "bank")}, BOTH),
            ({"payment_methods": ("cash",)}, []),
            ({"payment_methods": ()}, []),
            ({"payment_states": ("paid",)}, ["W-2"]),
            ({"payment_states": ("authorized", "paid")}, BOTH),
            ({"payment_states": ("paid", "paid", "authorized")}, BOTH),
            ({"payment_states": ("authorized", "paid"), "sort": Sort.PLACED_AT}, BOTH[::-1]),
            ({"payment_states": ("authorized", "paid"), "placed_from": minutes(1)}, ["W-2"]),
            ({"payment_states": ("authorized", "paid"), "placed_to": minutes(1)}, ["W-1"]),
            ({"payment_states": ("authorized", "paid"), "external": "W-1"}, ["W-1"]),
            ({"payment_states": ("authorized", "paid"), "q": "w"}, BOTH),
            ({"payment_states": ("authorized", "paid"), "channel_codes": ("web",)}, BOTH),
            ({"payment_states": ("authorized", "paid"), "channel_codes": ("market",)}, []),
            ({"payment_states": ("none",)}, ["W-3"]),
            ({"payment_states": ("none", "paid")}, ["W-3", "W-2"]),
            ({"payment_states": ("chargeback",)}, []),
            ({"payment_states": ()}, []),
            ({"payment_states": ("paid",), "payment_methods": ("card",)}, []),
            ({"payment_states": ("authorized",), "q": "ada", "sort": Sort.TOTAL}, ["W-1"]),
            ({"payment_states": ("none",), "q": "a", "sort": Sort.TOTAL}, ["W-3"]),
        ],
    )
    @pytest.mark.parametrize("look", [0.0, 1e9], ids=["many", "few"])
    @pytest.mark.parametrize("go", [0.0, 1e9], ids=["placed", "collected"])
    def test_they_are_listed_by_how_they_are_paid(
        self, told: Shop, monkeypatch: pytest.MonkeyPatch, asked: dict[str, Any],
        refs: list[str], look: float, go: float,
    ) -> None:  # fmt: skip
        monkeypatch.setattr(estimates, "LOOK", look)
        monkeypatch.setattr(estimates, "GO", go)
        assert found(told, **asked) == refs
        filters_only = {name: value for name, value in asked.items() if name != "sort"}
        assert sum(counted(told, "channel", **filters_only).values()) == len(refs)

    def test_that_many_are_paid_so_is_looked_at_on_the_way_through_them(
        self, told: Shop, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def worded() -> bool:
            with told.ledger.snapshot() as tx:
                (condition,) = search_of(tx, Filters(payment_states=("paid",))).conditions
            return condition.startswith("o.order_id in")

        assert worded()
        monkeypatch.setattr(estimates, "LOOK", 0.0)
        assert not worded()

    @pytest.mark.parametrize("sort", [Sort.PLACED_AT, Sort.PLACED_AT_DOWN])
    def test_of_those_paid_so_as_many_are_gone_to_as_are_listed(
        self, told: Shop, monkeypatch: pytest.MonkeyPatch, sort: Sort
    ) -> None:
        """Page by page, by the index of how they are paid and when they were placed."""
        with told.ledger.transaction() as tx:
            tx.execute(text("analyze orders, order_balances"))
        asked = Filters(payment_states=("paid", "authorized", "voided"))
        statements: list[str] = []
        pages: list[list[str]] = []
        with told.ledger.snapshot() as tx:
            event.listen(tx, "before_cursor_execute", lambda *given: statements.append(given[2]))
            after = None
            while len(pages) < 9:
                listed, after = search.page(tx, asked, after=after, limit=1, sort=sort)
                pages.append([each.external_ref for each in listed])
                if after is None:
                    break
        assert pages == ([["W-2"], ["W-1"]] if sort.is_down else [["W-1"], ["W-2"]])
        lists = [each for each in statements if "channel_code" in each]
        assert [each.count("from order_balances b where b.payment_state") for each in lists] == [
            3, 3,
        ]  # fmt: skip
        assert "(b.placed_at, b.order_id)" in lists[1]

        few = Filters(payment_states=("paid", "authorized"), external="W-1")
        monkeypatch.setattr(estimates, "FACET_ORDERS_MAX", 1_000_000)
        monkeypatch.setattr(estimates, "SORT", 0.1)
        with told.ledger.snapshot() as tx:
            assert not search_of(tx, few).is_paid_first

    def test_a_payment_that_failed_is_none(self, told: Shop) -> None:
        with told.ledger.transaction() as tx:
            tx.execute(text("update payments set state = 'failed' where tender = 'bank'"))
        indexed(told.ledger)
        assert found(told, payment_methods=("bank",)) == []

    def test_an_order_is_found_by_its_papers(self, shop: Shop) -> None:
        register(shop)
        shop.take(a_movement(5))
        shop.take(
            an_order("W-1", changes=[a_change("ship", 1)]), an_order("W-2", placed_at=minutes(1))
        )
        bill(shop)
        (invoice,) = documents(shop)
        indexed(shop.ledger)
        assert found(shop, q=invoice.paper.number) == ["W-1"]
        assert found(shop, q=invoice.paper.number.lower().replace("-", "")) == ["W-1"]
        assert found(shop, q="RMA800000001") == []
        asking(shop, shop.order().summary.order_number)()
        indexed(shop.ledger)
        assert found(shop, q="RMA800000001") == ["W-1"]
        assert found(shop, q="U600000001") == []
        with shop.ledger.transaction() as tx:
            tx.execute(text(
                "insert into refunds (order_id, kind, state, amount_minor, currency, reason, cause,"
                " requested_by, created_at, changed_at) select order_id, 'goodwill', 'rejected', 1,"
                " 'EUR', 'late', 'c', 'ann', placed_at, placed_at from orders"
                " where external_ref = 'W-2'"
            ))  # fmt: skip
        indexed(shop.ledger)
        assert found(shop, q="u600000001") == ["W-2"]


class TestPromises:
    @pytest.fixture
    def planned(self, routed: Shop) -> Shop:
        """Give a retailer whose rules promise two days, one to Belgium, and nothing to others."""
        settle_places(routed)
        rules = [{"name": "any"}]
        activate_all(routed, {"name": "t", "groups": [
            {"name": "be", "when": {"countries": ["BE"]}, "promise_hours": 24, "rules": rules},
            {"name": "nl", "when": {"countries": ["NL"]}, "rules": rules},
        ]})  # fmt: skip
        stocked(routed, DC=9)
        for number, country in enumerate(("NL", "BE", "FR"), 1):
            routed.take(pens(ref=f"W-{number}", country_code=country, placed_at=minutes(number)))
        route(routed)
        indexed(routed.ledger)
        return routed

    def test_are_those_of_the_rules_that_planned_it(self, planned: Shop) -> None:
        assert promised(planned) == {
            "W-1": minutes(1) + timedelta(hours=48), "W-2": minutes(2) + timedelta(hours=24),
            "W-3": None,
        }  # fmt: skip

    def test_of_two_plans_the_newest_counts(self, planned: Shop) -> None:
        with planned.ledger.transaction() as tx:
            tx.execute(text(
                "insert into sourcing_decisions (order_id, group_no, version, decided_at, demand,"
                " candidates, plan, outcome, moment_id) select order_id, group_no, version,"
                " decided_at, demand, candidates, jsonb_set(plan, '{group}', '\"nl\"'), outcome,"
                " moment_id from sourcing_decisions where plan ->> 'group' = 'be'"
            ))  # fmt: skip
        indexed(planned.ledger)
        assert promised(planned)["W-2"] == minutes(2) + timedelta(hours=48)

    def test_sort_the_list_with_what_is_not_promised_last(self, planned: Shop) -> None:
        assert found(planned, sort=Sort.PROMISED_AT) == ["W-2", "W-1", "W-3"]
        assert found(planned, sort=Sort.PROMISED_AT_DOWN) == ["W-3", "W-1", "W-2"]
        assert found(planned, sort=Sort.PROMISED_AT, q="pen", limit=2) == ["W-2", "W-1"]

    @pytest.mark.parametrize(
        ("asked", "refs"),
        [
            ({"order_states": ("placed", "in_progress")}, ["W-1", "W-3"]),
            ({"order_states": ("placed", "completed")}, ["W-2", "W-1", "W-3"]),
            ({"order_states": ("completed",)}, ["W-2"]),
            ({"fulfillment_states": ("allocated", "backordered")}, ["W-1", "W-3"]),
            ({"fulfillment_states": ("shipped",)}, ["W-2"]),
            ({"order_states": (), "q": "pen"}, []),
            ({"order_states": ("placed",), "q": "pen"}, ["W-1", "W-3"]),
        ],
    )
    def test_of_what_is_open_are_listed_as_of_all(
        self, planned: Shop, asked: dict[str, Any], refs: list[str]
    ) -> None:
        planned.take(an_order("W-2", version=2, lines=[a_line()], country_code="BE",
                              placed_at=minutes(2), changes=[a_change("ship", 1)]))  # fmt: skip
        indexed(planned.ledger)
        assert found(planned, sort=Sort.PROMISED_AT, **asked) == refs
        assert found(planned, sort=Sort.PROMISED_AT_DOWN, **asked) == refs[::-1]

    def test_are_listed_page_by_page(self, planned: Shop) -> None:
        listed, after = [], None
        with planned.ledger.snapshot() as tx:
            for _ in range(3):
                page, after = search.page(
                    tx, Filters(), after=after, limit=1, sort=Sort.PROMISED_AT_DOWN
                )
                listed += [each.external_ref for each in page]
        assert (listed, after) == (["W-3", "W-1", "W-2"], None)

    @pytest.mark.parametrize(
        ("first", "last", "refs"),
        [
            (None, minutes(2) + timedelta(hours=24), []),
            (None, minutes(3) + timedelta(hours=24), ["W-2"]),
            (minutes(2) + timedelta(hours=24), None, ["W-2", "W-1"]),
            (minutes(1) + timedelta(hours=48), minutes(2) + timedelta(hours=48), ["W-1"]),
            (None, datetime(9999, 12, 31, tzinfo=UTC), ["W-2", "W-1"]),
            (datetime(9998, 1, 1, tzinfo=UTC), None, []),
        ],
    )
    def test_are_a_period_to_look_in(
        self, planned: Shop, first: datetime | None, last: datetime | None, refs: list[str]
    ) -> None:
        for words in (None, "pen", "p"):
            assert found(planned, promised_from=first, promised_to=last, q=words) == refs
            orders = counted(planned, "channel", promised_from=first, promised_to=last, q=words)
            assert sum(orders.values()) == len(refs)


class TestPlaces:
    @pytest.mark.parametrize("asked", [{}, {"q": "pen"}, {"q": "p"}, {"currency": "EUR"}])
    def test_that_supply_are_counted_as_they_are_found(
        self, routed: Shop, asked: dict[str, Any]
    ) -> None:
        settle_places(routed)
        stocked(routed, DC=1, AMS=3)
        routed.take(pens(4, ref="W-1"), pens(ref="W-2", placed_at=minutes(1)))
        routed.take(an_order("T-1", fulfillment_method="carry_out", location_code="UTR"),
                    channel="till")  # fmt: skip
        route(routed)
        indexed(routed.ledger)
        supplied = counted(routed, "fulfillment_location", **asked)
        assert supplied == {"DC": 1, "AMS": 1}
        for code in ("DC", "AMS", "UTR"):
            refs = found(routed, fulfillment_location_codes=(code,), **asked)
            assert len(refs) == supplied.get(code, 0)
        assert counted(routed, "location", **asked) == {"UTR": 1}

    def test_without_any_are_none(self, shop: Shop) -> None:
        assert counted(shop, "fulfillment_location") == counted(shop, "location") == {}


class TestPeriods:
    TIMES = (
        datetime(2025, 11, 30, 23, 59, 59, 999999, tzinfo=UTC), datetime(2025, 12, 1, tzinfo=UTC),
        datetime(2026, 1, 1, 0, 30, tzinfo=UTC), NOW,
    )  # fmt: skip

    @pytest.fixture
    def aged(self, shop: Shop) -> Shop:
        """Give a retailer with an order before and after each turn of the month."""
        shop.take(*(
            an_order(f"W-{n}", placed_at=at, lines=[a_line("PEN")])
            for n, at in enumerate(self.TIMES)
        ))  # fmt: skip
        indexed(shop.ledger)
        return shop

    @pytest.mark.parametrize(
        ("first", "last"),
        [
            (None, TIMES[1]),
            (TIMES[0], TIMES[1]),
            (TIMES[1], None),
            (TIMES[1], TIMES[2]),
            (TIMES[0], TIMES[2]),
            (None, TIMES[0]),
            (TIMES[3], None),
            (None, None),
            (NOW + timedelta(days=400), None),
            (None, NOW - timedelta(days=400)),
            (TIMES[2], TIMES[2]),
            (None, datetime.min.replace(tzinfo=UTC)),
            (datetime.max.replace(tzinfo=UTC), None),
            (datetime(1, 1, 1, tzinfo=UTC), datetime(9999, 1, 1, tzinfo=UTC)),
        ],
    )
    def test_are_found_by_their_months_as_without(
        self, aged: Shop, monkeypatch: pytest.MonkeyPatch, first: datetime | None,
        last: datetime | None,
    ) -> None:  # fmt: skip
        refs = [
            f"W-{n}" for n, at in reversed(list(enumerate(self.TIMES)))
            if (first is None or at >= first) and (last is None or at < last)
        ]  # fmt: skip
        for asked in ({"q": "pen"}, {"skus": ("PEN",)}, {"methods": ("ship_home",), "q": "a"}):
            period: dict[str, Any] = {"placed_from": first, "placed_to": last, **asked}
            assert found(aged, **period) == refs
            assert sum(counted(aged, "channel", **period).values()) == len(refs)
        monkeypatch.setattr(filters, "MONTHS_MAX", 0)
        assert found(aged, q="pen", placed_from=first, placed_to=last) == refs

    def test_are_looked_up_by_the_months_that_have_orders(self, aged: Shop) -> None:
        with aged.ledger.snapshot() as tx:
            asked = search_of(tx, Filters(skus=("PEN",), placed_from=datetime(1, 1, 1, tzinfo=UTC)))
            assert asked.months is not None
            assert asked.months.beginnings == ("d:2025-11", "d:2025-12", "d:2026-01")
            assert search_of(tx, Filters(placed_from=NOW)).months is None
        aged.take(an_order("OLD", placed_at=NOW - timedelta(days=4000)))
        with aged.ledger.snapshot() as tx:
            wide = search_of(tx, Filters(skus=("PEN",), placed_to=NOW))
        assert wide.months is None

    def test_are_no_months_while_some_orders_have_none_among_their_words(self, aged: Shop) -> None:
        with aged.ledger.transaction() as tx:
            tx.execute(text(
                "update order_search set channel_id = null, words = array_to_tsvector("
                "array_remove(tsvector_to_array(words), 'd:2025-12'))"
            ))  # fmt: skip
        period: dict[str, Any] = {"placed_from": self.TIMES[0], "placed_to": self.TIMES[2]}
        assert found(aged, q="pen", **period) == ["W-1", "W-0"]
        with aged.ledger.transaction() as tx:
            tx.execute(text("update followers set watermark = 0"))
        indexed(aged.ledger)
        with aged.ledger.snapshot() as tx:
            assert search_of(tx, Filters(q="pen", **period)).months is not None

    def test_of_no_orders_are_none(self, shop: Shop) -> None:
        assert found(shop, q="pen", placed_from=NOW) == []

    def test_follow_an_order_that_is_placed_at_another_time(self, aged: Shop) -> None:
        aged.take(an_order("W-0", version=2, placed_at=NOW, lines=[a_line("PEN")]))
        with aged.ledger.transaction() as tx:
            tx.execute(text("update orders set placed_at = :at where external_ref = 'W-0'"),
                       {"at": datetime(2026, 3, 1, tzinfo=UTC)})  # fmt: skip
        indexed(aged.ledger)
        assert found(aged, q="pen", placed_from=datetime(2026, 3, 1, tzinfo=UTC)) == ["W-0"]


class TestKept:
    """What orders are counted by is kept beside them."""

    @pytest.fixture
    def spoiled(self, shop: Shop) -> Shop:
        """Give a retailer whose orders changed since they were looked at."""
        shop.take(a_product("PEN", product_type="office"))
        shop.take(an_order("W-1", country_code="BE"), an_order("W-2", country_code="BE"))
        shop.take(an_order("M-1", country_code="BE"), channel="market")
        indexed(shop.ledger)
        with shop.ledger.transaction() as tx:
            tx.execute(text("update orders set country_code = 'LU'"))
        return shop

    @pytest.mark.parametrize(
        ("asked", "country", "count"),
        [
            ({"q": "pen"}, "BE", 3),
            ({"product_types": ("office",)}, "BE", 3),
            ({"currency": "EUR"}, "BE", 3),
            ({"q": "pen", "channel_codes": ("web",)}, "BE", 2),
            ({"currency": "EUR", "channel_codes": ("web", "market")}, "BE", 3),
            ({"q": "pen", "placed_from": NOW}, "BE", 3),
            ({"q": "pen", "placed_from": minutes(1)}, "", 0),
            # What may change of an order is asked of the order.
            ({"q": "pen", "order_states": ("placed",)}, "LU", 3),
            ({"q": "pen", "is_test": False}, "LU", 3),
            ({}, "LU", 3),
        ],
    )
    def test_it_is_counted_without_a_look_at_the_orders(
        self, spoiled: Shop, asked: dict[str, Any], country: str, count: int
    ) -> None:
        assert counted(spoiled, "country", **asked) == ({country: count} if count else {})
        assert sum(counted(spoiled, "channel", **asked).values()) == count

    def test_until_every_order_was_looked_at_orders_are_counted(self, spoiled: Shop) -> None:
        with spoiled.ledger.transaction() as tx:
            tx.execute(text(
                "update order_search set channel_id = null, order_state = null"
                " where order_id = (select min(order_id) from orders)"
            ))  # fmt: skip
        assert counted(spoiled, "country", q="pen") == {"LU": 3}
        assert counted(spoiled, "order_state", currency="EUR") == {"placed": 3}

    def test_it_follows_the_orders(self, spoiled: Shop) -> None:
        indexed(spoiled.ledger)
        assert counted(spoiled, "country", q="pen") == {"LU": 3}
        spoiled.take(a_movement(9))
        indexed(spoiled.ledger)
        assert counted(spoiled, "fulfillment_state", q="pen") == {"allocated": 3}
        spoiled.take(a_partial("W-1", a_change("cancel")))
        indexed(spoiled.ledger)
        assert counted(spoiled, "order_state", q="pen") == {"placed": 2, "canceled": 1}


def test_facets_of_amounts_are_counted_or_looked_through(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    shop.take(*(an_order(f"W-{n}", lines=[a_line(quantity=n)]) for n in range(1, 7)))
    indexed(shop.ledger)
    with shop.ledger.transaction() as tx:
        tx.execute(text("analyze order_search, orders"))
    few: dict[str, Any] = {"currency": "EUR", "total_from_minor": 5000}
    monkeypatch.setattr(facets, "FACET_ORDERS_MAX", 3)
    assert counted(shop, "channel", **few) == {"web": 2}
    assert sum(counted(shop, "channel", currency="EUR").values()) <= indexing.ORDERS_MAX
    with shop.ledger.snapshot() as tx:
        assert facets.facets(tx, Filters(**few)).is_complete
        assert not facets.facets(tx, Filters(currency="EUR")).is_complete


@pytest.mark.parametrize(
    ("channel", "orders", "ways"), [("market", 2, ["hits"]), ("web", 2, ["newest"])]
)
def test_facets_of_frequent_words_are_counted_by_the_conditions_if_few_meet_them(
    shop: Shop, monkeypatch: pytest.MonkeyPatch, channel: str, orders: int, ways: list[str]
) -> None:
    shop.take(*(an_order(f"W-{n}") for n in range(6)))
    shop.take(*(an_order(f"M-{n}") for n in range(2)), channel="market")
    indexed(shop.ledger)
    with shop.ledger.transaction() as tx:
        tx.execute(text("analyze order_search, orders"))
    monkeypatch.setattr(finding, "SEARCH_HITS_MAX", 0)  # so that any word is too frequent
    monkeypatch.setattr(facets, "FACET_ORDERS_MAX", 2)
    monkeypatch.setattr(facets, "FACET_HITS_MAX", 3)
    asked: list[str] = []
    with shop.ledger.snapshot() as tx:
        event.listen(tx, "before_cursor_execute", lambda *given: asked.append(given[2]))
        found = facets.facets(tx, Filters(q="pen", channel_codes=(channel,)))
    tried = [name for each in asked for name in ("hits", "newest") if f"with {name} as" in each]
    assert (found.orders_count, found.is_complete) == (orders, channel == "market")
    assert tried[-1:] == ways
    assert tried.count("hits") == (channel == "market"), "what is too much is not tried"
