"""Locations: how far they are from each other."""

import pytest

from oms.locations.model import distance_km, point


class TestDistance:
    def test_is_that_of_the_great_circle(self) -> None:
        amsterdam, sydney = point(52.3676, 4.9041), point(-33.8688, 151.2093)
        assert distance_km(amsterdam, sydney) == pytest.approx(16_650, rel=0.005)
        assert distance_km(amsterdam, amsterdam) == 0
        assert distance_km(point(90, 0), point(-90, 77)) == pytest.approx(20_015, rel=0.001)

    def test_is_exact_to_the_hundred_meters_next_door(self) -> None:
        assert distance_km(point(52.3676, 4.9041), point(52.3685, 4.9041)) == 0.1

    def test_is_none_to_where_nobody_knows(self) -> None:
        assert distance_km(point(52.3676, 4.9041), point(None, 4.9)) is None
