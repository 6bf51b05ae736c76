"""Pages of orders: every filter, every order once, whatever is asked for."""

from datetime import timedelta
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import text

from oms.ledger.database import Ledger
from oms.orders import search
from oms.orders.cursors import BadCursor, Sort
from oms.orders.filters import Filters, search_of
from oms.orders.queries import order
from tests.builders import (
    NOW,
    a_change,
    a_line,
    a_movement,
    a_partial,
    a_product,
    an_order,
    minutes,
)
from tests.ledger.finding import found, indexed
from tests.ledger.shop import Shop


@pytest.fixture
def stocked(shop: Shop) -> Shop:
    """Give a retailer with three orders, a minute apart."""
    shop.take(a_movement(1), a_movement(9, sku="INK"))
    shop.take(an_order("W-1", customer_name="Jan van der Berg", customer_email="Jan@X.nl"))
    shop.take(
        an_order("M-1", placed_at=minutes(1), lines=[a_line("INK", 3)]),
        channel="market",
        at=minutes(1),
    )
    shop.take(
        an_order("W-2", placed_at=minutes(2), changes=[a_change("cancel")], customer_name=None,
                 customer_email=None, external_number="12%_", country_code="BE", currency="JPY",
                 fulfillment_method="collect_store", location_code="AMS", is_test=True)
    )  # fmt: skip
    indexed(shop.ledger)
    return shop


def test_no_question_is_asked_by_a_plan_made_for_any(stocked: Shop) -> None:
    kept = text(
        "select sum(generic_plans), sum(custom_plans) from pg_prepared_statements"
        " where statement like '%order_number%'"
    )
    url = stocked.ledger.engine.url.render_as_string(hide_password=False)
    alone = Ledger(url, connections_max=1)  # what others asked by a shared connection counts, too
    with alone.engine.connect() as connection:
        with connection.begin():  # as the planner would choose once there are many orders
            connection.execute(text("set plan_cache_mode = force_generic_plan"))
        for _ in range(20):
            with connection.begin():
                search.page(connection, Filters(country_codes=("BE",)), after=None, limit=2)
        generic, custom = connection.execute(kept).one()
    alone.close()
    assert generic == 0
    assert custom > 10, "it is kept, or nothing was to be seen here"


class TestPage:
    @pytest.mark.parametrize(
        ("asked", "refs"),
        [
            ({}, ["W-2", "M-1", "W-1"]),
            ({"number": "r100000002"}, ["M-1"]),
            ({"number": "R1000000"}, []),
            ({"external": "W-1"}, ["W-1"]),
            ({"external": "#M-1"}, ["M-1"]),
            ({"external": "12%_"}, ["W-2"]),
            ({"external": "%"}, []),
            ({"customer": "berg jan"}, ["W-1"]),
            ({"customer": "Berg JAN"}, ["W-1"]),
            ({"customer": "'Berg' & JAN"}, ["W-1"]),
            ({"customer": "jan | nobody"}, []),
            ({"customer": "!jan"}, ["W-1"]),
            ({"customer": "be"}, ["W-1"]),
            ({"customer": "ber n"}, []),
            ({"customer": "' | 'x"}, []),
            ({"customer": "& ! ( ) : * \\ '"}, []),
            ({"email": "jan@x.NL"}, ["W-1"]),
            ({"placed_from": minutes(1)}, ["W-2", "M-1"]),
            ({"placed_to": minutes(1)}, ["W-1"]),
            ({"placed_from": minutes(1), "placed_to": minutes(2)}, ["M-1"]),
            ({"channel_codes": ("web",)}, ["W-2", "W-1"]),
            ({"channel_codes": ()}, []),
            ({"order_states": ("canceled",)}, ["W-2"]),
            ({"fulfillment_states": ("allocated",)}, ["M-1", "W-1"]),
            ({"fulfillment_states": ("allocated", "canceled")}, ["W-2", "M-1", "W-1"]),
            ({"skus": ("INK",)}, ["M-1"]),
            ({"skus": ("INK", "nonesuch")}, ["M-1"]),
            ({"skus": ("nonesuch",)}, []),
            ({"skus": ("PEN",), "channel_codes": ("market",)}, []),
            ({"skus": ("PEN",), "channel_codes": ("market", "web")}, ["W-2", "W-1"]),
            ({"product_types": ("OFFICE",)}, ["W-2", "M-1", "W-1"]),
            ({"methods": ("collect_store",)}, ["W-2"]),
            ({"location_codes": ("AMS", "UTR")}, ["W-2"]),
            ({"location_codes": ("UTR",)}, []),
            ({"country_codes": ("BE",)}, ["W-2"]),
            ({"currency": "JPY"}, ["W-2"]),
            ({"currency": "EUR", "total_from_minor": 3000}, ["M-1"]),
            ({"currency": "EUR", "total_to_minor": 2999}, ["W-1"]),
            ({"updated_from": minutes(1), "updated_to": minutes(2)}, ["M-1"]),
            ({"is_test": True}, ["W-2"]),
            ({"is_test": False, "q": "pen"}, ["M-1", "W-1"]),
            ({"exception_codes": ("TOTALS_MISMATCH",)}, []),
            ({"has_exception": True}, []),
            ({"is_on_hold": True}, []),
        ],
    )  # fmt: skip
    def test_it_has_what_was_asked_for(
        self, stocked: Shop, asked: dict[str, Any], refs: list[str]
    ) -> None:
        assert found(stocked, **asked) == refs

    @pytest.mark.parametrize(
        ("customer", "word"),
        [
            ("Sinéad O'Neil", "o'neil"), ("Sinéad O'Neil", "O'NEI"), ("Sinéad O'Neil", "SINÉAD"),
            ("Sinéad O'Neil", "neil"), ("Jean-Luc Picard", "jean-LUC pic"),
            ("Jean-Luc Picard", "Luc"), ("ÅSA ÖSTLUND", "åsa östl"), ("Ольга", "ОЛЬ"),
            ("Ada D'Arcy-Smith", "D'Arcy-Smi"), ("ada\\pen", "ADA\\pen"),
        ],
    )  # fmt: skip
    def test_a_name_is_found_however_it_is_spelled(
        self, shop: Shop, customer: str, word: str
    ) -> None:
        shop.take(an_order("W-1", customer_name=customer), an_order("W-2", customer_name="Nobody"))
        indexed(shop.ledger)
        assert found(shop, customer=word) == ["W-1"]

    def test_what_was_sold_is_no_name(self, stocked: Shop) -> None:
        assert found(stocked, customer="ink") == []
        assert found(stocked, customer="nonesuch") == []

    def test_an_order_is_found_in_any_case_of_its_number(self, stocked: Shop) -> None:
        with stocked.ledger.snapshot() as tx:
            assert order(tx, "r100000001").summary.external_ref == "W-1"

    def test_what_is_no_words_is_listed_at_once(self, shop: Shop) -> None:
        shop.take(an_order("W-1"))
        assert found(shop, order_states=("placed",), channel_codes=("web",)) == ["W-1"]


