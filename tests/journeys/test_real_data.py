"""Data sets of others, carried whole: what a raw file says is what every screen says.

What is right is asked of the raw file, in SQL that shares nothing with the mappings. The files
are not ours to give away: the folder `OMS_SHARED_DATA` names holds them, docs/add-a-channel.md
says how.
"""

import json
import os
import warnings
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime
from decimal import Decimal
from functools import cached_property
from pathlib import Path
from typing import Any, Final

import duckdb
import pytest
import yaml
from sqlalchemy import text

from oms.access.operations import make_key
from oms.bootstrap import System
from oms.channels import operations as channels
from oms.channels import queries as inbox
from oms.channels.model import ChannelDraft, Payload
from oms.kernel import clock as system_clock
from oms.kernel.limits import PAGE_ROWS_MAX
from oms.ledger.database import Ledger
from oms.reports.model import Comparison, Filters, Level, Period
from oms.reports.published import Publication, Publications
from oms.settings import Settings
from oms.workflows import ingest
from tests.ledger.invariants import violations

NAMED: Final = os.environ.get("OMS_SHARED_DATA")
SHARED: Final = Path(NAMED or "nowhere")
MAPPINGS: Final = Path(__file__).resolve().parents[2] / "mappings"
AT: Final = datetime(2026, 3, 2, 9, tzinfo=UTC)

pytestmark = [
    pytest.mark.skipif(
        not NAMED or not SHARED.is_dir(),
        reason="2026-11-24: the data is not ours to give away; OMS_SHARED_DATA names its folder",
    ),
    pytest.mark.filterwarnings("ignore"),  # of dbt and Streamlit, which are not ours
]

Clone = Callable[[str], AbstractContextManager[Ledger]]
Key = tuple[str, ...]  # a channel and a currency, and perhaps a month or a category
Sums = dict[Key, tuple[int, ...]]


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
    years: tuple[int, int]

    @property
    def period(self) -> Period:
        """All of it, days included that sold nothing."""
        return Period(from_on=date(self.years[0], 1, 1), to_on=date(self.years[1] + 1, 1, 1))


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
    years=(2014, 2017),
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
    years=(2010, 2014),
)


@dataclass(slots=True)
class World:
    """A system that holds one data set, with the raw files beside it."""

    system: System
    folder: Path
    payloads: dict[str, Payload] = field(default_factory=dict)

    def drop(
        self, path: Path, channel_code: str, content_type: str, topic: str = "orders"
    ) -> Payload:
        """Hand a file over, and have it processed."""
        received = ingest.receive_file(
            self.system.intake, path, channel_code=channel_code, topic=topic,
            content_type=content_type, at=AT,
        )  # fmt: skip
        payload = ingest.process(self.system.intake, received.inbox_id)
        assert payload is not None
        return payload

    def refresh(self) -> Publication:
        """Bring the marts in step, as the refresher does, and read what it published."""
        from pipelines.lib.journals import LedgerJournal
        from pipelines.lib.refreshing import Refresh
        from pipelines.lib.transforming import Transformer
        from pipelines.lib.warehouse import warehouse_of

        warehouse = warehouse_of(self.system.settings)
        journal = LedgerJournal(ledger=self.system.ledger)
        Refresh(warehouse, journal, Transformer(warehouse), system_clock.now)()
        return self.publication

    @property
    def publication(self) -> Publication:
        """What is published."""
        return Publications(self.system.settings.published_dir).current()

    def client(self) -> Any:
        """Return a client of the API with an admin's key."""
        from api.app import create_app

        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            from fastapi.testclient import TestClient
        with self.system.ledger.transaction() as tx:
            key = make_key(tx, f"test {system_clock.now()}", role="admin", channel_codes=None,
                           at=AT)  # fmt: skip
        headers = {"Authorization": f"Bearer {key}"}
        return TestClient(create_app(self.system), headers=headers)

    def ask(self, query: str) -> list[tuple[Any, ...]]:
        """Ask the ledger."""
        with self.system.ledger.snapshot() as tx:
            return [tuple(row) for row in tx.execute(text(query))]

    def in_ledger(self) -> Sums:
        """Orders, lines, units, net, tax and shipping of each channel and currency, as captured."""
        return _keyed(self.ask(_LEDGER), 2)

    def in_marts(self) -> Sums:
        """Ask the same of the published facts."""
        return _keyed(self.publication.ask(_FACTS).rows(), 2)

    def refusals(self, channel_code: str) -> dict[str, list[tuple[str, str]]]:
        """Return what the quarantine holds of a channel: of each file the fields and codes."""
        with self.system.ledger.snapshot() as tx:
            found = inbox.quarantine(tx, channel_code=channel_code)
        refused: dict[str, list[tuple[str, str]]] = defaultdict(list)
        for document in found:
            refused[str(document.file_name)] += [
                (each["field"], each["code"]) for each in document.problems
            ]
        return dict(refused)


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
        """Orders, lines, units, net, tax and shipping of each channel and currency, in the files."""
        return _keyed(self.truth(_RAW), 2)

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
_LEDGER: Final = """
    select c.channel_code, o.currency, count(*), sum(k.lines), sum(k.units), sum(k.net),
        sum(k.tax), sum(o.shipping_net_minor + o.shipping_tax_minor)
    from orders o join channels c using (channel_id)
    join (
        select order_id, count(*) as lines, sum(quantity) as units, sum(net_minor) as net,
            sum(tax_minor) as tax
        from order_lines group by order_id
    ) k using (order_id)
    group by 1, 2
"""
_FACTS: Final = """
    with lines as (
        select order_id, count(*) as lines, sum(quantity) as units, sum(net_amount) as net,
            sum(tax_amount) as tax
        from fct_order_lines group by order_id
    )
    select channel_code, currency, count(*), sum(lines), sum(lines.units), sum(net) * 100,
        sum(tax) * 100, sum(shipping_net_amount + shipping_tax_amount) * 100
    from fct_orders join lines using (order_id) group by all
"""


def _keyed(rows: Any, keys: int) -> Sums:
    """Return rows by their first columns, whole numbers all: a fraction of a cent is a fault."""
    sums = {}
    for row in rows:
        assert all(value == int(value) for value in row[keys:]), row
        sums[tuple(map(str, row[:keys]))] = tuple(map(int, row[keys:]))
    return sums


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
    from contextlib import ExitStack

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
        raw = _keyed(carried.truth("""
            select channel_code, currency, sold_on, count(distinct order_ref), sum(units),
                sum(net_minor), sum(tax_minor)
            from lines group by all
        """), 3)  # fmt: skip
        daily = carried.publication.ask(
            "select channel_code, currency, sold_on, orders_count, units, net_amount * 100,"
            " tax_amount * 100 from sales_by_channel_daily where basis = $basis",
            {"basis": basis},
        )
        assert _keyed(daily.rows(), 3) == raw

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

        raw = _keyed(carried.truth("""
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

        raw = _keyed(carried.truth("""
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
