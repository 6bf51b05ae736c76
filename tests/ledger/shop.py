"""The retailer the ledger's tests speak of: one distribution center, two stores, four channels."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

from sqlalchemy import text

from oms.channels import operations as channels
from oms.channels import queries as channel_queries
from oms.channels.model import Channel, ChannelDraft
from oms.ledger.database import Ledger, Tx
from oms.locations import operations as locations
from oms.locations.model import Location
from oms.orders import queries as orders
from oms.orders.model import Line, Order, Outcome
from oms.stock import queries as stock
from oms.workflows.capture import Result, capture
from tests.builders import NOW, Draft, a_product, drafts
from tests.ledger.invariants import violations
from tests.ledger.stories import forgotten

# What a furnished ledger holds, kept beside it: putting it back takes a tenth of the time of a
# fresh database with cold connections.
_KEEP: Final = """
    create schema kept;
    create table kept.locations as table locations;
    create table kept.channels as table channels;
    create table kept.channel_locations as table channel_locations;
    create table kept.products as table products;
    create table kept.product_versions as table product_versions;
    create function kept.restore() returns void language plpgsql as $$
    declare name text;
    begin
        set local session_replication_role = replica;  -- neither foreign keys nor stamps
        set local lock_timeout = '10s';
        for name in select tablename from pg_tables where schemaname = 'public' loop
            continue when name = 'alembic_version';
            execute format('delete from public.%I', name);
            if to_regclass(format('kept.%I', name)) is not null then
                execute format(
                    'insert into public.%I overriding system value table kept.%I', name, name);
            end if;
        end loop;
        perform setval('orders_order_id_seq', 100000001, false);
        perform setval('fulfillment_orders_fulfillment_id_seq', 500000001, false);
        perform setval('parcels_parcel_id_seq', 700000001, false);
        perform setval('transfers_transfer_id_seq', 700000001, false);
        perform setval('payments_payment_id_seq', 800000001, false);
        perform setval('refunds_refund_id_seq', 600000001, false);
        perform setval('refund_batches_batch_id_seq', 610000001, false);
        perform setval('payment_transactions_transaction_id_seq', 900000001, false);
        perform setval('returns_return_id_seq', 800000001, false);
        perform setval('settlement_reports_report_id_seq', 640000001, false);
        perform setval('credit_accounts_account_id_seq', 660000001, false);
        perform setval('settlement_differences_difference_id_seq', 650000001, false);
    end $$
