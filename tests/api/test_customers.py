"""Customers over HTTP: who may know what of whom, and what only agents do."""

from typing import Any, Final

import pytest

from tests.api.conftest import House
from tests.api.wire import a_line, a_receipt, an_order
from tests.ledger.people import caught_up, owners

NOBODY: Final = {"customer_name": None, "customer_email": None}
RECEIPT: Final = {
    "number": "#T-1", "placed_on": "2026-01-05", "total": "10.00", "currency": "EUR",
}  # fmt: skip
WHY: Final = {"reason": "asked on the phone"}


def known(house: House, *orders: dict[str, Any]) -> dict[str, int]:
    """Post orders and let them be assigned; return whose each is."""
    for order in orders:
        answer = house.order(order | {"allow_backorder": True})
        assert answer.status_code in {200, 201}, answer.text
    caught_up(house.system.ledger)
    return {ref: customer_id for ref, (customer_id, _) in owners(house.shop).items()}


def an_account(ref: str = "W-1", account: str = "c-1", **fields: Any) -> dict[str, Any]:
    return an_order(ref, customer_ref=account, **fields)


def do(house: House, path: str, body: Any = None, key: str = "agent") -> Any:
    return house.post(
        f"/v1/customers/{path}", body or {}, key, once=f"{path}{key}{body}".replace(" ", "")
    )


def verify(house: House, customer_id: int, value: str = "ada@example.org") -> Any:
    added = do(house, f"{customer_id}/identifiers", {"kind": "email", "value": value})
    assert added.status_code == 201, added.text
    return do(house, f"{customer_id}/identifiers/{added.json()['identifier_id']}/verify")


def numbers(house: House, customer_id: int, key: str = "agent", **query: Any) -> list[str]:
    answer = house.get(f"/v1/customers/{customer_id}/orders", key, params=query)
    assert answer.status_code == 200, answer.text
    return [each["external_number"] for each in answer.json()["items"]]


class TestGet:
    def test_tells_agents_what_a_customer_is_known_by(self, house: House) -> None:
        me = known(house, an_account())["W-1"]
        found = house.get(f"/v1/customers/{me}", "agent").json()
        assert (found["name"], found["orders_count"], found["state"]) == ("Ada Pen", 1, "active")
        assert {(each["kind"], each["value"], each["is_verified"])
                for each in found["identifiers"]} == {
            ("channel_ref", "c-1", True), ("email", "ada@example.org", False),
        }  # fmt: skip

    def test_tells_a_channel_of_its_own_accounts_and_nothing_else(self, house: House) -> None:
        me = known(house, an_account())["W-1"]
        found = house.get(f"/v1/customers/{me}", "web").json()
        assert [each["value"] for each in found["identifiers"]] == ["c-1"]
        assert found["events"] == []

    def test_of_another_channel_reads_like_none(self, house: House) -> None:
        me = known(house, an_account())["W-1"]
        for path in (f"/v1/customers/{me}", f"/v1/customers/{me}/orders"):
            foreign, unknown = (
                house.get(each, "market") for each in (path, path.replace(str(me), "999999"))
            )
            assert foreign.status_code == unknown.status_code == 404
            assert foreign.json()["code"] == "CUSTOMER_NOT_FOUND"
            same = {"type", "title", "detail", "code", "status", "errors"}
            assert {name: foreign.json().get(name) for name in same} == {
                name: unknown.json().get(name) for name in same
            }
        for path, body in (("identifiers", {"kind": "email", "value": "x@example.org"}),
                           ("claims", RECEIPT), ("identifiers/1/verify", None)):  # fmt: skip
            assert do(house, f"{me}/{path}", body, "market").status_code == 404

    @pytest.mark.parametrize("path", ["0", "-1", "x", str(2**63), "1.5", "1/orders?after=x"])
    def test_refuses_what_is_no_number(self, house: House, path: str) -> None:
        assert house.get(f"/v1/customers/{path}", "agent").status_code in {404, 422}


