"""A settlement report of 100,000 rows held against as many captures: rows a second.

Of two hundred rows one is off by a cent, and two are a stranger's. A third of the
rows name the operation by our number, a third by the service's id of it, a third only the payment.
The floor is COPY of the same rows into a plain table with a key. Then a report of a thousand rows
comes: how much of the large one does it cost?
"""

import csv
import io
import time
from datetime import UTC, datetime, timedelta
from functools import partial

import psycopg

from benchmarks.stage import Stage, stage
from oms.adapters.settlements import LAYOUTS
from oms.ledger import embedded
from oms.sandbox.settlement import COLUMNS
from oms.settlements import operations
from oms.settlements.model import Report

ROWS = 100_000
SMALL = 1_000
WRONG_EVERY = 100
AT = datetime(2026, 1, 5, 12, tzinfo=UTC)
FILL = """
    insert into orders (channel_id, external_ref, sha256, order_state, fulfillment_state,
        fulfillment_method, placed_at, placed_on, recorded_at, updated_at, currency,
        prices_include_tax, items_net_minor, items_tax_minor, total_minor)
    select (select min(channel_id) from channels), 'S' || n, '', 'completed', 'shipped',
        'ship_home', %(at)s, '2026-01-05', %(at)s, %(at)s, 'EUR', true, 1681, 319, 2000
    from generate_series(1, %(rows)s) n;
    insert into payments (order_id, external_ref, tender, psp, psp_reference, managed_by, currency,
        amount_minor, captured_minor, state, created_at, changed_at)
    select order_id, 'p', 'card', 'bench', 'pay-' || external_ref, 'channel', 'EUR', 2000, 2000,
        'captured', %(at)s, %(at)s
    from orders where external_ref like 'S%%';
    insert into payment_transactions (payment_id, order_id, type, state, amount_minor, currency,
        psp, psp_reference, source, cause, idempotency_key, requested_at, finished_at, psp_at)
    select payment_id, order_id, 'capture', 'succeeded', 2000, 'EUR', 'bench',
        case when payment_id %% 3 = 1 then 'cap-' || payment_id end, 'channel', 'told',
        'bench-' || payment_id, %(at)s, %(at)s, %(at)s
    from payments where psp = 'bench';
    analyze orders, payments, payment_transactions;
"""
NAMED = """
    select y.psp_reference, y.payment_id, t.transaction_number, t.psp_reference
    from payments y join payment_transactions t using (payment_id)
    where y.psp = 'bench' order by y.payment_id
"""
FOUND = "select finding, count(*) from settlement_rows where report_id = %s group by 1"


def measure() -> None:
    print(f"settlements: a report of {ROWS:,} rows held against what was captured")
    with stage() as made:
        with _connection(made) as connection:
            for statement in FILL.split(";\n"):
                if statement.strip():
                    connection.execute(statement, {"at": AT, "rows": ROWS + SMALL})
            named = connection.execute(NAMED).fetchall()
        large, seconds = _take(made, _report(named[:ROWS]), "large.csv")
        _check(made, large, ROWS)
        floor = _copy_floor(made, large)
        print(f"  {ROWS / seconds:,.0f} rows/s; {seconds / floor:.1f} x COPY of the same rows"
              f" ({floor:.2f} s)")  # fmt: skip
        small, after = _take(made, _report(named[ROWS:]), "small.csv")
        _check(made, small, SMALL)
        print(f"  {SMALL:,} rows after that take {after:.2f} s, {after / seconds:.1%} of it")


def _report(named: list[tuple[str, int, str, str | None]]) -> bytes:
    """Write rows that name what they are about in three ways, and a payout of them all."""
    file = io.StringIO()
    rows = csv.writer(file, lineterminator="\n")
    rows.writerow(COLUMNS)
    paid = 0
    for number, (payment, payment_id, ours, theirs) in enumerate(named):
        is_strange = number % WRONG_EVERY == WRONG_EVERY // 2
        gross = 1_999 if number % (2 * WRONG_EVERY) == 0 else 2_000
        paid += gross - 28
        reference = ours if payment_id % 3 == 0 and not is_strange else ""
        rows.writerow([
            f"e-{payment}", "po", "capture", "" if is_strange else theirs or "",
            f"x-{payment}" if is_strange else payment, reference, "EUR", f"{gross / 100:.2f}",
            "0.28", f"{(gross - 28) / 100:.2f}", "2026-01-05T12:00:00Z",
        ])  # fmt: skip
    text = f"-{paid / 100:.2f}"
    rows.writerow([
        f"out-{named[0][0]}", "po", "payout", "", "", "", "EUR", text, "0.00", text,
        "2026-01-06T00:00:00Z",
    ])  # fmt: skip
    return file.getvalue().encode()


def _take(made: Stage, content: bytes, name: str) -> tuple[Report, float]:
    take_in = partial(
        operations.take_in, layout=LAYOUTS["sandbox"], content=content, psp="bench", name=name,
        by="bench", at=AT + timedelta(days=1),
    )  # fmt: skip
    begun = time.perf_counter()
    report, _ = made.system.ledger.run(take_in)
    return report, time.perf_counter() - begun


def _check(made: Stage, report: Report, rows: int) -> None:
    with _connection(made) as connection:
        found = dict(connection.execute(FOUND, [report.report_id]).fetchall())
    strange, off = rows // WRONG_EVERY, rows // (2 * WRONG_EVERY)
    expected = {
        "unknown": strange, "amount_differs": off, "matched": rows - strange - off, "own": 1,
    }  # fmt: skip
    assert found == expected, f"{found} instead of {expected}"


def _copy_floor(made: Stage, report: Report) -> float:
    """Copy the same rows into a plain table with a key, in one transaction."""
    with _connection(made) as connection:
        with connection.cursor().copy(
            "copy (select * from settlement_rows where report_id ="
            f" {report.report_id:d} order by row_no) to stdout"
        ) as out:
            rows = b"".join(bytes(part) for part in out)
        connection.execute(
            "create table floor (like settlement_rows including defaults);"
            " alter table floor add primary key (report_id, row_no)"
        )
        connection.commit()
        begun = time.perf_counter()
        with connection.cursor().copy("copy floor from stdin") as into:
            into.write(rows)
        connection.commit()
        return time.perf_counter() - begun


def _connection(made: Stage) -> psycopg.Connection[tuple[object, ...]]:
    server = embedded.server_at(made.settings.pgdata_path)
    return psycopg.connect(f"host={server.socket_dir} user=postgres dbname=oms")
