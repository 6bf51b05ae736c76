"""Rows of the database as values by name, and what lists of them are asked for."""

from collections.abc import Collection
from typing import Any


def by_name(row: Any) -> dict[str, Any]:
    """Return the values of a row by the names of its columns."""
    return dict(row._mapping)  # noqa: SLF001 - its public name


def asked(*given: tuple[str, Any, str]) -> tuple[list[str], dict[str, Any]]:
    """Return the conditions of what is asked for, and the values they name.

    Each is a name, a value and the condition that has it; a value that is None asks for nothing.
    """
    conditions, values = [], {}
    for name, value, condition in given:
        if value is not None:
            conditions.append(condition)
            is_several = isinstance(value, Collection) and not isinstance(value, str)
            values[name] = list(value) if is_several else value
    return conditions, values
