"""The YAML itself: what is wrong with one is said by place, and the shipped ones do their work."""

from pathlib import Path
from typing import Any, Final

import pyarrow as pa
import pytest
from pyarrow import parquet as pq

from oms.adapters.channels.tabular.loading import BadMapping, load, parse
from oms.adapters.channels.tabular.mapping import TabularMapping
from oms.adapters.channels.tabular.rows import Rows
from tests.channels.mapped import Mapped, mapped, source

SHIPPED: Final = Path(__file__).parents[3] / "mappings"
BASE: Final = """
mapping: base
version: 1
documents: orders
codes: {ways: {post: ship_home}}
order: {external_ref: no, placed_at: day}
lines: {sku: sku, quantity: qty, total: total, tax: 0}
"""


class TestBadMappings:
    @pytest.mark.parametrize(
        ("old", "new", "place"),
        [
            ("version: 1", "version: 0", r"version: "),
            ("version: 1", "version: 1\nversoin: 2", r"versoin: "),
            ("version: 1", "version: 1\nversion: 2", r"line 4: 'version' is there twice"),
            ("version: 1", "version: &v 1\nabout: *v", r"line \d+: a mapping has no aliases"),
            ("documents: orders", "documents: invoices", r"documents: "),
            ("sku: sku", "skew: sku", r"lines.skew: there is no such field"),
            ("sku: sku, ", "", r"lines.sku: it is needed"),
            ("placed_at: day", "note: x", r"order.placed_at: it is needed"),
            ("sku: sku", "sku: {column: a, constant: b}", r"lines.sku: an expression has exactly"),
            ("sku: sku", "sku: {}", r"lines.sku: an expression has exactly one"),
            ("sku: sku", "sku: {column: a, then: [shout]}", r"lines.sku.then\[0\]"),
            ("sku: sku", "sku: {column: a, then: [{codes: nix}]}", r"lines.sku.then\[0\].codes"),
            ("sku: sku", "sku: {column: a, then: [trim, {look_up: {in: b, take: c}}]}",
             r"lines.sku.then\[1\].look_up.in: there is no look-up 'b'"),
            ("sku: sku", "sku: {column: a, then: [{extract: '(a'}]}",
             r"lines.sku.then\[0\].extract"),
            ("sku: sku", "sku: {add: [1, 2]}", r"lines.sku.add: the field is not a number"),
            ("sku: sku", "sku: {column: a, take: first}", r"lines.sku.take"),
            ("quantity: qty", "quantity: {divide: [qty, 2]}", r"lines.quantity: "),
            ("tax: 0", "tax: {constant: none}", r"lines.tax: 'none' is not a number"),
            ("placed_at: day", "placed_at: {column: d, format: '%Q'}",
             r"order.placed_at.format\[0\]"),
            ("placed_at: day", "placed_at: {column: d, time_zone: Mars}",
             r"order.placed_at.time_zone"),
            ("placed_at: day", "placed_at: day, order_type: {constant: gift}", r"order.order_type"),
            ("placed_at: day", "placed_at: day, is_test: {column: a, default: perhaps}",
             r"order.is_test.default"),
            ("codes:", "file: {delimiter: '::'}\ncodes:", r"file.delimiter"),
            ("codes:", "file: {encoding: klingon}\ncodes:", r"file.encoding"),
            ("codes:", "file: {encoding: base64}\ncodes:", r"file.encoding"),
            ("codes:", "file: {header: false}\ncodes:", r"file: columns are named"),
            ("codes:", "file: {decimal_mark: ',', thousands_mark: ','}\ncodes:", r"file: "),
            ("codes:", "rows: {negative_quantity: return}\ncodes:", r"changes.occurred_at"),
            ("codes:", "counts: {sku: a}\ncodes:", r"counts: a mapping of orders has no such"),
            ("mapping: base", "[", r"it is not YAML"),
            ("mapping: base", "mapping: !!python/name:os.system", r"it is not YAML"),
        ],
    )  # fmt: skip
    def test_the_place_is_named(self, old: str, new: str, place: str):
        with pytest.raises(BadMapping, match=place):
            parse(BASE.replace(old, new))

    def test_everything_wrong_is_said_at_once(self):
        with pytest.raises(BadMapping) as refused:
            parse(BASE.replace("sku: sku", "a: b").replace("placed_at: day", "c: d"))
        assert len(refused.value.detail.splitlines()) == 4

    def test_a_missing_file_is_said(self, tmp_path: Path):
        with pytest.raises(BadMapping, match=r"nothing.yaml"):
            load(tmp_path / "nothing.yaml")

    def test_keys_and_codes_are_texts_whatever_yaml_thinks_of_them(self):
        spec = parse(BASE.replace("{post: ship_home}", "{1: a, No: b, 1.0: c, on: true}"))
        assert spec.codes["ways"] == {"1": "a", "No": "b", "1.0": "c", "on": "true"}


