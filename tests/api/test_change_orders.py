"""Change orders that add, replace, reprice and reroute: previewed, kept, and made true."""

from datetime import timedelta
from typing import Any

import pytest

from oms.change_orders import operations as change_orders
from oms.orders import operations as orders
from tests.api.conftest import House
from tests.api.test_fulfillments import act
from tests.api.test_orders_changes import UTRECHT, change, now, preview
from tests.api.wire import a_line, a_movement, an_order
from tests.builders import NOW

Json = dict[str, Any]


@pytest.fixture
def order(routed: House) -> Json:
    """Give an order of two pens and an ink sent home, all of it at its locations."""
    ink = [a_movement("ink", 5, sku="INK"), a_movement("pens", 2, location_code="AMS")]
    assert routed.post("/v1/stock/movements", {"movements": ink}).is_success
    routed.order(an_order("W-0", lines=[a_line("LAMP", total="25.00", tax="4.34")],
                          allow_backorder=True))  # fmt: skip
    return routed.routed_order(an_order(lines=[a_line(quantity=2), a_line("INK")]))


def done(house: House, order: Json, **said: Any) -> Json:
    """Change an order as its preview says, and return what that came to."""
    told = preview(house, order, **said)
    assert told.is_success, told.text
    assert now(house, order) == order
    made = change(house, order, **said)
    assert made.json() == told.json()
    holds(house, order)
    found: Json = made.json()
    return found


def holds(house: House, order: Json) -> None:
    """Hold an order's header against its lines, and its lines against what happened to them."""
    ((header, lines, events),) = house.shop.rows(
        "select o.items_net_minor + o.items_tax_minor, sum(k.net_minor + k.tax_minor), ("
        " select sum(e.net_minor + e.tax_minor) from line_events e"
        f" where e.order_id = o.order_id and e.kind in ('sale', 'edit')) from orders o"
        f" join order_lines k using (order_id) where o.order_number = '{order['order_number']}'"
        " group by o.order_id"
    )
    assert header == lines == events


def newer(house: House, version: int = 2, **said: Any) -> None:
    """Have the channel send another version of its order, which knows nothing of ours."""
    body = an_order(version=version, lines=said.pop("lines", None) or CHANNELS_LINES, **said)
    answer = house.order(body | {"allow_backorder": True})
    assert answer.json()["outcome"] == "updated", answer.text


CHANNELS_LINES: list[Json] = [a_line(quantity=2), a_line("INK")]


def units(order: Json) -> list[int]:
    return [line["quantity"] - line["canceled"] for line in order["lines"]]


class TestRaise:
    def test_takes_further_units_at_the_price_of_the_line(self, house: House, order: Json) -> None:
        made = done(house, order, lines=[{"line_no": 1, "quantity": 5}])
        assert (made["due"]["amount"], made["owed"]["amount"]) == ("30.00", "0.00")
        (difference,) = made["differences"]
        assert difference == {
            "line_no": 1, "sku": "PEN", "before_quantity": 2, "after_quantity": 5,
            "before": {"amount": "20.00", "currency": "EUR"},
            "after": {"amount": "50.00", "currency": "EUR"},
            "difference": {"amount": "30.00", "currency": "EUR"},
            "allocated": 3, "backordered": 0,
        }  # fmt: skip
        assert house.shop.shelf().allocated == 5
        assert made["lines"][1] == order["lines"][1]
        house.routed_order(an_order("W-9"))  # its work is given out along
        work = [each for each in now(house, order)["fulfillments"] if each["state"] == "assigned"]
        assert sum(line["open"] for each in work for line in each["lines"]) == 6

    def test_is_whole_or_nothing(self, house: House, order: Json) -> None:
        short = {"lines": [{"line_no": 1, "quantity": 99}, {"line_no": 2, "quantity": 2}]}
        for answer in (preview(house, order, **short), change(house, order, **short)):
            assert (answer.status_code, answer.json()["code"]) == (409, "INSUFFICIENT_STOCK")
            assert answer.json()["items"] == [{"sku": "PEN", "requested": 97, "available": 10}]
        assert now(house, order)["lines"] == order["lines"]
        made = done(house, now(house, order), **short, allow_backorder=True)
        assert [(d["allocated"], d["backordered"]) for d in made["differences"]] == [
            (10, 87), (1, 0),
        ]  # fmt: skip

    def test_of_an_order_that_waits_is_judged_by_its_own_units(self, house: House) -> None:
        lines = [a_line(), a_line("INK")]
        order = house.routed_order(an_order(lines=lines, allow_backorder=True))
        house.post("/v1/stock/movements", {"movements": [a_movement("more")]})
        made = change(house, now(house, order), lines=[{"line_no": 1, "quantity": 2}])
        assert made.is_success, made.text


