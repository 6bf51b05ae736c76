"""Every page, by being in the folder: with data, without any, and with far too much of it."""

from pathlib import Path

import duckdb
import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from dashboards.format import DASH
from dashboards.widgets import skus
from dashboards.widgets.table import ROWS_IN_SIGHT_MAX
from oms.reports.fulfillment import Subject
from oms.reports.measures import AMOUNTS
from oms.reports.model import Comparison, Grain, Level
from tests.dashboards.conftest import VIEWS, Page, Truth
from tests.dashboards.published import publish

EVERYTHING = {"period": "custom", "days": "2016-01-01..2026-01-01", "compare": "previous"}
CHANNELS = ["webshop", "stores", "marketplace", "kiosk", "phone", "webshop-us", "webshop-jp"]


def failures(app: AppTest) -> list[str]:
    return [*(each.message for each in app.exception), *(each.value for each in app.error)]


def altered(home: Path, *statements: str) -> None:
    """Make a publication, and change it by SQL."""
    path = publish(home / "published")
    connection = duckdb.connect(str(path))
    for statement in statements:
        connection.execute(statement.replace(" from ", " from marts."))
    connection.close()


def period_of(app: AppTest) -> str:
    """Return what the chip of the period says."""
    labels = [each.proto.popover.label.replace(DASH, "-") for each in app.get("popover")]
    return next(label for label in labels if any(char.isdigit() for char in label))


def text_of(app: AppTest) -> str:
    elements = [*app.markdown, *app.caption, *app.info, *app.code, *app.warning]
    return "\n".join(str(element.value) for element in elements)


class TestEveryPage:
    @pytest.mark.parametrize("view", VIEWS)
    def test_shows_its_age_numbers_a_chart_a_table_and_two_files(
        self, page: Page, view: str
    ) -> None:
        app = page(view)
        assert failures(app) == []
        assert len(app.title) == 1
        assert 3 <= len(app.metric) <= 4
        assert all(metric.proto.help for metric in app.metric)
        assert len(app.get("plotly_chart")) >= 1
        assert len(app.dataframe) >= 1
        assert len(app.get("download_button")) >= 2
        assert " old" in "".join(each.value for each in app.markdown)

    @pytest.mark.parametrize("view", VIEWS)
    def test_says_what_to_do_when_nothing_is_published(
        self, page: Page, view: str, tmp_path: Path
    ) -> None:
        app = page(view, tmp_path)
        assert failures(app) == []
        assert "Nothing has been published yet" in text_of(app)
        assert [each.value for each in app.code] == ["oms simulate", "oms ingest --help"]

    @pytest.mark.parametrize("view", VIEWS)
    def test_says_so_when_the_publication_is_empty(
        self, page: Page, view: str, unsold_home: Path
    ) -> None:
        app = page(view, unsold_home)
        assert failures(app) == []
        nothing = {"stock": "No product fits", "freshness": "Nothing", "sales": "Nothing has been"}
        sentence = nothing.get(view, nothing["sales"])
        assert sentence in text_of(app) or view == "freshness"

    @pytest.mark.parametrize("view", VIEWS)
    def test_stands_ten_thousand_skus_ten_years_and_every_channel(
        self, page: Page, view: str, large_home: Path
    ) -> None:
        chosen = tuple(f"TEN-{at:05d}" for at in range(1, 12_000, 12))
        chosen += tuple(f"HIK-{at:05d}" for at in range(3, 12_000, 12))
        chosen += tuple(f"XXX-{at:05d}" for at in range(8_000))
        url = {**EVERYTHING, "channel": CHANNELS, "sku": skus.packed(chosen)}
        app = page(view, large_home, **url)
        assert len(chosen) == 10_000
        assert failures(app) == []
        if view.startswith(("sales", "channel")):
            assert app.metric[0].value != "€0\\.00"
            assert "8,000 SKUs are not known" in text_of(app)

    @pytest.mark.parametrize("view", VIEWS)
    def test_survives_nonsense_in_its_url(self, page: Page, view: str) -> None:
        url = {
            "period": "custom",
            "days": "0000-99-99..x",
            "channel": ["nowhere", "'; drop table x"],
            "currency": "EURO",
            "basis": "cash",
            "compare": "",
            "sku": "z:!!!!",
            "cell": ["a", "b"],
            "by": "size",
            "rows": "sku",
            "then": "sku",
        }
        assert failures(page(view, **url)) == []


