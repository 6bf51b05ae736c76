"""What comes back to locations over HTTP: told by a WMS, brought to a store, nobody's so far."""

from typing import Any

import pytest

from tests.api.conftest import House
from tests.api.returning import (
    a_basket,
    a_receipt,
    ask,
    hand_over,
    notice,
    policy,
    reach,
    sent,
)
from tests.api.wire import a_receipt as a_till_receipt
from tests.builders import Draft, a_change, a_partial

RULES = [
    {"then": "reject", "conditions": ["D"], "reasons": ["too_small"]},
    {"then": "accept", "conditions": ["A"], "unit_minor_max": 2000},
]


def order(house: House, number: str) -> Any:
    return house.get(f"/v1/orders/{number}").json()


class TestWarehouse:
    def test_what_comes_as_it_left_is_accepted_by_the_rules(self, stocked: House) -> None:
        policy(stocked, inspection=RULES)
        made = reach(stocked, "approved")
        before = stocked.shop.shelf("DC").on_hand
        (taken,) = notice(stocked, a_receipt(return_number=made["return_number"]))
        assert (taken["outcome"], taken["state"]) == ("received", "resolved")
        now = stocked.get(f"/v1/returns/{made['return_number']}").json()
        assert (now["owed"]["amount"], now["lines"][0]["accepted"]) == ("20.00", 2)
        assert stocked.shop.shelf("DC").on_hand == before + 2
        events = order(stocked, made["order_number"])["events"]
        assert [each["type"] for each in events if each["entity"] == "return"][-3:] == [
            "return.received", "return.inspected", "return.accepted",
        ]  # fmt: skip

    @pytest.mark.parametrize(
        ("condition", "state", "accepted", "rejected"),
        [("A", "resolved", 2, 0), ("D", "completed", 0, 2), ("B", "inspected", 0, 0)],
    )
    def test_the_rules_accept_reject_or_leave_it(
        self, stocked: House, condition: str, state: str, accepted: int, rejected: int
    ) -> None:
        policy(stocked, inspection=RULES)
        made = reach(stocked, "approved")
        number = made["return_number"]
        notice(stocked, a_receipt(return_number=number, line={"condition": condition}))
        now = stocked.get(f"/v1/returns/{number}").json()
        (line,) = now["lines"]
        assert (now["state"], line["accepted"], line["rejected"]) == (state, accepted, rejected)

    def test_what_is_dear_or_odd_or_late_waits_for_a_person(self, stocked: House) -> None:
        late = reach(stocked, "expired", "W-3")["return_number"]
        dear = reach(stocked, "approved", "W-1")["return_number"]
        over = reach(stocked, "approved", "W-2")["return_number"]
        policy(stocked, inspection=[RULES[1] | {"unit_minor_max": 999}])
        notice(stocked, a_receipt("w-1", return_number=dear))
        policy(stocked, inspection=RULES)
        notice(
            stocked, a_receipt("w-2", 3, return_number=over), a_receipt("w-3", return_number=late)
        )
        found = [stocked.get(f"/v1/returns/{each}").json() for each in (dear, over, late)]
        assert [each["state"] for each in found] == ["inspected", "received", "received"]
        assert [each["is_after_expiry"] for each in found] == [False, False, True]
        told = order(stocked, found[2]["order_number"])["events"][-1]
        assert (told["type"], told["data"]["is_after_expiry"]) == ("return.received", True)

    def test_a_receipt_is_taken_in_once(self, stocked: House) -> None:
        policy(stocked, inspection=RULES)
        number = reach(stocked, "approved")["return_number"]
        told = a_receipt(return_number=number)
        outcomes = [each["outcome"] for each in notice(stocked, told, told)]
        assert outcomes == ["received", "duplicate"]
        assert notice(stocked, told)[0]["return_numbers"] == [number]
        (other,) = notice(stocked, a_receipt(quantity=1, return_number=number))
        assert (other["outcome"], other["code"]) == ("refused", "RECEIPT_DIFFERS")
        assert stocked.shop.value(
            "select count(*) from stock_movements where cause_type = 'return'"
        ) == 1  # fmt: skip

    def test_without_a_number_it_is_found_by_order_and_sku(self, stocked: House) -> None:
        made = reach(stocked, "approved")
        (taken,) = notice(stocked, a_receipt(order_number="#W-1"))
        assert taken["return_numbers"] == [made["return_number"]]

    def test_without_a_return_one_is_opened(self, stocked: House) -> None:
        number = sent(stocked)
        (taken,) = notice(stocked, a_receipt(quantity=5, order_number=number))
        made = stocked.get(f"/v1/returns/{taken['return_numbers'][0]}").json()
        assert (made["kind"], made["state"]) == ("wms", "received")
        assert [each["state"] for each in made["receipts"]] == ["taken", "over"]
        assert made["lines"][0]["expected"] == 3

    def test_by_its_parcel(self, stocked: House) -> None:
        made = reach(stocked, "in_transit")
        (taken,) = notice(stocked, a_receipt(tracking_number="T1"))
        assert taken["return_numbers"] == [made["return_number"]]

    def test_a_bad_one_keeps_nothing_from_the_others(self, stocked: House) -> None:
        number = reach(stocked, "approved")["return_number"]
        found = notice(
            stocked,
            a_receipt("w-1", location_code="NOWHERE"),
            a_receipt("w-2", location_code="AMS"),
            a_receipt("w-3", received_at="2026-01-05T12:00:01Z"),
            a_receipt("w-4", return_number="RMA1"),
            a_receipt("w-5", return_number=number),
        )
        assert [(each["outcome"], each["code"]) for each in found] == [
            ("refused", "UNKNOWN_LOCATION"), ("refused", "OTHER_LOCATION"),
            ("refused", "RECEIVED_IN_FUTURE"), ("unidentified", "RETURN_NOT_FOUND"),
            ("received", None),
        ]  # fmt: skip


