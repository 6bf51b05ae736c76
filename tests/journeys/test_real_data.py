"""Data sets of others, carried whole: what a raw file says is what every screen says.

What is right is asked of the raw file, in SQL that shares nothing with the mappings. The files
are not ours to give away: the folder `OMS_SHARED_DATA` names holds them, docs/add-a-channel.md
says how.
"""

import json
import os
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, replace
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any, Final

import duckdb
import pytest
import yaml

from oms.bootstrap import System
from oms.channels import operations as channels
from oms.channels import queries as inbox
from oms.channels.model import ChannelDraft
from oms.kernel.limits import PAGE_ROWS_MAX
from oms.reports.model import Comparison, Filters, Level, Period
from oms.settings import Settings
from oms.workflows import ingest
from tests.journeys.world import AT, Clone, Key, Sums, World, keyed
from tests.ledger.invariants import violations

NAMED: Final = os.environ.get("OMS_SHARED_DATA")
SHARED: Final = Path(NAMED or "nowhere")
MAPPINGS: Final = Path(__file__).resolve().parents[2] / "mappings"

pytestmark = [
    pytest.mark.skipif(
        not NAMED or not SHARED.is_dir(),
        reason="2026-11-24: the data is not ours to give away; OMS_SHARED_DATA names its folder",
    ),
    pytest.mark.filterwarnings("ignore"),  # of dbt and Streamlit, which are not ours
]


@dataclass(frozen=True, slots=True, kw_only=True)
class DataSet:
    """Files of somebody's sales, and how to ask them without a mapping."""

    folder: str
    channels: str  # the file under mappings/ that registers them
    files: Mapping[str, str]  # of each channel
    content_type: str
    lines: str  # SQL: one row per line, with money in minor units
    orders_count: int
    lines_count: int
    days: tuple[date, date]  # the first and the last that sold something

    @property
    def period(self) -> Period:
        """From its first day to its last, and not a day more."""
        return Period(from_on=self.days[0], to_on=self.days[1] + timedelta(days=1))


SUPERSTORE: Final = DataSet(
    folder="datasets/superstore",
    channels="superstore.channel.yaml",
    files={"superstore": "superstore.csv"},
    content_type="text/csv",
    lines="""
        select 'superstore' as channel_code, 'USD' as currency, "Order ID" as order_ref,
            "Order Date"::date as sold_on, "Category" as category, "Quantity"::bigint as units,
            (round("Sales"::decimal(18, 6), 2) * 100)::bigint as net_minor,
            0::bigint as tax_minor, 0::bigint as shipping_minor
        from read_csv('{folder}/superstore.csv', all_varchar = true)
    """,
    orders_count=5_009,
    lines_count=9_994,
    days=(date(2014, 1, 3), date(2017, 12, 30)),
)
_ADVENTUREWORKS: Final = """
    select '{channel}' as channel_code, CurrencyAlternateKey as currency,
        SalesOrderNumber as order_ref, OrderDate::date as sold_on,
        coalesce(EnglishProductCategoryName, '(none)') as category,
        OrderQuantity::bigint as units, (round(SalesAmount, 2) * 100)::bigint as net_minor,
        (round(TaxAmt, 2) * 100)::bigint as tax_minor,
        (round(Freight, 2) * 100)::bigint as shipping_minor
    from '{{folder}}/{file}.parquet'
    left join '{{folder}}/DimCurrency.parquet' using (CurrencyKey)
    left join '{{folder}}/DimProduct.parquet' using (ProductKey)
    left join '{{folder}}/DimProductSubcategory.parquet' using (ProductSubcategoryKey)
    left join '{{folder}}/DimProductCategory.parquet' using (ProductCategoryKey)
"""
ADVENTUREWORKS: Final = DataSet(
    folder="datasets/adventureworks-dw",
    channels="adventureworks.channel.yaml",
    files={
        "aw-internet": "FactInternetSales.parquet",
        "aw-reseller": "FactResellerSales.parquet",
    },
    content_type="application/vnd.apache.parquet",
    lines=_ADVENTUREWORKS.format(channel="aw-internet", file="FactInternetSales")
    + "union all"
    + _ADVENTUREWORKS.format(channel="aw-reseller", file="FactResellerSales"),
    orders_count=31_455,
    lines_count=121_253,
    days=(date(2010, 12, 29), date(2014, 1, 28)),
)