class TestEveryChoice:
    """What can be chosen on a page is drawn, not only what it begins with."""

    @pytest.mark.parametrize("measure", [*AMOUNTS, "units"])
    def test_each_measure_is_crossed_and_drilled(self, page: Page, measure: str) -> None:
        cell = ["Fjellstad", "Outdoor", "webshop"]
        app = page("channel_by_product", measure=measure, rows="brand", then="product_type",
                   cell=cell)  # fmt: skip
        assert failures(app) == []
        assert len(app.dataframe) == 2
        assert len(app.get("download_button")) == 4

    @pytest.mark.parametrize("rows", list(Level))
    def test_rows_of_one_level_are_crossed(self, page: Page, rows: str) -> None:
        app = page("channel_by_product", rows=rows, then="nothing", measure="units")
        assert failures(app) == []
        table = app.dataframe[0].value
        assert table.iloc[0 if len(table) > ROWS_IN_SIGHT_MAX else -1, 0] == "Total"
        assert list(table.columns[:2]) == ["label", "all_channels"]

    def test_categories_are_taken_apart_by_product_type(self, page: Page) -> None:
        app = page("channel_by_product")
        chosen = {box.key: box.value for box in app.selectbox}
        assert (chosen["rows"], chosen["then"]) == ("category", "product_type")

    @pytest.mark.parametrize(
        ("view", "url"),
        [
            *(("sales_by_product", {"by": level}) for level in Level),
            *(("sales_by_channel", {"show": "ranking", "compare": each}) for each in Comparison),
            *(("sales_overview", {"step": grain}) for grain in Grain),
            *(("stock", {"stock": shown, "list": "location"}) for shown in ("cover", "time")),
            *(("freshness", {"state": state}) for state in ("resolved", "dismissed", "all")),
            ("freshness", {"code": "MALFORMED", "channel": "stores"}),
            *(
                ("fulfillment", {"subject": each, f"{each}_by": each.groups[-1].value})
                for each in Subject
            ),
        ],
    )
    def test_is_drawn(self, page: Page, view: str, url: dict[str, str]) -> None:
        assert failures(page(view, **url)) == []


class TestFulfillment:
    def test_counts_what_the_marts_have_of_one_channel_and_place(
        self, page: Page, truth: Truth
    ) -> None:
        app = page("fulfillment", channel="webshop", location="hamburg", period="90d")
        (total, rejected) = truth(
            "select count(*), count(*) filter (fulfillment_state = 'rejected')"
            " from fct_fulfillments where channel_code = 'webshop' and location_code = 'hamburg'"
            " and not is_test and created_on > date '2025-06-30'"
        )[0]
        assert app.metric[0].value == str(total)
        url = {"channel": "webshop", "location": "hamburg", "period": "90d"}
        app = page("fulfillment", subject="rejections", **url)
        assert int(app.dataframe[0].value["rejected_count"].iloc[-1]) == rejected > 0

    def test_a_period_without_any_says_when_there_was_some(self, page: Page) -> None:
        app = page("fulfillment", period="custom", days="2010-01-01..2010-01-31")
        assert failures(app) == []
        assert "Times: there is none in this period" in text_of(app)
        assert "Sep 2025" in text_of(app)

    def test_where_nobody_was_asked_it_says_what_makes_it_so(
        self, page: Page, unsold_home: Path
    ) -> None:
        assert "is_routed: true" in text_of(page("fulfillment", unsold_home))


