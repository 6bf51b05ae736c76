"""Followers of the journal: each change is taken in once, by whoever comes first."""

import threading
from collections.abc import Callable

import pytest
from sqlalchemy import text

from oms.ledger.database import Ledger, Tx
from oms.ledger.followers import follow
from tests.builders import a_product
from tests.ledger.shop import Shop
from tests.ledger.threads import together

_NEW = text(
    "select sku from products where changed_xid >= cast(:after as text)::xid8"
    " and changed_xid < cast(:upto as text)::xid8 order by sku"
)


def reading(seen: list[str]) -> Callable[[Tx, int, int], bool]:
    def step(tx: Tx, after: int, upto: int) -> bool:
        found = list(tx.execute(_NEW, {"after": str(after), "upto": str(upto)}).scalars())
        seen.extend(found)
        return bool(found)

    return step


def caught_up(ledger: Ledger, seen: list[str]) -> list[str]:
    """Follow until nothing new is found: the first look only begins."""
    follow(ledger, "test", reading(seen))
    while follow(ledger, "test", reading(seen)):
        pass
    return seen


class TestFollow:
    def test_it_takes_in_what_there_was_and_what_comes(self, shop: Shop) -> None:
        known = caught_up(shop.ledger, [])
        assert "PEN" in known
        shop.take(a_product("NEW"))
        seen: list[str] = []
        assert follow(shop.ledger, "test", reading(seen))
        assert seen == ["NEW"]
        assert not follow(shop.ledger, "test", reading(seen))

    def test_a_failure_leaves_it_where_it_was(self, shop: Shop) -> None:
        caught_up(shop.ledger, [])
        shop.take(a_product("NEW"))

        def fails(tx: Tx, after: int, upto: int) -> bool:
            raise LookupError

        with pytest.raises(LookupError):
            follow(shop.ledger, "test", fails)
        assert caught_up(shop.ledger, []) == ["NEW"]

    def test_what_a_running_transaction_writes_is_not_skipped(self, shop: Shop) -> None:
        caught_up(shop.ledger, [])
        with shop.ledger.transaction() as tx:
            shop.work(a_product("EARLY"))(tx)
            shop.take(a_product("LATE"))
            seen = caught_up(shop.ledger, [])
        assert sorted(caught_up(shop.ledger, seen)) == ["EARLY", "LATE"]

    def test_of_two_processes_one_does_it(self, shop: Shop) -> None:
        caught_up(shop.ledger, [])
        shop.take(a_product("NEW"))
        seen: list[str] = []
        inside, free = threading.Event(), threading.Event()

        def slowly(tx: Tx, after: int, upto: int) -> bool:
            inside.set()
            assert free.wait(30)
            return reading(seen)(tx, after, upto)

        def other() -> bool:
            assert inside.wait(30)
            try:
                return follow(shop.ledger, "test", reading(seen))
            finally:
                free.set()

        assert together([lambda: follow(shop.ledger, "test", slowly), other]) == [True, False]
        assert seen == ["NEW"]
