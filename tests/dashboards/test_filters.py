"""Filters: periods by name, lists of SKUs, and the URL that keeps them."""

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from streamlit.testing.v1 import AppTest

from dashboards.widgets import address, periods, skus
from oms.reports.model import Comparison, Filters, Grain, Period
from tests.dashboards.conftest import Page

NEWEST = date(2025, 9, 28)
OLDEST = date(2024, 6, 5)


def period_of(preset: str, *custom: date) -> Period:
    return periods.period_of(preset, NEWEST, OLDEST, custom)


def interrupted() -> None:
    """Draw a page with two choices; a run ends between them where `is_cut` is set."""
    import streamlit

    from dashboards.widgets import address, choice

    page = streamlit.session_state.get("page_name", "Orders")
    address.begin(page)
    names = ("words",) if page == "Orders" else ("other",)
    for name in (*names, "more"):
        choice.typed_many(name, name, "")
        if streamlit.session_state.get("is_cut"):
            streamlit.stop()  # as a click or a key ends a run that is not through
    address.finish()


def typed(app: AppTest, name: str, *texts: str, is_cut: bool = False) -> AppTest:
    """Type texts into a choice of the page, in a run that ends early or not."""
    app.session_state["is_cut"] = is_cut
    app.multiselect(key=name).set_value(list(texts))
    return app.run()


def pick(app: AppTest, key: str, value: str) -> AppTest:
    """Choose one of some pills or segments."""
    group = next(each for each in app.button_group if each.key == key)
    group.set_value(value)
    return app.run()


class TestPeriods:
    @pytest.mark.parametrize(
        ("preset", "first", "last"),
        [
            ("7d", date(2025, 9, 22), NEWEST),
            ("28d", date(2025, 9, 1), NEWEST),
            ("90d", date(2025, 7, 1), NEWEST),
            ("month", date(2025, 9, 1), NEWEST),
            ("last_month", date(2025, 8, 1), date(2025, 8, 31)),
            ("ytd", date(2025, 1, 1), NEWEST),
            ("12m", date(2024, 9, 29), NEWEST),
            ("all", OLDEST, NEWEST),
        ],
    )
    def test_a_name_stands_for_days(self, preset: str, first: date, last: date) -> None:
        period = period_of(preset)
        assert (period.from_on, period.last_on) == (first, last)

    @pytest.mark.parametrize("preset", ["7d", "28d", "90d", "month", "ytd", "12m", "all"])
    def test_begins_no_earlier_than_the_oldest_day(self, preset: str) -> None:
        oldest = NEWEST - timedelta(days=4)
        period = periods.period_of(preset, NEWEST, oldest, ())
        assert (period.from_on, period.last_on) == (oldest, NEWEST)

    def test_days_by_hand_count_both_ends_in_any_order(self) -> None:
        period = period_of("custom", date(2025, 3, 9), date(2025, 3, 1))
        assert str(period) == "2025-03-01 to 2025-03-09"
        assert period.days == 9

    def test_by_hand_without_days_is_the_usual_period(self) -> None:
        assert period_of("custom") == period_of("28d")

    @pytest.mark.parametrize("text", ["", "..", "2025-02-30", "a..b", "2025-01-01..2025-01-02..x"])
    def test_nonsense_is_no_days(self, text: str) -> None:
        assert periods.days_from_text(text) == ()

    @given(st.dates(periods.FIRST_ON_MIN, periods.LAST_ON_MAX), st.integers(0, 4000))
    def test_days_survive_the_url(self, first: date, more: int) -> None:
        days = (first, min(first + timedelta(days=more), periods.LAST_ON_MAX))
        assert periods.days_from_text(periods.text_from_days(days)) == days

    @given(st.dates(date(2001, 1, 1), date(2090, 1, 1)), st.integers(1, 3660))
    def test_the_period_before_ends_where_this_one_begins(self, first: date, days: int) -> None:
        period = Period(from_on=first, to_on=first + timedelta(days=days))
        filters = Filters(period=period, currency="EUR", comparison=Comparison.PREVIOUS)
        compared = filters.compared()
        assert compared is not None
        assert compared.period.to_on == period.from_on
        assert compared.period.days == period.days

    def test_steps_keep_a_chart_readable(self) -> None:
        grains = [period_of(preset).grain for preset in ("28d", "90d", "all")]
        assert grains == [Grain.DAY, Grain.WEEK, Grain.MONTH]


