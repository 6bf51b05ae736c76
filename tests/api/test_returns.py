"""Returns over HTTP: by the channel's rules, step by step, and what is owed in the end."""

from typing import Any, get_args

import pytest

from api.schemas.returns import Deed
from tests.api.conftest import House
from tests.api.returning import SAID, WAYS, a_ship, act, ask, policy, reach, sent
from tests.api.wire import a_line, an_order

OLD = "2025-11-01T12:00:00Z"


def code_of(answer: Any) -> tuple[int, str]:
    return answer.status_code, answer.json()["code"]


class TestReturnable:
    def test_says_how_much_until_when_and_what_for(self, stocked: House) -> None:
        number = sent(stocked)
        (line,) = stocked.get(f"/v1/orders/{number}/returnable").json()["lines"]
        assert (line["quantity"], line["shipped"], line["refusals"]) == (3, 3, [])
        assert (line["net"]["amount"], line["tax"]["amount"]) == ("24.80", "5.20")
        # 30 days and five on the way, to the end of the day in Amsterdam.
        assert line["until"] == "2026-02-09T23:00:00Z"
        ask(stocked, number)
        (line,) = stocked.get(f"/v1/orders/{number}/returnable").json()["lines"]
        assert (line["quantity"], line["in_returns"]) == (1, 2)

    def test_counts_from_delivery_where_it_is_handed_over(self, stocked: House) -> None:
        number = sent(stocked, fulfillment_method="carry_out", location_code="AMS")
        (line,) = stocked.get(f"/v1/orders/{number}/returnable").json()["lines"]
        assert line["until"] == "2026-02-04T23:00:00Z"

    def test_another_channels_order_is_not_there(self, stocked: House) -> None:
        number = sent(stocked)
        path = f"/v1/orders/{number}/return"
        assert code_of(stocked.get(f"{path}able", "market")) == (404, "ORDER_NOT_FOUND")
        assert code_of(ask(stocked, number, key="market")) == (404, "ORDER_NOT_FOUND")