class TestOptions:
    def test_paths_are_relative_to_the_folder(self, tmp_path: Path):
        (tmp_path / "base.yaml").write_text(BASE)
        mapping = TabularMapping.from_options({"mappings": {"orders": "base.yaml"}}, tmp_path)
        assert mapping.topics == {"orders"}

    @pytest.mark.parametrize("options", [{}, {"mappings": {}}, {"mappings": "base.yaml"}])
    def test_without_mappings_it_is_refused(self, options: dict[str, Any], tmp_path: Path):
        with pytest.raises(BadMapping, match="mappings"):
            TabularMapping.from_options(options, tmp_path)


def shipped(name: str, payload: Path) -> Mapped:
    mapping = TabularMapping.from_options({"mappings": {"orders": f"{name}.yaml"}}, SHIPPED)
    return mapped(mapping, source(payload))


class TestSuperstore:
    HEADER = (
        "Row ID,Order ID,Order Date,Ship Date,Ship Mode,Customer ID,Customer Name,Segment,Country,"
        "City,State,Postal Code,Region,Product ID,Category,Sub-Category,Product Name,Sales,"
        "Quantity,Discount,Profit"
    )

    def test_discounts_are_worked_out_and_the_first_name_names_a_product(self, tmp_path: Path):
        payload = tmp_path / "sales.csv"
        payload.write_text("\n".join([
            self.HEADER,
            self.row(1, "US-1", "OFF-1", "Stapler", "80.3335", "0.2"),
            self.row(2, "US-1", "OFF-1", "Stapler again", "10", "0"),
            self.row(3, "US-2", "OFF-1", '"Stapler, other"', "9.995", "0"),
        ]))  # fmt: skip
        result = shipped("superstore", payload)
        assert not result.rejected
        assert [
            (line["line_ref"], line["discount_minor"], line["total_minor"], line["tax_minor"])
            for line in result.rows("lines")
        ] == [("1", 2008, 8033, 0), ("2", 0, 1000, 0), ("3", 0, 1000, 0)]
        assert {product["title"] for product in result.rows("products")} == {"Stapler"}
        order = result.rows("orders")[0]
        assert order["country_code"] == "US"
        assert order["is_historical"]

    @staticmethod
    def row(number: int, order: str, sku: str, name: str, sales: str, discount: str) -> str:
        return (
            f"{number},{order},2025-11-08,2025-11-11,Second Class,C-1,Ann Example,Consumer,"
            f"United States,Springfield,Ohio,04501,East,{sku},Office Supplies,Binders,{name},"
            f"{sales},2,{discount},1"
        )


class TestElectronics:
    HEADER = (
        "Customer ID,Age,Gender,Loyalty Member,Product Type,SKU,Rating,Order Status,Payment Method,"
        "Total Price,Unit Price,Quantity,Purchase Date,Shipping Type,Add-ons Purchased,Add-on Total"
    )

    def test_add_ons_are_paid_and_named_and_cancellations_cancel(self, tmp_path: Path):
        payload = tmp_path / "sales.csv"
        rows = (
            '1,30,#N/A,No,Tablet,T1,3,Cancelled,Cash,20.5,10.25,2,2025-03-20,Express,"Case,Pen",4.11',
            "1,30,Male,No,Tablet,T1,3,Completed,PayPal,10.25,10.25,1,2025-03-20,Standard,,0",
            "2,30,Male,No,Tablet,T1,3,Completed,Paypal,10.25,10.25,1,2025-03-20,By drone,,0",
        )
        payload.write_text("\n".join((self.HEADER, *rows)))
        result = shipped("electronics", payload)
        canceled, kept = result.rows("orders")
        assert canceled["note"] == "Case,Pen"
        assert canceled["canceled_at"] is not None
        assert kept["canceled_at"] is None
        assert [line["total_minor"] for line in result.rows("lines")] == [2461, 1025]
        assert result.problems() == {3: [("Shipping Type", "UNMAPPED_CODE")]}


