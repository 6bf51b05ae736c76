"""Customers: found, shown what is theirs, verified, merged, erased."""

import re
from typing import Annotated, Final

from fastapi import APIRouter, Path, Query, Request

from api.dependencies import Now, Snapshot, Tx
from api.idempotency import OncePerKey
from api.paging import Page
from api.problems import Refused, field_problem
from api.routes import LedgerRoute
from api.schemas.customers import (
    ClaimedOut,
    ClaimPost,
    CustomerMovedOut,
    CustomerOut,
    CustomerQuery,
    ErasedOut,
    ErasePost,
    IdentifierKnownOut,
    IdentifierPost,
    MergePost,
    OrdersQuery,
    ReasonPost,
    TheirOrderOut,
    cursor_of,
)
from api.security import CustomersManage, CustomersRead, CustomersWrite
from api.throttle import Guesses
from oms.access.model import Caller, ScopeMissing
from oms.channels import queries as channels
from oms.channels.model import UnknownChannel
from oms.customers import operations, queries, search
from oms.customers.model import Family, IdentifierKind, ReceiptNotFound
from oms.kernel.errors import Forbidden
from oms.kernel.money import exponent_of, minor_from_text
from oms.ledger.database import Tx as Transaction
from oms.orders.cursors import BadCursor

router: Final = APIRouter(prefix="/v1", tags=["customers"], route_class=LedgerRoute)

MANAGE: Final = "customers:manage"
CLAIMS_PER_HOUR_MAX: Final = 20
CustomerId = Annotated[int, Path(ge=1, le=2**62)]
IdentifierId = Annotated[int, Path(ge=1, le=2**62)]


class BoundToChannels(Forbidden):
    """A key that is bound to channels does not change who somebody is on all of them."""

    code = "BOUND_TO_CHANNELS"


@router.get("/customers")
def list_customers(
    query: Annotated[CustomerQuery, Query()], caller: CustomersRead, tx: Snapshot
) -> Page[CustomerOut]:
    """List customers whom words fit, or the one who has an account at a channel."""
    found = _found(tx, query, caller)
    items = [_customer(tx, each, caller) for each in found[: query.limit]]
    has_more = len(found) > query.limit
    return Page(items=items, next_after=str(items[-1].customer_id) if has_more else None)


@router.get("/customers/{customer_id}")
def get_customer(customer_id: CustomerId, caller: CustomersRead, tx: Snapshot) -> CustomerOut:
    """Return a customer with what they are known by."""
    return _customer(tx, customer_id, caller)


@router.get("/customers/{customer_id}/orders")
def list_customer_orders(
    customer_id: CustomerId, query: Annotated[OrdersQuery, Query()], caller: CustomersRead,
    tx: Snapshot, now: Now,
) -> Page[TheirOrderOut]:  # fmt: skip
    """List what is a customer's, of stores and of channels, newest first.

    What was bought under an address that nobody has shown to be theirs is left out.
    """
    if query.include_unverified:
        _need(caller)
    codes = _narrowed(caller, query.channels)
    found = queries.orders(
        tx, _family(tx, customer_id, caller), channel_codes=codes, after=query.cursor(),
        with_unverified=query.include_unverified, limit=query.limit + 1,
    )  # fmt: skip
    page = found[: query.limit]
    items = [TheirOrderOut.of(each, today=now.date()) for each in page]
    return Page(items=items, next_after=cursor_of(page[-1]) if found[query.limit :] else None)


@router.post("/customers/{customer_id}/identifiers", status_code=201)
def add_identifier(
    customer_id: CustomerId, body: IdentifierPost, caller: CustomersWrite, tx: Tx, now: Now,
    _once: OncePerKey,
) -> IdentifierKnownOut:  # fmt: skip
    """Note what a customer says they are known by; all but a channel's own ref is unverified."""
    _family(tx, customer_id, caller)
    kind = IdentifierKind(body.kind)
    identifier_id = operations.add_identifier(
        tx, customer_id, kind=kind, value=body.value, by=caller.name, at=now,
        channel_id=_channel_id(tx, body, caller),
    )  # fmt: skip
    return _known(tx, customer_id, identifier_id)


@router.post("/customers/{customer_id}/identifiers/{identifier_id}/verify")
def verify_identifier(
    customer_id: CustomerId, identifier_id: IdentifierId, caller: CustomersWrite, tx: Tx, now: Now,
    _once: OncePerKey,
) -> IdentifierKnownOut:  # fmt: skip
    """Note that an identifier was shown to be theirs: what guests bought with it is theirs, too."""
    _family(tx, customer_id, caller)
    operations.verify(tx, customer_id, identifier_id, by=caller.name, at=now)
    return _known(tx, customer_id, identifier_id)


@router.post("/customers/{customer_id}/identifiers/{identifier_id}/unverify")
def unverify_identifier(
    *,
    customer_id: CustomerId, identifier_id: IdentifierId, body: ReasonPost,
    caller: CustomersManage, tx: Tx, now: Now, _once: OncePerKey,
) -> IdentifierKnownOut:  # fmt: skip
    """Take back that an identifier is theirs, and with it the orders it brought."""
    _unbound(caller)
    operations.unverify(tx, customer_id, identifier_id, reason=body.reason, by=caller.name, at=now)
    return _known(tx, customer_id, identifier_id)


@router.post("/customers/{customer_id}/merge")
def merge_customer(
    customer_id: CustomerId, body: MergePost, caller: CustomersManage, tx: Tx, now: Now,
    _once: OncePerKey,
) -> CustomerMovedOut:  # fmt: skip
    """Say that a customer is one person with another, who stands for both from now on."""
    _unbound(caller)
    family = operations.merge(
        tx, customer_id, into=body.into, reason=body.reason, by=caller.name, at=now
    )
    return _moved(customer_id, family)


