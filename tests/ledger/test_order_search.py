"""Words of orders: whatever is known of an order finds it, however it is spelled."""

import json
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from sqlalchemy import text

from oms.orders import facets, indexing
from oms.orders.filters import Filters, search_of
from tests.builders import a_group, a_line, a_movement, a_product, an_order, minutes
from tests.ledger.finding import found, indexed
from tests.ledger.routing import route
from tests.ledger.shop import Shop

ADDRESS = {"name": "Piet Müller", "street": "Laan 1", "postcode": "1011 AB", "city": "Den Haag",
           "country_code": "NL"}  # fmt: skip


@pytest.fixture
def known(shop: Shop) -> Shop:
    """Give a retailer with an order everything is known of, and one of somebody else."""
    shop.take(a_product("MUG-BLUE", title="Blue ceramic mug", gtin="0871234567894", brand="Tea&Co",
                        category="Kitchen", product_type="mug"))  # fmt: skip
    taken = shop.take(
        an_order(
            "RMA/W-000123", external_number="#000123", customer_name="Sinéad van der Bérg",
            customer_email="Sinead.Berg+1@Example.org", customer_phone="+31 (0)6 1234 5678",
            ship_to=json.dumps(ADDRESS), lines=[a_line("MUG-BLUE", title="Blaue Straßentasse")],
        ),
        an_order("Z-9", customer_name="Bo Lund", customer_email="bo@lund.dk", ship_to=None),
    )  # fmt: skip
    assert not taken.problems
    indexed(shop.ledger)
    return shop


class TestWords:
    @pytest.mark.parametrize(
        "q",
        [
            "R100000001", "r100000001", "100000001", "RMA/W-000123", "w-000123", "W-123", "#000123",
            "000123", "123", "rmaw000123", "sinead", "SINÉAD", "Sin", "van der Berg", "berg sinead",
            "vanderberg", "Bérg", "s van", "müller", "muller", "piet", "sinead.berg+1@example.org",
            "SINEAD.BERG+1@EX", "sinead.berg", "sinead.berg+1", "example", "06 1234 5678",
            "+31612345678",
            "06-12345678", "0612345678", "0031612345678", "612345", "1011AB", "1011 ab", "1011",
            "den haag", "denhaag", "mug-blue", "mugblue", "MUG", "blue mug",
            "0871234567894", "871234567894",
            "ceramic", "strassentasse", "Straßen", "haag strassen sin", "berg - sinead",
        ],
    )  # fmt: skip
    def test_an_order_is_found_by_what_is_known_of_it(self, known: Shop, q: str) -> None:
        assert found(known, q=q) == ["RMA/W-000123"]

    @pytest.mark.parametrize(
        "q",
        ["erg", "sinead lund", "sinead nobody", "-", "& | !", ":*", "'", "\\", "@", "1011ABC",
         "t:mug", "p:1", "m:ship_home", "x" * 200, "none:"],
    )  # fmt: skip
    def test_what_is_not_known_of_it_finds_nothing(self, known: Shop, q: str) -> None:
        assert found(known, q=q) == []

    @pytest.mark.parametrize(
        ("asked", "count"),
        [
            ({"brands": ("tea&co",)}, 1), ({"brands": ("tea",)}, 0),
            ({"categories": ("KITCHEN", "nonesuch")}, 1), ({"product_types": ("mug",)}, 1),
            ({"product_types": ("mu",)}, 0), ({"skus": ("MUG-BLUE",)}, 1),
            ({"skus": ("mug-blue",)}, 0), ({"brands": ("it's \\ & | 'x'",)}, 0),
        ],
    )  # fmt: skip
    def test_what_was_sold_finds_it_as_it_is_called(
        self, known: Shop, asked: dict[str, Any], count: int
    ) -> None:
        assert found(known, **asked) == ["RMA/W-000123"] * count

    @given(q=st.text(max_size=60))
    def test_any_text_may_be_asked_for(self, common_shop: Shop, q: str) -> None:
        if "\x00" not in q and not any("\ud800" <= each <= "\udfff" for each in q):
            assert found(common_shop, q=q, customer=q, product_types=(q,)) == []

    @given(
        ref=st.text(st.characters(exclude_categories=["C", "Z"]), min_size=1, max_size=40),
        name=st.text(st.characters(exclude_categories=["C"]), min_size=1, max_size=40),
    )
    @example(ref="W-1", name="Ada\u1680Pen")  # a blank that is none in PostgreSQL
    def test_an_order_of_any_name_is_found_by_it(
        self, common_shop: Shop, ref: str, name: str
    ) -> None:
        common_shop.restore()
        common_shop.take(an_order(ref, external_number=None, customer_name=name))
        indexed(common_shop.ledger)
        with common_shop.ledger.snapshot() as tx:
            folded = tx.execute(text("select search_fold(:name)"), {"name": name}).scalar_one()
            asked = search_of(tx, Filters(q=name))
        if folded.replace("-", " ").split() and "@" not in name:
            assert found(common_shop, q=name) == [ref], asked

    def test_the_longest_order_is_indexed(self, shop: Shop) -> None:
        title = " ".join(f"wörd{n}\ufdfa" for n in range(60))[:500]
        lines = [a_line(ref=str(n), title=f"{n} {title}") for n in range(2000)]
        shop.take(an_order("W-1", lines=lines, customer_name="\ufdfa" * 500))
        indexed(shop.ledger)
        assert found(shop, q="ada@example.org") == ["W-1"]


