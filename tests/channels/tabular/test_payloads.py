"""Payloads as strangers send them: each is read, refused row by row, or refused with a reason."""

import io
from decimal import Decimal
from pathlib import Path

import pyarrow as pa
import pytest
from pyarrow import parquet as pq

from oms.adapters.channels.tabular.loading import BadMapping, parse
from oms.adapters.channels.tabular.mapping import TabularMapping
from oms.workflows.documents import Unreadable
from tests.channels.mapped import Mapped, mapped, source

MAPPING = """
mapping: simple
version: 1
documents: orders
file: {FILE}
order: {external_ref: order, placed_at: day, customer_name: who}
lines: {sku: sku, quantity: qty, total: total, tax: 0}
"""
HEADER = "order;day;who;sku;qty;total"
GOOD = "A1;2026-01-05;Zoë Łuka;TEA;2;9.50"


def simple(file: str = 'delimiter: ";"') -> TabularMapping:
    return TabularMapping({"orders": parse(MAPPING.replace("FILE", file))})


def read(payload: bytes, file: str = 'delimiter: ";"') -> Mapped:
    return mapped(simple(file), source(payload))


def csv_of(*rows: str, encoding: str = "utf-8", end: str = "\n") -> bytes:
    return (end.join((HEADER, *rows)) + end).encode(encoding)


class TestEncodings:
    @pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "cp1250"])
    @pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
    def test_text_arrives_as_it_was_meant(self, encoding, end):
        result = read(csv_of(GOOD, GOOD.replace("A1", "A2"), encoding=encoding, end=end),
                      f'delimiter: ";", encoding: {encoding}')  # fmt: skip
        assert [order["customer_name"] for order in result.rows("orders")] == ["Zoë Łuka"] * 2
        assert not result.rejected

    @pytest.mark.parametrize("encoding", ["utf-8", "ascii", "cp1252"])
    def test_bytes_that_are_no_text_refuse_their_order_only(self, encoding):
        payload = csv_of("A1;2026-01-05;Jo;TEA;1;1", "A2;2026-01-05;J?;TEA;1;1").replace(
            b"J?", b"J\x81"
        )
        result = read(payload, f'delimiter: ";", encoding: {encoding}')
        assert [order["external_ref"] for order in result.rows("orders")] == ["A1"]
        assert result.problems() == {2: [("", "MALFORMED")]}
        assert result.fragments[2].body == payload.replace(b"A1;2026-01-05;Jo;TEA;1;1\n", b"")

    def test_utf_16_under_a_mapping_for_utf_8_is_named(self):
        with pytest.raises(Unreadable, match="UTF-16"):
            read(csv_of(GOOD, encoding="utf-16"))

    @pytest.mark.parametrize("head", [b"PK\x03\x04....", b"PAR1...."])
    def test_other_kinds_of_files_are_named(self, head):
        with pytest.raises(Unreadable, match="not a text"):
            read(head)


class TestShapes:
    def test_an_empty_file_is_unreadable(self):
        with pytest.raises(Unreadable, match="empty"):
            read(b"")

    @pytest.mark.parametrize("payload", [b"\n\n", b"  \n"])
    def test_blank_lines_alone_are_unreadable(self, payload):
        with pytest.raises(Unreadable, match="no rows"):
            read(payload)

    def test_a_header_alone_is_a_day_without_orders(self):
        assert read(csv_of()).count == 0

    def test_a_missing_column_is_named_with_its_neighbor(self):
        with pytest.raises(Unreadable, match=r"no column 'total' among the 6 columns.*'totals'"):
            read(csv_of(GOOD).replace(b"total", b"totals"))

    def test_a_column_that_is_there_twice_is_refused_if_it_is_read(self):
        with pytest.raises(Unreadable, match="'qty' is there 2 times"):
            read(csv_of("A1;2026-01-05;Jo;1;TEA;2;9.50").replace(b"who", b"who;qty"))
        unread = csv_of(GOOD + ";x;y").replace(b"total", b"total;extra;extra")
        assert read(unread).count == 1

    @pytest.mark.parametrize("delimiter", [",", "\t", "|"])
    def test_another_delimiter_is_guessed_aloud(self, delimiter):
        payload = csv_of(GOOD).replace(b";", delimiter.encode())
        with pytest.raises(Unreadable, match="looks separated by"):
            read(payload)

    def test_an_unclosed_quote_in_the_header_is_unreadable(self):
        with pytest.raises(Unreadable, match="header"):
            read(b'"order;day;who;sku;qty;total\nA;B;C;D;E;F\n')

    def test_rows_of_any_length_but_the_header_s_are_refused_by_line(self):
        result = read(csv_of(GOOD, "A2;2026-01-05", GOOD + ";", ""))
        assert [order["external_ref"] for order in result.rows("orders")] == []
        assert [each["external_ref"] for each in result.rejected] == ["A1", "A2"]
        details = [problem[2] for each in result.rejected for problem in each["problems"]]
        assert details == [
            "line 4: it has 7 fields (the header has 6)",
            "line 3: it has 2 fields (the header has 6)",
        ]

    def test_a_cell_of_five_megabytes_refuses_its_order_only(self):
        result = read(csv_of(f"A0;2026-01-05;{'x' * 5_000_000};TEA;1;1", GOOD))
        assert [order["external_ref"] for order in result.rows("orders")] == ["A1"]
        assert result.problems() == {1: [("", "MALFORMED")]}
        assert result.fragments[1].line == 2

    def test_control_characters_refuse_their_order_only(self):
        result = read(csv_of(GOOD.replace("TEA", "T\0A"), GOOD.replace("A1", "A2")))
        assert [order["external_ref"] for order in result.rows("orders")] == ["A2"]

    def test_a_file_on_disk_is_read_like_a_body(self, tmp_path: Path):
        path = tmp_path / "rows.csv"
        path.write_bytes(csv_of(GOOD))
        told = mapped(simple(), source(path)).as_case()
        assert told == read(csv_of(GOOD)).as_case()

    def test_an_unknown_topic_is_refused(self):
        with pytest.raises(Unreadable, match="no mapping"):
            mapped(simple(), source(csv_of(GOOD), topic="counts"))


