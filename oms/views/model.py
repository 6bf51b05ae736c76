"""Saved views as values."""

import json
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from oms.kernel.errors import NotFound


class ViewNotFound(NotFound):
    """There is no such view."""

    code = "VIEW_NOT_FOUND"


@dataclass(frozen=True, slots=True, kw_only=True)
class Holder:
    """Whose views to deal with: of somebody by name, and of everybody of the same role.

    Who is bound to channels shares with those who are bound to the same ones: a view may name
    a customer.
    """

    name: str
    role: str
    channel_codes: frozenset[str] | None

    @property
    def owner(self) -> str:
        """Who they are of."""
        return self.name + self._bound

    @property
    def team(self) -> str:
        """Whom they are shared with."""
        return self.role + self._bound

    @property
    def _bound(self) -> str:
        codes = self.channel_codes
        return "" if codes is None else f" of {json.dumps(sorted(codes))}"


@dataclass(frozen=True, slots=True, kw_only=True)
class View:
    """A question that was kept, for its owner or for a team."""

    view_id: int
    name: str
    is_shared: bool
    query: dict[str, Any]
    created_by: str
    updated_at: datetime
