"""What is billed and credited, as pure functions."""

from datetime import date
from typing import Any, Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from oms.billing.crediting import Room, allocate
from oms.billing.model import (
    Amounts,
    Basis,
    BilledLine,
    Category,
    DocumentType,
    Party,
    Policy,
    Remark,
)
from oms.billing.rules import (
    Earlier,
    Part,
    Sale,
    SoldLine,
    billable,
    category_of,
    due,
    rate_of,
    remarks_of,
)

PARTY: Final = Party(name="Ada")


def a_line(net: int = 1000, tax: int = 210, ordered: int = 1, **columns: Any) -> SoldLine:
    money = Amounts(net_minor=net, tax_minor=tax)
    return SoldLine(**{
        "line_no": 1, "sku": "PEN", "title": "Pen", "ordered": ordered, "canceled": 0,
        "shipped": 0, "returned": 0, "returned_given": 0, "sold": money, "kept": money,
        "returns": Amounts(), "returns_given": Amounts(), "discount_minor": 0,
        "reduced": Amounts(), "supplied_on": None, **columns,
    })  # fmt: skip


def a_sale(*lines: SoldLine, **columns: Any) -> Sale:
    return Sale(**{
        "order_id": 1, "order_number": "R1", "external_number": None, "channel_id": 1,
        "channel_code": "web", "is_carried_out": False, "placed_on": date(2026, 1, 5),
        "currency": "EUR", "entity_id": 1, "policy": Policy.ON_SHIPMENT, "basis": None,
        "buyer": PARTY, "ship_to": None, "destination": "NL", "stated_total_minor": None,
        "total_minor": 0, "reason": None, "lines": lines or (a_line(),), "earlier": (),
        **columns,
    })  # fmt: skip


class TestBillable:
    def test_of_units_that_left_never_falls_by_what_is_canceled(self) -> None:
        """What was captured is not captured less: a cent left over comes with the last units."""
        line = a_line(net=1000, tax=0, ordered=3, shipped=2)
        canceled = a_line(net=1000, tax=0, ordered=3, shipped=2, canceled=1,
                          kept=Amounts(net_minor=667))  # fmt: skip
        assert billable(line, Basis.SHIPPED).amounts == Amounts(net_minor=666)
        assert billable(canceled, Basis.SHIPPED).amounts == Amounts(net_minor=667)

    def test_of_all_that_came_back_is_nothing_before_the_rest_is_known(self) -> None:
        line = a_line(net=1000, tax=0, ordered=3, shipped=2, returned=2,
                      returns=Amounts(net_minor=-666))  # fmt: skip
        assert billable(line, Basis.SHIPPED).amounts == Amounts()

    def test_is_never_below_nothing_and_says_by_how_much(self) -> None:
        line = a_line(shipped=1, returned=1, returned_given=1,
                      returns_given=Amounts(net_minor=-1500, tax_minor=-200))  # fmt: skip
        found = billable(line, Basis.SHIPPED)
        assert found.amounts == Amounts(tax_minor=10)
        assert found.overdrawn == Amounts(net_minor=500)


ROOMS: Final = st.lists(
    st.tuples(st.integers(0, 5), st.integers(0, 1000), st.integers(0, 210)), min_size=1, max_size=4
)


class TestAllocate:
    @given(rooms=ROOMS, data=st.data())
    def test_gives_all_of_it_and_to_none_more_than_it_has(
        self, rooms: list[tuple[int, int, int]], data: st.DataObject
    ) -> None:
        made = [
            Room(document_id=n, line_no=1, quantity=units,
                 amounts=Amounts(net_minor=net, tax_minor=tax))
            for n, (units, net, tax) in enumerate(rooms)
        ]  # fmt: skip
        units = data.draw(st.integers(0, sum(room[0] for room in rooms)))
        net = data.draw(st.integers(0, sum(room[1] for room in rooms)))
        tax = data.draw(st.integers(0, sum(room[2] for room in rooms)))
        credit = Part(line_no=1, quantity=units, counted=units,
                      amounts=Amounts(net_minor=net, tax_minor=tax))  # fmt: skip
        parts = allocate(credit, made)
        assert sum(part.quantity for part in parts.values()) == units
        assert sum(part.counted for part in parts.values()) == units
        assert sum(part.amounts.net_minor for part in parts.values()) == net
        assert sum(part.amounts.tax_minor for part in parts.values()) == tax
        for document_id, part in parts.items():
            room = made[document_id]
            assert part.quantity <= room.quantity
            assert 0 <= part.amounts.net_minor <= room.amounts.net_minor
            assert 0 <= part.amounts.tax_minor <= room.amounts.tax_minor

    def test_looks_at_its_own_line_only(self) -> None:
        other = Room(document_id=1, line_no=2, quantity=1, amounts=Amounts(net_minor=5))
        credit = Part(line_no=1, quantity=1, counted=1, amounts=Amounts(net_minor=5))
        assert allocate(credit, [other]) == {}