class TestCursor:
    @pytest.mark.parametrize(
        "cursor", ["", "x", "e30", "WzEsMl0", "☎", "W10", "A" * 5000, "bnVsbA"]
    )
    def test_it_refuses_a_cursor_it_did_not_give(self, shop: Shop, cursor: str) -> None:
        with pytest.raises(BadCursor):
            found(shop, after=cursor)

    @pytest.mark.parametrize(
        "other",
        [{"sort": Sort.PLACED_AT}, {"channel_codes": ("web",)}, {"q": "pen"}, {"is_test": False}],
    )
    def test_a_cursor_is_for_its_own_question_only(
        self, stocked: Shop, other: dict[str, Any]
    ) -> None:
        with stocked.ledger.snapshot() as tx:
            _, after = search.page(tx, Filters(), after=None, limit=1)
        assert found(stocked, after=after) == ["M-1", "W-1"]
        with pytest.raises(BadCursor):
            found(stocked, after=after, **other)

    @given(
        orders=st.lists(
            st.tuples(st.integers(0, 2), st.sampled_from(["EUR", "JPY"]), st.integers(1, 3),
                      st.sampled_from([None, "Ada", "ADÁ", "Bo", "x" * 500, "Ångström"])),
            min_size=1, max_size=9,
        ),
        limit=st.integers(1, 4),
        sort=st.sampled_from(Sort),
        q=st.sampled_from([None, "pen"]),
    )  # fmt: skip
    def test_page_by_page_every_order_comes_once(
        self, common_shop: Shop, orders: list[tuple[int, str, int, str | None]], limit: int,
        sort: Sort, q: str | None,
    ) -> None:  # fmt: skip
        common_shop.restore()
        common_shop.take(*(
            an_order(f"W-{n}", placed_at=NOW - timedelta(minutes=minute), currency=currency,
                     lines=[a_line(quantity=quantity)], customer_name=name)
            for n, (minute, currency, quantity, name) in enumerate(orders)
        ))  # fmt: skip
        indexed(common_shop.ledger)
        listed, after = [], None
        while True:
            with common_shop.ledger.snapshot() as tx:
                page, after = search.page(tx, Filters(q=q), after=after, limit=limit, sort=sort)
            listed += page
            if after is None:
                break
        assert len({each.order_id for each in listed}) == len(listed) == len(orders)
        keys = [self.key(each, sort) for each in listed]
        assert all((a >= b) if sort.is_down else (a <= b) for a, b in pairwise(keys))

    def test_it_is_sorted_by_channel_state_and_age_in_state(self, stocked: Shop) -> None:
        stocked.take(an_order("T-1", fulfillment_method="carry_out", location_code="AMS"),
                     channel="till")  # fmt: skip
        stocked.take(a_partial("M-1", a_change("ship", 3, line="INK")), channel="market",
                     at=minutes(9))  # fmt: skip
        indexed(stocked.ledger)
        for sort, refs in (
            (Sort.CHANNEL, ["W-1", "W-2", "M-1", "T-1"]),
            (Sort.CHANNEL_DOWN, ["T-1", "M-1", "W-2", "W-1"]),
            (Sort.STATE, ["W-2", "T-1", "M-1", "W-1"]),
            (Sort.STATE_SINCE_DOWN, ["M-1"]),
        ):  # fmt: skip
            assert found(stocked, sort=sort)[: len(refs)] == refs, sort
            of_shop = [each for each in refs if each[0] == "W"]
            alone = found(stocked, sort=sort, channel_codes=("web",))
            assert alone[: len(of_shop)] == of_shop, sort
        assert found(stocked, state_from=minutes(9)) == ["M-1"]
        assert "M-1" not in found(stocked, state_to=minutes(9))

    @staticmethod
    def key(order: Any, sort: Sort) -> Any:
        """Return what an order is compared by, where that is plain."""
        return {
            "placed_at": order.placed_at, "updated_at": order.updated_at,
            "number": order.order_id,
            "total": (order.currency, order.total_minor),
            "customer_name": bool(order.customer_name),
            "channel": (order.channel_code, order.placed_at),
            "state": (order.order_state, order.fulfillment_state, order.placed_at),
            "state_since": order.state_since,
            "promised_at": 0,  # nothing is
        }[sort.removeprefix("-")]  # fmt: skip


