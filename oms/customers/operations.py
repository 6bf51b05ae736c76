"""Writes on customers: orders assigned, identifiers shown to be theirs, merged, erased."""

import json
from datetime import date, datetime
from typing import Final

from sqlalchemy import text

from oms.billing import operations as billing
from oms.channels import operations as channels
from oms.credits import operations as store_credit
from oms.customers import store
from oms.customers.model import (
    BATCH_ORDERS_MAX,
    SEARCHED_ROWS_MAX,
    TEXT_CHARACTERS_MIN,
    Basis,
    CustomerCannot,
    CustomerNotFound,
    CustomerState,
    Erasure,
    Family,
    IdentifierInvalid,
    IdentifierKind,
    IdentifierNotFound,
    IdentifierTaken,
    OrdersOpen,
    ReceiptNotFound,
)
from oms.events.model import PERSONAL
from oms.exchanges import operations as exchanges
from oms.ledger import journal
from oms.ledger.database import Tx
from oms.mails import operations as mails
from oms.notes import operations as notes
from oms.notes.model import Draft, Note
from oms.orders import operations as orders
from oms.orders import queries as order_queries
from oms.returns import operations as returns
from oms.webhooks import operations as webhooks

FOLLOWER: Final = "customers"

_NORMALIZED: Final = text("""
    select case :kind
        when 'email' then normalized_email(:value)
        when 'phone' then normalized_phone(:value)
        else normalized_ref(:value)
    end
""")


def assign_changed(tx: Tx, after: int, upto: int, *, at: datetime) -> bool:
    """Assign the orders that changed to their customers; tell whether there were any.

    An order that names somebody who was erased is erased again instead.
    """
    store.lock(tx)
    bounds = {"after": str(after), "upto": str(upto)}
    if store.ERASE.run(tx, "has_erased").scalar():
        _keep_out(tx, bounds, at=at)
    return store.assign(tx, "take_changed", at=at, **bounds) > 0


def stop(tx: Tx, after: int, upto: int) -> int:
    """Return how far to assign orders in one transaction."""
    return journal.rows_before(tx, "orders", after=after, upto=upto, rows_max=BATCH_ORDERS_MAX)


def _keep_out(tx: Tx, bounds: dict[str, str], *, at: datetime) -> None:
    salt = store.secret(tx, "erasure")
    found = store.ERASE.run(tx, "find_returned", salt=salt, **bounds)
    order_ids = [row.order_id for row in found]
    if order_ids:
        notes.erase(tx, order_ids, [], by=None, at=at)
        orders.erase_customers(tx, order_ids, at=at)
        returns.erase(tx, order_ids)
        store_credit.erase(tx, order_ids)
        exchanges.erase(tx, order_ids)
        billing.erase(tx, order_ids)
        store.ERASE.run(tx, "erase_reasons", order_ids=order_ids)
        mails.erase(tx, order_ids, at=at)
        webhooks.erase(tx, order_ids, fields=[*PERSONAL])
        store.ERASE.run(tx, "bury", salt=salt, order_ids=order_ids, customer_ids=[], at=at)


def add_identifier(
    tx: Tx, customer_id: int, *, kind: IdentifierKind, value: str, channel_id: int | None,
    by: str, at: datetime,
) -> int:  # fmt: skip
    """Note something a customer says they are known by; return its id.

    A channel vouches for its own refs, so they are verified at once; anything else is not.
    Raises CustomerNotFound, CustomerCannot, IdentifierInvalid and IdentifierTaken.
    """
    store.lock(tx)
    _active(tx, customer_id)
    kept = tx.execute(_NORMALIZED, {"kind": kind, "value": value}).scalar()
    if kept is None or (kind is IdentifierKind.CHANNEL_REF) != (channel_id is not None):
        raise IdentifierInvalid
    is_verified = kind is IdentifierKind.CHANNEL_REF
    names = {"customer_id": customer_id, "kind": kind, "channel_id": channel_id, "value": kept}
    known: int | None = tx.execute(
        text(
            "select identifier_id from customer_identifiers where customer_id = :customer_id"
            " and kind = :kind and value_normalized = :value"
            " and channel_id is not distinct from cast(:channel_id as integer)"
        ),
        names,
    ).scalar()
    if known is not None:
        return known
    if is_verified:
        _unowned(tx, kind, kept, channel_id)
    identifier_id: int = tx.execute(
        text(
            "insert into customer_identifiers (customer_id, kind, channel_id, value_normalized,"
            " is_verified, source, first_seen_at) values (:customer_id, :kind, :channel_id, :value,"
            " :is_verified, 'added', :at) returning identifier_id"
        ),
        {**names, "is_verified": is_verified, "at": at},
    ).scalar_one()
    store.note(
        tx, customer_id, "identifier.added", by=by, at=at, identifier_id=identifier_id, kind=kind
    )
    if is_verified:
        store.assign(tx, "take_of_value", at=at, value=kept)
    return identifier_id