@dataclass(slots=True)
class Carried(World):
    """A data set that went all the way."""

    data: DataSet = SUPERSTORE
    live_unpublished: Any = None

    def truth(self, query: str) -> list[tuple[Any, ...]]:
        """Ask the raw files."""
        lines = self.data.lines.format(folder=self.folder)
        return duckdb.sql(f"with lines as materialized ({lines}) {query}").fetchall()

    def raw(self) -> Sums:
        """Ask the files what `in_ledger` asks the ledger."""
        return keyed(self.truth(_RAW), 2)

    def live(self) -> Any:
        """Ask the API for the sales of the whole period."""
        period = self.data.period
        answer = self.client().get(
            "/v1/sales/live",
            params={"from_on": str(period.from_on), "to_on": str(period.last_on)},
        )
        assert answer.status_code == 200, answer.text
        return answer.json()

    def asked(self, currency: str, *channel_codes: str) -> Filters:
        """Ask as a page does that compares with nothing."""
        return Filters(
            period=self.data.period, currency=currency, comparison=Comparison.NONE,
            channels=channel_codes,
        )  # fmt: skip


_RAW: Final = """
    select channel_code, currency, count(distinct order_ref), count(*), sum(units), sum(net_minor),
        sum(tax_minor), sum(shipping_minor)
    from lines group by all
"""


def _minor(amount: Any) -> int:
    """Return cents: every currency of the data has two decimals."""
    minor = Decimal(amount) * 100
    assert minor == int(minor), amount
    return int(minor)


def _channels(data: DataSet, folder: Path) -> list[ChannelDraft]:
    """Read the channels as `oms channels add` does, but with the look-up files where they lie."""
    content = yaml.safe_load((MAPPINGS / data.channels).read_text())
    drafts = []
    for entry in content["channels"]:
        lists = {name: tuple(each) for name, each in entry.items() if isinstance(each, list)}
        draft = ChannelDraft(**(entry | lists))
        options = {"mapping": str(MAPPINGS / draft.adapter_options["mapping"])}
        if "look_ups" in draft.adapter_options:
            options["look_ups"] = str(folder)
        drafts.append(replace(draft, adapter_options=options))
    return drafts