class TestAdventureWorks:
    @pytest.mark.parametrize(
        ("name", "key", "who"),
        [("internet", "CustomerKey", "Ann Example"), ("reseller", "ResellerKey", "Wheels & Co")],
    )
    def test_keys_are_followed_through_the_files_beside_it(self, tmp_path, name, key, who):
        dimensions(tmp_path)
        facts = tmp_path / "facts.parquet"
        write(facts, [
            fact(key, 1, product=7, currency=100, amount="957.5775", freight="0.005"),
            fact(key, 2, product=8, currency=100, amount="10.0000", freight="0.0049"),
            fact(key, 1, product=9, currency=100, amount="10.0000", freight="0", order="SO2"),
        ])  # fmt: skip
        result = shipped(f"adventureworks_{name}", facts)
        (order,) = result.rows("orders")
        assert (order["currency"], order["customer_name"]) == ("USD", who)
        assert (order["ship_to"]["city"], order["country_code"]) == ("Springfield", "US")
        assert order["shipping_net_minor"] == 1
        assert [
            (line["sku"], line["total_minor"], line["discount_minor"], line["tax_minor"])
            for line in result.rows("lines")
        ] == [("BK-1", 95758, 100, 7661), ("BK-2", 1000, 100, 80)]
        assert [
            (product["product_type"], product["category"]) for product in result.rows("products")
        ] == [("Road Bikes", "Bikes")] * 2
        assert set(result.problems()[2]) == {("ProductKey", "BAD_LOOKUP")}


def fact(
    key: str, line: int, *, product: int, currency: int, amount: str, freight: str,
    order: str = "SO1",
) -> dict[str, Any]:  # fmt: skip
    return {
        "SalesOrderNumber": order, "SalesOrderLineNumber": line, "OrderDate": "2012-05-01 00:00:00",
        "CurrencyKey": currency, key: 3, "ProductKey": product, "OrderQuantity": 2,
        "UnitPrice": amount, "ExtendedAmount": str(float(amount) + 1), "SalesAmount": amount,
        "TaxAmt": f"{float(amount) * 0.08:.4f}", "Freight": freight,
    }  # fmt: skip


def dimensions(folder: Path) -> None:
    tables: dict[str, list[dict[str, Any]]] = {
        "DimCurrency": [{"CurrencyKey": 100, "CurrencyAlternateKey": "USD"}],
        "DimCustomer": [{
            "CustomerKey": 3, "CustomerAlternateKey": "AW3", "FirstName": "Ann",
            "LastName": "Example", "EmailAddress": "ann@example.com", "Phone": "1",
            "AddressLine1": "Main 1", "GeographyKey": 4,
        }],
        "DimReseller": [{
            "ResellerKey": 3, "ResellerAlternateKey": "AW3", "ResellerName": "Wheels & Co",
            "Phone": "1", "AddressLine1": "Main 1", "GeographyKey": 4,
        }],
        "DimGeography": [{
            "GeographyKey": 4, "City": "Springfield", "PostalCode": "04501",
            "CountryRegionCode": "US",
        }],
        "DimProduct": [
            {"ProductKey": 7, "ProductAlternateKey": "BK-1", "EnglishProductName": "Road 1",
             "ProductSubcategoryKey": 2},
            {"ProductKey": 8, "ProductAlternateKey": "BK-2", "EnglishProductName": "Road 2",
             "ProductSubcategoryKey": 2},
        ],
        "DimProductSubcategory": [{
            "ProductSubcategoryKey": 2, "EnglishProductSubcategoryName": "Road Bikes",
            "ProductCategoryKey": 1,
        }],
        "DimProductCategory": [
            {"ProductCategoryKey": 1, "EnglishProductCategoryName": "Bikes"},
        ],
    }  # fmt: skip
    for name, rows in tables.items():
        write(folder / f"{name}.parquet", rows)


def write(path: Path, rows: list[dict[str, Any]]) -> None:
    columns = {
        name: pa.array([row[name] for row in rows])
        for name in rows[0]
    }  # fmt: skip
    pq.write_table(pa.table(columns), path)


class TestRows:
    def test_a_text_that_looks_like_a_name_is_only_a_text(self):
        rows = Rows(cells={}, look_ups={})
        first = rows.add("c0 || 'x'")
        rows.add("'t0 isn''t t0' || c0")
        assert rows.sql("cells").count("select") == 1
        rows.add(f"upper({first})")
        assert rows.sql("cells").count("select") == 2