class TestUnidentified:
    def test_waits_with_candidates_until_somebody_says_whose_it_is(self, stocked: House) -> None:
        made = reach(stocked, "approved")
        notice(stocked, a_receipt(), a_receipt("w-2", line={"sku": "ODD"}))
        items = stocked.get("/v1/returns/unidentified", "store").json()["items"]
        assert [(each["sku"], each["candidates"], each["reason"]) for each in items] == [
            ("PEN", [made["return_number"]], "RETURN_NOT_FOUND"), ("ODD", [], "RETURN_NOT_FOUND"),
        ]  # fmt: skip
        assert stocked.get("/v1/returns/unidentified?location=AMS").json()["items"] == []
        path = f"/v1/returns/unidentified/{items[0]['unidentified_id']}/assign"
        body = {"return_number": made["return_number"]}
        answer = stocked.post(path, body, "DC", once="assign")
        assert (answer.status_code, answer.json()["state"]) == (200, "inspected")
        again = stocked.post(path, body, "DC", once="again")
        assert (again.status_code, again.json()["code"]) == (404, "UNIDENTIFIED_NOT_FOUND")
        assert len(stocked.get("/v1/returns/unidentified").json()["items"]) == 1

    def test_may_be_an_orders_without_a_return(self, stocked: House) -> None:
        notice(stocked, a_receipt())
        (item,) = stocked.get("/v1/returns/unidentified").json()["items"]
        path = f"/v1/returns/unidentified/{item['unidentified_id']}/assign"
        body = {"order_number": sent(stocked)}
        made = stocked.post(path, body, once="assign").json()
        assert (made["kind"], made["lines"][0]["received"]) == ("wms", 2)
        for wrong in ({}, body | {"return_number": made["return_number"]}):
            assert stocked.post(path, wrong, once=f"k{len(wrong)}").status_code == 422

    def test_what_a_closed_return_gets_is_nobodys(self, stocked: House) -> None:
        number = reach(stocked, "canceled")["return_number"]
        (taken,) = notice(stocked, a_receipt(return_number=number))
        assert (taken["outcome"], taken["code"]) == ("unidentified", "WRONG_STATE")
        (item,) = stocked.get("/v1/returns/unidentified").json()["items"]
        assert (item["return_ref"], item["quantity"]) == (number, 2)