class TestAdd:
    def test_costs_what_its_channel_asked_last(self, house: House, order: Json) -> None:
        made = done(house, order, add=[{"sku": "LAMP", "quantity": 2}], allow_backorder=True)
        assert made["due"]["amount"] == "50.00"
        added = made["lines"][2]
        assert (added["line_no"], added["line_ref"]) == (3, f"{order['order_number']}-3")
        assert (added["tax"]["amount"], added["net"]["amount"]) == ("8.68", "41.32")
        assert (made["differences"][0]["backordered"], added["backordered"]) == (2, 2)
        assert made["lines"][:2] == order["lines"]

    def test_has_the_price_that_is_given_on_its_day(self, house: House, order: Json) -> None:
        add = [{"sku": "INK", "quantity": 1, "unit_price": "7.50", "tax": "1.30"}]
        made = done(house, order, add=add)
        assert made["due"]["amount"] == "7.50"
        (event,) = house.shop.rows(
            "select kind, change_ref, quantity, net_minor, tax_minor, occurred_at"
            " from line_events where line_no = 3"
        )
        assert event == ("edit", f"*E{order['version'] + 1}", 1, 620, 130, NOW)

    @pytest.mark.parametrize(
        ("said", "code"),
        [
            ({"add": [{"sku": "NOSUCH"}]}, "UNKNOWN_SKU"),
            ({"add": [{"sku": "INK", "unit_price": "1.005"}]}, "VALIDATION"),
            ({"add": [{"sku": "INK", "unit_price": "1.00", "tax": "2.00"}]}, "VALIDATION"),
            ({"add": [{"sku": "INK", "unit_price": "9999999999", "quantity": 1_000_000}]},
             "VALIDATION"),
            ({"add": [{"sku": "INK", "group_no": 7}]}, "ORDER_NOT_FOUND"),
            ({"add": [{"sku": "INK", "quantity": 9}]}, "INSUFFICIENT_STOCK"),
            ({"replace": [{"line_no": 1, "sku": "INK"}, {"line_no": 1, "sku": "INK"}]},
             "VALIDATION"),
            ({"replace": [{"line_no": 1, "sku": "INK", "quantity": 3}]}, "QTY_NOT_CANCELABLE"),
            ({"lines": [{"line_no": 1, "quantity": 1}] * 2}, "VALIDATION"),
            ({"lines": [{"line_no": 1}]}, "NOTHING_CHANGES"),
        ],
    )  # fmt: skip
    def test_must_make_sense(self, house: House, order: Json, said: Json, code: str) -> None:
        for answer in (preview(house, order, **said), change(house, order, **said)):
            assert answer.json()["code"] == code, answer.text
        assert now(house, order)["lines"] == order["lines"]

    def test_needs_a_price_where_nobody_knows_one(self, house: House) -> None:
        order = house.routed_order(an_order(allow_backorder=True))
        answer = change(house, order, add=[{"sku": "LAMP"}])
        assert (answer.status_code, answer.json()["code"]) == (409, "PRICE_UNKNOWN")

    def test_replaces_units_before_they_are_sent(self, house: House, order: Json) -> None:
        """An exchange before shipping: the units and the money of both in one."""
        swap = [{"line_no": 1, "sku": "INK", "quantity": 1, "unit_price": "12.00"}]
        made = done(house, order, replace=swap)
        assert made["due"]["amount"] == "2.00"
        assert units(now(house, order)) == [1, 1, 1]
        assert [house.shop.shelf(sku=sku).allocated for sku in ("PEN", "INK")] == [1, 2]
        kinds = [event["type"] for event in now(house, order)["events"]]
        assert {"order.updated", "order.canceled", "fulfillment.reduced"} <= {*kinds}


