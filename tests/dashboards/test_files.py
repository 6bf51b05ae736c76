"""Files made of reports: opened again, they say what the screen said, and nothing runs."""

import csv
import io
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from zipfile import ZipFile

import duckdb
import openpyxl
import polars as pl
import pytest
from typer.testing import CliRunner

from oms.cli import app
from oms.reports import exports, files, sales
from oms.reports.files import Form
from oms.reports.fulfillment import Group, Subject
from oms.reports.fulfillment_tables import fulfillment_by
from oms.reports.model import Basis, Filters, Level, Period
from oms.reports.published import Publication
from oms.reports.sales_tables import channel_by_product, orders, sales_by_channel, sales_by_product
from oms.reports.sheet import Column, Held, Sheet, Unit

PERIOD = Period(from_on=date(2025, 9, 1), to_on=date(2025, 9, 29))
FILTERS = Filters(period=PERIOD, currency="EUR", basis=Basis.PLACED, channels=("stores", "phone"))
DANGEROUS = (
    "=1+1", "+1+1", "-1+1", "@SUM(A1)", "\t=1+1", "\r=1+1", "\n=1+1", "  =1+1",
    '=HYPERLINK("http://x","y")', "=cmd|' /C calc'!A0", "\uff1d1+1", "-2+3+cmd", "+49 30 1234",
)  # fmt: skip
HARMLESS = ("-5", "-12.50", "-12,50", "Tent", "a=1", "#1001", "", "007", "1e5", "Ünïcode €")


def a_sheet(texts: tuple[str, ...], **more: object) -> Sheet:
    frame = pl.DataFrame(
        {"text": texts, "amount": [Decimal("-1.500")] * len(texts)},
        schema={"text": pl.String, "amount": pl.Decimal(38, 3)},
    )
    sheet = Sheet(
        name="sheet",
        title="A sheet",
        columns=(
            Column(name="text", title="Text", unit=Unit.TEXT),
            Column(name="amount", title="Amount", unit=Unit.MONEY),
        ),
        frames=Held(frame),
        facts=(("Currency", "EUR"),),
        currency="EUR",
    )
    return replace(sheet, **more)


def csv_rows(content: bytes) -> list[list[str]]:
    """Read the rows under the facts, head included."""
    text = content.decode("utf-8-sig")
    return [row for row in csv.reader(io.StringIO(text, newline="")) if row[0][:2] != "# "]


def csv_facts(content: bytes) -> dict[str, str]:
    rows = csv.reader(io.StringIO(content.decode("utf-8-sig"), newline=""))
    return {row[0].removeprefix("# "): row[1] for row in rows if row[0].startswith("# ")}


def book_rows(content: bytes, name: str = "Data") -> list[tuple[object, ...]]:
    book = openpyxl.load_workbook(io.BytesIO(content))
    return list(book[name].iter_rows(values_only=True))


class TestFormulas:
    @pytest.mark.parametrize("text", DANGEROUS)
    def test_no_csv_cell_begins_like_one(self, text: str) -> None:
        _, row = csv_rows(files.as_bytes(a_sheet((text,)), Form.CSV))
        assert row == ["'" + text, "-1.50"]

    @pytest.mark.parametrize("text", HARMLESS)
    def test_what_is_none_stays_as_it_is(self, text: str) -> None:
        _, row = csv_rows(files.as_bytes(a_sheet((text,)), Form.CSV))
        assert row == [text, "-1.50"]

    def test_a_negative_amount_stays_a_number(self) -> None:
        content = files.as_bytes(a_sheet(("x",)), Form.CSV)
        assert content.endswith(b'"x",-1.50\n')
        ((_, _), (_, amount)) = book_rows(files.as_bytes(a_sheet(("x",)), Form.XLSX))
        assert amount == -1.5

    @pytest.mark.parametrize("text", DANGEROUS)
    def test_a_workbook_holds_text_as_it_is_and_no_formula(self, text: str) -> None:
        content = files.as_bytes(a_sheet((text,)), Form.XLSX)
        _, row = book_rows(content)
        assert str(row[0]).replace("_x000D_", "\r") == text  # how a workbook writes that sign
        with ZipFile(io.BytesIO(content)) as book:
            parts = [book.read(name) for name in book.namelist() if "worksheets" in name]
        assert not any(b"<f>" in part or b"<hyperlink" in part for part in parts)

    def test_neither_a_title_nor_a_fact_is_one(self) -> None:
        evil = Column(name="text", title="=1+1", unit=Unit.TEXT)
        sheet = a_sheet(("x",), columns=(evil,), facts=(("Brands", "=1+1\n# Currency,XXX"),))
        content = files.as_bytes(sheet, Form.CSV)
        assert csv_facts(content) == {"Report": "A sheet", "Brands": "'=1+1 # Currency,XXX"}
        assert csv_rows(content)[0] == ["'=1+1"]


