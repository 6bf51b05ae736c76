"""Feeds in the database: their statements, and rows as values."""

from pathlib import Path
from typing import Any, Final

from oms.feeds.model import Availability
from oms.ledger.rows import by_name
from oms.ledger.statements import Statements

SQL: Final = Statements(Path(__file__).with_name("feeds.sql"))


def availability(row: Any) -> Availability:
    """Make an availability of its row."""
    return Availability(**by_name(row))
