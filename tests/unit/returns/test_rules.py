"""The rules of returns: until when, how many, and what is done with what came."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from oms.returns.model import Condition, Disposition, Inspected, ReturnReason
from oms.returns.rules import (
    BadReturnPolicy,
    FinalSale,
    LineFacts,
    Policy,
    QuantityExceedsReturnable,
    WindowExpired,
    fee_of,
    refuse,
    returnable,
    shipping_back,
)
from tests.builders import NOW

ZONE = "Europe/Amsterdam"
FACTS = LineFacts(
    line_no=1, product_id=1, sku="PEN", title="Pen", product_type="office", category=None,
    quantity=3, canceled=0, shipped=3, returned=0, in_returns=0, net_minor=2480, tax_minor=520,
    shared=0, shipped_at=NOW, delivered_at=None, is_handed_over=False,
)  # fmt: skip


class TestWindow:
    @pytest.mark.parametrize(
        ("facts", "until"),
        [
            ({}, datetime(2026, 2, 9, 23, tzinfo=UTC)),
            ({"delivered_at": datetime(2026, 1, 7, 9, tzinfo=UTC)},
             datetime(2026, 2, 6, 23, tzinfo=UTC)),
            ({"is_handed_over": True}, datetime(2026, 2, 4, 23, tzinfo=UTC)),
            # The clocks go forward in between, and what arrives late in the evening in UTC
            # arrives on the next day there.
            ({"delivered_at": datetime(2026, 3, 9, 23, 30, tzinfo=UTC)},
             datetime(2026, 4, 9, 22, tzinfo=UTC)),
            ({"shipped_at": None}, None),
        ],
    )  # fmt: skip
    def test_ends_with_a_day_of_the_channel(
        self, facts: dict[str, object], until: datetime | None
    ) -> None:
        found = returnable(replace(FACTS, **facts), Policy(), time_zone=ZONE, at=NOW)
        assert found.until == until

    def test_is_open_to_its_last_moment(self) -> None:
        end = datetime(2026, 2, 9, 23, tzinfo=UTC)
        for at, kinds in ((end.replace(hour=22, minute=59), []), (end, [WindowExpired])):
            found = returnable(FACTS, Policy(), time_zone=ZONE, at=at)
            assert [type(each) for each in found.refusals] == kinds


class TestRefuse:
    def test_sets_aside_time_and_kind_and_never_how_many(self) -> None:
        policy = Policy(window_days=0, shipment_days=0, final_sale_skus=frozenset({"PEN"}))
        found = returnable(FACTS, policy, time_zone=ZONE, at=datetime(2026, 2, 1, tzinfo=UTC))
        assert {type(each) for each in found.refusals} == {WindowExpired, FinalSale}
        refuse(found, 3, is_overridden=True)
        with pytest.raises(QuantityExceedsReturnable) as raised:
            refuse(found, 4, is_overridden=True)
        assert raised.value.facts == {"line_no": 1, "max": 3}
        with pytest.raises(WindowExpired):
            refuse(found, 1, is_overridden=False)


class TestMoney:
    @given(st.integers(0, 10**9), st.integers(0, 10**9), st.integers(1, 50), st.data())
    def test_of_what_is_left_is_what_was_paid_less_what_went(
        self, net: int, tax: int, units: int, data: st.DataObject
    ) -> None:
        gone = data.draw(st.integers(0, units))
        facts = replace(
            FACTS, quantity=units, shipped=units, net_minor=net, tax_minor=tax, returned=gone,
            shared=gone,
        )  # fmt: skip
        whole = replace(facts, returned=0, shared=0)
        left, all_of_it = (
            returnable(each, Policy(), time_zone=ZONE, at=NOW) for each in (facts, whole)
        )
        assert (all_of_it.net_minor, all_of_it.tax_minor) == (net, tax)
        assert left.quantity == units - gone
        for part, full in ((left.net_minor, net), (left.tax_minor, tax)):
            assert abs(part * units - full * (units - gone)) <= units * (units - gone)

    def test_is_kept_only_where_the_customer_chose_so(self) -> None:
        policy = Policy(fee_minor={"EUR": 250})
        chosen, broken = ReturnReason.TOO_SMALL, ReturnReason.DEFECTIVE
        assert fee_of(policy, "EUR", [chosen]) == 250
        assert fee_of(policy, "EUR", [chosen, broken]) == 0
        assert fee_of(policy, "JPY", [chosen]) == 0


class TestShippingBack:
    """Of 10.00 with 1.74 of tax, where the common delivery costs 4.95."""

    @pytest.mark.parametrize(
        ("policy", "currency", "reason", "back"),
        [
            ("full_return", "EUR", "too_small", (826, 174)), ("never", "EUR", "defective", (0, 0)),
            ("standard", "EUR", "too_small", (409, 86)),
            ("standard", "EUR", "defective", (826, 174)),
            ("standard", "JPY", "too_small", (826, 174)),
        ],
    )  # fmt: skip
    def test_is_what_the_policy_says(
        self, policy: str, currency: str, reason: str, back: tuple[int, int]
    ) -> None:
        said = Policy.of({"refunds_shipping": policy, "standard_shipping_minor": {"EUR": 495}})
        assert shipping_back(said, currency, 826, 174, [ReturnReason(reason)]) == back

    def test_is_no_more_than_was_paid(self) -> None:
        said = Policy.of({"refunds_shipping": "standard", "standard_shipping_minor": {"EUR": 495}})
        chosen = [ReturnReason.TOO_SMALL]
        assert shipping_back(said, "EUR", 200, 42, chosen) == (200, 42)
        assert shipping_back(said, "EUR", 0, 0, chosen) == (0, 0)


class TestPolicy:
    def test_takes_the_first_rule_that_fits(self) -> None:
        policy = Policy.of({"inspection": [
            {"then": "reject", "conditions": ["D"]},
            {"then": "manual", "reasons": ["gift"]},
            {"then": "accept", "unit_minor_max": 1000},
        ]})  # fmt: skip

        def outcome(condition: str, reason: str, unit_minor: int) -> str:
            found = Inspected(
                line_no=1, quantity=1, condition=Condition(condition),
                disposition=Disposition.RESTOCK,
            )  # fmt: skip
            return policy.outcome(found, ReturnReason(reason), unit_minor)

        assert outcome("D", "gift", 1) == "reject"
        assert outcome("A", "gift", 1) == "manual"
        assert outcome("A", "late", 1000) == "accept"
        assert outcome("A", "late", 1001) == "manual"

    @pytest.mark.parametrize(
        ("written", "place"),
        [
            ({"window": 3}, "return_policy.window"),
            ({"window_days": -1}, "return_policy.window_days"),
            ({"inspection": [{"then": "burn"}]}, "return_policy.inspection.0.then"),
        ],
    )
    def test_says_what_is_wrong_where(self, written: dict[str, object], place: str) -> None:
        with pytest.raises(BadReturnPolicy, match=place):
            Policy.of(written)