def verify(tx: Tx, customer_id: int, identifier_id: int, *, by: str, at: datetime) -> None:
    """Note that an identifier was shown to be a customer's: guests' orders that give it are theirs.

    Raises IdentifierNotFound, CustomerCannot and IdentifierTaken.
    """
    _set_verified(tx, customer_id, identifier_id, by=by, at=at, is_verified=True, reason=None)


def unverify(
    tx: Tx, customer_id: int, identifier_id: int, *, reason: str, by: str, at: datetime
) -> None:
    """Take back that an identifier is a customer's; the orders it brought go back to guests.

    Raises IdentifierNotFound and CustomerCannot, for a channel's ref, too.
    """
    _set_verified(tx, customer_id, identifier_id, by=by, at=at, is_verified=False, reason=reason)


def _set_verified(
    tx: Tx, customer_id: int, identifier_id: int, *, is_verified: bool, reason: str | None,
    by: str, at: datetime,
) -> None:  # fmt: skip
    store.lock(tx)
    _active(tx, customer_id)
    row = tx.execute(
        text(
            "select kind, channel_id, value_normalized, is_verified from customer_identifiers"
            " where identifier_id = :id and customer_id = :customer_id"
        ),
        {"id": identifier_id, "customer_id": customer_id},
    ).one_or_none()
    if row is None:
        raise IdentifierNotFound
    if row.is_verified == is_verified:
        return
    if row.kind == IdentifierKind.CHANNEL_REF:
        raise CustomerCannot("a channel vouches for its own refs")
    if is_verified:
        _unowned(tx, row.kind, row.value_normalized, row.channel_id)
    tx.execute(
        text("update customer_identifiers set is_verified = :v where identifier_id = :id"),
        {"v": is_verified, "id": identifier_id},
    )
    store.note(
        tx, customer_id, "identifier.verified" if is_verified else "identifier.unverified", by=by,
        at=at, reason=reason, identifier_id=identifier_id, kind=row.kind,
    )  # fmt: skip
    store.assign(tx, "take_of_value", at=at, value=row.value_normalized)


def _unowned(tx: Tx, kind: str, value: str, channel_id: int | None) -> None:
    """Refuse an identifier that is shown to be somebody's."""
    owner = tx.execute(
        text(
            "select customer_id from customer_identifiers where kind = :kind and is_verified"
            " and value_normalized = :value"
            " and channel_id is not distinct from cast(:channel_id as integer)"
        ),
        {"kind": kind, "value": value, "channel_id": channel_id},
    ).scalar()
    if owner is not None:
        raise IdentifierTaken


def merge(tx: Tx, customer_id: int, *, into: int, reason: str, by: str, at: datetime) -> Family:
    """Say that a customer is one person with another, who stands for both from now on.

    Nothing is moved, so `unmerge` restores exactly. What only claims to be theirs stays
    unverified. Raises CustomerNotFound, and CustomerCannot unless both are active and two.
    """
    if customer_id == into:
        raise CustomerCannot("a customer is not merged into themselves")
    store.lock(tx)
    for each in sorted((customer_id, into)):
        _active(tx, each)
    _move(tx, customer_id, CustomerState.MERGED, into)
    for each, other, type_ in (
        (customer_id, into, "customer.merged"), (into, customer_id, "customer.joined"),
    ):  # fmt: skip
        store.note(tx, each, type_, by=by, at=at, reason=reason, other_customer_id=other)
    return store.family(tx, customer_id)


