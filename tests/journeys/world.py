"""A system that is handed files, and asked on every floor what it makes of them."""

import warnings
from collections import defaultdict
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from sqlalchemy import text

from oms.access.operations import make_key
from oms.bootstrap import System
from oms.channels import queries as inbox
from oms.channels.model import Payload
from oms.kernel import clock as system_clock
from oms.ledger.database import Ledger
from oms.reports.published import Publication, Publications
from oms.workflows import ingest

AT: Final = datetime(2026, 3, 2, 9, tzinfo=UTC)

Clone = Callable[[str], AbstractContextManager[Ledger]]
Key = tuple[str, ...]  # a channel and a currency, and perhaps a month or a category
Sums = dict[Key, tuple[int, ...]]

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


def keyed(rows: Any, keys: int) -> Sums:
    """Return rows by their first columns, whole numbers all: a fraction of a cent is a fault."""
    sums = {}
    for row in rows:
        assert all(value == int(value) for value in row[keys:]), row
        sums[tuple(map(str, row[:keys]))] = tuple(map(int, row[keys:]))
    return sums


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
        return keyed(self.ask(_LEDGER), 2)

    def in_marts(self) -> Sums:
        """Ask the same of the published facts."""
        return keyed(self.publication.ask(_FACTS).rows(), 2)

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
