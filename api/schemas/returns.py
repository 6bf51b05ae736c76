"""Returns on the wire."""

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Any, Literal, Self

from pydantic import Field

from api.paging import Paging
from api.schemas.common import Moment, MoneyOut, Out, Wire, Words, once, values_of
from api.schemas.exchanges import WantedIn
from oms.adapters.channels.canonical.fields import NoteText
from oms.kernel.limits import ORDER_LINES_MAX, QUANTITY_MAX
from oms.returns.model import (
    Asked,
    Condition,
    Decision,
    Disposition,
    Inspected,
    Kind,
    Method,
    Resolution,
    Return,
    ReturnAction,
    ReturnReason,
    ReturnState,
    Row,
    Told,
    Verdict,
)
from oms.returns.rules import DAYS_MAX, Returnable
from oms.workflows.returned import Doing, Receipt
from oms.workflows.returns import Request

LineNo = Annotated[int, Field(strict=True, ge=1, le=ORDER_LINES_MAX)]
Units = Annotated[int, Field(strict=True, ge=1, le=QUANTITY_MAX)]
Text = Annotated[NoteText, Field(min_length=1)]
# Time and money do the others.
Deed = Literal[
    "approve", "decline", "ship", "receive", "inspect", "accept", "reject", "cancel", "complete"
]


class RefusalOut(Out):
    """Why a line cannot be given back."""

    code: str
    detail: str


class ReturnableOut(Out):
    """How much of a line may be given back, until when, what for, and why not else."""

    line_no: int
    sku: str
    title: str
    shipped: int
    returned: int
    in_returns: Annotated[int, Field(description="in returns that are open")]
    quantity: Annotated[int, Field(description="what is left of it to give back")]
    until: Annotated[datetime | None, Field(description="when its time is over")]
    net: Annotated[MoneyOut, Field(description="what that many units were paid with")]
    tax: MoneyOut
    refusals: list[RefusalOut]

    @classmethod
    def of(cls, found: Returnable, currency: str) -> Self:
        """Write what may be given back of a line."""
        facts = found.facts
        names = ("line_no", "sku", "title", "shipped", "returned", "in_returns")
        return cls(
            **{name: getattr(facts, name) for name in names}, quantity=found.quantity,
            until=found.until, net=MoneyOut.of(found.net_minor, currency),
            tax=MoneyOut.of(found.tax_minor, currency),
            refusals=[RefusalOut(code=each.code, detail=each.detail) for each in found.refusals],
        )  # fmt: skip


class OrderReturnableOut(Out):
    """What of an order may be given back."""

    order_number: str
    lines: list[ReturnableOut]

    @classmethod
    def of(cls, number: str, currency: str, found: Mapping[int, Returnable]) -> Self:
        """Write what may be given back of an order."""
        lines = [ReturnableOut.of(each, currency) for each in found.values()]
        return cls(order_number=number, lines=lines)


class ReturnLineOut(Out):
    """What of an order's line comes back, and what became of it."""

    line_no: int
    sku: str
    title: str
    expected: int
    received: int
    missing: Annotated[int, Field(description="announced, and will not come")]
    inspected: int
    accepted: int
    rejected: int
    reason: ReturnReason
    resolution: Resolution


class ReceiptLineOut(Out):
    """Units of a receipt: as announced, too many, or another item."""

    receipt_id: str
    location_code: str
    received_at: datetime
    state: Row
    line_no: int | None
    sku: str
    quantity: int
    condition: Condition | None


class InspectedOut(Out):
    """What units of a line are like, and what became of them."""

    line_no: int
    quantity: int
    condition: Condition
    disposition: Disposition