class TestFollower:
    def test_it_sees_what_changes(self, known: Shop) -> None:
        known.take(
            an_order("Z-9", version=2, customer_name="Eva Holm", lines=[a_line("INK", 2)]),
        )
        indexed(known.ledger)
        assert found(known, q="lund") == []
        assert found(known, q="eva holm ink") == ["Z-9"]
        assert found(known, currency="EUR", total_from_minor=2000) == ["Z-9"]

    @pytest.mark.parametrize(
        ("change", "q"),
        [
            ("update order_groups set ship_to = jsonb_build_object('city', 'Gent')", "gent"),
            ("update fulfillment_orders set tracking_number = 'TT-0077'", "tt0077"),
            ("insert into parcels (fulfillment_id, order_id, carrier, tracking_number, state,"
             " created_at, changed_at) select fulfillment_id, order_id, 'dpd', '05222456789012',"
             " 'label_created', created_at, created_at from fulfillment_orders limit 1",
             "522245678"),
        ],
    )  # fmt: skip
    def test_it_sees_what_changes_beside_the_order(self, routed: Shop, change: str, q: str) -> None:
        routed.take(a_movement(5), a_movement(5, sku="INK"))
        groups = [a_group("ship_home", "PEN"), a_group("pickup_point", "INK")]
        routed.take(an_order(lines=[a_line("PEN"), a_line("INK")], groups=groups,
                             fulfillment_method="mixed"))  # fmt: skip
        route(routed)
        indexed(routed.ledger)
        assert found(routed, methods=("pickup_point",), fulfillment_location_codes=("DC",))
        assert found(routed, q=q) == []
        with routed.ledger.transaction() as tx:
            assert tx.execute(text(change)).rowcount
        indexed(routed.ledger)
        assert found(routed, q=q) == ["W-1"]

    def test_orders_of_a_product_follow_it(
        self, known: Shop, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        known.take(*(an_order(f"P-{n}", placed_at=minutes(-n)) for n in range(1, 6)))
        indexed(known.ledger)
        monkeypatch.setattr(indexing, "ORDERS_MAX", 2)
        known.take(a_product("PEN", product_type="writing", gtin="4006381333931"))
        indexed(known.ledger)
        expected = ["Z-9", *(f"P-{n}" for n in range(1, 6))]
        assert found(known, product_types=("Writing",)) == expected
        assert found(known, q="4006381333931", limit=9) == expected
        assert found(known, product_types=("office",)) == []
        assert known.rows("select * from order_search_due") == []

    def test_what_is_there_already_is_not_written_again(self, known: Shop) -> None:
        before = known.rows("select order_id, ctid::text, xmin::text from order_search order by 1")
        with known.ledger.transaction() as tx:
            assert indexing.index_changes(tx, 0, 1 << 40)
        after = known.rows("select order_id, ctid::text, xmin::text from order_search order by 1")
        assert after == before

    def test_it_takes_no_more_than_a_batch_at_a_time(
        self, shop: Shop, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(indexing, "ORDERS_MAX", 2)
        for n in range(5):
            shop.take(an_order(f"W-{n}"))
        with shop.ledger.snapshot() as tx:
            reached = indexing.stop(tx, 0, 1 << 40)
        with shop.ledger.transaction() as tx:
            indexing.index_changes(tx, 0, reached)
        assert shop.value("select count(*) from order_search") == 2
        indexed(shop.ledger)
        assert shop.value("select count(*) from order_search") == 5


class TestFacets:
    def counts(self, shop: Shop, **asked: Any) -> facets.Facets:
        """Count what is in a result."""
        with shop.ledger.snapshot() as tx:
            return facets.facets(tx, Filters(**asked))

    def test_they_count_all_of_it(self, known: Shop) -> None:
        counted = self.counts(known)
        assert (counted.orders_count, counted.is_complete) == (2, True)
        named = {
            name: {each.value: each.orders_count for each in counts}
            for name, counts in counted.counts.items()
        }
        assert named == {
            "channel": {"web": 2}, "order_state": {"placed": 2},
            "fulfillment_state": {"backordered": 2}, "method": {"ship_home": 2},
            "country": {"NL": 2}, "product_type": {"mug": 1, "office": 1}, "tag": {},
            "location": {}, "fulfillment_location": {},
        }  # fmt: skip

    @pytest.mark.parametrize("asked", [{}, {"q": "w"}, {"q": "pen"}])
    def test_an_order_that_goes_several_ways_counts_for_each(
        self, shop: Shop, asked: dict[str, Any]
    ) -> None:
        """As many as the filter of the same value finds."""
        shop.take(
            an_order(
                "W-1", fulfillment_method="mixed",
                lines=[a_line("PEN"), a_line("INK"), a_line("LAMP")],
                groups=[a_group("ship_home", "PEN"), a_group("ship_home", "INK"),
                        a_group("collect_store", "LAMP", location_code="AMS")],
            ),
            an_order("W-2", lines=[a_line("PEN")]),
        )  # fmt: skip
        indexed(shop.ledger)
        counted = {
            each.value: each.orders_count for each in self.counts(shop, **asked).counts["method"]
        }
        assert counted == {"ship_home": 2, "collect_store": 1, "mixed": 1}
        for method, count in counted.items():
            assert len(found(shop, methods=(method,), **asked)) == count, method

    @pytest.mark.parametrize(
        "asked",
        [{"q": "lund"}, {"skus": ("PEN",)}, {"q": "l", "currency": "EUR"}, {"customer": "bo"},
         {"currency": "EUR", "total_to_minor": 1000, "external": "Z-9"}],
    )  # fmt: skip
    def test_they_are_of_what_is_asked_for(self, known: Shop, asked: dict[str, Any]) -> None:
        counted = self.counts(known, **asked)
        assert (counted.orders_count, counted.is_complete) == (1, True)

    @pytest.mark.parametrize("asked", [{}, {"q": "pen"}, {"q": "p"}, {"currency": "EUR"}])
    def test_of_a_large_result_they_look_through_the_newest(
        self, shop: Shop, monkeypatch: pytest.MonkeyPatch, asked: dict[str, Any]
    ) -> None:
        shop.take(
            *(an_order(f"W-{n}", placed_at=minutes(n), country_code="BE" if n > 3 else "NL")
              for n in range(6))
        )  # fmt: skip
        indexed(shop.ledger)
        monkeypatch.setattr(facets, "FACET_ORDERS_MAX", 2)
        monkeypatch.setattr(facets, "NEWEST_MIN", 1)
        counted = self.counts(shop, **asked)
        assert (counted.orders_count, counted.is_complete) == (2, False)
        assert [each.value for each in counted.counts["country"]] == ["BE"]