class TestPrice:
    def test_of_a_line_changes_and_no_other(self, house: House, order: Json) -> None:
        made = done(house, order, lines=[{"line_no": 1, "unit_price": "8.00"}])
        assert made["owed"]["amount"] == "4.00"
        pen, ink = made["lines"]
        assert (pen["discount"]["amount"], pen["tax"]["amount"]) == ("4.00", "2.78")
        assert ink == order["lines"][1]
        # What is canceled afterwards is worth what it costs by then.
        gone = change(house, now(house, order), lines=[{"line_no": 1, "quantity": 1}])
        assert gone.json()["owed"]["amount"] == "8.00"

    def test_after_a_cancellation_is_of_the_rest(self, house: House, order: Json) -> None:
        change(house, order, lines=[{"line_no": 1, "quantity": 1}])
        made = done(house, now(house, order), lines=[{"line_no": 1, "unit_price": "6.00"}])
        # The unit that is left had the cent that did not divide.
        assert (made["owed"]["amount"], made["after"]["amount"]) == ("4.00", "16.00")

    def test_stays_of_what_is_in_a_hand(self, routed: House) -> None:
        """While the lamp nobody has may still be changed."""
        lines = [a_line(quantity=2), a_line("LAMP")]
        order = routed.routed_order(an_order(lines=lines, allow_backorder=True))
        (work,) = order["fulfillments"]
        for action in ("accept", "start_pick", "pick"):
            work = act(routed, work, action).json()
        seen = now(routed, order)
        answer = change(routed, seen, lines=[{"line_no": 1, "unit_price": "8.00"}])
        assert (answer.status_code, answer.json()["code"]) == (409, "NOT_EDITABLE")
        assert answer.json()["line_no"] == 1
        assert now(routed, order)["lines"] == seen["lines"]
        other = change(routed, seen, lines=[{"line_no": 2, "unit_price": "8.00"}])
        assert other.json()["owed"]["amount"] == "2.00"


class TestNewerDocument:
    """A channel's own newer version, which does not know what we changed."""

    def test_leaves_what_it_does_not_speak_of(self, house: House, order: Json) -> None:
        done(house, order, lines=[{"line_no": 1, "quantity": 3, "unit_price": "9.00"}],
             add=[{"sku": "INK", "unit_price": "5.00"}])  # fmt: skip
        before = now(house, order)
        newer(house, customer_name="Ada Ink", total="30.00")
        after = now(house, order)
        assert after["lines"] == before["lines"]
        assert after["total"] == before["total"]
        assert [each["code"] for each in after["exceptions"] if not each["resolved_at"]] == []
        assert after["customer_name"] == "Ada Ink"
        holds(house, order)

    def test_wins_where_it_says_something_new_of_a_line(self, house: House, order: Json) -> None:
        done(house, order, lines=[{"line_no": 1, "quantity": 4}, {"line_no": 2, "quantity": 2}])
        newer(house, lines=[a_line(quantity=3), a_line("INK")])
        assert units(now(house, order)) == [3, 2]
        # From then on the line is the channel's again, and what it repeats is what is.
        newer(house, 3, lines=[a_line(quantity=2), a_line("INK")])
        assert units(now(house, order)) == [2, 2]
        holds(house, order)

    def test_that_knows_of_ours_doubles_nothing(self, house: House, order: Json) -> None:
        done(house, order, lines=[{"line_no": 1, "quantity": 3}],
             add=[{"sku": "INK", "unit_price": "5.00"}])  # fmt: skip
        ours = a_line("INK", line_ref=f"{order['order_number']}-3", total="5.00", tax="0.87")
        newer(house, lines=[a_line(quantity=3), a_line("INK"), ours])
        assert units(now(house, order)) == [3, 1, 1]
        assert house.shop.shelf().allocated == 3
        newer(house, 3)
        assert units(now(house, order)) == [2, 1, 1]
        holds(house, order)

    def test_adds_its_lines_behind_ours_and_removes_its_own(
        self, house: House, order: Json
    ) -> None:
        done(house, order, add=[{"sku": "INK", "unit_price": "5.00"}])
        newer(house, lines=[a_line(quantity=2), a_line("LAMP")])
        after = now(house, order)
        assert [line["sku"] for line in after["lines"]] == ["PEN", "INK", "INK", "LAMP"]
        assert units(after) == [2, 0, 1, 1]

    def test_that_cancels_the_order_cancels_ours_too(self, house: House, order: Json) -> None:
        done(house, order, add=[{"sku": "INK", "unit_price": "5.00"}])
        newer(house, canceled_at="2026-01-05T12:00:00Z")
        after = now(house, order)
        assert (after["order_state"], units(after)) == ("canceled", [0, 0, 0])

    def test_ships_a_line_of_ours_by_its_name(self, house: House, order: Json) -> None:
        done(house, order, add=[{"sku": "INK", "unit_price": "5.00"}])
        told = {"kind": "ship", "change_ref": "s-1", "line_ref": f"{order['order_number']}-3",
                "quantity": 1, "occurred_at": "2026-01-05T12:00:00Z"}  # fmt: skip
        newer(house, changes=[told])
        assert [line["shipped"] for line in now(house, order)["lines"]] == [0, 0, 1]


