"""Notes over HTTP: who writes and reads which, where each is seen, and what is kept of them."""

import itertools
from typing import Any

import httpx
import pytest

from tests.api.conftest import House
from tests.api.wire import an_order
from tests.ledger.people import caught_up, owners

_once = itertools.count(1)
VISIBLE = ("internal", "customer", "store", "warehouse")


def post(house: House, path: str, body: Any, key: str = "admin", **said: Any) -> httpx.Response:
    """Post under a key of its own."""
    return house.post(path, body, key, once=said.pop("once", f"note-{next(_once)}"), **said)


def add(house: House, number: str, body: str = "Call.", key: str = "admin", **said: Any) -> Any:
    answer = post(house, f"/v1/orders/{number}/notes", {"body": body, **said}, key)
    assert answer.status_code == 201, answer.text
    return answer.json()


def edit(house: House, note: Any, key: str = "admin", **change: Any) -> httpx.Response:
    headers = {"If-Match": f'"{note["version"]}"'}
    return post(house, f"/v1/notes/{note['note_id']}/edit", change, key, headers=headers)


def bodies(house: House, number: str, key: str = "admin") -> list[str | None]:
    return [each["body"] for each in house.get(f"/v1/orders/{number}", key).json()["notes"]]


@pytest.fixture
def number(stocked: House) -> str:
    """Give the number of an order that is there."""
    return str(stocked.order(an_order()).json()["order_number"])


class TestAdd:
    def test_answers_with_the_note(self, house: House, number: str) -> None:
        note = add(house, number, " Call. ", "agent", kind="call", line_no=1, is_pinned=True)
        assert (note["body"], note["author"], note["kind"]) == ("Call.", "agent", "call")
        assert (note["line_no"], note["is_pinned"], note["version"]) == (1, True, 1)
        assert house.get(f"/v1/orders/{number}").json()["notes"] == [note]

    @pytest.mark.parametrize(
        ("body", "code"),
        [
            ({"body": "  "}, "NOTE_EMPTY"), ({"body": "\u200b"}, "NOTE_EMPTY"),
            ({"body": "4111 1111 1111 1111"}, "CARD_NUMBER"),
            ({"body": "x", "line_no": 7}, "NOTE_UNFIT"), ({"body": "x", "kind": "song"}, None),
            ({"body": "x", "visibility": "all"}, None), ({"body": "x", "author": "me"}, None),
            ({}, None), ({"body": "x" * 10_001}, None),
        ],
    )  # fmt: skip
    def test_refuses_what_is_no_note(
        self, house: House, number: str, body: Any, code: str | None
    ) -> None:
        answer = post(house, f"/v1/orders/{number}/notes", body)
        assert answer.status_code == 422
        assert code is None or answer.json()["code"] == code
        assert "4111" not in answer.text
        assert house.count("notes") == 0

    def test_acts_once_and_what_is_kept_says_nothing(self, house: House, number: str) -> None:
        path = f"/v1/orders/{number}/notes"
        first, again = (post(house, path, {"body": "Ada rang"}, once="one") for _ in range(2))
        assert first.json()["body"] == "Ada rang"
        assert again.json() == first.json() | {"body": None}
        assert house.count("notes") == 1
        assert house.shop.value("select count(*) from idempotency_keys where response::text"
                                " like '%rang%'") == 0  # fmt: skip


class TestRoles:
    """One table of who writes and reads notes for whom on an order they may see."""

    TABLE = """
        admin    internal customer store warehouse | internal customer store warehouse
        agent    internal customer store warehouse | internal customer store warehouse
        finance  internal                          | internal customer
        web      customer                          | customer
    """

    @pytest.mark.parametrize("row", [line.split("|") for line in TABLE.strip().splitlines()])
    def test_is_as_the_table_says(self, house: House, number: str, row: list[str]) -> None:
        key, *writes = row[0].split()
        for each in VISIBLE:
            answer = post(
                house, f"/v1/orders/{number}/notes", {"body": each, "visibility": each}, key
            )
            assert answer.status_code == (201 if each in writes else 403), (each, answer.text)
            add(house, number, each, visibility=each)
        assert set(bodies(house, number, key)) == set(row[1].split())
        for asked in VISIBLE:
            found = house.get("/v1/orders", key, params={"note": asked})
            assert found.status_code == 200

    def test_a_store_writes_where_it_works(self, routed: House) -> None:
        order = routed.routed_order(an_order())
        (work,) = order["fulfillments"]
        path = f"/v1/fulfillments/{work['fulfillment_number']}/notes"
        answer = post(routed, path, {"body": "Box is torn"}, "DC")
        assert (answer.status_code, answer.json()["visibility"]) == (201, "warehouse")
        assert bodies(routed, order["order_number"], "agent") == ["Box is torn"]
        assert post(routed, path, {"body": "x"}, "web").status_code == 403
        assert post(routed, "/v1/fulfillments/F1/notes", {"body": "x"}, "DC").status_code == 404