class TestRequest:
    def test_waits_for_somebody_to_approve(self, stocked: House) -> None:
        number = sent(stocked)
        answer = ask(stocked, number, key="web", note="Too small for Ada.")
        made = answer.json()
        assert (answer.status_code, made["state"], made["location_code"]) == (
            201, "requested", "DC",
        )  # fmt: skip
        assert made["allowed_actions"] == ["approve", "cancel", "decline"]
        assert stocked.get(answer.headers["location"], "store").json() == made
        refused = act(stocked, made, "approve", "web")
        assert code_of(refused) == (403, "SCOPE_MISSING")
        assert act(stocked, made, "cancel", "web").json()["state"] == "canceled"
        order = stocked.get(f"/v1/orders/{number}").json()
        steps = [
            (each["type"], each["entity_id"], each["to_state"])
            for each in order["events"] if each["entity"] == "return"
        ]  # fmt: skip
        assert steps == [
            ("return.requested", made["return_number"], "requested"),
            ("return.canceled", made["return_number"], "canceled"),
        ]

    def test_is_approved_at_once_where_the_channel_has_it_so(self, stocked: House) -> None:
        policy(stocked, approval="auto", expires_days=10, location="AMS")
        made = ask(stocked, sent(stocked)).json()
        assert (made["state"], made["location_code"]) == ("approved", "AMS")
        assert made["expires_at"] == "2026-01-15T12:00:00Z"

    @pytest.mark.parametrize(
        ("order", "written", "quantity", "code"),
        [
            ({"changes": []}, {}, 1, "NOT_SHIPPED"),
            ({}, {}, 4, "QTY_EXCEEDS_RETURNABLE"),
            ({"changes": [a_ship(3, OLD)]}, {}, 1, "WINDOW_EXPIRED"),
            ({}, {"final_sale_skus": ["PEN"]}, 1, "FINAL_SALE"),
            ({}, {"final_sale_types": ["office"]}, 1, "FINAL_SALE"),
        ],
    )
    def test_is_refused_by_the_rules(
        self, stocked: House, order: dict[str, Any], written: dict[str, Any], quantity: int,
        code: str,
    ) -> None:  # fmt: skip
        policy(stocked, **written)
        lines = [a_line(quantity=3)]
        body = an_order(lines=lines, **{"changes": [a_ship(3)], "placed_at": OLD, **order})
        number = stocked.order(body).json()["order_number"]
        answer = ask(stocked, number, quantity)
        assert code_of(answer) == (409, code)
        assert answer.json()["line_no"] == 1
        assert stocked.count("returns") == 0
        told = stocked.get(f"/v1/orders/{number}").json()["events"][-1]
        assert (told["type"], told["data"]["code"]) == ("command.refused", code)
        # A person with a reason may set time and kind aside, and nothing else.
        by_hand = ask(stocked, number, quantity, override_reason="Kulanz")
        if code in {"WINDOW_EXPIRED", "FINAL_SALE"}:
            assert (by_hand.status_code, by_hand.json()["state"]) == (201, "approved")
            store = ask(stocked, number, quantity, key="store", override_reason="please")
            assert (code_of(store), store.json()["scope"]) == (
                (403, "SCOPE_MISSING"), "returns:override",
            )  # fmt: skip
        else:
            assert code_of(by_hand) == (409, code)

    def test_says_how_much_is_left(self, stocked: House) -> None:
        number = sent(stocked)
        ask(stocked, number, 2)
        assert ask(stocked, number, 2).json()["max"] == 1
        ask(stocked, number, 1)
        assert code_of(ask(stocked, number, 1)) == (409, "ALREADY_RETURNED")

    def test_of_a_line_there_is_not_or_a_place_neither(self, stocked: House) -> None:
        number = sent(stocked)
        assert code_of(ask(stocked, number, line={"line_no": 9})) == (404, "ORDER_NOT_FOUND")
        assert code_of(ask(stocked, number, location_code="X")) == (404, "UNKNOWN_LOCATION")
        assert ask(stocked, number, line={"quantity": 0}).status_code == 422
        assert stocked.count("returns") == 0

    def test_what_was_declined_or_rejected_may_be_asked_for_again(self, stocked: House) -> None:
        declined = reach(stocked, "declined")
        number = declined["order_number"]
        made = ask(stocked, number, 3).json()
        for deed in ("approve", "receive"):
            made = act(stocked, made, deed, **SAID[deed]).json()
        units = [{"line_no": 1, "quantity": 3, "condition": "C", "disposition": "send_back"}]
        made = act(stocked, made, "inspect", inspected=units).json()
        made = act(stocked, made, "reject", reason="worn").json()
        assert (made["state"], made["owed"]["amount"]) == ("completed", "0.00")
        assert ask(stocked, number, 3).status_code == 201


class TestWhatItIsFor:
    @pytest.mark.parametrize("resolution", ["exchange", "replace", "store_credit"])
    def test_is_nothing_that_nobody_would_give(self, stocked: House, resolution: str) -> None:
        answer = ask(stocked, sent(stocked), line={"resolution": resolution})
        assert code_of(answer) == (422, "RESOLUTION_NOT_OFFERED")
        assert answer.json()["offered"] == ["none", "refund"]
        assert stocked.count("returns") == 0


class TestPaidByItsChannel:
    def test_is_completed_by_a_person_who_says_how_it_was_paid(self, stocked: House) -> None:
        made = reach(stocked, "resolved")
        assert (made["is_paid_here"], made["allowed_actions"]) == (False, ["complete"])
        assert code_of(act(stocked, made, "complete")) == (422, "REASON_NEEDED")
        done = act(stocked, made, "complete", reason="the shop has refunded it").json()
        assert (done["state"], done["allowed_actions"]) == ("completed", [])
        assert done["reason"] == "the shop has refunded it"
        events = stocked.get(f"/v1/orders/{made['order_number']}").json()["events"]
        told = {each["type"]: each["data"] for each in events}
        assert told["return.accepted"]["paid_by"] == "channel"
        assert told["return.completed"]["reason"] == "the shop has refunded it"


