"""Reading a JSON document field by field, noting by JSON pointer what is wrong."""

import re
from collections.abc import Iterator
from datetime import datetime
from typing import Any, Final

from oms.kernel.errors import Rejected
from oms.kernel.limits import AMOUNT_MINOR_MAX, QUANTITY_MAX, REF_CHARACTERS_MAX
from oms.kernel.money import EXPONENTS, minor_from_text
from oms.workflows.documents import Problem

TEXT_CHARACTERS_MAX: Final = 500
YEAR_MIN, YEAR_MAX = 1900, 2199
DEGREES_MAX: Final = {"latitude": 90, "longitude": 180}
SURROGATE: Final = re.compile("[\ud800-\udfff]")


class Reader:
    """A JSON object, where it stands in its document, and the document's problems."""

    def __init__(
        self, value: Any, pointer: str = "", problems: list[Problem] | None = None
    ) -> None:
        """Begin at the top of a document, or inside it with its list of problems."""
        self.problems = [] if problems is None else problems
        self.pointer = pointer
        if not isinstance(value, dict):
            self.refuse("", "VALIDATION", "an object is needed here")
        self.value: dict[str, Any] = value if isinstance(value, dict) else {}

    def refuse(self, field: str, code: str, detail: str) -> None:
        """Note what is wrong with a field."""
        pointer = f"{self.pointer}/{field}" if field else self.pointer or "/"
        self.problems.append(Problem(field=pointer, code=code, detail=detail))

    def inside(self, field: str) -> "Reader | None":
        """Read the object in a field, or None where there is none."""
        value = self.value.get(field)
        if value is None:
            return None
        return Reader(value, f"{self.pointer}/{field}", self.problems)

    def each(self, field: str) -> "Iterator[Reader]":
        """Read the objects of a list, none where the field is missing."""
        values = self.value.get(field)
        if values is None:
            return
        if not isinstance(values, list):
            self.refuse(field, "VALIDATION", "a list is needed here")
            return
        for index, value in enumerate(values):
            yield Reader(value, f"{self.pointer}/{field}/{index}", self.problems)

    def text(self, field: str, *, limit: int = TEXT_CHARACTERS_MAX) -> str | None:
        """Read a text, trimmed; an empty one is none."""
        value = self.value.get(field)
        if value is None:
            return None
        if not isinstance(value, str):
            self.refuse(field, "VALIDATION", "a text is needed here")
            return None
        if "\0" in value or SURROGATE.search(value):
            self.refuse(field, "VALIDATION", "the text holds a character no text may hold")
            return None
        return value.strip()[:limit] or None

    def ref(self, field: str, *, is_needed: bool = True) -> str | None:
        """Read an id: a whole number, or a short text."""
        value = self.value.get(field)
        if isinstance(value, int) and not isinstance(value, bool):
            return str(value)
        if isinstance(value, str) and 0 < len(value.strip()) <= REF_CHARACTERS_MAX:
            return self.text(field, limit=REF_CHARACTERS_MAX)
        if is_needed or (value is not None and value != ""):
            self.refuse(field, "VALIDATION", "an id is needed here")
        return None

    def amount(self, field: str, currency: str, *, default: int | None = None) -> int:
        """Read an amount as minor units; a missing one is the default, else refused."""
        value = self.value.get(field)
        if value is None and default is not None:
            return default
        try:
            if currency not in EXPONENTS:
                return 0  # said once, of the currency itself
            minor = minor_from_text(str(value) if isinstance(value, int | str) else "", currency)
        except Rejected:
            self.refuse(field, "VALIDATION", "an amount such as 12.50 is needed here")
            return 0
        if abs(minor) > AMOUNT_MINOR_MAX:
            self.refuse(field, "VALIDATION", "the amount is larger than any order")
        return minor

    def quantity(self, field: str = "quantity", *, least: int = 1) -> int:
        """Read a quantity."""
        value = self.value.get(field)
        if (
            isinstance(value, bool)
            or not isinstance(value, int)
            or not least <= value <= QUANTITY_MAX
        ):
            self.refuse(field, "VALIDATION", f"a whole number from {least} to {QUANTITY_MAX:,}")
            return least
        return value

    def instant(self, *fields: str, is_needed: bool = True) -> datetime | None:
        """Read the first instant that is there of some fields; it must carry its offset."""
        for field in fields:
            if (value := self.value.get(field)) is None:
                continue
            try:
                at = datetime.fromisoformat(value.replace("-00:00", "+00:00"))
            except (AttributeError, TypeError, ValueError):
                self.refuse(field, "VALIDATION", "an instant such as 2026-03-01T09:30:00+01:00")
                return None
            if at.tzinfo is None:
                self.refuse(field, "VALIDATION", "the instant has no offset")
                return None
            if not YEAR_MIN <= at.year <= YEAR_MAX:
                self.refuse(field, "VALIDATION", f"a year from {YEAR_MIN} to {YEAR_MAX}")
                return None
            return at
        if is_needed:
            self.refuse(fields[0], "VALIDATION", "an instant is needed here")
        return None

    def flag(self, field: str) -> bool:
        """Read a yes or no; missing is no."""
        value = self.value.get(field)
        if value is not None and not isinstance(value, bool):
            self.refuse(field, "VALIDATION", "true or false is needed here")
        return value is True

    def coordinates(self) -> dict[str, float]:
        """Read where an address is on the map; what is not there in full or no place is left out.

        A shop looks it up by itself: an order is none the worse where that went wrong.
        """
        found = {}
        for field, most in DEGREES_MAX.items():
            try:
                degrees = float(str(self.value.get(field)))
            except ValueError:
                return {}
            if not abs(degrees) <= most:
                return {}
            found[field] = degrees
        return found
