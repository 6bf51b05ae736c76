"""Stories told once and looked at by many tests."""

from dataclasses import dataclass
from datetime import date, timedelta
from functools import cache

from oms.simulator.book import Expected
from oms.simulator.catalogue import catalogue
from oms.simulator.history import history
from oms.simulator.model import Payload, Rates

UNTIL = date(2025, 11, 10)  # summer time ended within the story
WILD = Rates(broken=0.06, repeated=0.05, stale=0.05, late=0.05, file_twice=0.1, file_late=0.1)


@dataclass(frozen=True)
class Story:
    payloads: tuple[Payload, ...]
    book: Expected
    skus: frozenset[str]


@cache
def a_story(
    *,
    seed: int = 9,  # one whose range grows within the story
    days: int = 20,
    orders_per_day: int = 50,
    until: date = UNTIL,
    rates: Rates | None = None,
) -> Story:
    book = Expected()
    told = history(seed, days, orders_per_day, until, book=book, rates=rates)
    payloads = tuple(told)
    skus = frozenset(p.sku for p in catalogue(seed, until - timedelta(days=days)))
    return Story(payloads=payloads, book=book, skus=skus)
