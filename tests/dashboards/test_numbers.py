"""What the screen says, against SQL of the tests' own on the facts the rollups are made of."""

import math
from datetime import date
from decimal import Decimal

import pytest
from streamlit.testing.v1 import AppTest

from dashboards.widgets.table import ROWS_IN_SIGHT_MAX
from oms.reports import sales
from oms.reports.model import Basis, Comparison, Filters, Level, Period
from oms.reports.pivot import ALL_CHANNELS, column_of, pivot
from oms.reports.published import Publication
from tests.dashboards.conftest import Page, Truth

# The retailer's newest day is 28 September 2025.
PERIOD = Period(from_on=date(2025, 9, 1), to_on=date(2025, 9, 29))
BEFORE = PERIOD.earlier(28)
NET = """
    select sum(net_amount) from fct_order_lines
    where not is_test and currency = ? and event_on >= ? and event_on < ?
"""


def asked(**more: object) -> Filters:
    return Filters(period=PERIOD, currency="EUR", **more)  # type: ignore[arg-type] - fields of it


def metric(app: AppTest, label: str) -> str:
    return next(str(m.value) for m in app.metric if m.label == label).replace("\\", "")


class TestScreen:
    def test_net_sales_and_their_change_are_those_of_the_facts(
        self, page: Page, truth: Truth
    ) -> None:
        ((now,),) = truth(NET, "EUR", PERIOD.from_on, PERIOD.to_on)
        ((before,),) = truth(NET, "EUR", BEFORE.from_on, BEFORE.to_on)
        app = page("sales_overview")
        assert metric(app, "Net sales") == f"€{now:,.2f}"
        change = float(Decimal(str(now)) / Decimal(str(before)) - 1)
        assert app.metric[0].delta == f"{change:+.1%}"

    def test_orders_are_counted_once_whatever_they_hold(self, page: Page, truth: Truth) -> None:
        ((orders,),) = truth(
            "select count(distinct order_id) from fct_order_lines where not is_test"
            " and event_kind = 'sale' and currency = 'EUR' and placed_on >= ? and placed_on < ?",
            PERIOD.from_on, PERIOD.to_on,
        )  # fmt: skip
        assert metric(page("sales_overview"), "Orders") == f"{orders:,}"
        every_type = ["Outdoor", "Footwear", "Kitchen", "Living", "Toys", "(none)"]
        app = page("sales_overview", type=every_type)
        assert metric(app, "Orders") == f"{orders:,}"

    def test_a_choice_of_products_and_channels_counts_only_those(
        self, page: Page, truth: Truth
    ) -> None:
        ((net, orders),) = truth(
            "select sum(net_amount), count(distinct order_id) filter (event_kind = 'sale'"
            " and placed_on >= ? and placed_on < ?) from fct_order_lines as lines"
            " inner join dim_products as products using (product_id)"
            " where not is_test and lines.currency = 'EUR' and category = 'Tents'"
            " and channel_code in ('webshop', 'stores')"
            " and event_on >= ? and event_on < ?",
            PERIOD.from_on, PERIOD.to_on, PERIOD.from_on, PERIOD.to_on,
        )  # fmt: skip
        app = page("sales_by_channel", category="Tents", channel=["webshop", "stores"])
        assert metric(app, "Net sales") == f"€{net:,.2f}"
        assert metric(app, "Orders") == f"{orders:,}"

    def test_by_order_date_moves_returns_to_the_day_of_their_order(
        self, page: Page, truth: Truth
    ) -> None:
        ((net,),) = truth(NET.replace("event_on", "placed_on"), "EUR", PERIOD.from_on, PERIOD.to_on)
        ((by_event,),) = truth(NET, "EUR", PERIOD.from_on, PERIOD.to_on)
        assert net != by_event
        assert metric(page("sales_overview", basis="placed"), "Net sales") == f"€{net:,.2f}"

    def test_the_total_of_each_table_is_its_number_above(self, page: Page) -> None:
        for view in ("sales_overview", "sales_by_channel", "sales_by_product"):
            app = page(view)
            table = app.dataframe[0].value
            is_total = table.iloc[:, 0] == "Total"
            ((at,),) = is_total.to_numpy().nonzero()
            assert at == (0 if len(table) > ROWS_IN_SIGHT_MAX else len(table) - 1)
            (total,) = table["net_amount"][is_total]
            assert f"€{total:,.2f}" == metric(app, "Net sales")
            assert round(table["net_amount"][~is_total].sum(), 2) == pytest.approx(total)

    def test_stock_is_what_the_levels_add_up_to(self, page: Page, truth: Truth) -> None:
        ((on_hand, available),) = truth(
            "select sum(on_hand), sum(available_to_fulfill) from fct_stock_levels"
            " where location_code in ('hamburg', 'vienna')"
        )
        app = page("stock", location=["hamburg", "vienna"])
        assert metric(app, "On hand") == f"{on_hand:,}"
        assert metric(app, "Available") == f"{available:,}"

    def test_quarantine_lists_what_is_open_with_line_field_and_reason(
        self, page: Page, truth: Truth
    ) -> None:
        rows = truth(
            "select code, line, field, detail from quarantine_items"
            " where state = 'open' order by first_seen_at desc, quarantine_id desc"
        )
        app = page("freshness")
        assert metric(app, "In quarantine") == str(len(rows))
        table = app.dataframe[1].value
        shown = table[["code", "field", "detail"]].itertuples(index=False, name=None)
        assert list(shown) == [(code, field, detail) for code, _, field, detail in rows]
        lines = [None if math.isnan(line) else int(line) for line in table["line"]]
        assert lines == [line for _, line, _, _ in rows]


