"""What lies where, and what of it is promised to somebody."""

from __future__ import annotations

from typing import TYPE_CHECKING

from oms.simulator.network import STOCKED

if TYPE_CHECKING:
    from oms.simulator.model import Change, Order


class Shelves:
    """Units on hand and promised, per place and product of the catalogue."""

    def __init__(self, products_count: int) -> None:
        """Start with empty shelves everywhere."""
        self.on_hand = {place.code: [0] * products_count for place in STOCKED}
        self._promised = {place.code: [0] * products_count for place in STOCKED}

    def free(self, place: str, index: int) -> int:
        """Count the units of a product that nobody has a claim on."""
        return self.on_hand[place][index] - self._promised[place][index]

    def missing(self, place: str, targets: list[int]) -> list[int]:
        """Count what each product lacks to its target, in units nobody has a claim on."""
        there, promised = self.on_hand[place], self._promised[place]
        return [t - h + p for t, h, p in zip(targets, there, promised, strict=True)]

    def take(self, place: str, index: int, quantity: int) -> None:
        """Hand units over the counter."""
        self.on_hand[place][index] -= quantity

    def promise(self, place: str, index: int, quantity: int) -> None:
        """Keep units for an order; a negative quantity gives the promise up."""
        self._promised[place][index] += quantity

    def put(self, place: str, index: int, quantity: int) -> None:
        """Lay units on the shelf."""
        self.on_hand[place][index] += quantity

    def follow(self, order: Order, change: Change) -> None:
        """Move the units of one change of an order."""
        if change.place is None or change.place.code not in self.on_hand:
            return
        place = change.place.code
        for part in change.parts:
            index = order.lines[part.line].product.index
            if change.kind == "ship":
                self.take(place, index, part.quantity)
            if change.kind in {"ship", "cancel"}:
                self.promise(place, index, -part.quantity)
            elif change.kind == "return" and change.restock:
                self.put(place, index, part.quantity)