class TestWay:
    def test_goes_to_a_store_with_its_work(self, house: House, order: Json) -> None:
        made = done(house, order, method="collect_store", location_code="AMS",
                    lines=[{"line_no": 2, "quantity": 0}])  # fmt: skip
        assert made["owed"]["amount"] == "10.00"
        assert [house.shop.shelf(place).allocated for place in ("DC", "AMS")] == [0, 2]
        after = now(house, order)
        assert after["fulfillment_method"] == "collect_store"
        assert {each["state"] for each in after["fulfillments"]} == {"canceled"}
        house.routed_order(an_order("W-9"))
        (work,) = [e for e in now(house, order)["fulfillments"] if e["state"] == "assigned"]
        assert (work["location_code"], work["method"]) == ("AMS", "collect_store")
        newer(house)
        assert now(house, order)["groups"][0]["method"] == "collect_store"
        assert now(house, order)["fulfillment_method"] == "collect_store"

    def test_goes_home_again(self, house: House, order: Json) -> None:
        fewer = [{"line_no": 2, "quantity": 0}]
        done(house, order, method="collect_store", location_code="AMS", lines=fewer)
        answer = change(house, now(house, order), method="ship_home")
        assert answer.json()["code"] == "VALIDATION"  # nobody knows where to
        done(house, now(house, order), method="ship_home", ship_to=UTRECHT)
        after = now(house, order)
        assert (after["fulfillment_method"], after["groups"][0]["ship_to"]) == (
            "ship_home",
            UTRECHT,
        )
        assert [house.shop.shelf(place).allocated for place in ("DC", "AMS")] == [2, 0]

    @pytest.mark.parametrize(
        ("said", "status", "code"),
        [
            ({"method": "collect_store", "location_code": "UTR"}, 409, "INSUFFICIENT_STOCK"),
            ({"method": "collect_store", "location_code": "DC"}, 409, "NOT_EDITABLE"),
            ({"method": "collect_store", "location_code": "NOSUCH"}, 404, "UNKNOWN_LOCATION"),
            ({"method": "collect_store"}, 422, "VALIDATION"),
            ({"method": "ship_home", "location_code": "AMS"}, 422, "VALIDATION"),
            ({"method": "ship_home"}, 422, "NOTHING_CHANGES"),
            ({"method": "collect_store", "location_code": "AMS", "group_no": 2}, 404,
             "ORDER_NOT_FOUND"),
            ({"method": "collect_store", "location_code": "AMS", "ship_to": UTRECHT}, 409,
             "NOT_EDITABLE"),
        ],
    )  # fmt: skip
    def test_must_be_one(
        self, house: House, order: Json, said: Json, status: int, code: str
    ) -> None:
        for answer in (preview(house, order, **said), change(house, order, **said)):
            assert (answer.status_code, answer.json()["code"]) == (status, code), answer.text
        after = now(house, order)
        assert (after["lines"], after["groups"]) == (order["lines"], order["groups"])

    def test_stays_of_what_is_packed(self, house: House, order: Json) -> None:
        work = order["fulfillments"][0]
        for action in ("accept", "start_pick", "pick"):
            work = act(house, work, action).json()
        seen = now(house, order)
        answer = change(house, seen, method="collect_store", location_code="AMS")
        assert answer.json()["code"] == "NOT_EDITABLE"


def drafted(house: House, order: Json, once: str = "draft", **said: Any) -> Json:
    path = f"/v1/orders/{order['order_number']}/change-orders"
    answer = house.post(path, {"reason": "asked", **said}, "agent", once=once,
                        headers={"If-Match": str(order["version"])})  # fmt: skip
    assert answer.status_code == 201, answer.text
    found: Json = answer.json()
    return found


def step(house: House, order: Json, made: Json, action: str, **options: Any) -> Any:
    path = f"/v1/orders/{order['order_number']}/change-orders/{made['change_no']}/{action}"
    once = options.pop("once", f"{action}-{made['change_no']}")
    version = options.pop("version", None)
    headers = {} if version is None else {"If-Match": str(version)}
    return house.post(path, options.pop("body", None), "agent", once=once, headers=headers)


MORE: Json = {"lines": [{"line_no": 1, "quantity": 3}]}


