"""A row's named values in SQL, and the checks that must hold of them.

Nothing of a mapping or a file reaches SQL but as a literal or through a name made here.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final


def literal(text: str) -> str:
    """Write a text as SQL."""
    return "'" + text.replace("\0", "").replace("'", "''") + "'"


def shown(name: str, *, is_personal: bool = False) -> str:
    """Write a value as a message may show it: short, on one line, and nobody's name."""
    if is_personal:
        return "'the value'"
    return f"('\"' || regexp_replace(left({name}, 40), '[[:cntrl:]]', ' ', 'g') || '\"')"


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """Something that must not be the case of a row: when it is, and what to say."""

    when: str
    column: str
    code: str
    detail: str


@dataclass(slots=True)
class _Level:
    names: list[tuple[str, str]] = field(default_factory=list)
    joins: list[str] = field(default_factory=list)


@dataclass(slots=True, kw_only=True)
class Rows:
    """A row's values as a stack of selects: each computes what needs only those below it.

    The levels are there for speed. One select with its own aliases would compute a value again
    wherever a condition mentions it.
    """

    cells: Mapping[str, str]  # column: its name in the batch
    look_ups: Mapping[str, tuple[str, Mapping[str, str]]]  # its table, and the name of each column
    _levels: list[_Level] = field(default_factory=list)
    _known: dict[str, str] = field(default_factory=dict)
    _depths: dict[str, int] = field(default_factory=dict)
    _joined: dict[tuple[str, str], dict[str, str]] = field(default_factory=dict)

    def add(self, sql: str) -> str:
        """Name a value; the same value has one name."""
        # What a mapping or a file says stands in literals: it is never the name of a value.
        names = _NAME.findall(_LITERAL.sub("", sql))
        needed = [self._depths[name] for name in names if name in self._depths]
        return self._add(sql, max(needed, default=-1) + 1)

    def joined(self, look_up: str, key: str) -> dict[str, str]:
        """Join a look-up by a key; return the names of its columns, and of its key as ''."""
        if (look_up, key) not in self._joined:
            table, columns = self.look_ups[look_up]
            depth, alias = self._depths[key] + 1, f"l{len(self._joined)}"
            self._level(depth).joins.append(f"left join {table} {alias} on {alias}.k = p.{key}")
            names = {
                name: self._add(f"{alias}.{column}", depth) for name, column in columns.items()
            }
            names[""] = self._add(f"{alias}.k", depth)
            self._joined[look_up, key] = names
        return self._joined[look_up, key]

    def sql(self, source: str) -> str:
        """Return the query that computes every named value for a source of rows."""
        query = source
        for level in self._levels:
            values = "".join(f", {sql} as {name}" for name, sql in level.names)
            query = f"(select p.*{values} from {query} p {' '.join(level.joins)})"
        return query

    def _add(self, sql: str, depth: int) -> str:
        if sql not in self._known:
            name = f"t{len(self._known)}"
            self._known[sql], self._depths[name] = name, depth
            self._level(depth).names.append((name, sql))
        return self._known[sql]

    def _level(self, depth: int) -> _Level:
        while len(self._levels) <= depth:
            self._levels.append(_Level())
        return self._levels[depth]


_LITERAL: Final = re.compile(r"'(?:[^']|'')*'")
_NAME: Final = re.compile(r"\bt[0-9]+\b")