class TestWays:
    @pytest.mark.parametrize("sort", list(Sort))
    @pytest.mark.parametrize(
        ("hits", "through", "broad"), [(1, 1, 1), (1, 1, 99), (1, 99, 1), (99, 1, 0), (1, 1, 0)]
    )
    def test_every_way_finds_the_same(
        self, shop: Shop, monkeypatch: pytest.MonkeyPatch, sort: Sort, hits: int, through: int,
        broad: int,
    ) -> None:  # fmt: skip
        shop.take(*(
            an_order(f"W-{n}", placed_at=minutes(n), lines=[a_line("PEN" if n % 3 else "INK", n)],
                     customer_name=f"Customer {n % 4}")
            for n in range(1, 9)
        ))  # fmt: skip
        indexed(shop.ledger)
        with shop.ledger.transaction() as tx:
            tx.execute(text("analyze order_search, orders"))
        asked: dict[str, Any] = {
            "q": "pen customer c", "placed_from": minutes(2), "placed_to": minutes(8),
            "sort": sort, "limit": 3,
        }  # fmt: skip
        expected = found(shop, **asked)
        monkeypatch.setattr(search, "SEARCH_HITS_MAX", hits)
        monkeypatch.setattr(search, "THROUGH_ORDERS_MAX", through)
        monkeypatch.setattr(search, "broad", lambda *_, **__: broad)
        assert found(shop, **asked) == expected
        assert len(expected) == 3
        assert set(expected) <= {"W-2", "W-4", "W-5", "W-7"}

    @pytest.mark.parametrize(
        ("asked", "frequency"),
        [({"q": "1000"}, 1.0), ({"q": "R100000003"}, 0.25), ({"q": "99"}, 0.02),
         ({"q": "ada"}, 1.0), ({"q": "3SABCD1234"}, 0.0), ({"q": "kosterink"}, 0.005),
         ({"product_types": ("type 1",)}, 0.25), ({"product_types": ("type",)}, 0.0)],
    )  # fmt: skip
    def test_how_many_orders_have_a_word_is_guessed_before(
        self, shop: Shop, asked: dict[str, Any], frequency: float
    ) -> None:
        shop.take(a_product("PEN", product_type="type 1"), a_product("INK", product_type="type 10"))
        shop.take(*(an_order(f"W-{n}", lines=[a_line("INK" if n else "PEN")]) for n in range(4)))
        indexed(shop.ledger)
        with shop.ledger.transaction() as tx:
            tx.execute(text("analyze order_search, orders"))
        with shop.ledger.snapshot() as tx:
            assert search_of(tx, Filters(**asked)).frequencies == [frequency]
