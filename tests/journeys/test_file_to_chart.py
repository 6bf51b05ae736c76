"""One receipt of a till, followed from the store's file to the number on the screen."""

import warnings
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import pytest

from oms.access.operations import make_key
from oms.bootstrap import System
from oms.channels import operations as channels
from oms.channels.model import ChannelDraft, Payload
from oms.kernel import clock as system_clock
from oms.ledger.database import Ledger
from oms.locations import operations as locations
from oms.locations.model import Location
from oms.reports.published import Publication, Publications
from oms.settings import Settings
from oms.workflows import ingest

pytestmark = pytest.mark.filterwarnings("ignore")  # of dbt and Streamlit, which are not ours

Clone = Callable[[str], AbstractContextManager[Ledger]]

AT: Final = datetime(2026, 3, 2, 9, tzinfo=UTC)
MAPPING: Final = """\
mapping: till
version: 1
about: One row per receipt line, a return names the receipt it was bought on.
documents: orders
file: {format: csv, delimiter: ";", decimal_mark: ","}
codes:
  kinds: {S: sale, R: return}
rows:
  kind: {column: Type, then: [{codes: kinds}]}
order:
  external_ref: Receipt
  placed_at: {column: Time, format: "%Y-%m-%d %H:%M"}
  currency: {constant: EUR}
  fulfillment_method: {constant: carry_out}
  location_code: {constant: S-UTRECHT}
lines:
  line_ref: Line
  sku: Article
  title: Name
  quantity: Qty
  total: Total
  tax: Tax
changes:
  change_ref: Id
  line_ref: Line
  occurred_at: {column: Time, format: "%Y-%m-%d %H:%M"}
  total: {absolute: Total}
  tax: {absolute: Tax}
  location_code: {constant: S-UTRECHT}
  restock: true
products:
  title: Name
  product_type: Group
"""
SALES: Final = """\
Id;Type;Receipt;Line;Time;Article;Name;Group;Qty;Total;Tax
1;S;K-77;1;2026-03-02 10:15;CRUNCHY-ARMCHAIR;Crunchy armchair;Chair;1;121,00;21,00
2;S;K-77;2;2026-03-02 10:15;SQUEAKY-LAMP;Squeaky lamp;Lamp;3;90,75;15,75
"""
RETURNS: Final = """\
Id;Type;Receipt;Line;Time;Article;Name;Group;Qty;Total;Tax
9;R;K-77;2;2026-03-04 16:40;SQUEAKY-LAMP;Squeaky lamp;Lamp;-1;-30,25;-5,25
"""


@dataclass(frozen=True, slots=True)
class House:
    """A system with one store and its till."""

    system: System
    folder: Path

    def drop(self, name: str, rows: str) -> Payload:
        """Hand a file over, and have it processed."""
        path = self.folder / name
        path.write_text(rows)
        received = ingest.receive_file(
            self.system.intake, path, channel_code="till", topic="orders",
            content_type="text/csv", at=AT,
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
        return Publications(self.system.settings.published_dir).current()

    def client(self) -> Any:
        """Return a client of the API with an admin's key."""
        from api.app import create_app

        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            from fastapi.testclient import TestClient
        with self.system.ledger.transaction() as tx:
            key = make_key(tx, "test", role="admin", channel_codes=None, at=AT)
        headers = {"Authorization": f"Bearer {key}"}
        return TestClient(create_app(self.system), headers=headers)


@pytest.fixture
def house(
    clone: Clone, blank: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[House]:
    monkeypatch.setenv("OMS_HOME", str(tmp_path / "home"))
    settings = Settings()
    (tmp_path / "till.yaml").write_text(MAPPING)
    with clone(blank) as ledger:
        system = System(settings=settings, ledger=ledger)
        with ledger.transaction() as tx:
            store = Location(
                code="S-UTRECHT", name="Utrecht", kind="store", country_code="NL",
                time_zone="Europe/Amsterdam",
            )  # fmt: skip
            locations.register(tx, [store], at=AT)
            till = ChannelDraft(
                code="till", name="Till", kind="pos", currency="EUR", prices_include_tax=True,
                time_zone="Europe/Amsterdam", adapter="tabular",
                adapter_options={"mapping": str(tmp_path / "till.yaml")}, network=("S-UTRECHT",),
            )  # fmt: skip
            channels.register(tx, till, at=AT)
        yield House(system, tmp_path)


def test_a_receipt_is_the_same_number_everywhere(house: House) -> None:
    """121,00 + 90,75 with tax sold, 30,25 returned: 175.00 - 25.00 = 150.00 without tax."""
    sold = house.drop("2026-03-02.csv", SALES)
    assert (sold.state, sold.captured_count, sold.quarantined_count) == ("processed", 1, 0)
    returned = house.drop("2026-03-04.csv", RETURNS)
    assert (returned.state, returned.updated_count) == ("processed", 1)
    again = house.drop("2026-03-02-again.csv", SALES)
    assert again.inbox_id == sold.inbox_id

    client = house.client()
    listed = client.get("/v1/orders", params={"external": "K-77"}).json()["items"]
    assert len(listed) == 1
    order = client.get(f"/v1/orders/{listed[0]['order_number']}").json()
    assert order["total"] == {"amount": "211.75", "currency": "EUR"}
    assert [line["returned"] for line in order["lines"]] == [0, 1]
    assert order["fulfillment_state"] == "partially_returned"
    lamp = client.get("/v1/stock/SQUEAKY-LAMP").json()
    assert [level["on_hand"] for level in lamp["levels"]] == [-2]

    publication = house.refresh()
    assert _one(publication, "select sum(net_amount) from fct_order_lines") == "150.000"
    assert (
        _one(
            publication,
            "select sum(net_amount) from sales_by_channel_daily where basis = 'event'",
        )
        == "150.000"
    )
    by_day = publication.ask(
        "select sold_on, net_amount, units from sales_by_product_daily"
        " where basis = 'event' and sku = 'SQUEAKY-LAMP' order by sold_on"
    )
    assert [(str(on), str(net), units) for on, net, units in by_day.rows()] == [
        ("2026-03-02", "75.000", 3),
        ("2026-03-04", "-25.000", -1),
    ]
    assert "150.00" in _net_sales_on_screen()


def _one(publication: Publication, query: str) -> str:
    return str(publication.ask(query).item())


def _net_sales_on_screen() -> str:
    from streamlit.testing.v1 import AppTest

    root = Path(__file__).resolve().parents[2]
    app = AppTest.from_file(str(root / "dashboards" / "app.py"), default_timeout=60)
    app.run()
    assert not app.exception, app.exception
    shown = {metric.label: metric.value for metric in app.metric}
    net_sales = next(value for label, value in shown.items() if label.startswith("Net sales"))
    return str(net_sales).replace("\\", "")  # Markdown's
