"""A ledger of dictionaries that journals as PostgreSQL does, and a retailer that writes to it."""

import random
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from io import BytesIO
from typing import Any, BinaryIO, Final
from zoneinfo import ZoneInfo

from oms.ledger.journal import JOURNALED, Journaled
from oms.workflows.documents import csv_rows
from tests.warehouse.money import Money
from tests.warehouse.work import NOW, Work

TABLES: Final = {journaled.table: journaled for journaled in JOURNALED}

Row = dict[str, Any]


@dataclass(kw_only=True)
class FakeLedger:
    """Rows by table and key, each with the number of the transaction that last wrote it."""

    xid: int = 700
    rows: dict[str, dict[tuple[Any, ...], Row]] = field(
        default_factory=lambda: {table: {} for table in TABLES}
    )
    xids: dict[tuple[str, tuple[Any, ...]], int] = field(default_factory=dict)
    # A transaction that is still running holds the horizon back: it and what came after it.
    running_since: int | None = None
    is_away: bool = False

    def commit(self) -> None:
        """End the transaction at hand; what is written next belongs to another one."""
        self.xid += 1

    def write(self, table: str, **columns: Any) -> Row:
        """Insert or replace a row."""
        journaled = TABLES[table]
        unknown = set(columns) - set(journaled.column_names)
        assert not unknown, f"{table} has no {unknown}"
        key = tuple(columns[name] for name in journaled.key)
        row = {name: columns.get(name) for name in journaled.column_names}
        self.rows[table][key] = row
        self.xids[table, key] = self.xid
        return row

    def change(self, table: str, row: Row, **columns: Any) -> Row:
        """Write a row again with other values."""
        return self.write(table, **{**row, **columns})

    @contextmanager
    def reading(self) -> Iterator["FakeReading"]:
        """Open one moment, as pipelines.lib.journals.Journal does."""
        from oms.ledger.database import LedgerAway

        if self.is_away:
            raise LedgerAway
        self.commit()
        yield FakeReading(ledger=self, horizon=self.running_since or self.xid)


@dataclass(frozen=True, kw_only=True)
class FakeReading:
    """One moment of the fake ledger."""

    ledger: FakeLedger
    horizon: int

    def copy(self, journaled: Journaled, *, after: int, to: BinaryIO) -> int:
        rows = [
            [_text(row[name]) for name in journaled.column_names]
            for key, row in self.ledger.rows[journaled.table].items()
            if after <= self.ledger.xids[journaled.table, key] < self.horizon
        ]
        to.write(csv_rows(rows))
        return len(rows)

    def has(self, journaled: Journaled, *, after: int) -> bool:
        return bool(self.copy(journaled, after=after, to=BytesIO()))

    def count_orders(self) -> int:
        return len(self.ledger.rows["orders"])

    def orders_beyond(self) -> set[int]:
        return {
            key[0]
            for key in self.ledger.rows["orders"]
            if self.ledger.xids["orders", key] >= self.horizon
        }


def _text(value: Any) -> Any:
    """Write an instant as PostgreSQL does."""
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat(sep=" ")
    return value


CHANNELS: Final = (
    (1, "web", "webshop", "EUR", "Europe/Berlin"),
    (2, "till", "pos", "EUR", "Europe/Lisbon"),
    (3, "tokyo", "marketplace", "JPY", "Asia/Tokyo"),
    (4, "kuwait", "kiosk", "KWD", "Asia/Kuwait"),
)
LOCATIONS: Final = ((1, "DC1", "dc"), (2, "BER1", "store"), (3, "LIS1", "store"))
SKUS: Final = ("CRUNCHY-CHAIR", "TINY-LAMP", "=SUM(RUG)", 'LOUD "MUG"', "TEA,POT", "NÖTE\nBOOK")