class TestTable:
    """Every state by every deed: done, or refused without side effect."""

    @pytest.mark.parametrize("state", list(WAYS))
    def test_what_is_not_allowed_is_409_and_says_what_is(self, stocked: House, state: str) -> None:
        made = reach(stocked, state)
        before = stocked.get(f"/v1/orders/{made['order_number']}").json()
        for deed in set(get_args(Deed)) - set(made["allowed_actions"]):
            said = SAID[deed] | ({"receipt_id": "r-other"} if deed == "receive" else {})
            answer = act(stocked, made, deed, **said)
            codes = {"WRONG_STATE"}
            if deed == "cancel" and made["receipts"]:
                codes = {"GOODS_RECEIVED"}
            elif state == "expired":
                codes = {"RMA_EXPIRED"}
            assert answer.status_code == 409, answer.text
            assert {answer.json()["code"]} == codes
            assert answer.json()["allowed_actions"] == made["allowed_actions"]
        assert stocked.get(f"/v1/returns/{made['return_number']}").json() == made
        assert stocked.get(f"/v1/orders/{made['order_number']}").json() == before

    @pytest.mark.parametrize(
        ("state", "deed"),
        [
            ("requested", "approve"), ("requested", "decline"), ("requested", "cancel"),
            ("approved", "ship"), ("approved", "receive"), ("approved", "cancel"),
            ("in_transit", "receive"), ("partially_received", "receive"), ("received", "inspect"),
            ("inspected", "accept"), ("inspected", "reject"), ("expired", "receive"),
            ("resolved", "complete"),
        ],
    )  # fmt: skip
    def test_what_is_allowed_is_done(self, stocked: House, state: str, deed: str) -> None:
        made = reach(stocked, state)
        assert deed in made["allowed_actions"]
        answer = act(stocked, made, deed, **SAID[deed])
        assert answer.status_code == 200, answer.text
        assert answer.json()["version"] > made["version"]
        assert answer.headers["etag"] == f'"{answer.json()["version"]}"'

    def test_over_is_over_written_down_or_not(self, stocked: House) -> None:
        made = reach(stocked, "approved")
        with stocked.system.ledger.transaction() as tx:
            tx.exec_driver_sql("update returns set expires_at = '2026-01-05T11:59:59Z'")
        assert code_of(act(stocked, made, "ship", **SAID["ship"])) == (409, "RMA_EXPIRED")
        came = [{"line_no": 1, "quantity": 2, "condition": "A"}]
        late = act(stocked, made, "receive", receipt_id="r", received=came).json()
        assert (late["state"], late["is_after_expiry"]) == ("received", True)

    def test_who_has_seen_nothing_or_an_older_one_changes_nothing(self, stocked: House) -> None:
        made = reach(stocked, "requested")
        path = f"/v1/returns/{made['return_number']}/actions"
        unseen = stocked.post(path, {"action": "approve"}, "agent", once="unseen")
        assert code_of(unseen) == (428, "VERSION_NEEDED")
        act(stocked, made, "approve")
        assert code_of(act(stocked, made, "cancel")) == (412, "VERSION_CONFLICT")
        keyless = stocked.post(path, {"action": "cancel"}, "agent", headers={"If-Match": "2"})
        assert code_of(keyless) == (400, "IDEMPOTENCY_KEY_MISSING")


