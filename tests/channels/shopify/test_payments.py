"""Payments a Shopify order tells of: its transactions, added up by what began them."""

import json
from typing import Any

from oms.adapters.channels import shopify
from tests.channels.mapped import mapped, source

ORDER: dict[str, Any] = {
    "id": 1, "created_at": "2026-03-01T10:00:00Z", "updated_at": "2026-03-02T10:00:00Z",
    "currency": "EUR", "taxes_included": True, "total_price": "30.00", "source_name": "pos",
    "line_items": [{"id": 11, "sku": "PEN", "title": "Pen", "quantity": 3, "price": "10.00"}],
}  # fmt: skip
OPTIONS = {"tenders": {"gift_card": "gift_card"}}


def done(number: int, kind: str, amount: str, **fields: Any) -> dict[str, Any]:
    return {
        "id": number, "kind": kind, "status": "success", "gateway": "cards", "amount": amount,
        "currency": "EUR", **fields,
    }  # fmt: skip


def payments(*transactions: dict[str, Any], **fields: Any) -> list[dict[str, Any]]:
    body = json.dumps({**ORDER, "transactions": list(transactions), **fields}).encode()
    found = mapped(shopify.build(OPTIONS), source(body, topic="orders"))
    assert found.problems() == {}
    return list(found.rows("payments"))


def told(row: dict[str, Any]) -> tuple[int, ...]:
    names = ("amount", "authorized", "captured", "refunded")
    return tuple(int(row[f"{name}_minor"]) for name in names)


class TestTransactions:
    def test_are_added_up_by_what_began_them(self) -> None:
        card, gift = payments(
            done(1, "authorization", "20.00", authorization_expires_at="2026-03-08T10:00:00Z",
                 payment_details={"credit_card_company": "Visa",
                                  "credit_card_number": "•••• •••• •••• 4242"}),
            done(2, "capture", "15.00", parent_id=1),
            done(3, "refund", "5.00", parent_id=2),
            done(4, "sale", "10.00", gateway="gift_card"),
            done(5, "void", "5.00", parent_id=1),
        )  # fmt: skip
        assert (card["external_ref"], card["tender"], card["psp"]) == ("1", "card", "cards")
        assert (card["brand"], card["last4"], card["managed_by"]) == ("Visa", "4242", "channel")
        assert told(card) == (2000, 2000, 1500, 500)
        assert card["authorized_until_at"].startswith("2026-03-08")
        assert (gift["tender"], told(gift)) == ("gift_card", (1000, 1000, 1000, 0))

    def test_that_failed_wait_or_are_in_other_money_move_nothing(self) -> None:
        assert (
            payments(
                done(1, "sale", "30.00", status="failure"),
                done(2, "sale", "30.00", status="pending"),
                done(3, "sale", "30.00", currency="USD"),
                done(4, "refund", "5.00", parent_id=99),
            )
            == []
        )

    def test_are_not_needed(self) -> None:
        assert payments() == []

    def test_of_wrong_amounts_refuse_the_order(self) -> None:
        body = json.dumps({**ORDER, "transactions": [done(1, "sale", "much")]}).encode()
        found = mapped(shopify.build(OPTIONS), source(body, topic="orders"))
        assert found.problems() == {1: [("/transactions/0/amount", "VALIDATION")]}