class TestContent:
    @pytest.mark.parametrize("form", list(Form))
    def test_equals_the_table_and_its_totals(self, publication: Publication, form: Form) -> None:
        sheet = sales_by_channel(publication, FILTERS)
        content = files.as_bytes(sheet, form)
        rows = csv_rows(content) if form is Form.CSV else book_rows(content)
        head, *body, total = rows
        assert list(head) == [column.title for column in sheet.columns]
        nets = [Decimal(str(row[2])) for row in body]
        assert nets == sheet.frame["net_amount"].to_list()
        assert sheet.total is not None
        assert total[0] == "Total"
        assert Decimal(str(total[2])) == sheet.total["net_amount"] == sum(nets)
        assert int(str(total[6])) == sheet.total["orders_count"]

    def test_says_what_was_asked_and_of_what(self, publication: Publication) -> None:
        sheet = sales_by_channel(publication, FILTERS)
        said = csv_facts(files.as_bytes(sheet, Form.CSV))
        assert said["Period"] == "2025-09-01 to 2025-09-28 (both days included)"
        assert said["Basis"].startswith("By order date")
        assert said["Currency"] == "EUR"
        assert said["Channels"] == "stores, phone"
        assert said["SKUs"] == "all"
        assert "UTC" in said["Time zone"]
        assert said["As of"] == "2025-09-28 14:32:10 UTC"
        assert said["Publication"] == "version 7, ledger watermark 48213377"
        assert said["Compared with"] == "Previous period: 2025-08-04 to 2025-08-31"
        about = dict(book_rows(files.as_bytes(sheet, Form.XLSX), "About"))
        assert about == said

    def test_is_read_by_other_programs_without_the_facts(
        self, publication: Publication, tmp_path: pytest.TempPathFactory
    ) -> None:
        sheet = sales_by_product(publication, FILTERS, Level.SKU)
        path = f"{tmp_path}/sales.csv"
        with open(path, "wb") as to:  # noqa: PTH123 - as the command line does
            files.write(sheet, to, Form.CSV)
        by_polars = pl.read_csv(path, comment_prefix="# ")
        by_duckdb = duckdb.sql(f"select * from read_csv('{path}', comment = '#')").fetchall()
        assert by_polars.height == len(by_duckdb) == sheet.frame.height + 1
        assert by_polars["Net sales"].sum() == pytest.approx(
            2 * float(sheet.total["net_amount"] if sheet.total else 0)
        )

    @pytest.mark.parametrize(
        ("currency", "written"), [("JPY", "-2"), ("EUR", "-1.50"), ("KWD", "-1.500")]
    )
    def test_money_has_the_decimals_of_its_currency(self, currency: str, written: str) -> None:
        content = files.as_bytes(a_sheet(("x",), currency=currency), Form.CSV)
        assert csv_rows(content)[1] == ["x", written]

    def test_instants_are_utc_in_both(self) -> None:
        at = datetime(2025, 9, 28, 14, 30, tzinfo=UTC)
        column = Column(name="at", title="At", unit=Unit.INSTANT)
        frame = pl.DataFrame({"at": [at]}).select(pl.col("at").dt.convert_time_zone("Asia/Tokyo"))
        sheet = a_sheet((), columns=(column,), frames=Held(frame))
        assert csv_rows(files.as_bytes(sheet, Form.CSV))[1] == ["2025-09-28T14:30:00Z"]
        (_, (shown,)) = book_rows(files.as_bytes(sheet, Form.XLSX))
        assert shown == at.replace(tzinfo=None)

    def test_the_same_question_makes_the_same_csv(self, publication: Publication) -> None:
        first, second = (
            files.as_bytes(sales_by_product(publication, FILTERS), Form.CSV) for _ in range(2)
        )
        assert first == second


class TestSize:
    def test_a_workbook_goes_on_on_another_sheet(self) -> None:
        texts = tuple(f"t{at}" for at in range(10))
        to = io.BytesIO()
        sheet = a_sheet(texts, total={"amount": Decimal(-15)})
        assert files.write_xlsx(sheet, to, sheet_rows_max=4) == 10
        book = openpyxl.load_workbook(io.BytesIO(to.getvalue()))
        assert book.sheetnames == ["Data", "Data 2", "Data 3", "Data 4", "About"]
        pages = [list(book[name].iter_rows(values_only=True)) for name in book.sheetnames[:-1]]
        assert [len(page) for page in pages] == [4, 4, 4, 3]
        assert all(page[0] == ("Text", "Amount") for page in pages)
        read = [row[0] for page in pages for row in page[1:]]
        assert read == [*texts, "Total"]

    def test_a_full_last_sheet_leaves_the_totals_to_the_next(self) -> None:
        to = io.BytesIO()
        sheet = a_sheet(("a", "b"), total={"amount": Decimal(-3)})
        files.write_xlsx(sheet, to, sheet_rows_max=3)
        assert book_rows(to.getvalue(), "Data 2") == [("Text", "Amount"), ("Total", -3)]

    def test_rows_are_taken_slice_by_slice(self) -> None:
        taken: list[int] = []

        def slices() -> Iterator[pl.DataFrame]:
            for at in range(3):
                taken.append(len(to.getvalue()))
                yield pl.DataFrame({"text": ["x" * 1000], "amount": [Decimal(at)]})

        to = io.BytesIO()
        assert files.write_csv(a_sheet((), frames=slices), to) == 3
        assert taken == sorted(set(taken))  # each slice was written before the next was asked for

    def test_too_long_a_text_is_cut_to_what_a_cell_holds(self) -> None:
        content = files.as_bytes(a_sheet(("x" * 40_000,)), Form.XLSX)
        assert len(str(book_rows(content)[1][0])) == files.CELL_CHARACTERS_MAX


