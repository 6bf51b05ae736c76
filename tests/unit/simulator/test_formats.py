"""Formats, byte by byte: what is peculiar to each of them."""

import csv
import io
import json
from datetime import UTC, datetime
from itertools import islice

import polars as pl
import pytest

from oms.simulator.formats import callcenter_parquet, marketplace_tsv, pos_csv
from oms.simulator.formats.texts import amount
from oms.simulator.live import live
from oms.simulator.model import CALM, Payload
from tests.unit.simulator.stories import WILD, a_story


def told(channel: str, topic: str = "orders") -> list[Payload]:
    return [p for p in a_story(rates=WILD).payloads if p[0] == channel and p.topic == topic]


class TestAmount:
    @pytest.mark.parametrize(
        ("minor", "text"),
        [(0, "0.00"), (5, "0.05"), (1995, "19.95"), (-5, "-0.05"), (-1200, "-12.00")],
    )
    def test_has_two_decimals(self, minor: int, text: str) -> None:
        assert amount(minor) == text
        assert amount(minor, ",") == text.replace(".", ",")


class TestTillFile:
    def test_is_windows_1252_with_semicolons_and_line_ends_of_its_time(self) -> None:
        bodies = [p.body for p in told("pos")]
        assert any("é".encode("windows-1252") in body for body in bodies)
        for body in bodies:
            assert body.endswith(b"\r\n")
            assert body.count(b"\r\n") == body.count(b"\n")
            assert body.splitlines()[0].decode().split(";") == list(pos_csv.HEADER)

    def test_writes_what_comes_back_as_negative_rows_of_another_receipt(self) -> None:
        rows = [
            row
            for p in told("pos")
            for row in csv.DictReader(io.StringIO(p.body.decode("windows-1252")), delimiter=";")
        ]
        back = [row for row in rows if row["Type"] == "R"]
        assert back
        for row in back:
            assert row["Qty"].startswith("-")
            assert row["Amount"].startswith("-")
            assert row["Receipt"] != row["OrigReceipt"]
        sold = [row for row in rows if row["Type"] == "S" and row["Restock"] is not None]
        assert all("," in row["Amount"] and "." not in row["Amount"] for row in sold)

    def test_is_one_per_day_and_one_per_store_within_a_day(self) -> None:
        names = [p.file_name for p in a_story(rates=CALM).payloads if p[0] == "pos"]
        assert len(names) == len(set(names)) == 20
        start = datetime(2025, 11, 10, 9, tzinfo=UTC)
        told = live(9, start, 1_000, days=1, orders_per_day=300, rates=CALM)
        files = [p for p in islice(told, 400) if p.channel_code == "pos"]
        assert len(files) > 20
        for file in files:
            rows = file.body.decode("windows-1252").splitlines()[1:]
            number = (file.file_name or "").split("_")[1]
            assert {row.split(";")[0] for row in rows} <= {number, "900"}


class TestReport:
    def test_is_tab_separated_with_a_status_on_every_row(self) -> None:
        statuses = set()
        for p in told("marketplace"):
            header, *rows = (line.split("\t") for line in p.body.decode().splitlines())
            assert header == list(marketplace_tsv.HEADER)
            statuses |= {row[2] for row in rows}
        assert statuses == set(marketplace_tsv.STATUSES.values())


class TestExport:
    def test_has_typed_columns_and_prices_without_tax(self) -> None:
        frames = [pl.read_parquet(io.BytesIO(p.body)) for p in told("phone")]
        assert all(frame.schema == pl.Schema(callcenter_parquet.SCHEMA) for frame in frames)
        known = pl.col("sku").is_in(a_story(rates=WILD).skus)
        usual = (pl.col("event") == "ordered") & (pl.col("currency") == "EUR")
        rows = pl.concat(frames).unique(maintain_order=True)  # a file may come twice
        odd = rows.filter(~known)["order_no"].implode()
        ordered = rows.filter(usual & ~pl.col("order_no").is_in(odd))
        sums = ordered.group_by("order_no").agg(
            pl.col("line_net").sum() + pl.col("line_tax").sum(),
            (pl.col("shipping_net") + pl.col("shipping_tax")).first().alias("shipping"),
            pl.col("order_total").first(),
        )
        right = sums.filter(pl.col("line_net") + pl.col("shipping") == pl.col("order_total"))
        assert len(sums) - len(right) == a_story(rates=WILD).book.mismatched["phone"]


class TestShopify:
    def test_is_one_object_a_line_or_one_a_webhook(self) -> None:
        created = told("webshop-eu", "orders/create")
        whole = [p for p in created if p.body.endswith(b"}")]
        assert 0 < len(created) - len(whole) < len(created) / 4, "some are cut off"
        for p in whole:
            document = json.loads(p.body)
            assert document["line_items"]
            assert datetime.fromisoformat(document["updated_at"]).utcoffset() is not None

    def test_tells_money_given_back_by_itself_and_again_in_the_order(self) -> None:
        refunds = {json.loads(p.body)["id"] for p in told("webshop-eu", "refunds/create")}
        again = {
            refund["id"]
            for p in told("webshop-eu", "orders/updated")
            if p.body.endswith(b"}")
            for refund in json.loads(p.body)["refunds"]
        }
        assert refunds
        assert refunds <= again

    def test_sells_over_british_counters_too(self) -> None:
        orders = [o for p in told("webshop-uk") for o in json.loads(p.body)["orders"]]
        counters = [o for o in orders if o["source_name"] == "pos"]
        assert counters
        assert all(o["location_id"] and not o["shipping_lines"] for o in counters)
        assert {o["currency"] for o in orders} <= {"GBP", "EUX"}