class TestGoods:
    def test_come_back_are_put_away_and_owed_for(self, stocked: House) -> None:
        policy(stocked, fee_minor={"EUR": 250})
        made = reach(stocked, "inspected")
        before = stocked.shop.shelf("DC").on_hand
        done = act(stocked, made, "accept").json()
        assert (done["state"], done["owed"]["amount"]) == ("resolved", "17.50")
        (decision,) = done["decisions"]
        assert [decision[name]["amount"] for name in ("goods_net", "goods_tax", "fee")] == [
            "16.54", "3.46", "2.50",
        ]  # fmt: skip
        assert stocked.shop.shelf("DC").on_hand == before, "it was put away when it was looked at"
        order = stocked.get(f"/v1/orders/{made['order_number']}").json()
        assert (order["fulfillment_state"], order["lines"][0]["returned"]) == (
            "partially_returned", 2,
        )  # fmt: skip
        accepted = next(each for each in order["events"] if each["type"] == "return.accepted")
        assert accepted["data"]["lines"] == [
            {
                "line_no": 1, "quantity": 2, "told_before": 0, "goods_net_minor": 1654,
                "goods_tax_minor": 346, "shipping_net_minor": 0, "shipping_tax_minor": 0,
                "fee_minor": 250, "resolution": "refund",
            }
        ]  # fmt: skip
        assert accepted["to_state"] == "resolved"
        assert order["returns"] == [done]

    @pytest.mark.parametrize(
        ("disposition", "on_hand", "unavailable"),
        [
            ("restock", 2, 0), ("regrade", 2, 2), ("outlet", 2, 2), ("refurbish", 2, 2),
            ("return_to_vendor", 2, 2), ("scrap", 0, 0), ("send_back", 0, 0),
        ],
    )  # fmt: skip
    def test_move_stock_by_their_disposition_where_they_came(
        self, stocked: House, disposition: str, on_hand: int, unavailable: int
    ) -> None:
        made = reach(stocked, "approved")
        at_center = stocked.shop.shelf("DC")
        made = act(stocked, made, "receive", receipt_id="r", location_code="UTR").json()
        units = [{"line_no": 1, "quantity": 2, "condition": "B", "disposition": disposition}]
        act(stocked, made, "inspect", inspected=units)
        assert stocked.shop.shelf("DC") == at_center
        levels = stocked.shop.rows(
            "select on_hand, unavailable from stock_levels join locations using (location_id)"
            " where location_code = 'UTR'"
        )
        assert levels == ([(on_hand, unavailable)] if on_hand else [])

    def test_serve_who_waits_for_them(self, stocked: House) -> None:
        made = reach(stocked, "received")
        waiting = an_order("W-2", lines=[a_line(quantity=8)], allow_backorder=True)
        number = stocked.order(waiting).json()["order_number"]
        (line,) = stocked.get(f"/v1/orders/{number}").json()["lines"]
        assert line["backordered"] == 1
        act(stocked, made, "inspect", **SAID["inspect"])
        (line,) = stocked.get(f"/v1/orders/{number}").json()["lines"]
        assert line["backordered"] == 0

    def test_in_any_parts_are_owed_for_to_the_cent(self, stocked: House) -> None:
        body = an_order(
            lines=[a_line(quantity=3, total="10.00", tax="1.74")], changes=[a_ship(3)],
            shipping_net="4.09", shipping_tax="0.86",
        )  # fmt: skip
        number = stocked.order(body).json()["order_number"]
        owed = []
        for nth in range(3):
            made = ask(stocked, number, 1).json()
            made = act(stocked, made, "approve").json()
            made = act(stocked, made, "receive", receipt_id=f"r{nth}").json()
            units = [{"line_no": 1, "quantity": 1, "condition": "D", "disposition": "scrap"}]
            made = act(stocked, made, "inspect", inspected=units).json()
            made = act(stocked, made, "accept").json()
            owed.append(made["owed"]["amount"])
        assert owed == ["3.33", "3.33", "8.29"], "shipping comes with the last of it, once"
        order = stocked.get(f"/v1/orders/{number}").json()
        assert order["fulfillment_state"] == "returned"

    def test_the_seller_is_at_fault_for_cost_no_fee(self, stocked: House) -> None:
        policy(stocked, fee_minor={"EUR": 250})
        made = ask(stocked, sent(stocked), line={"reason": "defective"}).json()
        for deed in ("approve", "receive", "inspect", "accept"):
            made = act(stocked, made, deed, **SAID[deed]).json()
        assert made["owed"]["amount"] == "20.00"

    def test_cost_the_fee_once_however_they_are_judged(self, stocked: House) -> None:
        policy(stocked, fee_minor={"EUR": 1250})
        made = reach(stocked, "inspected")
        one = {"decided": [{"line_no": 1, "quantity": 1}]}
        for _ in range(2):
            made = act(stocked, made, "accept", **one).json()
        assert [each["fee"]["amount"] for each in made["decisions"]] == ["10.00", "2.50"]
        assert made["owed"]["amount"] == "7.50"

    def test_are_judged_in_parts(self, stocked: House) -> None:
        made = reach(stocked, "received")
        one = [{"line_no": 1, "quantity": 1, "condition": "A", "disposition": "restock"}]
        made = act(stocked, made, "inspect", inspected=one).json()
        assert made["state"] == "received"
        three = [one[0] | {"quantity": 2}]
        assert code_of(act(stocked, made, "inspect", inspected=three)) == (422, "QTY_NOT_OPEN")
        made = act(stocked, made, "inspect", inspected=one).json()
        few = {"decided": [{"line_no": 1, "quantity": 1}]}
        made = act(stocked, made, "accept", **few).json()
        assert made["state"] == "inspected"
        many = {"decided": [{"line_no": 1, "quantity": 2}]}
        assert code_of(act(stocked, made, "reject", reason="x", **many)) == (422, "QTY_NOT_OPEN")
        done = act(stocked, made, "reject", reason="x").json()
        assert (done["state"], done["owed"]["amount"]) == ("resolved", "10.00")

    @pytest.mark.parametrize(
        ("state", "deed", "said", "code"),
        [
            ("requested", "decline", {}, "REASON_NEEDED"),
            ("inspected", "reject", {}, "REASON_NEEDED"),
            ("approved", "receive", {}, "RECEIPT_NEEDED"),
            ("approved", "receive", {"receipt_id": "r", "received": []}, "NOTHING_CAME"),
            ("approved", "receive", {"receipt_id": "r", "received_at": "2026-01-05T12:00:01Z"},
             "RECEIVED_IN_FUTURE"),
            ("approved", "receive", {
                "receipt_id": "r", "received": [{"line_no": 9, "quantity": 1}]}, "QTY_NOT_OPEN"),
            ("received", "inspect", {}, "CONDITION_NEEDED"),
            ("received", "inspect", {"inspected": [
                {"line_no": 1, "quantity": 1, "condition": "E", "disposition": "restock"}]},
             "WRONG_ITEM_KEPT"),
            ("received", "inspect", {"inspected": [
                {"line_no": 9, "quantity": 1, "condition": "A", "disposition": "restock"}]},
             "QTY_NOT_OPEN"),
        ],
    )  # fmt: skip
    def test_what_makes_no_sense_is_said(
        self, stocked: House, state: str, deed: str, said: dict[str, Any], code: str
    ) -> None:
        made = reach(stocked, state)
        assert code_of(act(stocked, made, deed, **said)) == (422, code)
        assert stocked.get(f"/v1/returns/{made['return_number']}").json() == made