class TestStore:
    def test_takes_back_goods_of_several_orders_at_once(self, stocked: House) -> None:
        web = sent(stocked)
        till = stocked.order(a_till_receipt("T-9")).json()["order_number"]
        before = stocked.shop.shelf("UTR").on_hand
        answer = hand_over(stocked, a_basket(web, 2), a_basket(till), at="UTR")
        assert answer.status_code == 201, answer.text
        made = answer.json()["returns"]
        assert [(each["kind"], each["state"], each["owed"]["amount"]) for each in made] == [
            ("store", "resolved", "20.00"), ("store", "resolved", "10.00"),
        ]  # fmt: skip
        assert stocked.shop.shelf("UTR").on_hand == before + 3
        assert order(stocked, till)["fulfillment_state"] == "returned"
        types = [each["type"] for each in order(stocked, web)["events"]]
        assert types[-4:] == [
            "return.received", "return.inspected", "order.returned", "return.accepted",
        ]  # fmt: skip

    def test_why_a_number_is_what_it_is_names_the_return(self, stocked: House) -> None:
        (made,) = hand_over(stocked, a_basket(sent(stocked))).json()["returns"]

        def newest(key: str) -> Any:
            return stocked.get("/v1/stock/movements?sku=PEN&limit=1", key).json()["items"][0]

        found = newest("admin")
        assert (found["kind"], found["cause_type"]) == ("return_restock", "return")
        assert (found["cause"], found["order_number"]) == (
            made["return_number"], made["order_number"],
        )  # fmt: skip
        assert (newest("market")["cause"], newest("market")["order_number"]) == (None, None)

    def test_all_or_nothing(self, stocked: House) -> None:
        web = sent(stocked)
        answer = hand_over(stocked, a_basket(web, 2), a_basket(web, 2))
        assert (answer.status_code, answer.json()["code"]) == (409, "QTY_EXCEEDS_RETURNABLE")
        assert answer.json()["max"] == 1
        assert stocked.count("returns") == 0
        assert order(stocked, web)["lines"][0]["returned"] == 0

    def test_puts_away_by_disposition(self, stocked: House) -> None:
        web = sent(stocked)
        hand_over(stocked, a_basket(web, line={"condition": "D"}))
        assert stocked.shop.shelf("AMS").on_hand == 0
        hand_over(stocked, a_basket(web, line={"condition": "D", "disposition": "refurbish"}))
        levels = stocked.shop.rows("select on_hand, unavailable from stock_levels join locations"
                                   " using (location_id) where location_code = 'AMS'")  # fmt: skip
        assert levels == [(1, 1)]

    def test_only_its_own_and_only_where_there_is_one(self, stocked: House) -> None:
        web = sent(stocked)
        for at, key, status, code in (
            ("AMS", "DC", 403, "OTHER_LOCATION"), ("NOWHERE", "store", 404, "UNKNOWN_LOCATION"),
            ("AMS", "web", 403, "SCOPE_MISSING"),
        ):  # fmt: skip
            answer = hand_over(stocked, a_basket(web), at=at, key=key)
            assert (answer.status_code, answer.json()["code"]) == (status, code)
        late = sent(stocked, "W-2", at="2025-11-01T12:00:00Z", placed_at="2025-11-01T12:00:00Z")
        refused = hand_over(stocked, a_basket(late))
        assert refused.json()["code"] == "WINDOW_EXPIRED"
        manager = hand_over(stocked, a_basket(late, override_reason="regular"), key="agent")
        assert manager.json()["returns"][0]["override_reason"] == "regular"


class TestChannel:
    """A channel that tells of the same return by itself is not counted twice."""

    def test_of_what_we_accepted(self, stocked: House) -> None:
        number = sent(stocked)
        hand_over(stocked, a_basket(number, 2))
        stocked.shop.take(self.partial(2, "c-1", total_minor=1500))
        now = order(stocked, number)
        assert now["lines"][0]["returned"] == 2
        assert stocked.shop.kept() == (826, 174), "what was owed for the two stays theirs"
        stocked.shop.take(self.partial(2, "c-1", total_minor=1500))
        stocked.shop.take(self.partial(1, "c-2"))
        assert order(stocked, number)["lines"][0]["returned"] == 3
        assert stocked.shop.shelf("DC").on_hand + stocked.shop.shelf("AMS").on_hand == 10

    def test_first_then_nothing_is_owed_for_it(self, stocked: House) -> None:
        number = sent(stocked)
        made = ask(stocked, number, 3).json()
        stocked.shop.take(self.partial(2, "c-1", restock=False))
        policy(stocked, inspection=RULES)
        stocked.post(
            f"/v1/returns/{made['return_number']}/actions", {"action": "approve"}, once="approve",
            headers={"If-Match": "1"},
        )  # fmt: skip
        notice(stocked, a_receipt(quantity=3, return_number=made["return_number"]))
        done = stocked.get(f"/v1/returns/{made['return_number']}").json()
        assert (done["decisions"][0]["told_before"], done["owed"]["amount"]) == (2, "10.00")
        assert order(stocked, number)["lines"][0]["returned"] == 3

    @staticmethod
    def partial(quantity: int, ref: str, **columns: Any) -> Draft:
        columns = {"restock": True, "location_code": "DC", **columns}
        return a_partial("W-1", a_change("return", quantity, ref=ref, **columns))
