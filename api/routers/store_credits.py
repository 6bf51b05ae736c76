"""Store credit: looked up by its code, its order or its customer, with every entry; corrected.

Codes are posted, never part of an address: addresses are written to logs.
"""

import io
from typing import Annotated, Any, Final

from fastapi import APIRouter, Query, Response

from api.dependencies import IfMatch, Now, Snapshot, Tx
from api.idempotency import OncePerKey
from api.paging import Page, Paging, number_of
from api.routes import LedgerRoute
from api.schemas.credits import (
    CreditCorrection,
    CreditDetailOut,
    CreditEntryOut,
    CreditLookup,
    CreditOut,
    CreditQuery,
)
from api.security import CreditsRead, CreditsWrite
from oms.access.model import Caller
from oms.credits import operations, queries
from oms.credits.model import Account, CreditNotFound
from oms.customers import queries as customers
from oms.ledger.database import Tx as Connection
from oms.reports.credit_list import credit_sheet
from oms.reports.files import Form, write_csv

ENTRIES_SHOWN: Final = 100
CSV: Final[dict[int | str, dict[str, Any]]] = {
    200: {"content": {"text/csv": {"schema": {"type": "string"}}}, "description": "A CSV file."}
}

router: Final = APIRouter(prefix="/v1", tags=["store credit"], route_class=LedgerRoute)


@router.get("/credits")
def list_credits(
    query: Annotated[CreditQuery, Query()], caller: CreditsRead, tx: Snapshot
) -> Page[CreditOut]:
    """List store credits, the newest first."""
    codes = caller.visible(None if query.channel is None else (query.channel,))
    found, cursor = queries.page(
        tx, order_number=query.order, customer_ids=_family(tx, query.customer, caller),
        channel_codes=codes, after=number_of(query.after), limit=query.limit,
    )  # fmt: skip
    items = [CreditOut.of(each) for each in found]
    return Page(items=items, next_after=None if cursor is None else str(cursor))


@router.post("/credits/lookup")
def look_up_credit(body: CreditLookup, caller: CreditsRead, tx: Snapshot) -> CreditDetailOut:
    """Return the store credit of a code somebody shows."""
    return _detail(tx, _seen(queries.account_by_code(tx, body.code), caller))


@router.get("/credits/{number}")
def get_credit(
    number: str, caller: CreditsRead, tx: Snapshot, response: Response
) -> CreditDetailOut:
    """Return a store credit with its first entries."""
    found = _seen(queries.account(tx, number), caller)
    response.headers["ETag"] = f'"{found.version}"'
    return _detail(tx, found)


@router.get("/credits/{number}/entries")
def list_credit_entries(
    number: str, query: Annotated[Paging, Query()], caller: CreditsRead, tx: Snapshot
) -> Page[CreditEntryOut]:
    """List what changed a store credit, in order."""
    account = _seen(queries.account(tx, number), caller)
    after = number_of(query.after) or 0
    found, cursor = queries.entries(tx, account.account_id, after=after, limit=query.limit)
    items = [CreditEntryOut.of(each, account.currency) for each in found]
    return Page(items=items, next_after=None if cursor is None else str(cursor))


@router.get("/credits/{number}/export", response_class=Response, responses=CSV)
def export_credit(number: str, caller: CreditsRead, tx: Snapshot, now: Now) -> Response:
    """Return all entries of a store credit as a CSV file."""
    account = _seen(queries.account(tx, number), caller)
    file = io.BytesIO()
    write_csv(credit_sheet(tx, account, at=now), file)
    name = f"store-credit-{account.account_number}.csv"
    headers = {"Content-Disposition": f'attachment; filename="{name}"'}
    return Response(file.getvalue(), media_type=Form.CSV.media_type, headers=headers)


@router.post("/credits/{number}/corrections")
def correct_credit(
    number: str, body: CreditCorrection, caller: CreditsWrite, tx: Tx, now: Now, *,
    seen: IfMatch, response: Response, _once: OncePerKey,
) -> CreditOut:  # fmt: skip
    """Say that a balance is less, and why. More of it is given by a refund, which is agreed on."""
    account = _seen(queries.account(tx, number), caller)
    done = operations.lower(
        tx, number, body.minor(account.currency), reason=body.reason, version=seen,
        by=caller.name, at=now,
    )  # fmt: skip
    response.headers["ETag"] = f'"{done.version}"'
    return CreditOut.of(done)


def _detail(tx: Connection, account: Account) -> CreditDetailOut:
    found, _ = queries.entries(tx, account.account_id, limit=ENTRIES_SHOWN)
    return CreditDetailOut.of_all(account, found)


def _seen(account: Account, caller: Caller) -> Account:
    if not caller.may_see(account.channel_code):
        raise CreditNotFound
    return account


def _family(tx: Connection, customer_id: int | None, caller: Caller) -> tuple[int, ...] | None:
    if customer_id is None:
        return None
    among = customers.family(tx, customer_id, channel_codes=caller.visible(None))
    return tuple(among.customer_ids)
