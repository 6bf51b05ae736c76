"""What locations, carriers and rules write to a fake ledger: believable and unbelievable."""

import json
import random
from datetime import UTC, datetime, timedelta
from typing import Any, Final

NOW: Final = datetime(2026, 4, 2, 9, 30, tzinfo=UTC)
REASONS: Final = ("not_found", "damaged", "no_capacity", "closed")
STEPS: Final = (
    "accepted", "picking", "picked", "packed", "ready_for_collection", "shipped", "delivered",
    "delivery_failed", "collected", "uncollected", "rejected", "canceled", "reduced",
)  # fmt: skip


class Work:
    """Moves fulfillment orders, parcels, transfers, decisions and holds, all by chance."""

    def __init__(self, ledger: Any, chance: random.Random) -> None:
        self.ledger = ledger
        self.random = chance
        self.numbers: dict[str, int] = {}

    @property
    def deeds(self) -> list[Any]:
        return [
            self.route, self.route, self.step, self.step, self.step, self.decide, self.pack,
            self.scan, self.scan, self.send, self.arrive, self.put_on_hold, self.bill,
            self.give_back, self.judge,
        ]  # fmt: skip

    def open_rules(self) -> None:
        changed_at = NOW - timedelta(days=20)
        for version, hours, since, until in (
            (1, 24, NOW - timedelta(days=35), changed_at), (2, 48, changed_at, None),
        ):  # fmt: skip
            self.ledger.write(
                "sourcing_rule_sets", version=version, state="active", created_at=NOW,
                activated_at=since, archived_at=until,
                rules=json.dumps({"name": "r", "groups": [], "promise_hours": hours}),
            )  # fmt: skip

    def route(self) -> None:
        line = self._any("order_lines")
        if line is None:
            return
        number = self._number("fulfillment")
        self.ledger.write(
            "fulfillment_orders", fulfillment_id=number, fulfillment_number=f"F{number}",
            order_id=line["order_id"], group_no=self.random.randint(1, 2),
            location_id=self.random.randint(1, 3), state="assigned", created_at=self._moment(),
            method=self.random.choice(["ship_home", "collect_store"]), changed_at=NOW,
        )  # fmt: skip
        for line_no in range(1, self.random.randint(1, 2) + 1):
            self.ledger.write(
                "fulfillment_lines", fulfillment_id=number, line_no=line_no,
                order_id=line["order_id"], product_id=line["product_id"],
                quantity=self.random.randint(1, 4), picked=0, done=0, removed=0,
            )  # fmt: skip
        self._tell(line["order_id"], f"F{number}", "assigned")

    def step(self) -> None:
        work = self._any("fulfillment_orders")
        if work is None:
            return
        state, reason = self.random.choice(STEPS), self.random.choice(REASONS)
        lacks = state in {"picked", "rejected"} and self.random.random() < 0.5
        told = {"reason": reason, "short": {"1": 1}} if lacks else {}
        self._tell(work["order_id"], work["fulfillment_number"], state, **told)
        self.ledger.change("fulfillment_orders", work, state=state, changed_at=NOW)
        line = self.ledger.rows["fulfillment_lines"][work["fulfillment_id"], 1]
        self.ledger.change("fulfillment_lines", line, picked=1, done=self.random.randint(0, 1))

    def decide(self) -> None:
        order = self._any("orders")
        if order is None:
            return
        outcome = {"parts": self.random.randint(1, 3), "cost_minor": 450, "distance_km": 12.5,
                   "late_parts": self.random.randint(0, 1), "left_units": 0}  # fmt: skip
        self.ledger.write(
            "sourcing_decisions", decision_id=self._number("decision"), order_id=order["order_id"],
            group_no=self.random.randint(1, 2), version=self.random.randint(1, 2),
            decided_at=self._moment(), outcome=json.dumps(outcome),
        )  # fmt: skip

    def bill(self) -> None:
        order = self._any("orders")
        if order is None:
            return
        number, net = self._number("document"), self.random.randint(0, 9_999)
        kind = self.random.choice(["invoice", "credit_note", "receipt"])
        self.ledger.write(
            "documents", document_id=number, document_number=f"NL-I2026-{number:06}",
            document_type=kind, fiscal_year=2026, order_id=order["order_id"],
            channel_id=order["channel_id"], preceding_id=1 if kind == "credit_note" else None,
            issued_at=self._moment(), issued_on=NOW.date(), currency=order["currency"],
            net_minor=net, tax_minor=21, total_minor=net + 21,
            destination_code=self.random.choice(["DE", "NL"]), seller_code="NL",
            is_one_stop_shop=self.random.random() < 0.5,
        )  # fmt: skip
        for line_no, part, tax in ((1, net - net // 3, 20), (0, net // 3, 1)):
            self.ledger.write(
                "document_lines", document_id=number, line_no=line_no, quantity=1, net_minor=part,
                tax_minor=tax, rate_ppm=210_000, category=self.random.choice(["S", "AE"]),
            )  # fmt: skip

    def pack(self) -> None:
        work = self._any("fulfillment_orders")
        if work is None:
            return
        number = self._number("parcel")
        self.ledger.write(
            "parcels", parcel_id=number, parcel_number=f"P{number}", carrier="sandbox",
            fulfillment_id=work["fulfillment_id"], order_id=work["order_id"],
            cost_minor=495, cost_currency="EUR", state="handed_over", created_at=self._moment(),
            handed_over_at=self.random.choice([None, self._moment()]), changed_at=NOW,
        )  # fmt: skip

    def scan(self) -> None:
        parcel = self._any("parcels")
        if parcel is None:
            return
        state = self.random.choice(["in_transit", "delivered", "delivery_failed", "voided", None])
        self.ledger.write(
            "tracking_events", parcel_id=parcel["parcel_id"],
            event_ref=f"e{self._number('scan')}", occurred_at=self._moment(), recorded_at=NOW,
            state=None if state == "voided" else state, status="X1",
        )  # fmt: skip
        if state is not None and self.random.random() < 0.5:
            self.ledger.change("parcels", parcel, state=state)

    def send(self) -> None:
        number = self._number("transfer")
        self.ledger.write(
            "transfers", transfer_id=number, transfer_number=f"T{number}", from_location_id=1,
            to_location_id=self.random.randint(2, 3), state="shipped", created_at=self._moment(),
            changed_at=NOW, shipped_at=self.random.choice([None, self._moment()]),
        )  # fmt: skip
        self.ledger.write(
            "transfer_lines", transfer_id=number, line_no=1, product_id=1, quantity=5, removed=1,
            picked=4, shipped=4, received=0, damaged=0, missing=0,
        )  # fmt: skip

    def arrive(self) -> None:
        transfer = self._any("transfers")
        if transfer is None:
            return
        transfer_id, receipt_id = transfer["transfer_id"], f"c{self._number('receipt')}"
        self.ledger.write(
            "transfer_receipts", transfer_id=transfer_id, receipt_id=receipt_id,
            received_at=self._moment(),
        )  # fmt: skip
        line = self.ledger.rows["transfer_lines"][transfer_id, 1]
        self.ledger.change("transfer_lines", line, received=line["received"] + 1)
        self.ledger.write(
            "transfer_discrepancies", discrepancy_id=self._number("discrepancy"),
            transfer_id=transfer_id, receipt_id=receipt_id, line_no=1, sku="TINY-LAMP",
            kind=self.random.choice(["over", "short", "damaged", "wrong_item"]), quantity=1,
            found_at=NOW,
        )  # fmt: skip

    def give_back(self) -> None:
        order = self._any("orders")
        if order is None:
            return
        number = self._number("return")
        self.ledger.write(
            "returns", return_id=number, return_number=f"RMA{number}", order_id=order["order_id"],
            kind="customer", state="inspected", method="carrier", is_after_expiry=False,
            location_id=self.random.choice([None, 1, 2]), created_at=self._moment(),
            changed_at=NOW,
        )  # fmt: skip
        self.ledger.write(
            "return_lines", return_id=number, line_no=1, product_id=1, expected=3, received=3,
            missing=0, inspected=3, accepted=0, rejected=0, reason="gift", resolution="refund",
        )  # fmt: skip
        self.ledger.write(
            "return_receipts", receipt_no=number, location_id=self.random.choice([1, 2]),
            received_at=self._moment(),
        )  # fmt: skip
        self.ledger.write(
            "return_receipt_lines", row_id=number, receipt_no=number, line_no=1, state="taken",
            return_id=self.random.choice([None, number]), sku="TINY-LAMP", quantity=3,
        )  # fmt: skip

    def judge(self) -> None:
        of = self._any("returns")
        if of is None:
            return
        verdict = self.random.choice(["accepted", "rejected"])
        self.ledger.write(
            "return_inspections", row_id=of["return_id"], units_before=self._number("inspection"),
            return_id=of["return_id"], line_no=1, quantity=1, condition="A",
            disposition=self.random.choice(["restock", "scrap"]), inspected_at=self._moment(),
        )  # fmt: skip
        self.ledger.write(
            "return_decisions", return_id=of["return_id"], line_no=1,
            act=self._number("decision of a return"), verdict=verdict, quantity=1, told_before=0,
            goods_net_minor=826, goods_tax_minor=174, shipping_net_minor=0, shipping_tax_minor=0,
            fee_minor=self.random.choice([0, 250]), decided_at=self._moment(),
        )  # fmt: skip
        line = self.ledger.rows["return_lines"][of["return_id"], 1]
        self.ledger.change("return_lines", line, **{verdict: line[verdict] + 1})
        self.ledger.change("returns", of, state=self.random.choice(["resolved", "completed"]))

    def put_on_hold(self) -> None:
        hold = self._any("order_holds")
        if hold is not None and self.random.random() < 0.5:
            self.ledger.change("order_holds", hold, released_at=NOW)
            return
        order = self._any("orders")
        if order is not None:
            self.ledger.write(
                "order_holds", order_id=order["order_id"], hold_no=self._number("hold"),
                type=self.random.choice(["fraud", "address"]), placed_at=self._moment(),
            )  # fmt: skip

    def _tell(self, order_id: int, number: str, state: str, **told: Any) -> None:
        self.ledger.write(
            "order_events", order_id=order_id, seq=self._number("event"),
            type=f"fulfillment.{state}", occurred_at=self._moment(),
            data=json.dumps({"fulfillment": number, "location": "DC1", **told}),
        )  # fmt: skip

    def _any(self, table: str) -> Any:
        rows = list(self.ledger.rows[table].values())
        return self.random.choice(rows) if rows else None

    def _moment(self) -> datetime:
        return NOW - timedelta(seconds=self.random.randint(0, 40 * 86_400))

    def _number(self, what: str) -> int:
        self.numbers[what] = self.numbers.get(what, 0) + 1
        return self.numbers[what]
