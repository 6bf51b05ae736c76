"""Customers: the same number is the same person, and nobody real can be reached."""

import re

import pytest

from oms.simulator import people


@pytest.mark.parametrize("code", list(people.COUNTRIES))
class TestCustomer:
    def test_is_the_same_person_each_time(self, code: str) -> None:
        assert people.customer(3, code, 77) == people.customer(3, code, 77)
        crowd = {people.customer(3, code, n).email for n in range(500)}
        assert len(crowd) == 500

    def test_cannot_be_reached(self, code: str) -> None:
        for number in range(200):
            email = people.customer(3, code, number).email
            assert re.fullmatch(r"[a-z.]+[0-9]+@[a-z]+\.example", email), email

    def test_lives_where_the_postcode_says(self, code: str) -> None:
        pattern = {
            "NL": r"\d{4} [A-Z]{2}", "BE": r"\d{4}", "DE": r"\d{5}", "FR": r"\d{5}",
            "GB": r"[A-Z]{1,2}\d [0-9][A-Z]{2}",
        }[code]  # fmt: skip
        for number in range(200):
            address = people.customer(3, code, number).address
            assert re.fullmatch(pattern, address.postcode), address.postcode
            assert address.country_code == code
            assert re.search(r"\d", address.street)


class TestNames:
    def test_hold_what_breaks_simple_programs(self) -> None:
        names = {people.customer(3, c, n).name for c in people.COUNTRIES for n in range(600)}
        for piece in ("van der Berg", "'", "ü", "Ł", "ß", "Ş"):
            assert any(piece in name for name in names), piece

    def test_are_plain_where_they_must_be(self) -> None:
        assert people.plain("Łukasz Şahin-Groß Øye é") == "Lukasz Sahin-Gross Oye e"