def unmerge(tx: Tx, customer_id: int, *, reason: str, by: str, at: datetime) -> Family:
    """Take back a merge: the customer stands for themselves again, with all they brought.

    Raises CustomerNotFound, and CustomerCannot for one who is not merged.
    """
    store.lock(tx)
    state, into = _held(tx, customer_id)
    if state is not CustomerState.MERGED:
        raise CustomerCannot("the customer is not merged", state=state)
    assert into is not None, "who is merged is so into somebody"
    _move(tx, customer_id, CustomerState.ACTIVE, None)
    for each, other, type_ in (
        (customer_id, into, "customer.unmerged"), (into, customer_id, "customer.left"),
    ):  # fmt: skip
        store.note(tx, each, type_, by=by, at=at, reason=reason, other_customer_id=other)
    return store.family(tx, customer_id)


def claim(
    tx: Tx, customer_id: int, *, number: str, placed_on: date, total_minor: int, currency: str,
    channel_codes: tuple[str, ...] | None, by: str, at: datetime,
) -> int:  # fmt: skip
    """Make a store's order a customer's who has its receipt: number, date and total.

    Returns the order's id. Raises ReceiptNotFound for whatever cannot be claimed: unknown,
    another's, bought online, or not told apart from another. Raises CustomerCannot.
    """
    store.lock(tx)
    _active(tx, customer_id)
    found = store.READ.run(
        tx, "receipt", number=number, placed_on=placed_on, total_minor=total_minor,
        currency=currency, channel_codes=None if channel_codes is None else list(channel_codes),
    ).all()  # fmt: skip
    if len(found) != 1:
        raise ReceiptNotFound
    (order,) = found
    is_theirs = order.basis not in {None, Basis.UNVERIFIED}
    if is_theirs and order.customer_id not in store.family(tx, customer_id).customer_ids:
        raise ReceiptNotFound
    if not is_theirs:
        tx.execute(
            text(
                "insert into customer_orders (order_id, customer_id, basis, placed_at)"
                " values (:order_id, :customer_id, 'claimed', :placed_at)"
                " on conflict (order_id) do update"
                " set customer_id = excluded.customer_id, basis = excluded.basis"
            ),
            {
                "order_id": order.order_id, "customer_id": customer_id,
                "placed_at": order.placed_at,
            },
        )  # fmt: skip
        store.note(tx, customer_id, "order.claimed", by=by, at=at, order_id=order.order_id)
    return int(order.order_id)


def remark(
    tx: Tx, customer_id: int, draft: Draft, *, scopes: frozenset[str], by: str, at: datetime
) -> Note:
    """Add a note to a customer.

    Raises CustomerNotFound, CustomerCannot for who is merged or erased, and what a note is refused
    for.
    """
    _active(tx, customer_id)
    return notes.add_to_customer(tx, customer_id, draft, scopes=scopes, by=by, at=at)


