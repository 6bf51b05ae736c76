"""Scratch tables: empty at every start, whatever the batch before them left or broke."""

from contextlib import suppress

import pytest
from sqlalchemy import text

from oms.ledger.database import Ledger, Tx
from oms.ledger.scratch import DELETE_BYTES_MAX, Scratch

SCRATCH = Scratch({"heap": "n integer, note text", "pile": "n integer"})
LARGE = DELETE_BYTES_MAX // 100


def fill(tx: Tx, rows: int) -> None:
    numbers = f"generate_series(1, {rows}) as n"
    tx.execute(text(f"insert into heap select n, repeat('x', 200) from {numbers}"))
    tx.execute(text("insert into pile values (1)"))


def sizes(tx: Tx) -> list[int]:
    counts = text("select (select count(*) from heap), (select count(*) from pile)")
    return list(tx.execute(counts).one())


class TestClear:
    @pytest.mark.parametrize("rows", [1, LARGE])
    def test_what_was_committed_before_is_gone(self, ledger: Ledger, rows: int) -> None:
        with ledger.engine.connect() as connection:
            for _ in range(3):
                with connection.begin():
                    SCRATCH.clear(connection)
                    assert sizes(connection) == [0, 0]
                    fill(connection, rows)

    def test_what_was_rolled_back_is_made_again(self, ledger: Ledger) -> None:
        with ledger.engine.connect() as connection:
            for _ in range(2):
                with suppress(ZeroDivisionError), connection.begin():
                    SCRATCH.clear(connection)
                    fill(connection, 1)
                    raise ZeroDivisionError
            with connection.begin():
                SCRATCH.clear(connection)
                assert sizes(connection) == [0, 0]

    def test_much_does_not_stay(self, ledger: Ledger) -> None:
        with ledger.transaction() as tx:
            SCRATCH.clear(tx)
            fill(tx, LARGE)
            SCRATCH.clear(tx)
            assert tx.execute(text("select pg_relation_size('pg_temp.heap')")).scalar_one() == 0