class Retailer:
    """Writes believable and unbelievable changes to a ledger, all from one seed."""

    def __init__(self, ledger: FakeLedger, seed: int) -> None:
        self.ledger = ledger
        self.random = random.Random(seed)
        self.numbers = {"order": 100_000_000, "movement": 0, "inbox": 0, "reservation": 0}
        self.work = Work(ledger, self.random)
        self.money = Money(ledger, self.random)
        self._open_shop()

    def step(self) -> None:
        """Let a few things happen, in one transaction or several."""
        for _ in range(self.random.randint(1, 3)):
            for _ in range(self.random.randint(1, 12)):
                self.random.choice(self.deeds)()
                self.random.choice([self.group, *self.work.deeds])()
                self.random.choice(self.money.deeds)()
            self.ledger.commit()

    @property
    def deeds(self) -> list[Any]:
        return [
            self.order, self.order, self.order, self.edit, self.happen, self.happen,
            self.move_order, self.flip_test, self.relabel, self.move_stock, self.move_stock,
            self.hold, self.receive, self.settle, self.resell,
        ]  # fmt: skip

    def order(self) -> None:
        channel_id, _, _, currency, zone = self.random.choice(CHANNELS)
        at = self._moment()
        order_id = self._number("order")
        total = 0
        for line_no in range(1, self.random.randint(1, 4) + 1):
            total += self._line(order_id, line_no, at, zone)
        self.ledger.write(
            "orders", order_id=order_id, order_number=f"R{order_id}", channel_id=channel_id,
            external_ref=f"x{order_id}", external_number=self.random.choice([None, f"#{order_id}"]),
            order_type="sale", order_state="placed", fulfillment_state="allocated",
            fulfillment_method="ship_home", location_id=self.random.choice([None, 2, 3]),
            placed_at=at, placed_on=self._day(at, zone), recorded_at=NOW, updated_at=NOW,
            currency=currency, prices_include_tax=True, customer_key=self._customer(),
            country_code=self.random.choice(["DE", "PT", "JP", None]), items_net_minor=total,
            items_tax_minor=total // 5, shipping_net_minor=490, shipping_tax_minor=93,
            total_minor=total + total // 5 + 583, has_exception=False,
            is_test=self.random.random() < 0.1, is_historical=False, version=1,
        )  # fmt: skip

    def edit(self) -> None:
        line = self._any("order_lines")
        if line is None:
            return
        order = self.ledger.rows["orders"][line["order_id"],]
        change = self.random.choice([-1, 1, 2])
        self.ledger.change("order_lines", line, quantity=line["quantity"] + change)
        self.ledger.change("orders", order, version=order["version"] + 1)
        self._event(line, "edit", change, at=self._moment())

    def happen(self) -> None:
        line = self._any("order_lines")
        if line is not None:
            kind = self.random.choice(["cancel", "ship", "return"])
            self._event(line, kind, 1 if kind == "ship" else -1, at=self._moment())

    def move_order(self) -> None:
        """Change what an order is grouped by: its day and its customer."""
        order = self._any("orders")
        if order is not None:
            at = self._moment()
            self.ledger.change(
                "orders", order, placed_at=at, placed_on=at.date(), customer_key=self._customer()
            )

    def flip_test(self) -> None:
        order = self._any("orders")
        if order is not None:
            self.ledger.change("orders", order, is_test=not order["is_test"])

    def resell(self) -> None:
        """Change what a line was sold as."""
        line = self._any("order_lines")
        if line is not None:
            product = self._any("products")
            self.ledger.change(
                "order_lines", line, product_id=product["product_id"], sku=product["sku"]
            )

    def relabel(self) -> None:
        """Change a product, now or (a version that comes late) since some time ago."""
        product = self._any("products")
        label = self.random.choice(["chairs", "lamps", "things", None])
        changed = self.ledger.change("products", product, category=label, updated_at=NOW)
        versions = [
            row
            for row in self.ledger.rows["product_versions"].values()
            if row["product_id"] == product["product_id"]
        ]
        latest = max(versions, key=lambda row: row["version"])
        since = max(latest["valid_from_at"], self._moment())
        self._version(changed, latest["version"] + 1, since)

    def move_stock(self) -> None:
        product_id, location_id = self.random.randint(1, len(SKUS)), self.random.randint(1, 3)
        at, delta = self._moment(), self.random.choice([-2, -1, 1, 5])
        kind = self.random.choice(["receipt", "transfer_in"] if delta > 0 else ["ship", "pos_sale"])
        self.ledger.write(
            "stock_movements", movement_id=self._number("movement"), product_id=product_id,
            location_id=location_id, kind=kind, on_hand_delta=delta, unavailable_delta=0,
            cause_type="document", cause_id="d", cause_line="", occurred_at=at,
            occurred_on=at.date(), recorded_at=NOW,
        )  # fmt: skip
        level = self.ledger.rows["stock_levels"].get((product_id, location_id))
        on_hand = (level["on_hand"] if level else 0) + delta
        self.ledger.write(
            "stock_levels", product_id=product_id, location_id=location_id, on_hand=on_hand,
            unavailable=0, allocated=self.random.randint(0, 2), safety_stock=1,
            is_oversold=on_hand < 0, updated_at=NOW,
        )  # fmt: skip

    def hold(self) -> None:
        """Queue, allocate, hold or end a reservation."""
        known = self._any("reservations")
        if known is not None and self.random.random() < 0.5:
            self.ledger.change("reservations", known, state="released")
            return
        state = self.random.choice(["queued", "active"])
        kind = "order" if state == "queued" else self.random.choice(["order", "hold"])
        self.ledger.write(
            "reservations", reservation_id=self._number("reservation"), kind=kind, state=state,
            product_id=self.random.randint(1, len(SKUS)),
            location_id=None if state == "queued" else self.random.randint(1, 3), channel_id=1,
            quantity=self.random.randint(1, 3), order_id=1 if kind == "order" else None,
            line_no=1 if kind == "order" else None,
            expires_at=NOW if kind == "hold" else None, created_at=NOW,
        )  # fmt: skip

    def group(self) -> None:
        """Give a line a way of its own."""
        line = self._any("order_lines")
        if line is not None:
            self.ledger.write(
                "order_groups", order_id=line["order_id"], group_no=2, method="collect_store",
                location_id=self.random.randint(2, 3),
            )  # fmt: skip
            self.ledger.change("order_lines", line, group_no=2)

    def receive(self) -> None:
        inbox_id = self._number("inbox")
        self.ledger.write(
            "inbox", inbox_id=inbox_id, channel_id=self.random.randint(1, 4), transport="file",
            topic="orders", size_bytes=100, file_name="d.csv", received_at=self._moment(),
            state="received", documents_count=0, captured_count=0, updated_count=0,
            duplicate_count=0, stale_count=0, quarantined_count=0,
        )  # fmt: skip

    def settle(self) -> None:
        payload = self._any("inbox")
        if payload is None:
            return
        state = self.random.choice(["processed", "failed"])
        self.ledger.change(
            "inbox", payload, state=state, documents_count=5, captured_count=4,
            quarantined_count=1, finished_at=NOW,
        )  # fmt: skip
        self.ledger.write(
            "quarantine", quarantine_id=payload["inbox_id"], inbox_id=payload["inbox_id"],
            channel_id=payload["channel_id"], topic="orders", position=3, line=4,
            external_ref=None, code="VALIDATION",
            problems='[{"field": "/x", "code": "VALIDATION", "detail": "a, \\"b\\"\\nc"}]',
            state=self.random.choice(["open", "resolved"]), attempts=1, first_seen_at=NOW,
            last_tried_at=NOW, resolved_at=None,
        )  # fmt: skip

    def _open_shop(self) -> None:
        for channel_id, code, kind, currency, zone in CHANNELS:
            self.ledger.write(
                "channels", channel_id=channel_id, channel_code=code, name=code.title(), kind=kind,
                currency=currency, prices_include_tax=True, time_zone=zone, threshold=0,
                is_enabled=True, updated_at=NOW,
            )  # fmt: skip
        for location_id, code, kind in LOCATIONS:
            self.ledger.write(
                "locations", location_id=location_id, location_code=code, name=code, kind=kind,
                city="Town", region=None, country_code="DE", latitude=52.5, longitude=13.4,
                time_zone="Europe/Berlin", is_enabled=True, updated_at=NOW,
            )  # fmt: skip
        self.work.open_rules()
        for product_id, sku in enumerate(SKUS, start=1):
            product = self.ledger.write(
                "products", product_id=product_id, sku=sku, gtin=None, title=sku.title(),
                product_type="furniture", category="things", brand="", tax_class="standard",
                is_sellable=True, updated_at=NOW,
            )  # fmt: skip
            self._version(product, 1, NOW - timedelta(days=20))

    def _version(self, product: Row, version: int, since: datetime) -> None:
        columns = {name: value for name, value in product.items() if name != "updated_at"}
        self.ledger.write("product_versions", version=version, valid_from_at=since, **columns)

    def _line(self, order_id: int, line_no: int, at: datetime, zone: str) -> int:
        product = self._any("products")
        quantity = self.random.randint(1, 3)
        line = self.ledger.write(
            "order_lines", order_id=order_id, line_no=line_no, line_ref=f"l{line_no}",
            product_id=product["product_id"], sku=product["sku"], title=product["title"],
            quantity=quantity, canceled=0, shipped=0, returned=0, list_minor=quantity * 1200,
            discount_minor=200, net_minor=quantity * 1000, tax_minor=quantity * 190,
        )  # fmt: skip
        self._write_event(line, "sale", "", quantity, at, self._day(at, zone))
        return quantity * 1000

    def _event(self, line: Row, kind: str, units: int, *, at: datetime) -> None:
        order = self.ledger.rows["orders"].get((line["order_id"],))
        zone = CHANNELS[order["channel_id"] - 1][4] if order else "UTC"
        ref = f"c{len(self.ledger.rows['line_events'])}"
        self._write_event(line, kind, ref, units, at, self._day(at, zone))

    def _write_event(
        self, line: Row, kind: str, ref: str, units: int, at: datetime, day: Any
    ) -> None:
        worth = 0 if kind == "ship" else units
        self.ledger.write(
            "line_events", order_id=line["order_id"], line_no=line["line_no"], kind=kind,
            change_ref=ref, quantity=units, discount_net_minor=167 * worth, net_minor=1000 * worth,
            tax_minor=190 * worth, occurred_at=at, occurred_on=day,
            location_id=self.random.choice([None, 2]), reason=None,
        )  # fmt: skip

    def _any(self, table: str) -> Any:
        rows = list(self.ledger.rows[table].values())
        return self.random.choice(rows) if rows else None

    def _moment(self) -> datetime:
        """Return a moment of the last forty days, the change to summer time among them."""
        return NOW - timedelta(seconds=self.random.randint(0, 40 * 86_400))

    def _day(self, at: datetime, zone: str) -> Any:
        return at.astimezone(ZoneInfo(zone)).date()

    def _customer(self) -> str | None:
        return self.random.choice([None, *(f"{number:064x}" for number in range(9))])

    def _number(self, what: str) -> int:
        self.numbers[what] += 1
        return self.numbers[what]
