"""The page of returns: sums against the warehouse's own, and the returns behind each row."""

from datetime import date

import pytest

from oms.reports import coming_back, exports
from oms.reports.coming_back import Group, Subject
from oms.reports.model import NO_VALUE, Filters, Period
from oms.reports.published import Publication
from tests.dashboards.conftest import Page, Truth
from tests.dashboards.test_views import altered, failures

FILTERS = Filters(
    period=Period(from_on=date(2025, 8, 1), to_on=date(2025, 9, 29)), currency="EUR"
)  # fmt: skip
EVERY = [(subject, group) for subject in Subject for group in subject.groups]
DAYS = "between date '2025-08-01' and date '2025-09-28' and not is_test"


class TestSums:
    def test_are_those_of_the_marts(self, publication: Publication, truth: Truth) -> None:
        ((returns, came, late, paid),) = truth(
            "select count(distinct return_id), sum(received_units),"
            " count(*) filter (refund_seconds > 14 * 86400), count(refund_seconds)"
            f" from fct_returns where asked_on {DAYS}"
        )
        whole = coming_back.totals(publication, FILTERS, Subject.RETURNS)
        assert (whole["coming_back_count"], whole["came_back_units"]) == (returns, came)
        assert whole["in_time_ratio"] == pytest.approx(1 - late / paid)
        assert 0 < late < paid
        ((units, restocked),) = truth(
            "select sum(units), sum(units) filter (disposition = 'restock')"
            f" from fct_return_units where inspected_on {DAYS}"
        )
        whole = coming_back.totals(publication, FILTERS, Subject.DISPOSITIONS)
        assert (whole["looked_at_units"], whole["restocked_units"]) == (units, restocked)
        assert whole["restocked_ratio"] == pytest.approx(restocked / units)

    @pytest.mark.parametrize(("subject", "group"), EVERY)
    def test_of_the_groups_are_the_whole_and_have_their_returns_behind_them(
        self, publication: Publication, subject: Subject, group: Group
    ) -> None:
        sheet = coming_back.coming_back_by(publication, FILTERS, subject, group)
        assert sheet.total is not None
        assert sheet.frame[subject.counted].sum() == sheet.total[subject.counted] > 0
        name, units = sheet.frame.select(group.column, subject.counted).row(0)
        behind = coming_back.returns_behind(publication, FILTERS, subject, group, name)
        assert behind.frame["came_back_units"].sum() == units

    def test_of_a_place_and_a_channel_are_their_own(self, publication: Publication) -> None:
        only = Filters(
            period=FILTERS.period, currency="EUR", locations=("dc-leipzig",), channels=("webshop",)
        )
        frame = coming_back.rows(publication, only, Subject.RETURNS, Group.LOCATION)
        assert frame.height == 1
        assert frame["location_name"].to_list() != [NO_VALUE]
        nothing = coming_back.returns_behind(
            publication, only, Subject.RETURNS, Group.REASON, "'; drop table fct_returns; --"
        )
        assert nothing.frame.is_empty()


class TestPage:
    @pytest.mark.parametrize(("subject", "group"), EVERY)
    def test_draws_every_subject_by_every_group(
        self, page: Page, subject: Subject, group: Group
    ) -> None:
        asked = {"subject": subject.value, f"{subject.value}_by": group.value}
        app = page("coming_back", **asked)
        assert failures(app) == []
        assert len(app.metric) == 4
        assert len(app.get("plotly_chart")) == 1
        assert len(app.get("download_button")) == 2

    def test_shows_the_returns_behind_a_row(self, page: Page) -> None:
        app = page("coming_back", subject="returns", returns_by="reason", behind_reason="gift")
        assert failures(app) == []
        assert len(app.get("download_button")) == 4
        (listed,) = (each.value for each in app.dataframe if "return_number" in each.value.columns)
        assert set(listed["return_reason"]) == {"gift"}

    @pytest.mark.parametrize("subject", list(Subject))
    def test_of_none_says_so(self, page: Page, tmp_path, subject: Subject) -> None:
        altered(tmp_path, "delete from fct_returns", "delete from fct_return_units")
        app = page("coming_back", tmp_path, subject=subject.value)
        assert failures(app) == []
        assert len(app.get("plotly_chart")) == 1


class TestExports:
    def test_know_returns_by_name(self) -> None:
        assert "coming_back_dispositions_by_location" in exports.REPORTS
        assert not exports.has_amounts("coming_back_returns_by_reason")
