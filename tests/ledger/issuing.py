"""Documents in tests: a retailer with a legal entity, and what was issued."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any, Final

from oms.billing import operations, queries
from oms.billing.model import Document, LegalEntity
from oms.ledger.followers import follow
from tests.builders import NOW
from tests.ledger.shop import Shop

ENTITY: Final = LegalEntity(
    code="nl", name="Penshop B.V.", street="Keizersgracht 1", postcode="1015 CJ",
    city="Amsterdam", country_code="NL", vat_id="NL123456789B01", series_prefix="NL",
    payment_terms="Paid when ordered.", language="nl", time_zone="Europe/Amsterdam",
    registration_id="33012345", iban="NL91ABNA0417164300", bic="ABNANL2A",
    channels={"web": "on_shipment", "till": "on_request", "trade": "on_placement"},
)  # fmt: skip
KIND: Final = {"invoice": 1, "credit_note": -1}


def register(shop: Shop, **columns: Any) -> int:
    """Register the entity whose sales the shop's are."""
    with shop.ledger.transaction() as tx:
        return operations.register(tx, replace(ENTITY, **columns), at=NOW)


def bill(shop: Shop, *refs: str, at: datetime = NOW, **options: Any) -> list[int]:
    """Issue what is due of orders."""
    rows = shop.rows(
        "select order_id from orders where external_ref = any (:refs) order by order_id",
        refs=list(refs or ("W-1",)),
    )  # fmt: skip
    ids = [row[0] for row in rows]
    return shop.ledger.run(lambda tx: operations.bill(tx, ids, by="test", at=at, **options))


def follow_once(shop: Shop, *, at: datetime = NOW) -> bool:
    """Let the follower take in what is new."""
    return follow(
        shop.ledger, operations.FOLLOWER,
        lambda tx, after, upto: operations.bill_changed(tx, after, upto, at=at),
        stop=operations.stop,
    )  # fmt: skip


def documents(shop: Shop, ref: str = "W-1") -> list[Document]:
    """Return the documents of an order."""
    number = shop.value("select order_number from orders where external_ref = :ref", ref=ref)
    with shop.ledger.snapshot() as tx:
        return queries.of_order(tx, str(number))


def told(shop: Shop, ref: str = "W-1") -> list[tuple[str, int, int]]:
    """Return type, net and tax of an order's documents."""
    papers = [each.paper for each in documents(shop, ref)]
    return [(each.type.value, each.net_minor, each.tax_minor) for each in papers]


def balance(found: Sequence[Document]) -> tuple[int, int]:
    """Return invoices less credit notes."""
    papers = [each.paper for each in found if each.paper.type.value in KIND]
    return (
        sum(KIND[each.type.value] * each.net_minor for each in papers),
        sum(KIND[each.type.value] * each.tax_minor for each in papers),
    )