class TestList:
    @pytest.mark.parametrize("q", ["ada pen", "ADA@example.org", "c-1", "#W-1", "R100000001"])
    def test_finds_by_words(self, house: House, q: str) -> None:
        me = known(house, an_account())["W-1"]
        items = house.get("/v1/customers", "agent", params={"q": q}).json()["items"]
        assert [each["customer_id"] for each in items] == [me]

    def test_is_read_page_by_page(self, house: House) -> None:
        found = known(house, *(an_account(f"W-{n}", f"c-{n}") for n in range(5)))
        seen: list[int] = []
        after: dict[str, str] = {}
        while True:
            page = house.get("/v1/customers", "agent", params={"q": "ada", "limit": 2} | after)
            seen += [each["customer_id"] for each in page.json()["items"]]
            if page.json()["next_after"] is None:
                break
            after = {"after": page.json()["next_after"]}
        assert seen == sorted(found.values())

    def test_finds_an_account_for_its_channel_alone(self, house: House) -> None:
        me = known(house, an_account())["W-1"]
        query = {"channel": "web", "ref": "c-1"}
        items = house.get("/v1/customers", "web", params=query).json()["items"]
        assert [each["customer_id"] for each in items] == [me]
        assert house.get("/v1/customers", "market", params=query).json()["items"] == []
        assert house.get("/v1/customers", "web", params=query | {"ref": "c"}).json()["items"] == []

    def test_of_words_is_for_agents(self, house: House) -> None:
        answer = house.get("/v1/customers", "web", params={"q": "ada"})
        assert (answer.status_code, answer.json()["scope"]) == (403, "customers:manage")

    @pytest.mark.parametrize(
        "query",
        [{}, {"channel": "web"}, {"ref": "c-1"}, {"q": ""}, {"q": "a", "after": "x"},
         {"q": "a", "channel": "web", "ref": "c"}, {"q": "a\x00"}, {"q": "a", "after": "9" * 99}],
    )  # fmt: skip
    def test_refuses_what_asks_for_nobody(self, house: House, query: dict[str, str]) -> None:
        assert house.get("/v1/customers", "agent", params=query).status_code == 422


class TestOrders:
    """My account: of every channel and store, newest first, and never somebody else's."""

    def test_are_of_stores_too_once_the_address_is_theirs(self, house: House) -> None:
        me = known(
            house, an_account(placed_at="2026-01-05T10:00:00Z"), a_receipt("T-1"),
            an_order("G-1", placed_at="2026-01-05T11:00:00Z"),
        )["W-1"]  # fmt: skip
        assert numbers(house, me) == ["#W-1"]
        assert verify(house, me).json()["is_verified"] is True
        assert numbers(house, me) == ["#T-1", "#G-1", "#W-1"]
        assert numbers(house, me, "web") == ["#G-1", "#W-1"]
        assert numbers(house, me, channels="till,market") == ["#T-1"]
        assert numbers(house, me, "web", channels="till") == []

    def test_say_what_may_come_back_and_name_nobody(self, house: House) -> None:
        me = known(house, a_receipt("T-1", customer_ref="c-1", lines=[a_line(quantity=2)]))["T-1"]
        answer = house.get(f"/v1/customers/{me}/orders", "agent")
        (order,) = answer.json()["items"]
        assert order["location_code"] == "AMS"
        assert order["basis"] == "channel_ref"
        assert [(each["shipped"], each["returnable"], each["returnable_until"])
                for each in order["lines"]] == [(2, 2, "2026-02-04")]  # fmt: skip
        assert "Ada" not in answer.text
        assert "example" not in answer.text

    def test_are_read_page_by_page(self, house: House) -> None:
        me = known(house, *(an_account(f"W-{n}") for n in range(5)))["W-0"]
        seen, after = [], {}
        while True:
            query = {"limit": 2} | after
            page = house.get(f"/v1/customers/{me}/orders", "agent", params=query).json()
            seen += [each["external_number"] for each in page["items"]]
            if page["next_after"] is None:
                break
            after = {"after": page["next_after"]}
        assert seen == [f"#W-{n}" for n in (4, 3, 2, 1, 0)]

    def test_that_only_say_so_are_shown_to_agents_who_ask(self, house: House) -> None:
        guest = known(house, an_order("G-1"))["G-1"]
        assert numbers(house, guest) == []
        assert numbers(house, guest, include_unverified=True) == ["#G-1"]
        path = f"/v1/customers/{guest}/orders"
        answer = house.get(path, "web", params={"include_unverified": True})
        assert answer.status_code == 403

    def test_that_are_tests_are_left_out(self, house: House) -> None:
        me = known(house, an_account(), an_account("W-2", is_test=True))["W-1"]
        assert numbers(house, me) == ["#W-1"]


