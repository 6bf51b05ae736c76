"""Rows of the database as values by name."""

from typing import Any


def by_name(row: Any) -> dict[str, Any]:
    """Return the values of a row by the names of its columns."""
    return dict(row._mapping)  # noqa: SLF001 - its public name