@pytest.fixture(scope="module")
def system(clone: Clone, blank: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """Make systems, each with a ledger and a home of its own."""
    with ExitStack() as stack:

        def made() -> System:
            home = tmp_path_factory.mktemp("home")
            settings = Settings(home=home)
            return System(settings=settings, ledger=stack.enter_context(clone(blank)))

        yield made


@pytest.fixture(
    scope="module", params=[SUPERSTORE, ADVENTUREWORKS], ids=["superstore", "adventureworks"]
)
def carried(request: pytest.FixtureRequest, system: Callable[[], System]) -> Carried:
    data: DataSet = request.param
    folder = SHARED / data.folder
    made = Carried(system(), folder, data=data)
    with made.system.ledger.transaction() as tx:
        for draft in _channels(data, folder):
            channels.register(tx, draft, at=AT)
    for code, file in data.files.items():
        made.payloads[code] = made.drop(folder / file, code, data.content_type)
    made.live_unpublished = made.live()
    made.refresh()
    return made


class TestADataSet:
    def test_is_what_the_files_are_known_to_hold(self, carried: Carried):
        raw = carried.raw()
        assert sum(sums[0] for sums in raw.values()) == carried.data.orders_count
        assert sum(sums[1] for sums in raw.values()) == carried.data.lines_count
        if carried.data is SUPERSTORE:
            assert raw["superstore", "USD"][3] == 2_297_201_07

    def test_is_captured_whole_and_nothing_of_it_refused(self, carried: Carried):
        orders: Counter[str] = Counter()
        for (channel, _), sums in carried.raw().items():
            orders[channel] += sums[0]
        for code, payload in carried.payloads.items():
            assert (payload.state, payload.failure) == ("processed", None)
            assert payload.documents_count == payload.captured_count == orders[code]
            assert carried.refusals(code) == {}

    def test_is_the_same_in_the_ledger(self, carried: Carried):
        assert carried.in_ledger() == carried.raw()
        with carried.system.ledger.snapshot() as tx:
            assert violations(tx) == {}

    def test_is_the_same_in_the_published_marts(self, carried: Carried):
        assert carried.in_marts() == carried.raw()

    @pytest.mark.parametrize("basis", ["event", "placed"])
    def test_is_the_same_in_the_rollups_day_by_day(self, carried: Carried, basis: str):
        raw = keyed(carried.truth("""
            select channel_code, currency, sold_on, count(distinct order_ref), sum(units),
                sum(net_minor), sum(tax_minor)
            from lines group by all
        """), 3)  # fmt: skip
        daily = carried.publication.ask(
            "select channel_code, currency, sold_on, orders_count, units, net_amount * 100,"
            " tax_amount * 100 from sales_by_channel_daily where basis = $basis",
            {"basis": basis},
        )
        assert keyed(daily.rows(), 3) == raw

    def test_is_the_same_in_live_sales_before_and_after_publication(self, carried: Carried):
        raw = {key: (sums[0], sums[2], sums[3]) for key, sums in carried.raw().items()}
        unpublished, live = carried.live_unpublished, carried.live()
        assert (unpublished["publication"], live["publication"]["version"] > 0) == (None, True)
        for answer in (unpublished, live):
            found = {
                (each["channel_code"], each["currency"]): (
                    each["period"]["orders_count"], each["period"]["units"],
                    _minor(each["period"]["net"]["amount"]),
                )
                for each in answer["items"]
            }  # fmt: skip
            assert found == raw

    def test_is_the_same_page_by_page_of_its_orders(self, carried: Carried):
        raw = {key: (sums[0], sum(sums[3:])) for key, sums in carried.raw().items()}
        client, after = carried.client(), None
        counts: Counter[Key] = Counter()
        totals: Counter[Key] = Counter()
        numbers = set()
        while True:
            asked = {"limit": PAGE_ROWS_MAX} | ({"after": after} if after else {})
            page = client.get("/v1/orders", params=asked).json()
            for order in page["items"]:
                key = order["channel_code"], order["total"]["currency"]
                counts[key] += 1
                totals[key] += _minor(order["total"]["amount"])
                numbers.add(order["order_number"])
            if (after := page["next_after"]) is None:
                break
        assert {key: (counts[key], totals[key]) for key in counts} == raw
        assert len(numbers) == carried.data.orders_count

    def test_is_the_same_on_the_sales_pages(self, carried: Carried):
        from dashboards.queries import sales as pages

        for (channel, currency), raw in carried.raw().items():
            asked = carried.asked(currency, channel)
            totals, before = pages.totals(carried.publication, asked)
            orders, _, units, net, tax, _ = raw
            assert before is None
            assert (totals["orders_count"], totals["units"]) == (orders, units)
            assert (_minor(totals["net_amount"]), _minor(totals["tax_amount"])) == (net, tax)
            found, _ = pages.orders(carried.publication, asked, "net_amount")
            assert (found.orders_count, found.units) == (orders, units)
            assert _minor(found.amount) == net

    def test_is_the_same_by_month_and_channel(self, carried: Carried):
        from dashboards.queries import sales as pages
        from oms.reports.model import Grain

        raw = keyed(carried.truth("""
            select channel_code, currency, date_trunc('month', sold_on)::date,
                count(distinct order_ref), sum(units), sum(net_minor)
            from lines group by all
        """), 3)  # fmt: skip
        shown: Sums = {}
        for currency in sorted({key[1] for key in raw}):
            frame = pages.by_channel_and_time(
                carried.publication, carried.asked(currency), Grain.MONTH
            )
            for row in frame.iter_rows(named=True):
                shown[row["channel_code"], currency, str(row["sold_on"])] = (
                    row["orders_count"], row["units"], _minor(row["net_amount"]),
                )  # fmt: skip
        assert shown == raw

    def test_is_the_same_by_category(self, carried: Carried):
        from oms.reports import sales

        raw = keyed(carried.truth("""
            select currency, category, count(distinct order_ref), sum(units), sum(net_minor)
            from lines group by all
        """), 2)  # fmt: skip
        shown: Sums = {}
        for currency in sorted({key[0] for key in raw}):
            frame = sales.by_product(carried.publication, carried.asked(currency), Level.CATEGORY)
            for row in frame.iter_rows(named=True):
                shown[currency, row["product"]] = (
                    row["orders_count"], row["units"], _minor(row["net_amount"]),
                )  # fmt: skip
        assert shown == raw

    def test_is_history_and_moves_no_stock(self, carried: Carried):
        for table in ("stock_movements", "stock_levels", "reservations", "order_exceptions"):
            assert carried.ask(f"select count(*) from {table}") == [(0,)], table
        states = "select distinct is_historical, order_state, fulfillment_state from orders"
        assert carried.ask(states) == [(True, "completed", "shipped")]

    def test_changes_nothing_when_it_comes_twice(self, carried: Carried, tmp_path: Path):
        """Once byte for byte, and once written anew: another file that says the same."""
        ledger, marts, version = carried.in_ledger(), carried.in_marts(), _versions(carried)
        for code, file in carried.data.files.items():
            again = carried.drop(carried.folder / file, code, carried.data.content_type)
            assert again == carried.payloads[code]
            anew = _written_anew(carried.folder / file, tmp_path / file)
            payload = carried.drop(anew, code, carried.data.content_type)
            assert payload.inbox_id != again.inbox_id
            assert payload.documents_count == payload.duplicate_count == again.captured_count
            assert (payload.updated_count, payload.stale_count) == (0, 0)
            assert carried.refusals(code) == {}
        carried.refresh()
        assert (carried.in_ledger(), carried.in_marts()) == (ledger, marts)
        assert _versions(carried) == version


def _versions(world: World) -> list[tuple[Any, ...]]:
    return world.ask(
        "select (select sum(version) from orders), (select count(*) from line_events),"
        " (select count(*) from order_events), (select count(*) from product_versions)"
    )


def _written_anew(path: Path, target: Path) -> Path:
    """Write a file that says the same in other bytes."""
    if path.suffix == ".csv":
        target.write_bytes(path.read_bytes().replace(b"\n", b"\r\n"))
    else:
        duckdb.sql(f"copy (from '{path}') to '{target}' (format parquet, compression zstd)")
    assert target.read_bytes() != path.read_bytes()
    return target


SHOP: Final = SHARED / "channels" / "shopify-go-shopify" / "fixtures"
ORDERS: Final = ("order.json", "orders.json", "order_with_transaction.json")
OTHERS: Final = {
    "product.json": "products",
    "fulfillment.json": "fulfillments",
    "inventory_level.json": "inventory_levels",
    "inventory_levels.json": "inventory_levels",
    "draft_order.json": "draft_orders",
}
# Parts of an order that lie in files of their own, and where in an order they belong.
PARTS: Final = {"orderlineitems": "line_items", "shippinglines": "shipping_lines"}


def _whole(part: Path, number: int, target: Path) -> Path:
    """Put a part as it is written, broken or not, into the order it belongs to."""
    order = json.loads((SHOP / "order.json").read_text())["order"]
    order |= {"id": number, "name": f"#{number}", "test": False, "cancelled_at": None}
    order |= {"total_price": "30.00", PARTS[part.parent.name]: ["part"]}
    if part.parent.name == "orderlineitems":
        order |= {"total_price": "32.84", "shipping_lines": []}
    whole = json.dumps(order).replace('"part"', part.read_text())
    path = target / f"{part.parent.name}-{part.name}"
    path.write_text(whole)
    return path


@pytest.fixture(scope="module")
def shop(system: Callable[[], System], tmp_path_factory: pytest.TempPathFactory) -> World:
    """Hand all of a shop's fixtures to a channel that makes products, and to one that does not."""
    made = World(system(), tmp_path_factory.mktemp("shop"))
    for code, makes in (("shop", True), ("strict", False)):
        draft = ChannelDraft(
            code=code, name=code, kind="webshop", currency="USD", prices_include_tax=False,
            time_zone="America/New_York", adapter="shopify",
            adapter_options={"make_products": makes, "is_historical": True},
        )  # fmt: skip
        with made.system.ledger.transaction() as tx:
            channels.register(tx, draft, at=AT)
    parts = [part for folder in sorted(PARTS) for part in sorted((SHOP / folder).glob("*.json"))]
    files = [(SHOP / file, "orders") for file in ORDERS]
    files += [
        (_whole(part, 9_001 + number, made.folder), "orders") for number, part in enumerate(parts)
    ]
    files += [(SHOP / file, topic) for file, topic in OTHERS.items()]
    for code in ("strict", "shop"):
        for path, topic in files:
            payload = made.drop(path, code, "application/json", topic)
            made.payloads[f"{code}/{path.name}"] = payload
    made.refresh()
    return made


# What a part says it is worth: orders of the parts have no other lines, or no other shipping.
_LINE_PART: Final = """
    select 1, quantity, (price::decimal(18, 2) * quantity
        - list_sum([each.amount::decimal(18, 2) for each in discount_allocations])) * 100,
        list_sum([each.price::decimal(18, 2) for each in tax_lines]) * 100, 0, 0
    from read_json('{part}')
"""
_ORDER: Final = """
    with orders as (select "order" as o from read_json('{order}')),
    lines as (select unnest(o.line_items) as line from orders),
    items as (
        select count(*) as lines, sum(line.quantity) as units,
            sum(line.price::decimal(18, 2) * line.quantity - line.total_discount::decimal(18, 2))
                * 100 as net
        from lines
    )
"""
_WHOLE_ORDER: Final = (
    _ORDER
    + """
    select lines, units, net, 0,
        list_sum([each.price::decimal(18, 2) for each in o.shipping_lines]) * 100, 0
    from items, orders
"""
)
_SHIPPING_PART: Final = (
    _ORDER
    + """
    select lines, units, net, 0, price::decimal(18, 2) * 100,
        list_sum([each.price::decimal(18, 2) for each in tax_lines]) * 100
    from items, read_json('{part}')
"""
)
_PART_OF: Final = {"orderlineitems": _LINE_PART, "shippinglines": _SHIPPING_PART}
CAPTURED_PARTS: Final = (
    "orderlineitems/valid.json",
    "shippinglines/requested_fulfillment_service_id_null.json",
    "shippinglines/requested_fulfillment_service_id_number.json",
    "shippinglines/valid.json",
)
_NO_LINE: Final = [
    ("/line_items/0/quantity", "VALIDATION"),
    ("/line_items/0/price", "VALIDATION"),
    ("/line_items/0/id", "VALIDATION"),
]
_NO_STOCK: Final = [("/inventory_item_id", "UNMAPPED_CODE"), ("/location_id", "UNMAPPED_CODE")]
REFUSED: Final = {
    # Broken on purpose.
    "orderlineitems-properties_invalid0.json": [("", "MALFORMED")],
    "shippinglines-requested_fulfillment_service_id_invalid.json": [("", "MALFORMED")],
    # Lines of which only the properties are there.
    "orderlineitems-properties_empty_object.json": _NO_LINE,
    "orderlineitems-properties_invalid1.json": _NO_LINE,
    "orderlineitems-properties_invalid2.json": _NO_LINE,
    "orderlineitems-properties_object.json": _NO_LINE,
    "orderlineitems-properties_ommited.json": _NO_LINE,
    # Of an order that is not among the fixtures, and of a shop whose places nobody mapped.
    "fulfillment.json": [("/external_ref", "ORDER_NOT_FOUND")],
    "inventory_level.json": _NO_STOCK,
    "inventory_levels.json": _NO_STOCK * 4,
}


def _fixtures() -> Sums:
    """Lines, units, net, tax, and shipping's both: of each order, in the fixtures themselves."""
    order = SHOP / "order.json"
    sums = keyed([("order.json", *duckdb.sql(_WHOLE_ORDER.format(order=order)).fetchall()[0])], 1)
    for name in CAPTURED_PARTS:
        query = _PART_OF[name.partition("/")[0]].format(part=SHOP / name, order=order)
        sums |= keyed([(name.replace("/", "-"), *duckdb.sql(query).fetchall()[0])], 1)
    return sums


class TestAShop:
    def test_is_refused_by_name_what_cannot_be_an_order(self, shop: World):
        assert shop.refusals("shop") == REFUSED
        of_no_catalog = {"orderlineitems-valid.json": [("/lines/sku", "UNKNOWN_SKU")]}
        assert shop.refusals("strict") == REFUSED | of_no_catalog
        failed = {name: each.failure for name, each in shop.payloads.items() if each.failure}
        assert set(failed) == {"shop/draft_order.json", "strict/draft_order.json"}
        assert "nothing called 'draft_orders'" in str(failed["shop/draft_order.json"])

    def test_has_each_order_as_its_file_has_it(self, shop: World):
        orders = shop.ask("""
            select i.file_name, count(*), sum(k.quantity), sum(k.net_minor), sum(k.tax_minor),
                max(o.shipping_net_minor), max(o.shipping_tax_minor)
            from orders o join inbox i using (inbox_id, channel_id)
            join channels c using (channel_id) join order_lines k using (order_id)
            where c.channel_code = 'shop' group by i.file_name
        """)
        assert keyed(orders, 1) == _fixtures()
        stated = "select count(*) from orders where total_minor is distinct from stated_total_minor"
        assert shop.ask(stated) == [(0,)]
        with shop.system.ledger.snapshot() as tx:
            assert violations(tx) == {}

    def test_has_one_order_of_the_three_that_are_the_same(self, shop: World):
        counts = [
            (each.captured_count, each.updated_count)
            for each in (shop.payloads[f"shop/{name}"] for name in ORDERS)
        ]
        assert counts == [(1, 0), (0, 1), (0, 1)]
        listed = shop.client().get("/v1/orders", params={"channel": "shop", "external": "123456"})
        (order,) = listed.json()["items"]
        assert (order["is_test"], order["order_state"]) == (True, "canceled")
        assert order["total"] == {"amount": "10.00", "currency": "USD"}

    def test_sells_the_same_everywhere_but_for_tests(self, shop: World):
        from dashboards.queries import sales as pages

        sold = [sums for (name,), sums in _fixtures().items() if name != "order.json"]
        expected = (len(sold), sum(each[1] for each in sold), sum(each[2] for each in sold))
        on = date(2016, 5, 17)
        live = shop.client().get(
            "/v1/sales/live", params={"from_on": str(on), "to_on": str(on), "channel": "shop"}
        )
        (item,) = live.json()["items"]
        assert expected == (
            item["period"]["orders_count"], item["period"]["units"],
            _minor(item["period"]["net"]["amount"]),
        )  # fmt: skip
        filters = Filters(
            period=Period(from_on=on, to_on=date(2016, 5, 18)), currency="USD",
            comparison=Comparison.NONE, channels=("shop",),
        )  # fmt: skip
        totals, _ = pages.totals(shop.publication, filters)
        shown = totals["orders_count"], totals["units"], _minor(totals["net_amount"])
        assert shown == expected

    def test_lists_its_orders_to_the_cent(self, shop: World):
        page = shop.client().get("/v1/orders", params={"channel": "shop"}).json()
        amounts = sorted(_minor(order["total"]["amount"]) for order in page["items"])
        assert amounts == sorted(sum(sums[2:]) for sums in _fixtures().values())
        marts = shop.publication.ask(
            "select external_ref, total_amount * 100 from fct_orders where channel_code = 'shop'"
        )
        assert sorted(sums[0] for sums in keyed(marts.rows(), 1).values()) == amounts

    def test_moves_no_stock_with_its_history(self, shop: World):
        for table in ("stock_movements", "stock_levels", "reservations", "order_exceptions"):
            assert shop.ask(f"select count(*) from {table}") == [(0,)], table

    def test_changes_nothing_by_telling_it_again(self, shop: World):
        """A webhook that is sent again has the same bytes and another id."""
        ledger, versions = shop.in_ledger(), _versions(shop)
        with shop.system.ledger.snapshot() as tx:
            channel = inbox.channel(tx, "shop")
        files = [SHOP / ORDERS[-1], *(shop.folder / name.replace("/", "-")
                                      for name in CAPTURED_PARTS)]  # fmt: skip
        for path in files:
            with shop.system.ledger.transaction() as tx:
                again = ingest.receive_body(
                    shop.system.intake, tx, path.read_bytes(), channel=channel, transport="push",
                    topic="orders", content_type="application/json", message_id=f"again {path}",
                    at=AT,
                )  # fmt: skip
            assert again.is_new
            payload = ingest.process(shop.system.intake, again.inbox_id)
            assert payload is not None
            assert (payload.documents_count, payload.duplicate_count) == (1, 1)
        assert (shop.in_ledger(), _versions(shop)) == (ledger, versions)