class TestIdentifiers:
    def test_are_kept_for_a_repetition_without_their_value(self, house: House) -> None:
        me = known(house, an_account())["W-1"]
        body = {"kind": "email", "value": "secret@example.org"}
        first, again = (do(house, f"{me}/identifiers", body) for _ in range(2))
        assert first.json() == again.json()
        assert "secret" not in house.shop.value(
            "select string_agg(response::text, '') from idempotency_keys"
        )

    def test_shown_to_be_anothers_are_refused(self, house: House) -> None:
        found = known(house, an_account(), an_account("W-2", "c-2"))
        verify(house, found["W-1"])
        answer = verify(house, found["W-2"])
        assert (answer.status_code, answer.json()["code"]) == (409, "IDENTIFIER_TAKEN")

    def test_are_taken_back_with_what_they_brought(self, house: House) -> None:
        me = known(house, an_account(), an_order("G-1"))["W-1"]
        path = f"{me}/identifiers/{verify(house, me).json()['identifier_id']}"
        assert len(numbers(house, me)) == 2
        assert do(house, f"{path}/unverify", WHY).json()["is_verified"] is False
        assert numbers(house, me) == ["#W-1"]

    @pytest.mark.parametrize(
        ("body", "code"),
        [
            ({"kind": "email", "value": "nobody"}, "IDENTIFIER_INVALID"),
            ({"kind": "phone", "value": "1234567", "channel_code": "web"}, "IDENTIFIER_INVALID"),
            ({"kind": "channel_ref", "value": "c-9"}, "IDENTIFIER_INVALID"),
            ({"kind": "card", "value": "1"}, "VALIDATION"),
            ({"kind": "email"}, "VALIDATION"),
            ({"kind": "channel_ref", "value": "c", "channel_code": "nonesuch"}, "UNKNOWN_CHANNEL"),
        ],
    )
    def test_must_identify(self, house: House, body: dict[str, str], code: str) -> None:
        me = known(house, an_account())["W-1"]
        assert do(house, f"{me}/identifiers", body).json()["code"] == code

    def test_of_another_customer_are_not_found(self, house: House) -> None:
        found = known(house, an_account(), an_account("W-2", "c-2"))
        path = f"/v1/customers/{found['W-2']}"
        strange = house.get(path, "agent").json()["identifiers"][0]["identifier_id"]
        answer = do(house, f"{found['W-1']}/identifiers/{strange}/verify")
        assert (answer.status_code, answer.json()["code"]) == (404, "IDENTIFIER_NOT_FOUND")

    def test_of_another_channel_are_not_a_channels_to_give(self, house: House) -> None:
        me = known(house, an_account())["W-1"]
        body = {"kind": "channel_ref", "value": "m-1", "channel_code": "market"}
        assert do(house, f"{me}/identifiers", body, "web").status_code == 404


class TestMerge:
    def test_and_back(self, house: House) -> None:
        found = known(house, an_account(), an_account("W-2", "c-2"))
        one, two = found["W-1"], found["W-2"]
        merged = do(house, f"{two}/merge", {"into": one, **WHY})
        assert merged.json() == {"customer_id": two, "root_id": one, "customer_ids": [one, two]}
        assert sorted(numbers(house, two)) == ["#W-1", "#W-2"]
        told = house.get(f"/v1/customers/{two}", "agent").json()
        assert (told["state"], told["merged_into"]) == ("merged", one)
        assert [(each["type"], each["actor"], each["reason"]) for each in told["events"]] == [
            ("customer.merged", "agent", WHY["reason"]),
            ("customer.joined", "agent", WHY["reason"]),
        ]
        assert do(house, f"{two}/merge", {"into": one, **WHY}, "admin").status_code == 409
        assert do(house, f"{two}/unmerge", WHY).json()["customer_ids"] == [two]
        assert numbers(house, two) == ["#W-2"]
        assert do(house, f"{two}/unmerge", WHY, "admin").json()["code"] == "CUSTOMER_STATE"

    @pytest.mark.parametrize("path", ["merge", "unmerge", "erase", "identifiers/1/unverify"])
    def test_is_not_for_who_knows_some_channels_only(self, house: House, path: str) -> None:
        me = known(house, an_account())["W-1"]
        body = WHY | ({"into": me} if path == "merge" else {})
        answer = do(house, f"{me}/{path}", body, "web admin")
        assert (answer.status_code, answer.json()["code"]) == (403, "BOUND_TO_CHANNELS")

    @pytest.mark.parametrize(
        "body", [{}, {"into": 1}, {"into": 1, "reason": ""}, {"into": 0, **WHY},
                 {"into": "1", **WHY}, {"into": 2**63, **WHY}, {"into": 1, **WHY, "x": 1}],
    )  # fmt: skip
    def test_needs_whom_and_why(self, house: House, body: dict[str, Any]) -> None:
        me = known(house, an_account())["W-1"]
        assert do(house, f"{me}/merge", body).status_code == 422