class TestFrame:
    """The frame is one for all pages; test_layers sees that each page has it."""

    def test_tells_no_traceback_when_the_file_is_broken(self, page: Page, tmp_path: Path) -> None:
        folder = tmp_path / "published"
        folder.mkdir()
        (folder / "marts-000001.duckdb").write_bytes(b"not a database")
        (folder / "CURRENT").write_text("marts-000001.duckdb")
        app = page("stock", tmp_path)
        assert len(app.exception) == 0
        assert [each.value for each in app.error] == [
            "The published numbers cannot be read. The next publication replaces them."
        ]

    def test_tells_no_traceback_when_its_own_code_fails(
        self, page: Page, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        st.cache_data.clear()  # an answer kept from another test would hide it
        monkeypatch.setattr("oms.reports.published.Publication.ask", lambda *_: 1 // 0)
        app = page("stock")
        assert len(app.exception) == 0
        assert "log of the dashboards" in app.error[0].value


class TestPeriodsAndCurrencies:
    def test_one_day_is_a_period(self, page: Page) -> None:
        app = page("sales_overview", period="custom", days="2025-09-20..2025-09-20")
        assert failures(app) == []
        assert app.dataframe[0].value.shape[0] == 2  # the day and the total

    def test_a_period_without_sales_says_when_there_were_some(self, page: Page) -> None:
        app = page("sales_by_channel", period="custom", days="2010-01-01..2010-01-31")
        assert failures(app) == []
        assert "There are no sales in EUR in this period. The newest were on" in text_of(app)

    def test_a_currency_that_is_no_longer_sold_in_says_until_when_it_was(
        self, page: Page, tmp_path: Path
    ) -> None:
        altered(tmp_path, "delete from sales_by_channel_daily where currency = 'JPY'"
                " and sold_on > date '2025-06-30'")  # fmt: skip
        app = page("sales_overview", tmp_path, currency="JPY")
        assert failures(app) == []
        assert "no sales in JPY in this period. The newest were on" in text_of(app)
        assert "Jun 2025" in text_of(app)
        assert "choose *Everything* as the period" in text_of(app)
        everything = page("sales_overview", tmp_path, currency="JPY", period="all")
        assert "There are no sales" not in text_of(everything)

    def test_a_young_business_has_its_few_days_and_nothing_to_compare_with(
        self, page: Page, tmp_path: Path
    ) -> None:
        altered(tmp_path, "delete from sales_by_channel_daily where sold_on < date '2025-09-24'",
                "delete from fct_order_lines where event_on < date '2025-09-24'")  # fmt: skip
        app = page("sales_overview", tmp_path)
        assert failures(app) == []
        assert period_of(app) == "24 - 28 Sep 2025, nothing before to compare with"
        assert [metric.delta for metric in app.metric] == [""] * len(app.metric)

    def test_freshness_counts_back_from_the_publication(self, page: Page, tmp_path: Path) -> None:
        altered(tmp_path, "delete from sales_by_channel_daily where sold_on > date '2025-08-31'")
        assert period_of(page("sales_overview", tmp_path)).startswith("4 - 31 Aug 2025")
        assert period_of(page("freshness", tmp_path)) == "1 - 28 Sep 2025"

    def test_yen_have_no_decimals(self, page: Page) -> None:
        app = page("sales_overview", currency="JPY", period="28d")
        assert app.metric[0].value.startswith("¥")
        assert "\\." not in app.metric[0].value

    def test_other_currencies_are_named_as_left_out(self, page: Page) -> None:
        assert "Sales in USD, JPY are not in these numbers" in text_of(page("sales_overview"))


class TestNavigation:
    def test_shows_every_page(self, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("OMS_HOME", str(home))
        root = Path(__file__).parents[2]
        app = AppTest.from_file(str(root / "dashboards" / "app.py"), default_timeout=30).run()
        assert failures(app) == []
        assert app.title[0].value == "Sales overview"
        source = (root / "dashboards" / "app.py").read_text()
        assert all(f"{view}.render" in source for view in VIEWS)
