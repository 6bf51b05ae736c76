"""Reads of documents: one, those of an order, pages of them, and what they are made of."""

from collections.abc import Sequence
from datetime import date
from typing import Any, Final

from sqlalchemy import text

from oms.billing import store
from oms.billing.model import (
    Document,
    DocumentNotFound,
    DocumentType,
    File,
    FileKind,
    LegalEntity,
    NotBilled,
    Policy,
)
from oms.billing.rules import Sale
from oms.billing.store import SQL
from oms.kernel.writing import LANGUAGES
from oms.ledger.database import Tx
from oms.ledger.rows import asked
from oms.orders.model import OrderNotFound

_DOCUMENTS: Final = """
    select d.document_id, d.order_id, d.basis, d.issued_at, d.issued_by, d.value, (
            select max(sent_at) from document_sendings s where s.document_id = d.document_id
        ) as sent_at
    from documents d
    join channels c using (channel_id)
"""


def policies(tx: Tx) -> dict[str, Policy]:
    """Return when the sales of channels are invoiced; a channel that is not here issues nothing."""
    query = text(
        "select channel_code, policy from channel_billing join channels using (channel_id)"
    )
    return {row.channel_code: Policy(row.policy) for row in tx.execute(query)}


def document(tx: Tx, number: str) -> Document:
    """Return a document by its number. Raises DocumentNotFound."""
    found = _read(tx, "d.document_number = :number", {"number": number.upper()})
    if not found:
        raise DocumentNotFound
    return found[0]


def by_ids(tx: Tx, document_ids: Sequence[int]) -> list[Document]:
    """Return documents by their ids, in the order they were issued in."""
    return _read(tx, "d.document_id = any (cast(:ids as bigint[]))", {"ids": list(document_ids)})


def of_order(tx: Tx, order_number: str) -> list[Document]:
    """Return the documents of an order, in the order they were issued in."""
    return _read(
        tx, "d.order_id = (select order_id from orders where order_number = :number)",
        {"number": order_number},
    )  # fmt: skip


def page(
    tx: Tx, *, types: Sequence[DocumentType] | None, since_on: date | None, until_on: date | None,
    channel_codes: Sequence[str] | None, after: int | None, limit: int,
) -> tuple[list[Document], int | None]:  # fmt: skip
    """Return documents, the newest first, and where the next page begins.

    Of the days from `since_on` up to and including `until_on`.
    """
    conditions, values = asked(
        ("types", types, "d.document_type = any (:types)"),
        ("since_on", since_on, "d.issued_on >= :since_on"),
        ("until_on", until_on, "d.issued_on <= :until_on"),
        ("channel_codes", channel_codes, "c.channel_code = any (:channel_codes)"),
        ("after", after, "d.document_id < :after"),
    )
    where, values["limit"] = " and ".join(["true", *conditions]), limit + 1
    found = _read(tx, where, values, rest="desc limit :limit")
    return found[:limit], found[limit - 1].document_id if len(found) > limit else None


def file(tx: Tx, document_id: int, kind: FileKind) -> File | None:
    """Return a document as a file, where it was made into one."""
    row = SQL.run(tx, "file", document_id=document_id, kind=kind).one_or_none()
    return None if row is None else File(body=bytes(row.body), sha256=row.sha256)


def receipt_of(tx: Tx, order_id: int) -> int | None:
    """Return the receipt of an order, where there is one."""
    condition = "d.order_id = :order_id and d.document_type = 'receipt'"
    found = _read(tx, condition, {"order_id": order_id})
    return found[0].document_id if found else None


def language_of(tx: Tx, channel_id: int) -> str:
    """Return the language a channel's documents are in, as who sells by it has them."""
    return str(SQL.run(tx, "language", channel_id=channel_id).scalar() or LANGUAGES[-1])


def cash_rounding_minor(tx: Tx, order_id: int) -> int:
    """Return what tills gave back of an order beyond what it came to, and no document says yet."""
    return int(SQL.run(tx, "cash_rounding", order_id=order_id).scalar_one())


def entity(tx: Tx, entity_id: int) -> LegalEntity:
    """Return a legal entity."""
    return store.entity(SQL.run(tx, "entity", entity_id=entity_id).one())


def sales(tx: Tx, order_ids: Sequence[int]) -> list[Sale]:
    """Return orders as billing sees them, by id; those that are not billed are left out."""
    return store.sales(tx, order_ids)


def billed_order(tx: Tx, number: str) -> int:
    """Return the id of an order that gets documents. Raises OrderNotFound and NotBilled."""
    row = SQL.run(tx, "order", number=number).one_or_none()
    if row is None:
        raise OrderNotFound
    if not sales(tx, [row.order_id]):
        raise NotBilled
    return int(row.order_id)


def _read(tx: Tx, condition: str, values: dict[str, Any], *, rest: str = "") -> list[Document]:
    query = text(f"{_DOCUMENTS} where {condition} order by d.document_id {rest}")
    return [store.document(row) for row in tx.execute(query, values)]