class TestDue:
    @given(
        ordered=st.integers(1, 6), shipped=st.integers(0, 6), net=st.integers(0, 500),
        basis=st.sampled_from(Basis),
    )  # fmt: skip
    def test_is_nothing_once_it_is_billed(
        self, ordered: int, shipped: int, net: int, basis: Basis
    ) -> None:
        line = a_line(net=net, tax=net * 21 // 100, ordered=ordered, shipped=min(shipped, ordered))
        parts = due(a_sale(line), basis).invoice
        billed = tuple(
            Earlier(document_id=1, type=DocumentType.INVOICE, preceding_id=None, line_no=1,
                    quantity=part.quantity, counted=part.counted, amounts=part.amounts,
                    rate_ppm=rate_of(a_sale(line), line))
            for part in parts
        )  # fmt: skip
        again = due(a_sale(line, earlier=billed), basis)
        assert (again.invoice, again.credits) == ((), ())


class TestRate:
    @pytest.mark.parametrize(
        ("country", "net", "tax", "rate"),
        [
            ("NL", 826, 174, 210_000), ("NL", 917, 83, 90_000), ("DE", 840, 160, 190_000),
            ("FR", 10_000, 210, 21_000), ("FR", 10_000, 550, 55_000), ("FI", 1000, 255, 255_000),
            ("NL", 1000, 0, 0), ("NL", 1000, 130, 130_000), ("US", 10_000, 825, 82_500),
            ("XX", 3000, 251, 83_700),
        ],
    )  # fmt: skip
    def test_is_that_of_its_country_which_makes_its_tax(
        self, country: str, net: int, tax: int, rate: int
    ) -> None:
        line = a_line(net=net, tax=tax)
        assert rate_of(a_sale(line, destination=country), line) == rate

    def test_of_a_gift_is_that_of_what_it_comes_with(self) -> None:
        gift = a_line(net=0, tax=0, line_no=2)
        assert rate_of(a_sale(a_line(), gift), gift) == 210_000


class TestCategory:
    @pytest.mark.parametrize(
        ("seller", "to", "vat_id", "rate", "category", "remark"),
        [
            ("NL", "NL", None, 210_000, Category.STANDARD, None),
            ("NL", "DE", None, 190_000, Category.STANDARD, Remark.ONE_STOP_SHOP),
            ("NL", "DE", "DE1", 190_000, Category.STANDARD, None),
            ("NL", "DE", "DE1", 0, Category.INTRA_COMMUNITY, Remark.INTRA_COMMUNITY),
            ("NL", "NL", "NL1", 0, Category.REVERSE_CHARGE, Remark.REVERSE_CHARGE),
            ("NL", "NL", None, 0, Category.ZERO, None),
            ("NL", "GB", "GB1", 0, Category.EXPORT, Remark.EXPORT),
            ("NL", "GB", None, 200_000, Category.STANDARD, None),
            ("GB", "US", "X1", 0, Category.ZERO, None),
        ],
    )  # fmt: skip
    def test_says_why_a_line_is_taxed_as_it_is(
        self, seller: str, to: str, vat_id: str | None, rate: int, category: Category,
        remark: Remark | None,
    ) -> None:  # fmt: skip
        sale = a_sale(destination=to, buyer=Party(name="Ada", vat_id=vat_id))
        assert category_of(sale, seller, rate) is category
        line = _billed(category, rate)
        assert remarks_of(sale, seller, [line]) == ((remark,) if remark else ())


def _billed(category: Category, rate_ppm: int) -> Any:
    return BilledLine(
        line_no=1, sku="PEN", title="Pen", quantity=1, counted=1, discount_minor=0,
        net_minor=1000, tax_minor=0, rate_ppm=rate_ppm, category=category,
    )  # fmt: skip