class TestLabel:
    def test_is_made_on_approval_and_its_scan_moves_the_return(self, stocked: House) -> None:
        policy(stocked, carrier="sandbox")
        made = act(stocked, ask(stocked, sent(stocked)).json(), "approve").json()
        assert (made["carrier"], made["tracking_number"][:2]) == ("sandbox", "SB")
        assert made["label_ref"] == f"sandbox/{made['tracking_number']}"

        def tell(number: str, status: str) -> str:
            scan = {"tracking_number": number, "status": status, "event_ref": status,
                    "occurred_at": "2026-01-05T12:00:00Z"}  # fmt: skip
            answer = stocked.post("/v1/carriers/sandbox/events", {"events": [scan]}, "carrier")
            found: str = answer.json()["outcomes"][0]["outcome"]
            return found

        def state() -> str:
            found: str = stocked.get(f"/v1/returns/{made['return_number']}").json()["state"]
            return found

        number = made["tracking_number"]
        assert (tell("SB000000000000", "IN_TRANSIT"), state()) == ("unknown_parcel", "approved")
        assert (tell(number, "LABEL_CREATED"), state()) == ("unknown_parcel", "approved")
        assert (tell(number, "IN_TRANSIT"), state()) == ("recorded", "in_transit")
        assert (tell(number, "DELIVERED"), state()) == ("duplicate", "in_transit")

    def test_is_nobodys_who_brings_it(self, stocked: House) -> None:
        policy(stocked, carrier="sandbox", approval="auto")
        assert ask(stocked, sent(stocked), method="in_store").json()["label_ref"] is None
        policy(stocked, carrier="pigeon", approval="auto")
        assert code_of(ask(stocked, sent(stocked, "W-2")))[1] == "UNKNOWN_CARRIER"