class TestKept:
    """Drafted, previewed, and applied or not."""

    def test_comes_to_what_its_preview_said(self, house: House, order: Json) -> None:
        made = drafted(house, order, **MORE)
        assert (made["state"], made["base_version"], made["outcome"]) == (
            "draft", order["version"], None,
        )  # fmt: skip
        early = step(house, order, made, "apply", version=order["version"], once="early")
        assert (early.status_code, early.json()["code"]) == (409, "CHANGE_NOT_PREVIEWED")
        seen = step(house, order, made, "preview").json()
        assert (seen["state"], seen["outcome"]["due"]["amount"]) == ("previewed", "10.00")
        assert now(house, order)["lines"] == order["lines"]
        assert step(house, order, made, "apply").status_code == 428
        applied = step(house, order, made, "apply", version=order["version"], once="now")
        assert applied.is_success, applied.text
        assert {k: applied.json()[k] for k in seen["outcome"]} == seen["outcome"]
        assert units(now(house, order)) == [3, 1]
        again = step(house, order, made, "apply", version=order["version"], once="now")
        assert again.json() == applied.json()
        (listed,) = house.get(f"/v1/orders/{order['order_number']}/change-orders").json()["items"]
        assert (listed["state"], listed["outcome"]) == ("applied", seen["outcome"])
        steps = [
            each for each in now(house, order)["events"] if each["type"].startswith("change_order")
        ]
        assert [each["to_state"] for each in steps] == ["draft", "previewed", "applied"]
        assert [each["from_state"] for each in steps] == [None, "draft", "previewed"]
        ((due, owed),) = house.shop.rows("select due_minor, owed_minor from change_orders")
        assert (due, owed) == (1000, 0)

    def test_of_two_agents_one_wins(self, house: House, order: Json) -> None:
        first, second = drafted(house, order, "a", **MORE), drafted(house, order, "b", **MORE)
        for made in (first, second):
            assert step(house, order, made, "preview").is_success
        assert step(house, order, first, "apply", version=order["version"]).is_success
        seen = now(house, order)["version"]
        stale = step(house, order, second, "apply", version=order["version"], once="c")
        assert (stale.status_code, stale.json()["code"]) == (412, "VERSION_CONFLICT")
        late = step(house, order, second, "apply", version=seen, once="d")
        assert (late.status_code, late.json()["code"]) == (409, "CHANGE_OUTDATED")
        assert (late.json()["base_version"], late.json()["version"]) == (order["version"], seen)
        assert units(now(house, order)) == [3, 1]

    def test_is_looked_at_again_where_it_came_to_something_else(
        self, house: House, order: Json
    ) -> None:
        made = drafted(house, order, lines=[{"line_no": 1, "quantity": 9}], allow_backorder=True)
        step(house, order, made, "preview")
        house.order(an_order("W-8", lines=[a_line(quantity=9)]))
        stale = step(house, order, made, "apply", version=order["version"])
        assert (stale.status_code, stale.json()["code"]) == (409, "STALE_PREVIEW")
        assert units(now(house, order)) == [2, 1]
        step(house, order, made, "preview", once="again")
        assert step(house, order, made, "apply", version=order["version"], once="now").is_success

    def test_is_declined_or_over_in_time(self, house: House, order: Json) -> None:
        made = drafted(house, order, **MORE)
        step(house, order, made, "preview")
        no = step(house, order, made, "decline", body={"reason": "too dear"}).json()
        assert (no["state"], no["end_reason"]) == ("declined", "too dear")
        answer = step(house, order, made, "apply", version=order["version"])
        assert (answer.status_code, answer.json()["code"]) == (409, "CHANGE_ENDED")
        late = drafted(house, order, "late", **MORE)
        with house.system.ledger.transaction() as tx:
            assert not change_orders.expire(tx, at=NOW + timedelta(hours=23))
            assert change_orders.expire(tx, at=NOW + timedelta(hours=24))
            assert not change_orders.expire(tx, at=NOW + timedelta(hours=24))
        answer = step(house, order, late, "preview")
        assert answer.json()["state"] == "expired"
        missing = step(house, order, {"change_no": 9}, "preview")
        assert (missing.status_code, missing.json()["code"]) == (404, "CHANGE_NOT_FOUND")

    def test_forgets_the_address_with_its_customer(self, house: House, order: Json) -> None:
        drafted(house, order, ship_to=UTRECHT)
        order_id = house.shop.value("select max(order_id) from orders")
        with house.system.ledger.transaction() as tx:
            orders.erase_customers(tx, [order_id], by="ann", at=NOW)
        (row,) = house.shop.rows("select c.*::text from change_orders c")
        assert "Gracht" not in str(row)
