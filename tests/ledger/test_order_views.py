"""Saved views, and the list of orders added up."""

from datetime import timedelta
from typing import Any

import pytest

from oms.orders import analysis
from oms.orders.analysis import Dimension, TooWide
from oms.orders.filters import Filters
from oms.views import operations, queries
from oms.views.model import Holder, ViewNotFound
from tests.builders import NOW, a_line, a_product, an_order
from tests.ledger.finding import indexed
from tests.ledger.shop import Shop

ADA = Holder(name="ada", role="agent", channel_codes=None)


def added_up(shop: Shop, *by: Dimension, **asked: Any) -> list[tuple[Any, ...]]:
    """Add up a result."""
    with shop.ledger.snapshot() as tx:
        groups = analysis.analyze(tx, Filters(**asked), by)
    return [
        (*each.values, each.currency, each.orders_count, each.units, each.gross_minor)
        for each in groups
    ]


@pytest.fixture
def sold(shop: Shop) -> Shop:
    """Give a retailer with orders of two channels, three days and two types of product."""
    shop.take(a_product("INK", product_type="supplies"))
    shop.take(
        an_order("W-1", lines=[a_line("PEN", 2), a_line("INK", 1)]),
        an_order("W-2", placed_at=NOW - timedelta(days=1), currency="JPY", lines=[a_line("PEN")]),
        an_order("W-3", placed_at=NOW - timedelta(days=6), lines=[a_line("PEN", 4)]),
    )
    shop.take(an_order("M-1", lines=[a_line("INK", 3)]), channel="market")
    indexed(shop.ledger)
    return shop


class TestAnalysis:
    def test_it_adds_up_by_channel_and_currency(self, sold: Shop) -> None:
        assert added_up(sold, Dimension.CHANNEL) == [
            ("market", "EUR", 1, 3, 3000), ("web", "EUR", 2, 7, 7000), ("web", "JPY", 1, 1, 1000),
        ]  # fmt: skip

    def test_an_order_counts_for_each_type_in_it(self, sold: Shop) -> None:
        assert added_up(sold, Dimension.PRODUCT_TYPE, currency="EUR") == [
            ("office", "EUR", 2, 6, 6000), ("supplies", "EUR", 2, 4, 4000),
        ]  # fmt: skip

    def test_it_is_of_what_is_asked_for(self, sold: Shop) -> None:
        assert added_up(sold, Dimension.CHANNEL, Dimension.DAY, q="ink") == [
            ("market", "2026-01-05", "EUR", 1, 3, 3000), ("web", "2026-01-05", "EUR", 1, 3, 3000),
        ]  # fmt: skip
        assert added_up(sold, Dimension.CHANNEL, q="nonesuch") == []

    @pytest.mark.parametrize(
        ("dimension", "values"),
        [
            (Dimension.WEEK, ["2025-12-29", "2025-12-29", "2026-01-05"]),
            (Dimension.MONTH, ["2025-12-01", "2026-01-01", "2026-01-01"]),
            (Dimension.LOCATION, [None, None]), (Dimension.METHOD, ["ship_home", "ship_home"]),
            (Dimension.ORDER_STATE, ["placed", "placed"]), (Dimension.COUNTRY, ["NL", "NL"]),
            (Dimension.FULFILLMENT_STATE, ["backordered", "backordered"]),
        ],
    )  # fmt: skip
    def test_it_knows_every_dimension(
        self, sold: Shop, dimension: Dimension, values: list[str | None]
    ) -> None:
        assert [row[0] for row in added_up(sold, dimension)] == values

    @pytest.mark.parametrize("asked", [{}, {"q": "ada"}])
    def test_too_much_is_refused(
        self, sold: Shop, monkeypatch: pytest.MonkeyPatch, asked: dict[str, Any]
    ) -> None:
        monkeypatch.setattr(analysis, "ANALYSIS_ORDERS_MAX", 3)
        with pytest.raises(TooWide):
            added_up(sold, Dimension.CHANNEL, **asked)
        monkeypatch.setattr(analysis, "ANALYSIS_ORDERS_MAX", 4)
        assert added_up(sold, Dimension.CHANNEL, **asked)
        monkeypatch.setattr(analysis, "GROUPS_MAX", 1)
        with pytest.raises(TooWide):
            added_up(sold, Dimension.CHANNEL, **asked)


class TestViews:
    def names(self, shop: Shop, holder: Holder) -> list[str]:
        """List the views somebody sees."""
        with shop.ledger.snapshot() as tx:
            return [each.name for each in queries.views(tx, holder)]

    def keep(self, shop: Shop, holder: Holder, name: str, **options: Any) -> int:
        """Keep a view."""
        with shop.ledger.transaction() as tx:
            options = {"is_shared": False, **options}
            return operations.save(tx, holder, name, {"q": "pen"}, at=NOW, **options).view_id

    @pytest.mark.parametrize(
        ("holder", "seen"),
        [
            (ADA, ["mine", "ours"]),
            (Holder(name="bo", role="agent", channel_codes=None), ["ours"]),
            (Holder(name="ada", role="finance", channel_codes=None), ["mine"]),
            (Holder(name="ada", role="agent", channel_codes=frozenset({"web"})), []),
            (Holder(name="ada", role="agent", channel_codes=frozenset()), []),
        ],
    )
    def test_one_sees_ones_own_and_those_of_ones_role(
        self, shop: Shop, holder: Holder, seen: list[str]
    ) -> None:
        self.keep(shop, ADA, "mine")
        ours = self.keep(shop, ADA, "ours", is_shared=True)
        assert self.names(shop, holder) == seen
        with shop.ledger.transaction() as tx:
            if "ours" in seen:
                operations.remove(tx, holder, ours)
            else:
                with pytest.raises(ViewNotFound):
                    operations.remove(tx, holder, ours)

    def test_a_name_is_kept_once(self, shop: Shop) -> None:
        first = self.keep(shop, ADA, "mine")
        assert self.keep(shop, ADA, "mine") == first
        assert self.keep(shop, ADA, "mine", is_shared=True) != first
        assert self.names(shop, ADA) == ["mine", "mine"]
