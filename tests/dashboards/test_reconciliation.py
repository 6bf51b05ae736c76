"""Reconciliation at the console: differences listed and resolved, reports with their totals."""

from collections.abc import Iterator

import httpx
import pytest
from streamlit.testing.v1 import AppTest

from tests import console
from tests.conftest import Clone
from tests.console import Counter
from tests.dashboards.conftest import Page
from tests.dashboards.test_console import failures, tap, text_of
from tests.settling import a_row, balanced, written

ROWS = 120


@pytest.fixture(scope="module")
def books(clone: Clone, blank: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Counter]:
    """Serve a shop with a report nothing of which is ours."""
    home = tmp_path_factory.mktemp("books")
    with clone(blank) as ledger, console.serving(ledger, home) as served:
        rows = [
            a_row(entry_id=f"e{at}", operation_id=f"cap_{at}", gross="7.00") for at in range(ROWS)
        ]
        answer = httpx.post(
            f"http://127.0.0.1:{served.port}/v1/settlements?psp=sandbox&name=day.csv",
            content=written(balanced(rows)), trust_env=False,
            headers={"Authorization": f"Bearer {served.keys['finance']}"},
        )  # fmt: skip
        assert answer.status_code == 201, answer.text
        yield served


@pytest.fixture(scope="module")
def intake(clone: Clone, blank: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Counter]:
    """Serve a shop whose reports are what its tests upload, in whatever order they run."""
    with (
        clone(blank) as ledger,
        console.serving(ledger, tmp_path_factory.mktemp("intake")) as served,
    ):
        yield served


def upload(app: AppTest, content: bytes, *, service: str = "sandbox") -> AppTest:
    """Choose a file of a service, and have it taken in."""
    (field,) = (each for each in app.text_input if each.label == "Service")
    field.input(service)
    app.file_uploader[0].set_value(("up.csv", content, "text/csv")).run()
    tap(app, "Take it in")
    return app


class TestDifferences:
    def test_are_listed_in_pages_and_by_what_differs(self, screen: Page, books: Counter) -> None:
        app = screen("reconciliation", books, "finance")
        assert failures(app) == []
        assert len(app.dataframe[0].value) == 50
        assert "More" in [each.label for each in app.button]
        app = screen("reconciliation", books, "finance", difference_finding="missing")
        assert failures(app) == []
        assert "There is no open difference." in text_of(app)

    def test_are_resolved_with_what_explains_them(self, screen: Page, books: Counter) -> None:
        app = screen("reconciliation", books, "finance")
        number = app.dataframe[0].value["Difference"].tolist()[0]
        (field,) = (each for each in app.text_input if each.label == "What explains it")
        field.input("shop_2's").run()
        tap(app, "Resolve")
        assert failures(app) == []
        assert f"{number} is resolved." in text_of(app)
        assert number not in app.dataframe[0].value["Difference"].tolist()
        app = screen("reconciliation", books, "finance", difference_state="resolved")
        assert "Explained by: shop_2's" in text_of(app).replace("\\", "")
        assert "shop_2's" in app.dataframe[0].value["Explained by"].tolist()

    def test_are_not_for_everybody(self, screen: Page, books: Counter) -> None:
        (said,) = failures(screen("reconciliation", books, "agent"))
        assert "settlements:read" in said


class TestUpload:
    def test_takes_a_report_in_and_says_of_each_row_what_was_found(
        self, screen: Page, intake: Counter
    ) -> None:
        rows = [a_row(entry_id=f"u{at}", operation_id=f"up_{at}", gross="3.00") for at in range(60)]
        app = upload(screen("reconciliation", intake, "finance"), written(balanced(rows)))
        assert failures(app) == []
        assert "up.csv is taken in" in text_of(app)
        (listed,) = (each.value for each in app.dataframe if "Its operation" in each.value)
        assert len(listed) == 50, "a page of them"
        assert set(listed["What was found"]) == {"Unknown to us"}
        again = upload(screen("reconciliation", intake, "finance"), written(balanced(rows)))
        assert failures(again) == [], "the same file is the same report"

    def test_of_a_broken_file_takes_nothing_and_names_its_rows(
        self, screen: Page, intake: Counter
    ) -> None:
        rows = [a_row(entry_id="b1"), a_row(entry_id="b2") | {"gross": "1,00"}]
        app = upload(screen("reconciliation", intake, "finance"), written(rows))
        assert any("row 2" in said for said in failures(app))
        (problems,) = (each.value for each in app.dataframe if "What is wrong" in each.value)
        assert problems["Row"].tolist() == [2]
        app = upload(screen("reconciliation", intake, "finance"), b"\x00\x01")
        assert any("no text" in said for said in failures(app))
        app = upload(screen("reconciliation", intake, "finance"), b"", service="Not a service!")
        assert len(failures(app)) == 1

    def test_of_no_rows_is_a_report_of_nothing(self, screen: Page, intake: Counter) -> None:
        app = upload(screen("reconciliation", intake, "finance"), written([]))
        assert failures(app) == []
        assert "The report has no such rows." in text_of(app)

    def test_is_not_for_everybody(self, screen: Page, intake: Counter) -> None:
        app = screen("reconciliation", intake, "agent")
        assert list(app.get("file_uploader")) == []


class TestReports:
    def test_show_what_they_come_to(self, screen: Page, books: Counter) -> None:
        app = screen("reconciliation", books, "finance", settlements_shown="reports")
        assert failures(app) == []
        listed, totals, payouts = (each.value for each in app.dataframe)
        assert listed["File"].tolist() == ["day.csv"]
        offered = {each.label for each in app.get("download_button")}
        assert {"Its rows, matched", "The file as it came"} <= offered
        assert totals["What was found"].tolist() == ["Unknown to us", "The service's own"]
        assert payouts["Its rows"].tolist() == payouts["Paid out"].tolist()

    def test_are_none_at_first(self, screen: Page, quiet_counter: Counter) -> None:
        app = screen("reconciliation", quiet_counter, settlements_shown="reports")
        assert "No settlement report has come yet." in text_of(app)