class TestCrossing:
    def test_every_cell_subtotal_and_total_is_that_of_the_facts(
        self, publication: Publication, truth: Truth
    ) -> None:
        crossed = pivot(
            publication, asked(), (Level.PRODUCT_TYPE, Level.CATEGORY), "returned_amount"
        )
        facts = truth(
            "select coalesce(product_type, '(none)'), coalesce(category, '(none)'),"
            " channel_code, sum(net_amount) from fct_order_lines"
            " inner join dim_products using (product_id)"
            " where not is_test and currency = 'EUR' and event_kind = 'return'"
            " and event_on >= ? and event_on < ? group by all",
            PERIOD.from_on, PERIOD.to_on,
        )  # fmt: skip
        expected = {fact[:3]: fact[3] for fact in facts}
        found = {
            (row["outer_value"], row["inner_value"], code): row[column_of(code)]
            for row in crossed.rows.filter(~crossed.rows["is_subtotal"]).to_dicts()
            for code, _ in crossed.channels
            if row[column_of(code)]
        }
        assert found == expected
        assert crossed.total[ALL_CHANNELS] == sum(expected.values())
        for row in crossed.rows.filter("is_subtotal").to_dicts():
            of_type = [value for key, value in expected.items() if key[0] == row["outer_value"]]
            assert row[ALL_CHANNELS] == sum(of_type)

    @pytest.mark.parametrize("measure", ["net_amount", "returned_amount", "units"])
    @pytest.mark.parametrize("basis", list(Basis))
    def test_the_orders_behind_a_cell_add_up_to_it(
        self, publication: Publication, measure: str, basis: Basis
    ) -> None:
        filters = asked(basis=basis)
        crossed = pivot(publication, filters, (Level.BRAND, Level.SKU), measure)
        row = crossed.rows.row(1, named=True)
        code = crossed.channels[0][0]
        narrowed = filters.only(Level.BRAND, row["outer_value"])
        narrowed = narrowed.only(Level.SKU, row["inner_value"])
        behind = sales.orders(
            publication,
            Filters(
                period=PERIOD, currency="EUR", basis=basis, channels=(code,),
                brands=narrowed.brands, skus=narrowed.skus,
            ),
            measure,
            orders_max=10_000,
        )  # fmt: skip
        assert behind.amount == row[column_of(code)]
        assert behind.orders["amount"].sum() == row[column_of(code)]

    def test_a_cell_in_the_url_opens_its_orders_with_links(self, page: Page, truth: Truth) -> None:
        app = page("channel_by_product", cell=["Tents", "Outdoor", "webshop"])
        assert app.subheader[-1].value == "Orders: Tents, Outdoor, Web shop"
        ((count, net),) = truth(
            "select count(distinct order_id), sum(net_amount) from fct_order_lines"
            " inner join dim_products using (product_id) where not is_test"
            " and currency = 'EUR' and channel_code = 'webshop' and category = 'Tents'"
            " and event_on >= ? and event_on < ?",
            PERIOD.from_on, PERIOD.to_on,
        )  # fmt: skip
        said = next(each.value for each in reversed(app.caption) if " orders, " in each.value)
        said = said.replace("\\", "")
        assert said.startswith(f"{count:,} orders")
        assert f"€{net:,.2f}" in said
        orders = app.dataframe[-1].value
        assert len(orders) == count
        assert orders["order_number"].str.match(r"http://127.0.0.1:8000/v1/orders/R\d{9}").all()


class TestComparison:
    def test_last_year_is_the_same_weekdays(self) -> None:
        compared = asked(comparison=Comparison.LAST_YEAR).compared()
        assert compared is not None
        assert compared.period.from_on.isoweekday() == PERIOD.from_on.isoweekday()
        assert (PERIOD.from_on - compared.period.from_on).days == 364

    def test_moved_onto_the_period_it_keeps_its_sum(self, publication: Publication) -> None:
        for comparison in (Comparison.PREVIOUS, Comparison.LAST_YEAR):
            filters = asked(comparison=comparison)
            compared = filters.compared()
            assert compared is not None
            moved = sales.compared_by_time(publication, filters, PERIOD.grain)
            whole = sales.totals(publication, compared)
            assert moved["net_amount"].sum() == whole["net_amount"]
            assert moved["sold_on"].is_between(PERIOD.from_on, PERIOD.last_on).all()

    def test_what_sold_only_before_is_listed_too(self, publication: Publication) -> None:
        day = Period(from_on=PERIOD.from_on, to_on=PERIOD.from_on.replace(day=2))
        filters = Filters(period=day, currency="EUR")
        table = sales.by_product(publication, filters, Level.SKU)
        gone = table.filter(table["orders_count"] == 0, table["compared_net_amount"] > 0)
        assert gone.height > 0
        assert gone["change_ratio"].to_list() == [
            -1.0 if net == 0 else float(net / was - 1)
            for net, was in gone.select("net_amount", "compared_net_amount").iter_rows()
        ]
