"""Expressions as SQL: a mapping's expression becomes a value of each row, and its checks."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Final

from oms.adapters.channels.tabular import arithmetic
from oms.adapters.channels.tabular.arithmetic import Number
from oms.adapters.channels.tabular.fields import Field, Kind
from oms.adapters.channels.tabular.rows import Check, Rows, literal, shown
from oms.adapters.channels.tabular.spec import Condition, Expression, Spec, StepSpec
from oms.kernel.limits import QUANTITY_MAX

INTEGER_DIGITS: Final = 12
_CALCULATIONS: Final = frozenset({"add", "subtract", "multiply", "divide", "absolute"})
_TRUE: Final = ("true", "t", "yes", "y", "1")
_FALSE: Final = ("false", "f", "no", "n", "0")
_ZONE: Final = r"(Z|[+-][0-9]{2}(:?[0-9]{2})?)"
_TIME: Final = rf"[0-9]{{2}}:[0-9]{{2}}(:[0-9]{{2}}(\.[0-9]{{1,9}})?)?{_ZONE}?"
_ISO: Final = rf"[0-9]{{4}}-[0-9]{{2}}-[0-9]{{2}}([T ]{_TIME})?"
_WORDS: Final = {
    "trim": "nullif(trim({}), '')",
    "upper": "upper({})",
    "lower": "lower({})",
    "squeeze": r"nullif(trim(regexp_replace({}, '\s+', ' ', 'g')), '')",
}


def column_of(expression: Expression) -> str:
    """Name the columns an expression reads, as a message does."""
    return ", ".join(dict.fromkeys(columns_of(expression)))


def columns_of(expression: Expression) -> list[str]:
    """List the columns an expression takes its value from."""
    if expression.column is not None:
        return [expression.column]
    return [name for operand in expression.operands for name in columns_of(operand)]


@dataclass(slots=True, kw_only=True)
class Compiler:
    """Turns the expressions of one mapping into values and checks."""

    spec: Spec
    time_zone: str
    rows: Rows
    checks: list[Check] = field(default_factory=list)
    scope: str = "true"  # which rows the checks are about
    is_personal: bool = False  # whether the field in hand is somebody's name or the like

    def refuse(self, when: str, column: str, code: str, detail: str) -> None:
        """Add a check: rows of the scope where `when` holds are refused."""
        when = f"coalesce(({when}) and {self.scope}, false)"
        check = Check(when=when, column=column, code=code, detail=detail)
        if check not in self.checks:
            self.checks.append(check)

    def value(self, target: Field, expression: Expression) -> str:
        """Compile the expression of a field that is not money to the name of its value."""
        column, before = column_of(expression), len(self.checks)
        self.is_personal = target.is_personal
        if target.kind in {Kind.QUANTITY, Kind.INTEGER}:
            value = self._whole(target, expression)
        else:
            text = self.text(expression)
            match target.kind:
                case Kind.INSTANT:
                    value = self._instant(target, expression, text)
                case Kind.BOOLEAN:
                    value = self._boolean(target, text, column)
                case Kind.CODE:
                    value = self._code(target, text, column)
                case Kind.DEGREES:
                    value = self._degrees(target, text, column)
                case _:
                    value = self._text(target, text, column)
        self._refuse_empty(target, value, column, before)
        return value

    def text(self, expression: Expression) -> str:
        """Compile an expression to a text; nothing is null, never ''. Raises NotCalculable."""
        if expression.source in _CALCULATIONS:
            raise arithmetic.NotCalculable("the result of a calculation is not a text")
        with self._where(expression.when) as holds:
            name = self._source(expression)
            for step in expression.then:
                name = self._step(step, name, column_of(expression))
        if holds is not None:
            name = self.rows.add(f"case when {holds} then {name} end")
        if expression.default is not None:
            name = self.rows.add(f"coalesce({name}, {literal(expression.default)})")
        return name

    def _source(self, expression: Expression) -> str:
        if expression.column is not None:
            return self.cell(expression.column)
        if expression.source == "constant":
            return self.rows.add(literal(constant_text(expression)))
        inner = ", ".join(self.text(operand) for operand in expression.operands)
        if expression.source == "join":
            return self.rows.add(f"nullif(concat_ws({literal(expression.with_)}, {inner}), '')")
        return self.rows.add(f"coalesce({inner})")

    @contextmanager
    def _where(self, condition: Condition | None) -> Iterator[str | None]:
        """Check values only where a condition holds: elsewhere they are not wanted."""
        if condition is None:
            yield None
            return
        scope, holds = self.scope, self.holds(condition)
        self.scope = f"{scope} and {holds}"
        yield holds
        self.scope = scope

    def cell(self, column: str) -> str:
        """Compile a cell to its trimmed text; what the file says is empty is null."""
        sql = f"nullif(trim(replace({self.rows.cells[column]}, chr(160), ' ')), '')"
        for empty in self.spec.file.empty:
            sql = f"nullif({sql}, {literal(empty)})"
        return self.rows.add(sql)

    def holds(self, condition: Condition) -> str:
        """Compile a condition to a boolean that is never null."""
        cell = self.cell(condition.column)
        if condition.is_ is None:
            return f"({cell} is null)"
        return f"coalesce({cell} in ({', '.join(map(literal, condition.is_))}), false)"

    def money(self, target: Field, expression: Expression) -> Number:
        """Compile the expression of an amount; it is rounded where its currency is known."""
        before, self.is_personal = len(self.checks), target.is_personal
        number = self.number(expression)
        self._refuse_empty(target, number.num, column_of(expression), before)
        return number

    def number(self, expression: Expression) -> Number:
        """Compile an expression to an exact number. Raises NotCalculable."""
        rows, source = self.rows, expression.source
        if expression.column is not None or source == "join" or expression.then:
            return self._parsed(expression, self.text(expression))
        if source == "constant":
            return arithmetic.constant(constant_text(expression))
        with self._where(expression.when) as holds:
            number = self._calculated(expression)
        if holds is not None:
            num = rows.add(f"case when {holds} then {number.num} end")
            number = Number(num=num, den=number.den, scale=number.scale)
        if expression.default is not None:
            number = arithmetic.first_of(rows, [number, arithmetic.constant(expression.default)])
        return number

    def _calculated(self, expression: Expression) -> Number:
        numbers = [self.number(operand) for operand in expression.operands]
        if expression.source == "first_of":
            return arithmetic.first_of(self.rows, numbers)
        number = arithmetic.calculate(self.rows, expression.source, numbers)
        there = " and ".join(f"({operand.num}) is not null" for operand in numbers)
        gone = f"({number.num}) is null" + (f" or ({number.den}) is null" if number.den else "")
        self.refuse(
            f"{there} and ({gone})", column_of(expression), "VALIDATION",
            "'the calculation divides by zero or its result is too large'",
        )  # fmt: skip
        return number

    def _parsed(self, expression: Expression, name: str) -> Number:
        """Read a text as a number, exactly as it is written."""
        dialect, decimals = self.spec.file, expression.decimals
        mark, thousands = dialect.decimal_mark, dialect.thousands_mark
        plain = f"[0-9]{{1,{INTEGER_DIGITS}}}"
        if thousands:
            mark_ = f"[{thousands}]"
            plain = f"([0-9]{{1,3}}({mark_}[0-9]{{3}}){{1,3}}|{plain})"
        fraction = f"[{mark}][0-9]{{0,{decimals}}}0*"
        pattern = literal(f"[+-]?({plain}({fraction})?|{fraction})")
        bare = f"replace({name}, {literal(thousands)}, '')" if thousands else name
        pointed = f"replace({bare}, ',', '.')" if mark == "," else bare
        num = self.rows.add(
            f"case when regexp_full_match({name}, {pattern})"
            f" then try_cast({pointed} || 'e{decimals}' as hugeint) end"
        )
        wanted = f" is not a number like 1{thousands}234{mark}50 with at most {decimals} decimals"
        self.refuse(
            f"{name} is not null and {num} is null", column_of(expression), "VALIDATION",
            f"{self._shown(name)} || {literal(wanted)}",
        )  # fmt: skip
        return Number(num=num, scale=decimals)

    def _whole(self, target: Field, expression: Expression) -> str:
        number, column = self.number(expression), column_of(expression)
        value = self.rows.add(arithmetic.whole(number))
        self.refuse(
            f"not ({arithmetic.is_whole(number)})", column, "VALIDATION",
            f"'it is not a whole number ({target.name})'",
        )  # fmt: skip
        if target.kind is Kind.QUANTITY or target.name in {"quantity", "counted"}:
            self.refuse(
                f"abs({value}) > {QUANTITY_MAX}", column, "VALIDATION",
                f"'a quantity is at most {QUANTITY_MAX} ({target.name})'",
            )  # fmt: skip
        return value

    def _degrees(self, target: Field, text: str, column: str) -> str:
        mark, most = self.spec.file.decimal_mark, 90 if target.name.endswith("latitude") else 180
        pattern = literal(f"[+-]?[0-9]{{1,3}}([{mark}][0-9]{{0,15}})?")
        pointed = f"replace({text}, ',', '.')" if mark == "," else text
        value = self.rows.add(
            f"case when regexp_full_match({text}, {pattern}) then try_cast({pointed} as double) end"
        )
        wanted = f" is not in degrees from -{most} to {most}, such as 4{mark}89"
        self.refuse(
            f"{text} is not null and not coalesce(abs({value}) <= {most}, false)", column,
            "VALIDATION", f"{self._shown(text)} || {literal(wanted)}",
        )  # fmt: skip
        return value

    def _shown(self, name: str) -> str:
        return shown(name, is_personal=self.is_personal)

    def _refuse_empty(self, target: Field, name: str, column: str, before: int) -> None:
        """Refuse nothing where something is needed, unless there is a better reason."""
        if not target.is_required:
            return
        reasons = "".join(f" and not {check.when}" for check in self.checks[before:])
        self.refuse(
            f"({name}) is null{reasons}", column or target.name, "VALIDATION",
            f"'it is empty ({target.name})'",
        )  # fmt: skip

    def _step(self, step: StepSpec, name: str, column: str) -> str:
        rows = self.rows
        if step.word is not None:
            return rows.add(_WORDS[step.word].format(name))
        if step.replace is not None:
            text, by = literal(step.replace.text), literal(step.replace.by)
            return rows.add(f"nullif(replace({name}, {text}, {by}), '')")
        if step.split is not None:
            by = literal(step.split.by)
            return rows.add(f"nullif(trim(split_part({name}, {by}, {step.split.part})), '')")
        if step.extract is not None:
            return self._extract(step.extract, name, column)
        if step.codes is not None:
            return self._coded(step.codes, name, column)
        return self._looked_up(step, name, column)

    def _extract(self, pattern: str, name: str, column: str) -> str:
        found = self.rows.add(f"nullif({extraction(name, pattern)}, '')")
        self.refuse(
            f"{name} is not null and {found} is null", column, "VALIDATION",
            f"{self._shown(name)} || ' does not have the form the mapping expects'",
        )  # fmt: skip
        return found

    def _coded(self, codes: str | dict[str, str], name: str, column: str) -> str:
        table = self.spec.codes[codes] if isinstance(codes, str) else codes
        cases = " ".join(
            f"when {literal(code)} then {literal(meaning)}" for code, meaning in table.items()
        )
        value = self.rows.add(f"case {name} {cases} end")
        self.refuse(
            f"{name} is not null and {value} is null", column, "UNMAPPED_CODE",
            f"{self._shown(name)} || ' is not in the code list'",
        )  # fmt: skip
        return value

    def _looked_up(self, step: StepSpec, name: str, column: str) -> str:
        assert step.look_up is not None
        names = self.rows.joined(step.look_up.in_, name)
        missing = literal(f" is not in the look-up {step.look_up.in_}")
        self.refuse(
            f"{name} is not null and {names['']} is null", column, "BAD_LOOKUP",
            f"{self._shown(name)} || {missing}",
        )  # fmt: skip
        return names[step.look_up.take]

    def _text(self, target: Field, name: str, column: str) -> str:
        what, limit = self._shown(name), target.characters_max
        self.refuse(
            f"length({name}) > {limit}", column, "VALIDATION",
            f"{what} || ' … has more than {limit} characters ({target.name})'",
        )  # fmt: skip
        if target.pattern:
            self.refuse(
                f"not regexp_full_match({name}, {literal(target.pattern)})", column, "VALIDATION",
                f"{what} || ' does not look like a {target.name}'",
            )  # fmt: skip
        if target.name.endswith("country_code"):
            self.refuse(
                f"not regexp_full_match({name}, '[A-Z]{{2}}')", column, "UNMAPPED_CODE",
                f"{self._shown(name)} || ' is not a country code of two letters'",
            )  # fmt: skip
        return name

    def _code(self, target: Field, name: str, column: str) -> str:
        known = literal(f" is not one of {', '.join(target.codes)} ({target.name})")
        self.refuse(
            f"{name} not in ({', '.join(map(literal, target.codes))})", column, "UNMAPPED_CODE",
            f"{self._shown(name)} || {known}",
        )  # fmt: skip
        return name

    def _boolean(self, target: Field, name: str, column: str) -> str:
        value = self.rows.add(
            f"case when lower({name}) in {_TRUE} then true"
            f" when lower({name}) in {_FALSE} then false end"
        )
        self.refuse(
            f"{name} is not null and {value} is null", column, "VALIDATION",
            f"{self._shown(name)} || ' is neither true nor false ({target.name})'",
        )  # fmt: skip
        return value

    def _instant(self, target: Field, expression: Expression, name: str) -> str:
        zone = literal(expression.time_zone or self.time_zone)
        if expression.format:
            value, wanted = self._by_formats(expression.format, name, zone)
            wanted = f"{wanted}, as the mapping's `format:` says"
        else:
            value, wanted = self._by_iso(name, zone), "2026-03-01 or 2026-03-01T09:30:00Z"
            wanted += "; the mapping's `format:` names another way of writing it"
        like = literal(f" is not a date like {wanted} ({target.name})")
        self.refuse(
            f"{name} is not null and ({value} is null or year({value}) not between 1900 and 2199)",
            column_of(expression), "VALIDATION", f"{self._shown(name)} || {like}",
        )  # fmt: skip
        return value

    def _by_iso(self, name: str, zone: str) -> str:
        """Read ISO 8601; without an offset it is the channel's local time."""
        return self.rows.add(
            f"case when not regexp_full_match({name}, '{_ISO}') then null"
            f" when regexp_matches({name}, ':.*{_ZONE}$') then try_cast({name} as timestamptz)"
            f" else timezone({zone}, try_cast({name} as timestamp)) end"
        )

    def _by_formats(self, formats: Sequence[str], name: str, zone: str) -> tuple[str, str]:
        """Read the first format that fits; without an offset it is the channel's local time."""
        readings = []
        for text in formats:
            parsed = f"try_strptime({name}, {literal(text)})"
            has_zone = "%z" in text or "%Z" in text
            readings.append(parsed if has_zone else f"timezone({zone}, {parsed})")
        return self.rows.add(f"coalesce({', '.join(readings)})"), " or ".join(formats)


def constant_text(expression: Expression) -> str:
    """Write a constant as the text a cell with it would hold."""
    value = expression.constant
    return str(value).lower() if isinstance(value, bool) else str(value)


def is_true(text: str) -> bool | None:
    """Read a text as yes or no; None is neither."""
    word = text.lower()
    return word in _TRUE if word in {*_TRUE, *_FALSE} else None


def extraction(name: str, pattern: str) -> str:
    """Return what a pattern finds: its first group, or all of it where it has none."""
    return (
        f"coalesce(nullif(regexp_extract({name}, {literal(pattern)}, 1), ''),"
        f" regexp_extract({name}, {literal(pattern)}, 0))"
    )
