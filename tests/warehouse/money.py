"""What customers, channels and payment services write to a fake ledger: likely and unlikely."""

import random
from datetime import datetime, timedelta
from typing import Any, Final

from tests.warehouse.work import NOW

TENDERS: Final = (("card", "sandbox"), ("cash", None), ("gift_card", None))
TYPES: Final = (
    "authorize", "capture", "capture", "void", "refund", "refund_reversal", "chargeback",
    "chargeback_reversal",
)  # fmt: skip
STATES: Final = ("requested", "pending", "unknown", "succeeded", "succeeded", "failed")
REFUND_STATES: Final = (
    "awaiting_approval", "requested", "succeeded", "partially_succeeded", "failed", "rejected",
    "canceled",
)  # fmt: skip
PAYMENT_STATES: Final = ("awaiting", "authorized", "paid", "overpaid", "chargeback")


class Money:
    """Begins payments, operates on them, changes its mind, gives back, all by chance."""

    def __init__(self, ledger: Any, chance: random.Random) -> None:
        self.ledger = ledger
        self.random = chance
        self.numbers: dict[str, int] = {}

    @property
    def deeds(self) -> list[Any]:
        return [
            self.begin, self.operate, self.operate, self.operate, self.become, self.become,
            self.give_back, self.get_on, self.balance,
        ]  # fmt: skip

    def begin(self) -> None:
        order = self._any("orders")
        if order is None:
            return
        number = self._number("payment")
        tender, service = self.random.choice(TENDERS)
        self.ledger.write(
            "payments", payment_id=number, payment_number=f"Y{number}", tender=tender, psp=service,
            order_id=order["order_id"], managed_by=self.random.choice(["oms", "channel"]),
            currency=order["currency"], amount_minor=self.random.randint(1, 9_999),
            state="created", location_id=self.random.choice([None, 2]), created_at=NOW,
            changed_at=NOW,
        )  # fmt: skip

    def operate(self) -> None:
        payment = self._any("payments")
        if payment is None:
            return
        number = self._number("transaction")
        self.ledger.write(
            "payment_transactions", transaction_id=number, transaction_number=f"X{number}",
            payment_id=payment["payment_id"], order_id=payment["order_id"],
            type=self.random.choice(TYPES), amount_minor=self.random.randint(1, 9_999),
            currency=payment["currency"], source="oms", requested_at=self._moment(),
            **self._became(),
        )  # fmt: skip

    def become(self) -> None:
        """Say something else of an operation, even of one that was over."""
        known = self._any("payment_transactions")
        if known is not None:
            self.ledger.change("payment_transactions", known, **self._became())

    def give_back(self) -> None:
        order = self._any("orders")
        if order is None:
            return
        number = self._number("refund")
        self.ledger.write(
            "refunds", refund_id=number, refund_number=f"U{number}", order_id=order["order_id"],
            kind=self.random.choice(["owed", "shipping", "goodwill"]), state="requested",
            amount_minor=self.random.randint(1, 9_999), currency=order["currency"],
            created_at=self._moment(), changed_at=NOW,
        )  # fmt: skip

    def get_on(self) -> None:
        known = self._any("refunds")
        if known is not None:
            state = self.random.choice(REFUND_STATES)
            self.ledger.change("refunds", known, state=state, changed_at=NOW)

    def balance(self) -> None:
        order = self._any("orders")
        if order is not None:
            self.ledger.write(
                "order_balances", order_id=order["order_id"], currency=order["currency"],
                payment_state=self.random.choice(PAYMENT_STATES), changed_at=NOW,
                due_minor=self.random.randint(-99, 9_999), authorized_minor=5_000,
                captured_minor=self.random.randint(0, 9_999), refunded_minor=0,
            )  # fmt: skip

    def _became(self) -> dict[str, Any]:
        """Return how an operation is, with the times of it: often only ours."""
        state = self.random.choice(STATES)
        is_over = state in {"succeeded", "failed"}
        return {
            "state": state, "finished_at": self._moment() if is_over else None,
            "psp_at": self.random.choice([None, self._moment()]),
        }  # fmt: skip

    def _any(self, table: str) -> Any:
        rows = list(self.ledger.rows[table].values())
        return self.random.choice(rows) if rows else None

    def _moment(self) -> datetime:
        return NOW - timedelta(seconds=self.random.randint(0, 40 * 86_400))

    def _number(self, what: str) -> int:
        self.numbers[what] = self.numbers.get(what, 0) + 1
        return self.numbers[what]
