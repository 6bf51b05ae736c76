"""The page of money: each subject by each group, and its sums against the warehouse's own."""

from datetime import date
from decimal import Decimal

import polars as pl
import pytest

from dashboards.charts import money as charts
from oms.reports import exports, money, vat
from oms.reports.model import Filters, Period
from oms.reports.money import Group, Subject
from oms.reports.published import Publication
from tests.dashboards.conftest import Page, Truth
from tests.dashboards.test_views import altered, failures

PERIOD = Period(from_on=date(2025, 8, 1), to_on=date(2025, 9, 29))
FILTERS = Filters(period=PERIOD, currency="EUR")
EVERY = [(subject, group) for subject in Subject for group in subject.groups]
IN_PERIOD = "between date '2025-08-01' and date '2025-09-28' and currency = 'EUR'"


class TestSums:
    def test_of_cash_are_those_of_its_mart(self, publication: Publication, truth: Truth) -> None:
        ((cash, captured, refunded),) = truth(
            "select sum(cash_amount), sum(captured_amount), sum(refunded_amount)"
            f" from cash_by_channel_daily where occurred_on {IN_PERIOD}"
        )
        whole = money.totals(publication, FILTERS, Subject.CASH)
        assert (whole["cash_amount"], whole["captured_amount"], whole["refunded_amount"]) == (
            cash, captured, refunded,
        )  # fmt: skip
        assert refunded < 0 < cash

    def test_of_returns_are_those_of_sales(self, publication: Publication, truth: Truth) -> None:
        ((units, net),) = truth(
            "select -sum(quantity), -sum(net_amount) from fct_order_lines"
            f" where event_kind = 'return' and not is_test and event_on {IN_PERIOD}"
        )
        whole = money.totals(publication, FILTERS, Subject.RETURNS)
        assert (whole["returned_units"], whole["returned_net_amount"]) == (units, net)
        assert 0 < whole["returned_ratio"] < 1

    def test_of_documents_take_credit_notes_off(
        self, publication: Publication, truth: Truth
    ) -> None:
        ((billed, tax),) = truth(
            "select sum(billed_sign * total_amount), sum(billed_sign * tax_amount)"
            f" from fct_documents where issued_on {IN_PERIOD}"
        )
        whole = money.totals(publication, FILTERS, Subject.DOCUMENTS)
        assert (whole["billed_amount"], whole["billed_tax_amount"]) == (billed, tax)
        assert whole["billed_amount"] == whole["invoiced_amount"] + whole["credited_amount"]

    def test_of_taxes_are_those_of_documents_whatever_divides_them(
        self, publication: Publication, truth: Truth
    ) -> None:
        """A tax return, by country, rate and scheme, is its documents to the cent."""
        ((net, tax),) = truth(
            "select sum(billed_sign * net_amount), sum(billed_sign * tax_amount)"
            f" from fct_documents where issued_on {IN_PERIOD}"
        )
        sheet = vat.vat_return(publication, FILTERS)
        assert sheet.total is not None
        assert (sheet.total["vat_net_amount"], sheet.total["vat_amount"]) == (net, tax)
        frame = sheet.frame
        assert (frame["vat_net_amount"].sum(), frame["vat_amount"].sum()) == (net, tax)
        assert (frame["vat_invoiced_amount"] + frame["vat_credited_amount"]).sum() == tax
        assert frame["vat_net_amount"].sum() + tax == frame["vat_total_amount"].sum()
        assert set(frame["rate_text"]) == {"19 %", "7 %", "21 %", "5.5 %"}
        assert set(frame["issued_month"]) == {"2025-08", "2025-09"}
        assert frame["vat_credited_amount"].sum() < 0

    def test_of_settlements_are_those_of_their_mart(
        self, publication: Publication, truth: Truth
    ) -> None:
        ((fees, amount),) = truth(
            "select sum(fee_amount), sum(amount) from fct_settlements"
            f" where not is_test and settled_on {IN_PERIOD}"
        )
        ((count, still),) = truth(
            "select count(*), count(*) filter (difference_state = 'open')"
            f" from fct_settlement_differences where found_on {IN_PERIOD}"
        )
        whole = money.totals(publication, FILTERS, Subject.SETTLEMENTS)
        assert (whole["settled_fee_amount"], whole["settled_amount"]) == (fees, amount)
        assert 0.015 < whole["fee_ratio"] < 0.025
        assert 86_400 <= whole["payout_p50_seconds"] <= whole["payout_p90_seconds"]
        differ = money.totals(publication, FILTERS, Subject.DIFFERENCES)
        assert (differ["differences_count"], differ["open_differences_count"]) == (count, still)
        assert count > still > 0

    def test_of_refunds_tell_paid_from_open(self, publication: Publication) -> None:
        whole = money.totals(publication, FILTERS, Subject.REFUNDS)
        assert whole["asked_amount"] == whole["paid_back_amount"] + whole["open_amount"]
        assert min(whole["open_amount"], whole["paid_back_amount"]) > 0
        assert whole["refund_p50_seconds"] < whole["refund_p90_seconds"]

    @pytest.mark.parametrize(("subject", "group"), EVERY)
    def test_of_the_groups_are_the_whole(
        self, publication: Publication, subject: Subject, group: Group
    ) -> None:
        sheet = money.money_by(publication, FILTERS, subject, group)
        main = subject.measures[0]
        assert sheet.total is not None
        assert sheet.frame[main].sum() == sheet.total[main] > Decimal(0)

    def test_of_a_channel_are_its_own(self, publication: Publication) -> None:
        only = Filters(period=PERIOD, currency="EUR", channels=("kiosk",))
        frame = money.rows(publication, only, Subject.CASH, Group.CHANNEL)
        assert frame["channel_name"].to_list() == ["In-store kiosks"]


