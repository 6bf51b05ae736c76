"""Pages of orders: every filter, every order once, whatever is asked for."""

from typing import Any

import pytest

from oms.orders import queries
from oms.orders.queries import BadCursor, Filters
from tests.builders import a_change, a_line, a_movement, an_order, minutes
from tests.ledger.shop import Shop


def found(shop: Shop, limit: int = 100, after: str | None = None, **asked: Any) -> list[str]:
    """Ask for a page; return the references of its orders."""
    with shop.ledger.snapshot() as tx:
        page, _ = queries.page(tx, Filters(**asked), after=after, limit=limit)
    return [each.external_ref for each in page]


@pytest.fixture
def stocked(shop: Shop) -> Shop:
    """Give a retailer with three orders, a minute apart."""
    shop.take(a_movement(1), a_movement(9, sku="INK"))
    shop.take(an_order("W-1", customer_name="Jan van der Berg", customer_email="Jan@X.nl"))
    shop.take(an_order("M-1", placed_at=minutes(1), lines=[a_line("INK")]), channel="market")
    shop.take(
        an_order("W-2", placed_at=minutes(2), changes=[a_change("cancel")], customer_name=None,
                 customer_email=None, external_number="12%_")
    )  # fmt: skip
    return shop


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
            ({"order_state": "canceled"}, ["W-2"]),
            ({"fulfillment_state": "allocated"}, ["M-1", "W-1"]),
            ({"sku": "INK"}, ["M-1"]),
            ({"sku": "PEN", "channel_codes": ("market",)}, []),
            ({"product_type": "OFFICE"}, ["W-2", "M-1", "W-1"]),
            ({"has_exception": True}, []),
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
        assert found(shop, customer=word) == ["W-1"]

    @pytest.mark.parametrize("limit", [1, 2, 3, 4, 9])
    def test_page_by_page_every_order_comes_once(self, shop: Shop, limit: int) -> None:
        shop.take(*(an_order(f"W-{n}", placed_at=minutes(n // 3)) for n in range(9)))
        refs, after = [], None
        while True:
            with shop.ledger.snapshot() as tx:
                page, after = queries.page(tx, Filters(), after=after, limit=limit)
            refs += [each.external_ref for each in page]
            if after is None:
                break
        assert sorted(refs) == [f"W-{n}" for n in range(9)]
        assert refs[:3] == ["W-8", "W-7", "W-6"]

    @pytest.mark.parametrize(
        "cursor", ["", "x", "e30", "WzEsMl0", "☎", "W10", "A" * 5000, "bnVsbA"]
    )
    def test_it_refuses_a_cursor_it_did_not_give(self, shop: Shop, cursor: str) -> None:
        with pytest.raises(BadCursor):
            found(shop, after=cursor)

    def test_an_order_is_found_in_any_case_of_its_number(self, stocked: Shop) -> None:
        with stocked.ledger.snapshot() as tx:
            assert queries.order(tx, "r100000001").summary.external_ref == "W-1"
