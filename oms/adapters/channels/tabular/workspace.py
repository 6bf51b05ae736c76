"""One file being mapped: a private database the rows are read into, and the documents in it."""

import io
from collections import defaultdict
from collections.abc import Generator, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

import duckdb
import pyarrow as pa
from pyarrow import csv as csv_writer

from oms.adapters.channels.tabular import arithmetic, drafts, flaws, lookups, orders
from oms.adapters.channels.tabular.plan import Plan
from oms.adapters.channels.tabular.reading import Reading, open_rows
from oms.adapters.channels.tabular.records import schema_of
from oms.kernel.errors import OmsError
from oms.kernel.limits import SLICE_DOCUMENTS_MAX
from oms.workflows.documents import Documents, Fragment, Problem, RejectedDocument, Source

PROBLEMS_MAX: Final = 20
MEMORY_MAX: Final = "512MB"

_CSV: Final = csv_writer.WriteOptions(include_header=False, quoting_style="needed")


@dataclass(slots=True, kw_only=True)
class Workspace:
    """A file's rows, and the documents they make."""

    plan: Plan
    con: duckdb.DuckDBPyConnection
    reading: Reading

    @property
    def count(self) -> int:
        """How many documents there are."""
        return self._one("select count(*) from heads")

    def build(self) -> None:
        """Read every row and make documents of them. Raises Unreadable."""
        self._read()
        if self.plan.spec.documents == "orders":
            for statement in orders.statements(self.plan):
                self.con.execute(statement)
            places = "select c.ord, h.position from cells c join heads h using (key) where c.is_bad"
        else:
            self.con.execute(
                "create table heads as select row_number() over (order by ord) as position, *,"
                " ord as first_ord, ord as last_ord from cells"
            )
            places = "select ord, position from heads where is_bad"
        self.con.execute(f"create view places as {places}")
        self.con.execute(flaws.TABLE)
        if self._one("select count(*) from cells where is_bad"):
            self.con.execute(flaws.of_rows(self.plan, len(self.reading.columns)))
        if self.plan.spec.documents == "orders":
            for statement in flaws.of_orders(self.plan):
                self.con.execute(statement)
        self.con.execute("create table rejected as select distinct position from flaws")

    def slices(self, after: int) -> Generator[Documents]:
        """Return the documents after some, in order."""
        count = self.count
        for first in range(after + 1, count + 1, SLICE_DOCUMENTS_MAX):
            last = min(first + SLICE_DOCUMENTS_MAX - 1, count)
            yield Documents(
                first=first,
                count=last - first + 1,
                tables=self.tables(first, last),
                rejected=self.rejected(first, last),
                fragment=self.fragment,
            )

    def tables(self, first: int, last: int) -> dict[str, bytes]:
        """Return the drafts of some documents."""
        texts = {}
        for name, query in drafts.selects(self.plan):
            rows = self.con.sql(query.replace("$first", str(first)).replace("$last", str(last)))
            sink = io.BytesIO()
            csv_writer.write_csv(rows.to_arrow_table(), sink, _CSV)
            if sink.tell():
                texts[name] = sink.getvalue()
        return texts

    def rejected(self, first: int, last: int) -> tuple[RejectedDocument, ...]:
        """Return the documents that are refused, and why."""
        found: dict[tuple[int, str | None], list[Problem]] = defaultdict(list)
        rows = self.con.execute(f"""
            select f.position, {self._ref()}, f.field, f.code, f.detail
            from flaws f
            join heads h using (position)
            where f.position between {first} and {last}
            order by f.position, f.line nulls first, f.field, f.code, f.detail
        """).fetchall()
        for position, ref, column, code, detail in rows:
            problems = found[position, ref]
            if len(problems) < PROBLEMS_MAX:
                problems.append(Problem(field=column, code=code, detail=detail))
        return tuple(
            RejectedDocument(position=position, external_ref=ref, problems=tuple(problems))
            for (position, ref), problems in found.items()
        )

    def fragment(self, position: int) -> Fragment:
        """Return one document's rows as a file of their own."""
        same = "and c.key = h.key" if self.plan.spec.documents == "orders" else ""
        con = self.con.cursor()  # one of its own: the next slice may be in the making
        rows = con.execute(f"""
            select c.line, c.start, c.size
            from heads h
            join cells c on c.ord between h.first_ord and h.last_ord {same}
            where h.position = {position}
            order by c.ord
        """).fetchall()
        body = self.reading.piece([(at, size) for _, at, size in rows])
        return Fragment(line=rows[0][0], body=body)

    def rows_of(self, query: str) -> list[tuple[Any, ...]]:
        """Return what a query finds in the tables."""
        return self.con.execute(query).fetchall()

    def totals_query(self) -> str:
        """Return the query for the money of the usable orders, by currency."""
        shipping = drafts.amount(self.plan, "shipping_net_minor")
        return f"""
            select h.currency, sum(l.total)::bigint, sum(l.tax)::bigint, sum({shipping})::bigint
            from heads h
            join (
                select position, sum(total_minor) as total, sum(tax_minor) as tax
                    {drafts.sums(self.plan)}
                from lines group by position
            ) l using (position)
            where position not in (select position from rejected)
            group by h.currency order by h.currency
        """

    def _ref(self) -> str:
        if self.plan.spec.documents == "orders":
            return "case when h.key not like chr(1) || '%' then left(h.key, 200) end"
        return "null::varchar"

    def _read(self) -> None:
        """Read the rows into cells; those that fail a check keep what they came with."""
        plan = self.plan
        columns = list(
            orders.cells_columns(plan) if plan.spec.documents == "orders" else plan.values.items()
        )
        values = "".join(f", {sql} as {name}" for name, sql in columns)
        raw = ", ".join(f"c{number}" for number in range(len(plan.columns)))
        bad = plan.rows.add(flaws.is_bad(plan))
        stream = _Stream(self.reading.rows(plan.columns), len(plan.columns))
        self.con.register("rows", stream.reader)
        try:
            self.con.execute(f"""
                create table cells as
                select ord, line, start, size, wrong, fields, {bad} as is_bad,
                    case when {bad} then [{raw}] end as raw {values}
                from {plan.rows.sql("rows")}
                where wrong <> 0 or not ({plan.ignored})
            """)
        except duckdb.Error:
            if stream.failure is None:
                raise
            raise stream.failure from None
        finally:
            self.con.unregister("rows")

    def _one(self, query: str) -> int:
        (row,) = self.con.execute(query).fetchall()
        return int(row[0])