"""

PLACES: Final = ("DC", "AMS", "UTR")
SKUS: Final = ("PEN", "INK", "LAMP")

CHANNELS: Final = (
    ChannelDraft(
        code="web", name="Web shop", kind="webshop", currency="EUR", prices_include_tax=True,
        currencies=("EUR", "JPY", "KWD"), time_zone="Europe/Amsterdam", adapter="canonical",
        network=PLACES,
    ),
    ChannelDraft(
        code="market", name="Marketplace", kind="marketplace", currency="EUR",
        prices_include_tax=True, time_zone="Europe/Amsterdam", adapter="canonical",
        network=("UTR", "DC"),
    ),
    ChannelDraft(
        code="till", name="Tills", kind="pos", currency="EUR", prices_include_tax=True,
        time_zone="Europe/Amsterdam", adapter="canonical", network=("AMS",),
    ),
    ChannelDraft(
        code="trade", name="Wholesale", kind="wholesale", currency="EUR",
        prices_include_tax=False, time_zone="America/New_York", adapter="canonical",
        network=("DC",),
    ),
)  # fmt: skip


def furnish(ledger: Ledger) -> None:
    """Register the places, the channels and three products."""
    with ledger.transaction() as tx:
        locations.register(
            tx,
            [
                Location(
                    code=code, name=code, kind="dc" if code == "DC" else "store",
                    country_code="NL", time_zone="Europe/Amsterdam",
                )
                for code in PLACES
            ],
            at=NOW,
        )  # fmt: skip
        for draft in CHANNELS:
            channels.register(tx, draft, at=NOW)
    Shop(ledger).take(*(a_product(sku) for sku in SKUS))
    with ledger.transaction() as tx:
        tx.exec_driver_sql(_KEEP.replace("%", "%%"))


@dataclass(frozen=True, slots=True)
class Shelf:
    """What lies at a place, and what of it is promised."""

    on_hand: int
    allocated: int
    is_oversold: bool = False


@dataclass(frozen=True, slots=True)
class Shop:
    """The retailer on one ledger: what tests do and ask."""

    ledger: Ledger
    _known: dict[str, Channel] = field(default_factory=dict, compare=False)

    def take(
        self, *documents: Draft, channel: str = "web", at: datetime = NOW, **options: Any
    ) -> Result:
        """Capture documents of one channel in one batch."""
        return self.ledger.run(self.work(*documents, channel=channel, at=at, **options))

    def restore(self) -> None:
        """Put the ledger back to how it was furnished."""
        with self.ledger.transaction() as tx:
            tx.execute(text("select kept.restore()"))

    def work(
        self, *documents: Draft, channel: str = "web", at: datetime = NOW, **options: Any
    ) -> Callable[[Tx], Result]:
        """Return the capture of a batch as work for a transaction."""
        known = self.channel(channel)
        tables = drafts(*documents)

        def work(tx: Tx) -> Result:
            return capture(
                tx, tables, channel=known, actor_type="channel", actor=channel, at=at, **options
            )

        return work

    def outcomes(self, *documents: Draft, channel: str = "web", **options: Any) -> list[Outcome]:
        """Capture documents and return what became of each."""
        return [each.outcome for each in self.take(*documents, channel=channel, **options).orders]

    def problems(
        self, *documents: Draft, channel: str = "web", **options: Any
    ) -> dict[int, list[str]]:
        """Capture documents and return the codes of what was wrong, by position."""
        found = self.take(*documents, channel=channel, **options).problems
        return {position: [each.code for each in all_] for position, all_ in found.items()}

    def channel(self, code: str) -> Channel:
        """Return a channel, as it was furnished."""
        if code not in self._known:
            with self.ledger.snapshot() as tx:
                self._known[code] = channel_queries.channel(tx, code)
        return self._known[code]

    def order(self, ref: str = "W-1") -> Order:
        """Return an order by the channel's id of it."""
        number = self.value("select order_number from orders where external_ref = :ref", ref=ref)
        with self.ledger.snapshot() as tx:
            return orders.order(tx, str(number))

    def line(self, ref: str = "W-1", line_ref: str = "PEN") -> Line:
        """Return a line of an order."""
        (found,) = (each for each in self.order(ref).lines if each.line_ref == line_ref)
        return found

    def states(self, ref: str = "W-1") -> tuple[str, str]:
        """Return an order's two roll-ups."""
        summary = self.order(ref).summary
        return summary.order_state, summary.fulfillment_state

    def open_exceptions(self, ref: str = "W-1") -> list[str]:
        """Return the codes of what a person should look at."""
        return [each.code for each in self.order(ref).exceptions if each.resolved_at is None]

    def story(self, ref: str = "W-1") -> list[str]:
        """Return what happened to an order, step by step."""
        return [each.type for each in self.order(ref).events]

    def kept(self, ref: str = "W-1") -> tuple[int, int]:
        """Return what is kept of an order's lines after everything: net and tax."""
        row = self.rows(
            "select coalesce(sum(e.net_minor), 0), coalesce(sum(e.tax_minor), 0)"
            " from orders o left join line_events e using (order_id) where external_ref = :ref",
            ref=ref,
        )[0]
        return int(row[0]), int(row[1])

    def shelf(self, location: str = "DC", sku: str = "PEN") -> Shelf:
        """Return the level of a SKU at a location; empty where there is none."""
        rows = self.rows(
            "select on_hand, allocated, is_oversold from stock_levels join products using"
            " (product_id) join locations using (location_id)"
            " where sku = :sku and location_code = :location",
            sku=sku, location=location,
        )  # fmt: skip
        return Shelf(*rows[0]) if rows else Shelf(0, 0)

    def sellable(self, sku: str = "PEN", channel: str = "web", at: datetime = NOW) -> int:
        """Return what a channel may sell of a SKU."""
        with self.ledger.snapshot() as tx:
            (found,) = stock.available_to_sell(tx, [sku], channel_codes=[channel], at=at)
        return found.available_to_sell

    def rows(self, query: str, **parameters: Any) -> list[tuple[Any, ...]]:
        """Return the rows of a query."""
        with self.ledger.snapshot() as tx:
            return [tuple(row) for row in tx.execute(text(query), parameters)]

    def value(self, query: str, **parameters: Any) -> Any:
        """Return the one value of a query."""
        ((found,),) = self.rows(query, **parameters)
        return found

    def violations(self) -> dict[str, list[Any]]:
        """Return which invariants are broken, and which orders are not what their stories say."""
        with self.ledger.snapshot() as tx:
            return violations(tx) | forgotten(tx)