class TestEdit:
    def test_keeps_what_was_said(self, house: House, number: str) -> None:
        note = add(house, number, "One", "agent")
        answer = edit(house, note, body="Two", visibility="customer")
        assert answer.status_code == 200, answer.text
        assert answer.headers["etag"] == '"2"'
        (shown,) = house.get(f"/v1/orders/{number}", "agent").json()["notes"]
        assert (shown["body"], shown["edited_by"]) == ("Two", "admin")
        assert [(each["body"], each["written_by"]) for each in shown["previous"]] == [
            ("One", "agent")
        ]
        (theirs,) = house.get(f"/v1/orders/{number}", "web").json()["notes"]
        assert (theirs["body"], theirs["previous"]) == ("Two", [])  # it was internal then

    def test_is_of_what_was_seen(self, house: House, number: str) -> None:
        note = add(house, number)
        path = f"/v1/notes/{note['note_id']}/edit"
        assert post(house, path, {"body": "x"}).status_code == 428
        assert edit(house, note, body="Two").status_code == 200
        assert edit(house, note, body="Three").status_code == 412
        assert post(house, path, {}, headers={"If-Match": '"2"'}).status_code == 422

    @pytest.mark.parametrize("key", ["market", "web"])
    def test_of_one_that_is_not_seen_finds_none(self, house: House, number: str, key: str) -> None:
        note = add(house, number)
        for tried in (
            edit(house, note, key, body="x"),
            post(house, f"/v1/notes/{note['note_id']}/pin", {"is_pinned": True}, key),
        ):
            assert (tried.status_code, tried.json()["code"]) == (404, "NOTE_NOT_FOUND")


class TestPinAndRedact:
    def test_a_pinned_one_stands_first(self, house: House, number: str) -> None:
        _, second = add(house, number, "One"), add(house, number, "Two")
        path = f"/v1/notes/{second['note_id']}/pin"
        assert post(house, path, {"is_pinned": True}, "agent").json()["is_pinned"]
        assert bodies(house, number) == ["Two", "One"]

    def test_a_redacted_one_leaves_a_tombstone(self, house: House, number: str) -> None:
        note = edit(house, add(house, number, "Her secret"), body="Secret").json()
        path = f"/v1/notes/{note['note_id']}/redact"
        assert post(house, path, {"reason": "asked"}, "finance").status_code == 403
        assert post(house, path, {}).status_code == 422
        assert post(house, path, {"reason": "asked"}, "agent").status_code == 200
        again = post(house, path, {"reason": "asked"})
        assert (again.status_code, again.json()["code"]) == (409, "NOTE_REDACTED")
        (left,) = house.get(f"/v1/orders/{number}").json()["notes"]
        assert (left["body"], left["redacted_by"], left["version"]) == (None, "agent", 3)
        assert "ecret" not in house.get(f"/v1/orders/{number}").text
        events = house.get(f"/v1/orders/{number}").json()["events"]
        assert [(each["type"], each["entity"], each["to_state"]) for each in events[1:]] == [
            ("note.added", "note", None), ("note.edited", "note", None),
            ("note.redacted", "note", "redacted"),
        ]  # fmt: skip


class TestWhereTheyAreSeen:
    def test_a_location_sees_what_is_for_it(self, routed: House) -> None:
        order = routed.routed_order(an_order())
        (work,) = order["fulfillments"]
        for each in VISIBLE:
            add(routed, order["order_number"], f"for {each}", visibility=each)
        path = f"/v1/fulfillments/{work['fulfillment_number']}"
        for found in (routed.get(path, "DC").json(),
                      *routed.get("/v1/fulfillments", "DC").json()["items"]):  # fmt: skip
            assert [each["body"] for each in found["notes"]] == ["for warehouse"]

    def test_a_customer_sees_what_is_for_them_and_no_author(self, house: House) -> None:
        number = house.order(
            an_order(allow_backorder=True, note="Ring twice", customer_ref="c-1")
        ).json()["order_number"]  # fmt: skip
        for each in VISIBLE:
            add(house, number, f"for {each}", "agent", visibility=each)
        caught_up(house.shop.ledger)
        me = owners(house.shop)["W-1"][0]
        (order,) = house.get(f"/v1/customers/{me}/orders", "web").json()["items"]
        assert [each["body"] for each in order["notes"]] == ["Ring twice", "for customer"]
        assert set(order["notes"][0]) == {"kind", "body", "written_at"}
        tracked = house.client.get(
            "/v1/tracking", params={"number": number, "email": "ada@example.org"}
        )
        assert [each["body"] for each in tracked.json()["notes"]] == ["for customer"]


class TestOfCustomers:
    def test_are_for_who_knows_all_of_them(self, stocked: House) -> None:
        stocked.order(an_order(customer_ref="c-1"))
        caught_up(stocked.shop.ledger)
        path = f"/v1/customers/{owners(stocked.shop)['W-1'][0]}/notes"
        note = post(stocked, path, {"body": "Kind", "is_pinned": True}, "agent").json()
        assert post(stocked, path, {"body": "Hello", "visibility": "customer"}, "web").is_success
        assert post(stocked, path, {"body": "x"}, "web").status_code == 403
        refused = post(stocked, path, {"body": "x", "visibility": "store"})
        assert (refused.status_code, refused.json()["code"]) == (422, "NOTE_UNFIT")
        seen = {
            key: [each["body"] for each in stocked.get(path, key).json()]
            for key in ("agent", "web", "web admin")
        }
        assert seen == {"agent": ["Kind", "Hello"], "web": ["Hello"], "web admin": ["Hello"]}
        assert edit(stocked, note, "agent", body="Very kind").status_code == 200
        assert edit(stocked, note, "web admin", body="x").status_code == 404
        assert stocked.get("/v1/customers/999/notes").status_code == 404
        gone = {"reason": "asked", "include_open": True}
        assert post(stocked, path.replace("notes", "erase"), gone).is_success
        late = post(stocked, path, {"body": "x"})
        assert (late.status_code, late.json()["code"]) == (409, "CUSTOMER_STATE")
        assert [each["body"] for each in stocked.get(path).json()] == [None, None]