class TestReceipts:
    def test_the_same_again_is_nothing_and_another_a_conflict(self, stocked: House) -> None:
        made = reach(stocked, "approved")
        some = {"receipt_id": "r1", "received": [{"line_no": 1, "quantity": 1}]}
        first = act(stocked, made, "receive", **some).json()
        assert first["state"] == "partially_received"
        again = act(stocked, made, "receive", **some)
        assert (again.status_code, again.json()) == (200, first)
        more = some | {"received": [{"line_no": 1, "quantity": 2}]}
        assert code_of(act(stocked, first, "receive", **more)) == (409, "RECEIPT_DIFFERS")
        assert stocked.count("return_receipts") == 1

    def test_what_was_not_announced_stands_beside_it(self, stocked: House) -> None:
        made = reach(stocked, "approved")
        came = [{"line_no": 1, "quantity": 5}, {"sku": "NOTHING", "quantity": 1}]
        made = act(stocked, made, "receive", receipt_id="r", received=came).json()
        assert [(each["state"], each["sku"], each["quantity"]) for each in made["receipts"]] == [
            ("taken", "PEN", 2), ("over", "PEN", 3), ("wrong_item", "NOTHING", 1),
        ]  # fmt: skip
        assert (made["state"], made["lines"][0]["received"]) == ("received", 2)

    def test_what_does_not_come_is_missing_when_somebody_says_so(self, stocked: House) -> None:
        made = reach(stocked, "partially_received")
        closed = {"receipt_id": "r2", "received": [], "is_complete": True}
        made = act(stocked, made, "receive", **closed).json()
        (line,) = made["lines"]
        assert (made["state"], line["received"], line["missing"]) == ("received", 1, 1)
        (left,) = stocked.get(f"/v1/orders/{made['order_number']}/returnable").json()["lines"]
        assert left["quantity"] == 2, "what never came may be given back yet"

    def test_of_another_place_is_unknown_to_a_store(self, stocked: House) -> None:
        made = ask(stocked, sent(stocked), location_code="AMS").json()
        for path in ("", "/slip"):
            answer = stocked.get(f"/v1/returns/{made['return_number']}{path}", "DC")
            assert code_of(answer) == (404, "RETURN_NOT_FOUND")
            assert stocked.get(f"/v1/returns/{made['return_number']}{path}").status_code == 200

    def test_a_store_receives_at_its_own_place(self, stocked: House) -> None:
        made = reach(stocked, "approved")
        away = act(stocked, made, "receive", "DC", receipt_id="r", location_code="AMS")
        assert code_of(away) == (403, "OTHER_LOCATION")
        assert act(stocked, made, "receive", "DC", receipt_id="r").status_code == 200


class TestList:
    def test_is_by_state_place_channel_and_age_in_pages(self, stocked: House) -> None:
        policy(stocked, approval="auto")
        numbers = [
            ask(stocked, sent(stocked, f"W-{nth}"), 1, location_code=place).json()["return_number"]
            for nth, place in enumerate(["DC", "AMS", "DC"])
        ]
        ship = {"If-Match": "2"}
        path = f"/v1/returns/{numbers[2]}/actions"
        stocked.post(path, {"action": "ship"}, once="ship", headers=ship)

        def found(query: str, key: str = "admin") -> list[str]:
            page = stocked.get(f"/v1/returns?{query}", key).json()
            return [each["return_number"] for each in page["items"]]

        assert found("") == numbers
        assert found("state=approved") == numbers[:2]
        assert found("state=approved&state=in_transit&location=DC") == [numbers[0], numbers[2]]
        assert (found("channel=web"), found("channel=market")) == (numbers, [])
        assert (found("", "market"), found("", "web")) == ([], numbers)
        assert found("", "DC") == [numbers[0], numbers[2]]
        assert (found("older_than=1"), found("older_than=0")) == ([], [])
        with stocked.system.ledger.transaction() as tx:
            tx.exec_driver_sql("update returns set created_at = '2026-01-01T00:00:00Z'"
                               f" where return_number = '{numbers[1]}'")  # fmt: skip
        assert found("older_than=4") == numbers[1:2]
        page = stocked.get("/v1/returns?limit=2").json()
        assert found(f"limit=2&after={page['next_after']}") == numbers[2:]

    def test_one_of_another_channel_is_not_there(self, stocked: House) -> None:
        made = reach(stocked, "approved")
        path = f"/v1/returns/{made['return_number']}"
        assert code_of(stocked.get(path, "market")) == (404, "RETURN_NOT_FOUND")
        assert code_of(act(stocked, made, "cancel", "market")) == (404, "RETURN_NOT_FOUND")
        assert code_of(stocked.get("/v1/returns/RMA1")) == (404, "RETURN_NOT_FOUND")