class TestClaim:
    def test_brings_a_receipt(self, house: House) -> None:
        me = known(house, an_account(), a_receipt("T-1", **NOBODY))["W-1"]
        assert do(house, f"{me}/claims", RECEIPT).json() == {
            "customer_id": me, "order_number": "R100000002",
        }  # fmt: skip
        assert numbers(house, me) == ["#T-1", "#W-1"]

    @pytest.mark.parametrize(
        "wrong",
        [{"number": "#T-2"}, {"placed_on": "2026-01-04"}, {"total": "10.01"}, {"number": "#W-1"},
         {"total": "10.000"}, {"currency": "JPY"}, {"currency": "KWD", "total": "1.000"}],
    )  # fmt: skip
    def test_wrong_reads_like_unknown(self, house: House, wrong: dict[str, str]) -> None:
        me = known(house, an_account(), a_receipt("T-1", **NOBODY))["W-1"]
        answer = do(house, f"{me}/claims", RECEIPT | wrong)
        assert (answer.status_code, answer.json()["code"]) == (404, "RECEIPT_NOT_FOUND")
        assert answer.json()["detail"] == "There is no such receipt to claim."

    def test_is_guessed_only_so_often(self, house: House) -> None:
        """By whoever guesses, whatever the receipt; and of one receipt, whoever guesses."""
        found = known(house, an_account(), an_account("W-2", "c-2"), a_receipt("T-1", **NOBODY))
        me, other = found["W-1"], found["W-2"]
        for n in range(20):
            body = RECEIPT | {"number": f"#T-1{n:02}"}
            assert do(house, f"{me}/claims", body).status_code == 404
        answer = do(house, f"{me}/claims", RECEIPT)
        assert (answer.status_code, answer.json()["code"]) == (429, "TOO_MANY_GUESSES")
        assert int(answer.headers["retry-after"]) == 180
        for n in range(19):
            body = RECEIPT | {"total": f"{n + 11}.00"}
            assert do(house, f"{other}/claims", body).status_code == 404
        assert do(house, f"{other}/claims", RECEIPT).status_code == 429

    def test_refused_for_its_frequency_may_be_repeated(self, house: House, clock: Any) -> None:
        me = known(house, an_account(), a_receipt("T-1", **NOBODY))["W-1"]
        for n in range(20):
            do(house, f"{me}/claims", RECEIPT | {"number": f"#T-1{n:02}"})
        assert do(house, f"{me}/claims", RECEIPT).status_code == 429
        clock.forward(minutes=3)
        assert do(house, f"{me}/claims", RECEIPT).status_code == 200


class TestErase:
    def test_leaves_nothing_to_be_found(self, house: House) -> None:
        me = known(house, a_receipt("T-1", customer_ref="c-1"))["T-1"]
        answer = do(house, f"{me}/erase", WHY)
        assert answer.status_code == 200
        assert (answer.json()["orders_count"], answer.json()["is_searching"]) == (1, True)
        order = house.get("/v1/orders/R100000001").json()
        assert order["total"]["amount"] == "10.00"
        assert [order[name] for name in ("customer_name", "customer_email", "customer_ref")] == [
            None
        ] * 3
        assert house.get("/v1/customers", params={"q": "ada"}).json()["items"] == []
        assert house.get("/v1/lookup", params={"name": "ada"}).json() == []
        found = house.get(f"/v1/customers/{me}").json()
        assert (found["state"], found["name"], found["identifiers"]) == ("erased", None, [])
        assert do(house, f"{me}/erase", WHY, "admin").json()["code"] == "CUSTOMER_STATE"

    def test_asks_about_open_orders(self, house: House) -> None:
        me = known(house, an_account())["W-1"]
        answer = do(house, f"{me}/erase", WHY)
        assert (answer.status_code, answer.json()["code"]) == (409, "ORDERS_OPEN")
        assert answer.json()["order_numbers"] == ["R100000001"]
        assert do(house, f"{me}/erase", WHY | {"include_open": True}).status_code == 200

    def test_needs_a_reason(self, house: House) -> None:
        me = known(house, an_account())["W-1"]
        assert do(house, f"{me}/erase").status_code == 422
