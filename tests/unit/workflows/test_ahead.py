"""Looking ahead: a slice is made while the one before is used, and nothing else changes."""

import threading
from collections.abc import Generator

import pytest

from oms.workflows.documents import ahead


class TestAhead:
    def test_all_come_in_their_order(self) -> None:
        assert list(ahead(n for n in range(1, 6))) == [1, 2, 3, 4, 5]

    def test_of_nothing_nothing_comes(self) -> None:
        assert list(ahead(n for n in ())) == []

    def test_the_next_is_made_while_one_is_used(self) -> None:
        is_made = threading.Event()

        def slices() -> Generator[int]:
            yield 1
            is_made.set()
            yield 2

        using = ahead(slices())
        assert next(using) == 1
        assert is_made.wait(30)
        assert list(using) == [2]

    def test_a_failure_comes_in_its_place(self) -> None:
        def slices() -> Generator[int]:
            yield 1
            raise LookupError

        using = ahead(slices())
        assert next(using) == 1
        with pytest.raises(LookupError):
            next(using)

    def test_what_it_needs_stays_until_the_last_was_used(self) -> None:
        closed: list[int] = []

        def slices() -> Generator[int]:
            yield 1
            yield 2

        def adapter() -> Generator[int]:
            try:
                yield from ahead(slices())
            finally:
                closed.append(1)

        for _ in adapter():
            assert not closed
        assert closed

    def test_who_stops_early_closes_what_makes_them(self) -> None:
        closed: list[int] = []

        def slices() -> Generator[int]:
            try:
                yield from range(1, 9)
            finally:
                closed.append(1)

        using = ahead(slices())
        assert next(using) == 1
        using.close()
        assert closed
