"""Writes on cases: linked to orders, told anew, taken off."""

from datetime import datetime

from oms.cases import queries, store
from oms.cases.model import Case, CaseDraft, TooManyCases, checked
from oms.kernel.limits import CASES_MAX
from oms.ledger.database import Tx
from oms.orders import operations as orders


def link(tx: Tx, order_id: int, draft: CaseDraft, *, by: str, at: datetime) -> Case:
    """Link a case to an order, or say anew where it is and how it stands; tell it in its story.

    What is said again is nothing. Raises CaseInvalid, TooManyCases.
    """
    case = checked(draft)
    orders.hold(tx, order_id)
    known = {(each.tool, each.case_id): each for each in queries.of_order(tx, order_id)}
    if (case.tool, case.case_id) not in known and len(known) >= CASES_MAX:
        raise TooManyCases(f"an order has at most {CASES_MAX} cases")
    said = {"tool": case.tool, "case_id": case.case_id, "state": case.state.value}
    if store.SQL.run(tx, "link", order_id=order_id, url=case.url, by=by, at=at, **said).first():
        _tell(tx, order_id, "order.case_linked", said, by=by, at=at)
    return next(
        each for each in queries.of_order(tx, order_id)
        if (each.tool, each.case_id) == (case.tool, case.case_id)
    )  # fmt: skip


def unlink(tx: Tx, order_id: int, tool: str, case_id: str, *, by: str, at: datetime) -> None:
    """Take a case off an order and tell it in its story; one that is not there is no trouble."""
    orders.hold(tx, order_id)
    said = {"tool": tool, "case_id": case_id}
    if store.SQL.run(tx, "unlink", order_id=order_id, **said).first():
        _tell(tx, order_id, "order.case_unlinked", said, by=by, at=at)


def _tell(tx: Tx, order_id: int, kind: str, said: dict[str, str], *, by: str, at: datetime) -> None:
    """Tell it without the address: where a case is may change, and a story does not."""
    orders.tell(tx, [(order_id, kind, said)], actor_type="user", actor=by, at=at)