class DecisionOut(Out):
    """Units that were accepted or rejected, and what is owed for them."""

    line_no: int
    verdict: Verdict
    quantity: int
    told_before: Annotated[
        int, Field(description="of it, what the channel had told of by itself: nothing is owed")
    ]
    goods_net: MoneyOut
    goods_tax: MoneyOut
    shipping_net: MoneyOut
    shipping_tax: MoneyOut
    fee: Annotated[MoneyOut, Field(description="kept of it")]
    owed: MoneyOut
    reason: str | None

    @classmethod
    def of(cls, decision: Decision, currency: str) -> Self:
        """Write a decision."""
        names = ("goods_net", "goods_tax", "shipping_net", "shipping_tax", "fee", "owed")
        amounts = {
            name: MoneyOut.of(getattr(decision, f"{name}_minor"), currency) for name in names
        }
        return cls(
            line_no=decision.line_no, verdict=decision.verdict, quantity=decision.quantity,
            told_before=decision.told_before, reason=decision.reason, **amounts,
        )  # fmt: skip


class ReturnOut(Out):
    """Goods of an order that come back."""

    return_number: str
    order_number: str
    channel_code: str
    kind: Kind
    state: ReturnState
    method: Method
    location_code: Annotated[str | None, Field(description="where it is to come, then came")]
    requested_by: str
    carrier: str | None
    tracking_number: str | None
    label_ref: str | None
    note: str | None
    reason: str | None
    override_reason: str | None
    is_after_expiry: Annotated[bool, Field(description="it came late: a person decides")]
    expires_at: datetime | None
    created_at: datetime
    changed_at: datetime
    version: Annotated[int, Field(description="what `If-Match` is to say")]
    exchange_order_number: Annotated[
        str | None, Field(description="the order of what is sent instead")
    ]
    lines: list[ReturnLineOut]
    receipts: list[ReceiptLineOut]
    inspections: list[InspectedOut]
    decisions: list[DecisionOut]
    owed: Annotated[MoneyOut, Field(description="for all that was accepted")]
    is_paid_here: Annotated[
        bool,
        Field(
            description="whether it is refunded from payments we manage; else its channel pays it"
        ),
    ]
    allowed_actions: list[ReturnAction]

    @classmethod
    def of(cls, found: Return) -> Self:
        """Write a return."""
        values: dict[str, Any] = {
            name: value for name, value in values_of(found).items() if name in cls.model_fields
        }
        currency = found.currency
        parts = (("lines", ReturnLineOut, found.lines), ("receipts", ReceiptLineOut, found.rows),
                 ("inspections", InspectedOut, found.inspections))  # fmt: skip
        for name, kind, items in parts:
            values[name] = [
                kind(**{key: getattr(each, key) for key in kind.model_fields}) for each in items
            ]
        values["decisions"] = [DecisionOut.of(each, currency) for each in found.decisions]
        owed = sum(each.owed_minor for each in found.decisions)
        return cls(**values, owed=MoneyOut.of(owed, currency), allowed_actions=found.allowed())


def without_note(body: str) -> str:
    """Return an answer without what its customer has remarked, to be kept for a repetition."""
    answer = json.loads(body)
    for each in answer.get("returns", [answer]):
        each["note"] = None
    return json.dumps(answer)


class ReturnQuery(Paging):
    """Which returns to list; without states all of them."""

    state: Annotated[
        list[ReturnState],
        Field(default_factory=list, description="repeat it for several", max_length=20),
    ]
    location: Annotated[Words | None, Field(description="a location's code")] = None
    channel: Annotated[Words | None, Field(description="a channel's code")] = None
    older_than: Annotated[
        int | None, Field(ge=0, le=DAYS_MAX, description="days since it was asked for")
    ] = None


class AskedIn(Wire):
    """How much of a line comes back, why, and what for."""

    line_no: LineNo
    quantity: Units
    reason: ReturnReason
    resolution: Resolution = Resolution.REFUND
    wanted: Annotated[WantedIn | None, Field(description="instead, of an exchange")] = None

    def value(self) -> Asked:
        """Return it as a value."""
        return Asked(
            line_no=self.line_no, quantity=self.quantity, reason=self.reason,
            resolution=self.resolution,
        )  # fmt: skip