def erase(
    tx: Tx, customer_id: int, *, reason: str, include_open: bool, by: str, at: datetime
) -> Erasure:
    """Remove who a customer is, with everybody merged into them, from the ledger.

    Their orders lose name, addresses, references and remarks and keep their totals; their
    identifiers are gone; none of it comes back with an old document. The inbox and the
    quarantine are searched afterwards, by `search_on`. Raises CustomerNotFound, CustomerCannot
    for who is erased already, and OrdersOpen unless open orders are included.
    """
    store.lock(tx)
    family = store.family(tx, customer_id)
    names = {"customer_ids": list(family.customer_ids)}
    found = store.ERASE.run(tx, "find_orders", **names).one()
    if found.is_erased:
        raise CustomerCannot("the customer is erased", state=CustomerState.ERASED)
    numbers = order_queries.open_orders(tx, found.order_ids)
    if numbers and not include_open:
        raise OrdersOpen(order_numbers=numbers)
    own, every = order_queries.personal_texts(tx, found.order_ids)
    texts = {"own": _telling(own.union(found.own)), "every": _telling(every.union(found.own))}
    salt = store.secret(tx, "erasure")
    store.ERASE.run(tx, "bury", salt=salt, order_ids=found.order_ids, at=at, **names)
    for statement in ("remove_identifiers", "remove_links", "close_customers"):
        store.ERASE.run(tx, statement, **names)
    notes.erase(tx, found.order_ids, family.customer_ids, by=by, at=at)
    orders.erase_customers(tx, found.order_ids, by=by, at=at)
    returns.erase(tx, found.order_ids)
    store_credit.erase(tx, found.order_ids)
    exchanges.erase(tx, found.order_ids)
    billing.erase(tx, found.order_ids)
    store.ERASE.run(tx, "erase_reasons", order_ids=found.order_ids)
    mails.erase(tx, found.order_ids, at=at)
    webhooks.erase(tx, found.order_ids, fields=[*PERSONAL])
    erasure_id = store.ERASE.run(
        tx, "begin_search", customer_id=family.root_id, orders_count=len(found.order_ids), at=at,
        by=by, reason=reason, texts=json.dumps(texts),
    ).scalar_one()  # fmt: skip
    store.note(tx, family.root_id, "customer.erased", by=by, at=at, reason=reason)
    return Erasure(
        erasure_id=erasure_id, customer_id=family.root_id, orders_count=len(found.order_ids),
        erased_at=at, finished_at=None,
    )  # fmt: skip


def search_on(tx: Tx, *, at: datetime) -> bool:
    """Search some of the inbox and the quarantine for an erased customer; tell whether any.

    Finished, the texts that were looked for are forgotten as well.
    """
    row = store.ERASE.run(tx, "next_search").one_or_none()
    if row is None:
        return False
    own, every = (_spellings(row.texts[name]) for name in ("own", "every"))
    inbox = channels.mask_payloads(
        tx, own=own, texts=every, after=row.inbox_position,
        upto=min(row.inbox_upto, row.inbox_position + SEARCHED_ROWS_MAX),
    )  # fmt: skip
    quarantine = channels.mask_fragments(
        tx, own=own, texts=every, after=row.quarantine_position,
        upto=min(row.quarantine_upto, row.quarantine_position + SEARCHED_ROWS_MAX),
    )  # fmt: skip
    is_done = (inbox, quarantine) == (row.inbox_upto, row.quarantine_upto)
    if not is_done and (inbox, quarantine) == (row.inbox_position, row.quarantine_position):
        return False
    store.ERASE.run(
        tx, "advance_search", inbox=inbox, quarantine=quarantine, is_done=is_done, at=at,
        erasure_id=row.erasure_id,
    )  # fmt: skip
    return True


def _telling(texts: set[str]) -> list[str]:
    """Leave out what is found where nobody is meant."""
    return sorted(each for each in texts if len(each) >= TEXT_CHARACTERS_MIN)


def _spellings(texts: list[str]) -> list[bytes]:
    """Write texts as UTF-8 and as JSON escapes them, the longest first."""
    found = {each.encode() for each in texts} | {json.dumps(each)[1:-1].encode() for each in texts}
    return sorted(found, key=lambda each: (-len(each), each))


def _held(tx: Tx, customer_id: int) -> tuple[CustomerState, int | None]:
    row = tx.execute(
        text("select state, merged_into from customers where customer_id = :id for update"),
        {"id": customer_id},
    ).one_or_none()
    if row is None:
        raise CustomerNotFound
    return CustomerState(row.state), row.merged_into


def _active(tx: Tx, customer_id: int) -> None:
    state, _ = _held(tx, customer_id)
    if state is not CustomerState.ACTIVE:
        raise CustomerCannot(f"the customer is {state}", state=state)


def _move(tx: Tx, customer_id: int, state: CustomerState, into: int | None) -> None:
    tx.execute(
        text("update customers set state = :state, merged_into = :into where customer_id = :id"),
        {"id": customer_id, "state": state, "into": into},
    )