class TestNumbers:
    @pytest.mark.parametrize(
        ("text", "minor"),
        [
            ("1.234,56", 123456), ("1234,56", 123456), ("1.234.567", 123456700), ("0,005", 1),
            (",5", 50), ("+2", 200), ("7,", 700), ("999.999.999,99", 99999999999),
        ],
    )  # fmt: skip
    def test_marks_mean_what_the_mapping_says(self, text, minor):
        result = read(csv_of(f"A1;2026-01-05;;TEA;1;{text}"), GERMAN)
        assert result.rows("lines")[0]["total_minor"] == minor

    @pytest.mark.parametrize(
        "text", ["12.5", "1.23,4", "1234.567", "12.34.56", "1,2,3", "1e5", "NaN", "٣", "0x10", "-"]
    )
    def test_a_number_that_means_something_else_is_never_taken(self, text):
        result = read(csv_of(f"A1;2026-01-05;;TEA;1;{text}"), GERMAN)
        assert result.problems() == {1: [("total", "VALIDATION")]}

    @pytest.mark.parametrize(
        ("value", "kind", "minor"),
        [
            (957.5775, pa.float64(), 95758), (0.1 + 0.2, pa.float64(), None),
            (1.005, pa.float64(), 101), (2.675, pa.float32(), 268), (1e-5, pa.float64(), 0),
            (Decimal("1.005"), pa.decimal128(10, 3), 101), (12, pa.int8(), 1200),
            (float("nan"), pa.float64(), None), (None, pa.float64(), None),
            ("3.5", pa.string(), 350),
        ],
    )  # fmt: skip
    def test_parquet_values_count_as_their_shortest_decimal_text(self, value, kind, minor):
        result = mapped(
            simple("format: parquet"), source(parquet_of(total=pa.array([value], kind)))
        )
        if minor is None:
            assert result.problems() == {1: [("total", "VALIDATION")]}
        else:
            assert result.rows("lines")[0]["total_minor"] == minor

    def test_floats_are_never_summed_or_rounded_on_the_way(self):
        prices = [f"{number}.{number % 1000:03}5" for number in range(1, 400)]
        rows = [f"A{n};2026-01-05;;TEA;1;{price}" for n, price in enumerate(prices)]
        result = read(csv_of(*rows))
        expected = [int((Decimal(p) * 100).to_integral_value("ROUND_HALF_UP")) for p in prices]
        assert [line["total_minor"] for line in result.rows("lines")] == expected


GERMAN = 'delimiter: ";", decimal_mark: ",", thousands_mark: "."'


class TestParquet:
    def test_a_document_s_fragment_is_a_parquet_file_of_its_rows(self):
        body = parquet_of(total=pa.array([1.5, -1.0, 2.5]), order=pa.array(["A", "B", "C"]))
        result = mapped(simple("format: parquet"), source(body))
        (refused,) = result.rejected
        assert (refused["external_ref"], result.fragments[2].line) == ("B", 2)
        again = mapped(simple("format: parquet"), source(result.fragments[2].body))
        assert again.problems() == {1: [("total", "VALIDATION")]}

    @pytest.mark.parametrize("body", [b"PAR1", b"PAR1 nonsense PAR1", b"a,b\n1,2\n"])
    def test_a_damaged_file_is_unreadable(self, body):
        with pytest.raises(Unreadable, match="not Parquet"):
            mapped(simple("format: parquet"), source(body))

    def test_lists_are_no_values(self):
        body = parquet_of(sku=pa.array([["A"]]))
        with pytest.raises(Unreadable, match="lists or records"):
            mapped(simple("format: parquet"), source(body))

    def test_timestamps_keep_their_instant(self):
        day = pa.array([1_767_600_000_123_456], pa.timestamp("us", tz="UTC"))
        result = mapped(simple("format: parquet"), source(parquet_of(day=day)))
        assert result.rows("orders")[0]["placed_at"] == "2026-01-05T08:00:00.123456Z"