class _Stream:
    """Batches as the stream the database pulls them from, keeping what went wrong meanwhile."""

    def __init__(self, tables: Iterator[pa.Table], cells_count: int) -> None:
        self.failure: OmsError | None = None
        self.reader = pa.RecordBatchReader.from_batches(
            schema_of(cells_count), self._batches(tables)
        )

    def _batches(self, tables: Iterator[pa.Table]) -> Iterator[pa.RecordBatch]:
        try:
            for table in tables:
                yield from table.to_batches()
        except OmsError as failure:
            self.failure = failure
            raise


@contextmanager
def open_workspace(plan: Plan, source: Source, folders: Sequence[Path]) -> Iterator[Workspace]:
    """Open a file with its mapping. Everything made for it goes when it is closed.

    Raises Unreadable.
    """
    with TemporaryDirectory(prefix="oms-tabular-") as name, _database(Path(name)) as con:
        scratch = Path(name)
        path = source.path
        if path is None:
            path = scratch / "body"
            path.write_bytes(source.read())
        else:
            folders = (*folders, path.parent)
        lookups.load(con, plan.spec, folders, scratch)
        with open_rows(path, plan.spec.file, scratch) as reading:
            yield Workspace(plan=plan, con=con, reading=reading)


@contextmanager
def _database(scratch: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    """Open a database that reads no files, fetches nothing, and spills into the scratch folder."""
    con = duckdb.connect(
        ":memory:",
        config={
            "memory_limit": MEMORY_MAX,
            "temp_directory": str(scratch / "spill"),
            "autoinstall_known_extensions": "false",
            "autoload_known_extensions": "false",
        },
    )
    try:
        con.execute("set timezone = 'UTC'")
        con.execute("set enable_external_access = false")
        con.execute("set lock_configuration = true")
        con.execute(arithmetic.HALF_UP)
        yield con
    finally:
        con.close()