@router.post("/customers/{customer_id}/unmerge")
def unmerge_customer(
    customer_id: CustomerId, body: ReasonPost, caller: CustomersManage, tx: Tx, now: Now,
    _once: OncePerKey,
) -> CustomerMovedOut:  # fmt: skip
    """Take back a merge; everybody has again exactly what was theirs."""
    _unbound(caller)
    family = operations.unmerge(tx, customer_id, reason=body.reason, by=caller.name, at=now)
    return _moved(customer_id, family)


@router.post("/customers/{customer_id}/claims")
def claim_receipt(
    *,
    customer_id: CustomerId, body: ClaimPost, caller: CustomersWrite, tx: Tx, now: Now,
    request: Request, _once: OncePerKey,
) -> ClaimedOut:  # fmt: skip
    """Make a store's order theirs who has its receipt; a wrong guess reads like an unknown one."""
    guesses: Guesses = request.app.state.guesses
    guesses.admit(
        now, claimer=(f"{caller.key_id} {customer_id}", CLAIMS_PER_HOUR_MAX),
        receipt=(body.number.upper(), CLAIMS_PER_HOUR_MAX),
    )  # fmt: skip
    _family(tx, customer_id, caller)
    order_id = operations.claim(
        tx, customer_id, number=body.number, placed_on=body.placed_on, total_minor=_minor(body),
        currency=body.currency, channel_codes=_codes(caller), by=caller.name, at=now,
    )  # fmt: skip
    (order,) = queries.purchases(tx, [order_id])
    return ClaimedOut(customer_id=customer_id, order_number=order.order_number)


@router.post("/customers/{customer_id}/erase")
def erase_customer(
    customer_id: CustomerId, body: ErasePost, caller: CustomersManage, tx: Tx, now: Now,
    _once: OncePerKey,
) -> ErasedOut:  # fmt: skip
    """Remove who a customer is, for good; what they bought stays, and is nobody's."""
    _unbound(caller)
    return ErasedOut.of(operations.erase(
        tx, customer_id, reason=body.reason, include_open=body.include_open, by=caller.name, at=now
    ))  # fmt: skip


def _codes(caller: Caller) -> tuple[str, ...] | None:
    return None if caller.channels is None else tuple(sorted(caller.channels))


def _narrowed(caller: Caller, asked: str | None) -> tuple[str, ...] | None:
    """Return the channels asked for, of those that may be known of."""
    if asked is None:
        return _codes(caller)
    return tuple(code for code in asked.split(",") if caller.may_see(code))


def _found(tx: Transaction, query: CustomerQuery, caller: Caller) -> list[int]:
    """Return the customers of a page and one more; raises Refused when it is not said which."""
    if (query.q is None) == (query.channel is None) or (query.channel is None) != (
        query.ref is None
    ):
        raise Refused([field_problem("VALIDATION", "/q", location="query")])
    after = query.after or "0"
    if not re.fullmatch("[0-9]{1,18}", after):
        raise BadCursor
    if query.q is not None:
        _need(caller)
        return search.customers(
            tx, query.q, channel_codes=_codes(caller), after=int(after), limit=query.limit + 1
        )
    assert query.channel is not None and query.ref is not None, "both were asked for"  # noqa: PT018 - one thought
    if not caller.may_see(query.channel):
        return []
    found = search.account(tx, query.ref, channel_code=query.channel)
    return [] if found is None else [found]


def _customer(tx: Transaction, customer_id: int, caller: Caller) -> CustomerOut:
    codes, family = _codes(caller), _family(tx, customer_id, caller)
    is_told = codes is None and MANAGE in caller.scopes
    return CustomerOut.of(
        queries.customer(tx, customer_id, family, channel_codes=codes),
        customer_ids=family.customer_ids,
        identifiers=queries.identifiers(tx, family, channel_codes=codes),
        events=queries.events(tx, family) if is_told else [],
    )


def _family(tx: Transaction, customer_id: int, caller: Caller) -> Family:
    return queries.family(tx, customer_id, channel_codes=_codes(caller))


def _need(caller: Caller) -> None:
    if MANAGE not in caller.scopes:
        raise ScopeMissing(scope=MANAGE)


def _unbound(caller: Caller) -> None:
    if caller.channels is not None:
        raise BoundToChannels


def _channel_id(tx: Transaction, body: IdentifierPost, caller: Caller) -> int | None:
    if body.channel_code is None:
        return None
    if not caller.may_see(body.channel_code):
        raise UnknownChannel
    return channels.channel(tx, body.channel_code).channel_id


def _known(tx: Transaction, customer_id: int, identifier_id: int) -> IdentifierKnownOut:
    family = queries.family(tx, customer_id, channel_codes=None)
    is_verified = next(
        each.is_verified for each in queries.identifiers(tx, family, channel_codes=None)
        if each.identifier_id == identifier_id
    )  # fmt: skip
    return IdentifierKnownOut(
        customer_id=customer_id, identifier_id=identifier_id, is_verified=is_verified
    )


def _moved(customer_id: int, family: Family) -> CustomerMovedOut:
    return CustomerMovedOut(
        customer_id=customer_id, root_id=family.root_id, customer_ids=list(family.customer_ids)
    )


def _minor(body: ClaimPost) -> int:
    """Return the total of a receipt; one that no receipt can have is as wrong as any other."""
    if len(body.total.partition(".")[2]) > exponent_of(body.currency):
        raise ReceiptNotFound
    return minor_from_text(body.total, body.currency)
