"""What is known of an order at a moment: its lines and the changes up to then."""

from __future__ import annotations

from typing import TYPE_CHECKING

from oms.simulator.trouble import TOTALS_OFF_BY, WRONG_TOTALS

if TYPE_CHECKING:
    from datetime import datetime

    from oms.simulator.model import Change, Line, Order


class Snapshot:
    """An order after its first so many changes."""

    __slots__ = ("changes", "closing", "has_new_address", "items_total", "lines", "order", "upto")

    def __init__(self, order: Order, upto: int) -> None:
        """Look at an order; most have no line that was added, so that is found out once."""
        self.order, self.upto = order, upto
        self.changes: tuple[Change, ...] = ()
        self.lines: tuple[Line, ...] = order.lines
        self.closing: Change | None = None
        self.has_new_address = False
        if order.changes:
            self._look_back()
        self.items_total = sum([line.total for line in self.lines])

    def _look_back(self) -> None:
        """Find out which changes there were, and which lines are not there yet."""
        order, upto = self.order, self.upto
        self.changes = order.changes[:upto]
        hidden = sum(len(c.parts) for c in order.changes[upto:] if c.kind == "add")
        if hidden:
            self.lines = order.lines[:-hidden]
        self.closing = next((change for change in self.changes if change.closes), None)
        self.has_new_address = any(change.kind == "note" for change in self.changes)

    @property
    def updated_at(self) -> datetime:
        """Say when it last changed."""
        return self.order.changes[self.upto - 1].at if self.upto else self.order.placed_at

    def quantity(self, line: int, kinds: frozenset[str]) -> int:
        """Count the units of a line that some kinds of change have taken."""
        return sum(
            part.quantity
            for change in self.changes
            if change.kind in kinds
            for part in change.parts
            if part.line == line
        )

    @property
    def tax(self) -> int:
        """Add up the tax of lines and shipping."""
        return sum(line.tax for line in self.lines) + self.order.shipping_tax

    @property
    def total(self) -> int:
        """Add up what is to be paid, with tax."""
        order = self.order
        amount = self.items_total + order.shipping
        return amount if order.channel.prices_include_tax else amount + self.tax

    @property
    def stated_total(self) -> int:
        """Say the total that the document states, which in a broken one is another."""
        is_wrong = self.order.trouble.broken == WRONG_TOTALS
        return self.total + TOTALS_OFF_BY if is_wrong else self.total
