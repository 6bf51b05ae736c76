"""What customers, channels and payment services write to a fake ledger: likely and unlikely."""

import random
from datetime import datetime, timedelta
from typing import Any, Final

from tests.warehouse.work import NOW

TENDERS: Final = (
    ("card", "sandbox"), ("cash", None), ("gift_card", None), ("store_credit", "store_credit"),
)  # fmt: skip
TYPES: Final = (
    "authorize", "capture", "capture", "void", "refund", "refund_reversal", "chargeback",
    "chargeback_reversal",
)  # fmt: skip
SIGNS: Final = {
    "capture": 1, "refund": -1, "refund_reversal": 1, "chargeback": -1, "chargeback_reversal": 1,
}  # fmt: skip
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
        self.settled: set[int] = set()

    @property
    def deeds(self) -> list[Any]:
        return [
            self.begin, self.operate, self.operate, self.operate, self.become, self.become,
            self.give_back, self.get_on, self.balance, self.report, self.miss, self.explain,
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
            psp=self.random.choice([payment["psp"], "store_credit"]),
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
            paid_as=self.random.choice(["money", "store_credit"]),
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

    def report(self) -> None:
        """Let a service report some operations, some of them twice, and pay them out."""
        number, at = self._number("report"), self._moment()
        self.ledger.write(
            "settlement_reports", report_id=number, report_number=f"S{number}", psp="sandbox",
            layout="sandbox", rows_count=3, received_at=at,
        )  # fmt: skip
        for row_no in range(1, self.random.randint(2, 4)):
            self._settle(number, row_no)
        self._row(
            number, 9, type="payout", finding="own", payout_ref="p", transaction_id=None,
            currency="EUR", amount_minor=-1, occurred_at=at,
        )  # fmt: skip

    def _settle(self, report_id: int, row_no: int) -> None:
        known = self._any("payment_transactions")
        if known is None or known["type"] not in SIGNS or known["psp"] == "store_credit":
            return  # our own credit is in no service's report
        is_again = known["transaction_id"] in self.settled
        finding = "duplicate" if is_again else self.random.choice(["matched", "amount_differs"])
        self.settled.add(known["transaction_id"])
        signed = known["amount_minor"] * SIGNS[known["type"]]
        self._row(
            report_id, row_no, type=known["type"], finding=finding,
            payout_ref=self.random.choice(["p", None]), transaction_id=known["transaction_id"],
            currency=known["currency"], amount_minor=signed - (finding == "amount_differs"),
            occurred_at=self.random.choice([None, self._moment()]),
        )  # fmt: skip
        if finding != "matched":
            self._differ(finding, known, report_id=report_id, row_no=row_no)

    def _row(self, report_id: int, row_no: int, **facts: Any) -> None:
        self.ledger.write(
            "settlement_rows", report_id=report_id, row_no=row_no, psp="sandbox",
            entry_ref=f"e{report_id}-{row_no}", net_currency="EUR", fee_minor=3,
            net_minor=facts["amount_minor"] - 3, **facts,
        )  # fmt: skip

    def miss(self) -> None:
        """Find that no report has told of an operation."""
        known = self._any("payment_transactions")
        if known is not None:
            self._differ("missing", known, report_id=None, row_no=None)

    def _differ(self, finding: str, known: Any, **where: Any) -> None:
        number = self._number("difference")
        is_missing = where["report_id"] is None
        self.ledger.write(
            "settlement_differences", difference_id=number, difference_number=f"D{number}",
            psp="sandbox", transaction_id=known["transaction_id"], finding=finding,
            ours_minor=known["amount_minor"], ours_currency=known["currency"],
            theirs_minor=None if is_missing else known["amount_minor"] - 1,
            theirs_currency=None if is_missing else known["currency"], state="open",
            found_at=self._moment(), resolved_at=None, **where,
        )  # fmt: skip

    def explain(self) -> None:
        known = self._any("settlement_differences")
        if known is not None:
            self.ledger.change("settlement_differences", known, state="resolved", resolved_at=NOW)

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