class ReturnPost(Wire):
    """What somebody wants to give back, and how."""

    lines: Annotated[
        list[AskedIn], once("line_no"), Field(min_length=1, max_length=ORDER_LINES_MAX)
    ]
    kind: Literal["customer", "warranty", "refused_delivery", "undeliverable"] = "customer"
    method: Method = Method.CARRIER
    location_code: Annotated[Words | None, Field(description="where it is to come")] = None
    note: Text | None = None
    override_reason: Annotated[
        Text | None,
        Field(description="why time and kind do not count; takes the scope `returns:override`"),
    ] = None

    def request(self) -> Request:
        """Return it as a value."""
        return Request(
            lines=tuple(each.value() for each in self.lines), kind=Kind(self.kind),
            method=self.method, location_code=self.location_code, note=self.note,
            override_reason=self.override_reason,
            wanted={each.line_no: each.wanted.value() for each in self.lines if each.wanted},
        )  # fmt: skip


class ToldIn(Wire):
    """Units that came: of a line, or of a SKU."""

    line_no: LineNo | None = None
    sku: Words | None = None
    quantity: Units
    condition: Condition | None = None
    disposition: Disposition | None = None

    def value(self) -> Told:
        """Return it as a value."""
        return Told(**values_of_wire(self))


class InspectedIn(Wire):
    """What units of a line are like, and what becomes of them."""

    line_no: LineNo
    quantity: Units
    condition: Condition
    disposition: Disposition

    def value(self) -> Inspected:
        """Return it as a value."""
        return Inspected(**values_of_wire(self))


class DecidedIn(Wire):
    """How much of a line is accepted or rejected."""

    line_no: LineNo
    quantity: Units


def values_of_wire(given: Wire) -> dict[str, Any]:
    """Return what was given by name."""
    return {name: getattr(given, name) for name in type(given).model_fields}


class ReturnActionPost(Wire):
    """Something that is done with a return."""

    action: Deed
    reason: Annotated[
        Text | None, Field(description="for decline, reject, cancel and complete")
    ] = None
    carrier: Annotated[Words | None, Field(description="for ship")] = None
    tracking_number: Annotated[Words | None, Field(description="for ship")] = None
    location_code: Annotated[
        Words | None, Field(description="for receive: where it came; left out: where it was to")
    ] = None
    receipt_id: Annotated[
        Words | None, Field(description="for receive: its name; the same again is one")
    ] = None
    received: Annotated[
        list[ToldIn] | None,
        Field(max_length=ORDER_LINES_MAX, description="for receive; left out: all of it came"),
    ] = None
    received_at: Moment | None = None
    is_complete: Annotated[
        bool, Field(strict=True, description="for receive: what has not come by now will not")
    ] = False
    inspected: Annotated[
        list[InspectedIn],
        Field(default_factory=list, max_length=ORDER_LINES_MAX, description="for inspect"),
    ]
    decided: Annotated[
        Annotated[list[DecidedIn], once("line_no")] | None,
        Field(max_length=ORDER_LINES_MAX, description="for accept and reject; left out: the rest"),
    ] = None  # fmt: skip

    def doing(self, by: str, at: datetime) -> Doing:
        """Return what is done, and who does it when."""
        decided = self.decided
        return Doing(
            by=by, at=at, reason=self.reason, carrier=self.carrier,
            tracking_number=self.tracking_number, receipt=self._receipt(),
            inspected=tuple(each.value() for each in self.inspected),
            quantities=None if decided is None else {d.line_no: d.quantity for d in decided},
        )  # fmt: skip

    def _receipt(self) -> Receipt | None:
        if self.receipt_id is None:
            return None
        lines = None if self.received is None else tuple(each.value() for each in self.received)
        return Receipt(
            receipt_id=self.receipt_id, lines=lines, location_code=self.location_code,
            received_at=self.received_at, is_complete=self.is_complete,
        )  # fmt: skip