class TestSkus:
    def test_are_read_as_people_paste_them(self) -> None:
        text = "TEN-1\n TEN-2;TEN-3, TEN-1\t\r\nBig Pan 4\n\n"
        assert skus.skus_from_text(text) == ("TEN-1", "TEN-2", "TEN-3", "Big Pan 4")

    @given(st.lists(st.from_regex(r"[A-Z0-9 /.\-]{1,20}", fullmatch=True), max_size=200))
    def test_survive_the_url(self, texts: list[str]) -> None:
        chosen = skus.skus_from_text("\n".join(texts))
        assert skus.unpacked(skus.packed(chosen)) == chosen

    def test_ten_thousand_fit_into_a_url(self) -> None:
        chosen = tuple(f"SKU-{at * 7919 % 1_000_003:07d}" for at in range(10_000))
        (packed,) = skus.packed(chosen)
        assert skus.unpacked([packed]) == chosen
        assert len(packed) < 64_000  # what a server reads of a URL at most

    @pytest.mark.parametrize("value", ["z:", "z:!!!", "z:AAAA", "z:eJwDAAAAAAE=", "z:\u00e9"])
    def test_a_broken_list_is_no_skus(self, value: str) -> None:
        assert skus.unpacked([value]) == ()

    def test_a_small_url_does_not_unpack_to_a_large_list(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        (bomb,) = skus.packed([f"{at:09d}" for at in range(30_000)])
        assert len(skus.unpacked([bomb])) == skus.SKUS_MAX
        monkeypatch.setattr(skus, "UNPACKED_BYTES_MAX", 100)
        assert len(skus.unpacked([bomb])) == 10  # of ten bytes each: no more was unpacked


class TestUrl:
    def test_is_bare_while_nothing_is_chosen(self, page: Page) -> None:
        assert page("sales_overview").query_params == {}

    def test_has_what_is_chosen_and_no_more(self, page: Page) -> None:
        app = pick(page("sales_overview"), "period", "90d")
        assert app.query_params == {"period": "90d"}
        app = pick(app, "period", "28d")
        assert app.query_params == {}

    def test_opens_the_page_as_it_was(self, page: Page) -> None:
        first = pick(page("sales_by_channel"), "period", "7d")
        first = pick(first, "show", "ranking")
        again = page("sales_by_channel", **first.query_params)
        assert [m.value for m in again.metric] == [m.value for m in first.metric]
        assert again.query_params == first.query_params

    def test_days_by_hand_begin_with_those_in_sight(self, page: Page) -> None:
        app = pick(page("sales_overview", period="7d"), "period", "custom")
        assert app.query_params == {"period": "custom", "days": "2025-09-22..2025-09-28"}

    def test_reset_leaves_nothing(self, page: Page) -> None:
        app = page("sales_overview", period="90d", channel=["stores"], basis="placed")
        app.button(key="reset").click().run()
        assert app.query_params == {}
        assert [m.value for m in app.metric] == [m.value for m in page("sales_overview").metric]

    def test_a_list_of_skus_is_kept_short(self, page: Page) -> None:
        app = page("sales_overview")
        app.text_area(key="sku").set_value("\n".join(f"TEN-{at:05d}" for at in range(3_000))).run()
        value = app.query_params["sku"]
        assert value.startswith("z:")
        assert not app.exception

    def test_changed_from_outside_it_is_followed(self, page: Page) -> None:
        app = pick(page("sales_overview"), "period", "90d")
        app.query_params.clear()
        app.query_params["period"] = "7d"
        app.run()
        assert next(each.value for each in app.button_group if each.key == "period") == "7d"

    def test_a_late_url_does_not_undo_a_choice_when_somebody_clicks_at_once(
        self, page: Page
    ) -> None:
        app = pick(page("sales_overview"), "period", "90d")
        app.query_params.clear()
        app.run()
        assert app.query_params == {"period": "90d"}

    def test_a_late_url_does_not_undo_a_choice(self, page: Page) -> None:
        app = pick(page("sales_overview"), "period", "90d")
        app.query_params.clear()  # the browser had not been told of 90 days yet
        app = pick(app, "period", "7d")
        assert app.query_params == {"period": "7d"}

    def test_however_late_it_does_not_undo_a_choice(
        self, page: Page, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(address, "LATE_FOR", timedelta(0))
        app = pick(page("sales_overview"), "period", "90d")
        app.query_params.clear()
        app = pick(app, "period", "7d")
        assert app.query_params == {"period": "7d"}

    def test_of_a_page_that_was_never_drawn_whole_loses_nothing_typed(self) -> None:
        app = AppTest.from_function(interrupted)
        app.session_state["is_cut"] = True
        app.run()
        typed(app, "words", "achter")
        assert not app.exception
        assert app.query_params == {"words": "achter"}
        app.session_state["page_name"] = "Another"
        app.session_state["is_cut"] = True
        app.query_params.clear()
        app.run()
        typed(app, "other", "pen")
        assert app.query_params == {"other": "pen"}

    def test_is_followed_back_though_the_run_before_ended_early(self) -> None:
        app = AppTest.from_function(interrupted).run()
        typed(app, "more", "pen")
        assert app.query_params == {"more": "pen"}
        app.query_params.clear()
        app.query_params["more"] = "cup"
        app.session_state["is_cut"] = True
        app.run()
        app.query_params.clear()
        app.query_params["more"] = "hat"
        app.session_state["is_cut"] = False
        app.run()
        assert app.query_params == {"more": "hat"}
        assert app.multiselect(key="more").value == ["hat"]
        app.query_params.clear()
        app.query_params["words"], app.query_params["more"] = "ink", "cap"
        app.session_state["is_cut"] = True  # before it came to `more`
        app.run()
        del app.query_params["more"]
        app.session_state["is_cut"] = False
        app.run()
        assert app.query_params == {"words": "ink"}