class TestHostileNames:
    NAME = "x\"); drop table cells; --'${y}$1 {z} chr(0)"

    def test_names_and_values_are_never_sql(self):
        hostile = MAPPING.replace("FILE", 'delimiter: ";", empty: ["\'; drop table heads; --"]')
        hostile = hostile.replace("sku: sku", f"sku: {{column: {yaml_text(self.NAME)}}}").replace(
            "customer_name: who",
            'customer_name: {join: [who, {constant: "\'||chr(65)||\'"}], with: "\'--"}',
        )
        header = HEADER.replace("sku", '"' + self.NAME.replace('"', '""') + '"')
        body = f"{header}\nA'--;2026-01-05;\"'; drop table lines; --\";S'1;1;1\n".encode()
        result = mapped(TabularMapping({"orders": parse(hostile)}), source(body))
        (order,), (line,) = result.rows("orders"), result.rows("lines")
        assert order["external_ref"] == "A'--"
        assert order["customer_name"] == "'; drop table lines; --'--'||chr(65)||'"
        assert line["sku"] == "S'1"

    def test_a_refused_hostile_value_is_shown_short_and_on_one_line(self):
        value = "'||x\u2028" + "é" * 500
        result = read(csv_of(f"A1;2026-01-05;;TEA;1;{value}"))
        ((_, _, detail),) = result.rejected[0]["problems"]
        assert "'||x" in detail
        assert len(detail) < 140

    def test_nobody_s_name_is_shown(self):
        result = read(csv_of(f"A1;2026-01-05;{'Zoë' * 200};TEA;1;1"))
        assert "Zoë" not in str(result.rejected)
        assert result.problems() == {1: [("who", "VALIDATION")]}


class TestLookUpFiles:
    def look_up(self, file: str, *folders: Path) -> TabularMapping:
        text = MAPPING.replace("FILE", 'delimiter: ";"').replace(
            "sku: sku", "sku: {column: sku, then: [{look_up: {in: items, take: code}}]}"
        )
        spec = parse(text + f"look_ups: {{items: {{file: {yaml_text(file)}, key: no}}}}\n")
        return TabularMapping({"orders": spec}, folders)

    @pytest.mark.parametrize(
        "file", ["/etc/passwd", "../items.csv", "a/../../items.csv", "a\\..\\items.csv"]
    )
    def test_a_path_out_of_the_folder_is_refused(self, file):
        with pytest.raises(BadMapping, match=r"look_ups.items.file"):
            self.look_up(file)

    def test_a_link_out_of_the_folder_is_not_followed(self, tmp_path: Path):
        inside = tmp_path / "inside"
        inside.mkdir()
        (tmp_path / "items.csv").write_text("no,code\nTEA,T-1\n")
        (inside / "items.csv").symlink_to(tmp_path / "items.csv")
        with pytest.raises(Unreadable, match="no look-up file"):
            mapped(self.look_up("items.csv", inside), source(csv_of(GOOD)))

    def test_it_is_found_beside_the_mapping_or_the_data(self, tmp_path: Path):
        (tmp_path / "items.csv").write_text("no,code\nTEA,T-1\n")
        (tmp_path / "rows.csv").write_bytes(csv_of(GOOD))
        beside_mapping = mapped(self.look_up("items.csv", tmp_path), source(csv_of(GOOD)))
        beside_data = mapped(self.look_up("items.csv"), source(tmp_path / "rows.csv"))
        for result in (beside_mapping, beside_data):
            assert result.rows("lines")[0]["sku"] == "T-1"

    def test_a_key_with_two_meanings_is_unreadable(self, tmp_path: Path):
        (tmp_path / "items.csv").write_text("no,code\nTEA,T-1\nTEA,T-2\nX,1\nX,1\n")
        with pytest.raises(Unreadable, match="'TEA' with different values"):
            mapped(self.look_up("items.csv", tmp_path), source(csv_of(GOOD)))


def parquet_of(**columns: pa.Array) -> bytes:
    count = len(next(iter(columns.values())))
    rows = {
        "order": pa.array([f"A{n}" for n in range(count)]), "day": pa.array(["2026-01-05"] * count),
        "who": pa.array(["Jo"] * count), "sku": pa.array(["TEA"] * count),
        "qty": pa.array([1] * count), "total": pa.array([1] * count),
    }  # fmt: skip
    sink = io.BytesIO()
    pq.write_table(pa.table(rows | columns), sink)
    return sink.getvalue()


def yaml_text(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
