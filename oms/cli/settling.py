"""Settlement reports of the simulated retailer's services, and what banks took back before."""

import csv
import io
import threading
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Final

from sqlalchemy import text

from oms import bootstrap
from oms.cli.common import Progress
from oms.kernel import clock
from oms.kernel.money import minor_from_text
from oms.ledger.database import Tx
from oms.orders import operations as orders
from oms.payments import operations as payments
from oms.payments import queries
from oms.payments.model import TransactionType
from oms.settlements import operations
from oms.simulator.model import Payload
from oms.workflows import notices

BY: Final = "simulated services"
TOLD_WITHIN: Final = timedelta(hours=1)
_NAMED: Final = text(
    "select payment_number from payments where psp = :psp and psp_reference = :reference"
)


def take_past(system: bootstrap.System, stop: threading.Event, reports: list[Payload]) -> None:
    """Take in the reports of the past, each at its own moment."""
    progress = Progress("settlement reports", len(reports))
    for payload in reports:
        if stop.is_set():
            return
        take_back(system, payload)
        take_in = partial(
            operations.take_in, layout=system.layouts[payload.topic], content=payload.body,
            psp=payload.channel_code, name=str(payload.file_name), by=BY,
            at=min(payload.at, clock.now()),
        )  # fmt: skip
        system.ledger.run(take_in)
        progress.step()
    progress.end()


def drop(system: bootstrap.System, payload: Payload) -> None:
    """Put a report into the folder of its service, whole or not at all."""
    take_back(system, payload)
    folder = system.settings.settlements_dir / payload.channel_code / payload.topic
    folder.mkdir(parents=True, exist_ok=True)
    part = folder / f".{payload.file_name}.part"
    part.write_bytes(payload.body)
    part.rename(folder / str(payload.file_name))


def take_back(system: bootstrap.System, payload: Payload) -> None:
    """Let the payments be charged back that a report says a bank took: its service tells us."""
    for row in csv.DictReader(io.StringIO(payload.body.decode())):
        if row["type"] == TransactionType.CHARGEBACK:
            system.ledger.run(partial(_take_back, psp=payload.channel_code, row=row))


def _take_back(tx: Tx, *, psp: str, row: dict[str, str]) -> None:
    named = {"psp": psp, "reference": row["payment_id"]}
    number = tx.execute(_NAMED, named).scalar()
    if number is None:  # its order was not taken
        return
    orders.hold(tx, queries.order_of(tx, number))
    payment = queries.payment(tx, number)
    taken_at = datetime.fromisoformat(row["occurred_at"]).astimezone(UTC)
    minor = min(abs(minor_from_text(row["gross"].lstrip("-"), row["currency"])),
                payment.sums.refundable)  # fmt: skip
    if minor:
        payments.done(
            tx, payment, TransactionType.CHARGEBACK, minor, cause=row["operation_id"],
            source="psp", by=psp, at=max(taken_at + TOLD_WITHIN, payment.created_at),
            psp_reference=row["operation_id"], psp_at=taken_at, actor_type="psp",
        )  # fmt: skip
        notices.hold_goods(tx, payment, at=max(taken_at + TOLD_WITHIN, payment.created_at))