class TestPage:
    @pytest.mark.parametrize(("subject", "group"), EVERY)
    def test_draws_every_subject_by_every_group(
        self, page: Page, subject: Subject, group: Group
    ) -> None:
        app = page("money", **{"subject": subject.value, f"{subject.value}_by": group.value})
        assert failures(app) == []
        assert len(app.metric) == 4
        assert len(app.get("plotly_chart")) == 1
        assert len(app.get("download_button")) == (4 if subject is Subject.TAXES else 2)

    @pytest.mark.parametrize("subject", list(Subject))
    def test_of_none_says_so(self, page: Page, tmp_path, subject: Subject) -> None:
        altered(
            tmp_path, "delete from fct_payments", "delete from fct_refunds",
            "delete from fct_documents", "delete from fct_order_lines where event_kind = 'return'",
            "delete from fct_document_lines", "delete from fct_settlements",
            "delete from fct_settlement_differences",
        )  # fmt: skip
        app = page("money", tmp_path, subject=subject.value)
        assert failures(app) == []
        (drawn,) = app.get("plotly_chart")
        assert charts._NONE[subject] in drawn.proto.spec


class TestCharts:
    def test_of_more_rows_than_fit_show_the_most(self) -> None:
        names = ("captured_amount", "refunded_amount", "charged_back_amount")
        sums = {name: [Decimal(40 - at) for at in range(40)] for name in names}
        frame = pl.DataFrame({"tender": [f"t{at}" for at in range(40)], **sums})
        drawn = charts.drawn(Subject.CASH, Group.TENDER, frame, "EUR")
        assert len(drawn.data[0].y) == charts.ROWS_MAX
        assert drawn.data[0].y[-1] == "t0"

    def test_names_in_data_are_no_markup(self) -> None:
        frame = pl.DataFrame({"return_reason": ["<b>x</b>"], "returned_units": [3]})
        drawn = charts.drawn(Subject.RETURNS, Group.REASON, frame, "EUR")
        assert drawn.data[0].y == ("&lt;b&gt;x&lt;/b&gt;",)


class TestExports:
    def test_know_money_by_name(self) -> None:
        assert {"cash_by_tender", "refunds_by_kind", "returns_by_reason", "documents_by_type"} <= {
            *exports.REPORTS
        }
        assert exports.has_amounts("documents_by_day")