class TestReports:
    @pytest.mark.parametrize("form", list(Form))
    @pytest.mark.parametrize("name", list(exports.REPORTS))
    def test_each_is_written_with_its_rows_and_facts(
        self, publication: Publication, name: str, form: Form
    ) -> None:
        sheet = exports.report(name, publication, Filters(period=PERIOD, currency="EUR"))
        content = files.as_bytes(sheet, form)
        rows = csv_rows(content) if form is Form.CSV else book_rows(content)
        expected = sheet.frame.height + 1 + (sheet.total is not None)
        assert len(rows) == expected > 2
        assert all(len(row) == len(sheet.columns) for row in rows)

    def test_all_orders_are_in_the_file_not_only_those_on_the_screen(
        self, publication: Publication
    ) -> None:
        everything = Period(from_on=date(2020, 1, 1), to_on=date(2026, 1, 1))
        sheet = exports.report("orders", publication, Filters(period=everything, currency="EUR"))
        rows = csv_rows(files.as_bytes(sheet, Form.CSV))
        assert len(rows) - 2 > 2_000
        assert sum(Decimal(row[6]) for row in rows[1:-1]) == Decimal(rows[-1][6])

    def test_units_are_whole_numbers_in_each(self, publication: Publication) -> None:
        filters = Filters(period=PERIOD, currency="EUR")
        for sheet in (
            channel_by_product(publication, filters, measure="units"),
            orders(publication, filters, "units"),
        ):
            *_, total = csv_rows(files.as_bytes(sheet, Form.CSV))
            units = total[-1] if sheet.name == "channel_by_product" else total[-2]
            assert int(units) == sales.totals(publication, filters)["units"]

    def test_an_unknown_one_is_told(self, publication: Publication) -> None:
        with pytest.raises(exports.UnknownReport, match="'sales_by_moon' is none of"):
            exports.report("sales_by_moon", publication, FILTERS)


class TestExport:
    @pytest.mark.parametrize(
        ("options", "sentence"),
        [
            (["--currency", "XYZ"], "Nothing is sold in 'XYZ'; there is EUR"),
            (["--currency", "EUR", "--channel", "nope"], "There is no channel 'nope'; there are "),
            (["--currency", "EUR", "--out", "none/sales.csv"], "none/sales.csv cannot be written:"),
            ([], "Say --currency: amounts of two currencies are never added up."),
            (["--currency", "EUR", "--location", "vienna"], "sales_by_channel has no locations to"),
            (["--currency", "EUR", "--location", "nope"], "There is no location 'nope'; there are"),
        ],
    )
    def test_says_what_is_not_there(
        self, home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, options: list[str],
        sentence: str,
    ) -> None:  # fmt: skip
        monkeypatch.setenv("OMS_HOME", str(home))
        monkeypatch.chdir(tmp_path)
        result = CliRunner().invoke(
            app, ["export", "sales_by_channel", "--out", "sales.csv", *options]
        )
        assert (result.exit_code, sentence in result.output) == (1, True)
        assert list(tmp_path.iterdir()) == []

    def test_writes_what_locations_did_without_a_currency(
        self, home: Path, publication: Publication, tmp_path: Path,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:  # fmt: skip
        monkeypatch.setenv("OMS_HOME", str(home))
        out = tmp_path / "times.csv"
        days = ["--from", PERIOD.from_on.isoformat(), "--to", PERIOD.to_on.isoformat()]
        only = ["--location", "vienna", "--location", "hamburg"]
        result = CliRunner().invoke(
            app, ["export", "fulfillment_times_by_location", "--out", str(out), *days, *only]
        )
        assert result.exit_code == 0, result.output
        filters = Filters(period=PERIOD, currency="EUR", locations=("vienna", "hamburg"))
        sheet = fulfillment_by(publication, filters, Subject.TIMES, Group.LOCATION)
        assert out.read_bytes() == files.as_bytes(sheet, Form.CSV)
        assert {row[0] for row in csv_rows(out.read_bytes())[1:-1]} == {
            "Wien Neubau", "Hamburg Altona",
        }  # fmt: skip

    def test_refuses_channels_of_what_has_none(
        self, home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("OMS_HOME", str(home))
        out = tmp_path / "routes.csv"
        result = CliRunner().invoke(app, [
            "export", "fulfillment_transfers_by_route", "--out", str(out), "--channel", "webshop",
        ])  # fmt: skip
        assert (result.exit_code, out.exists()) == (1, False)
        assert "has no channels to choose from; leave them out" in result.output
