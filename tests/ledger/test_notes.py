"""Notes: added, edited, pinned, redacted; what was said before stays, and none is deleted."""

from datetime import datetime
from typing import Any, Final

import pytest
from sqlalchemy import text

from oms.access.model import ROLES, SCOPES, ScopeMissing
from oms.customers import operations as customers
from oms.kernel.errors import VersionConflict
from oms.kernel.limits import NOTE_VERSIONS_MAX, NOTES_MAX
from oms.notes import operations, queries
from oms.notes.model import (
    CardNumber,
    Change,
    Draft,
    Kind,
    Note,
    NoteEmpty,
    NoteFixed,
    NoteNotFound,
    NoteRedacted,
    NoteUnfit,
    Part,
    TooManyNotes,
    Visibility,
)
from oms.orders.model import OrderNotFound
from tests.builders import NOW, a_change, a_movement, an_order, minutes
from tests.ledger.finding import found, indexed
from tests.ledger.people import caught_up, owners
from tests.ledger.routing import route, work
from tests.ledger.shop import Shop
from tests.ledger.threads import together

ALL: Final = frozenset(SCOPES)
V = Visibility
NUMBER: Final = "R100000001"
CARD: Final = "4111 1111 1111 1111"
READ: Final = tuple(map(str, V))


def add(
    shop: Shop, body: str = "Call back.", *, scopes: frozenset[str] = ALL, by: str = "eve",
    number: str = NUMBER, **draft: Any,
) -> Note:  # fmt: skip
    with shop.ledger.transaction() as tx:
        return operations.add(
            tx, number, Draft(body=body, **draft), scopes=scopes, by=by, at=NOW
        )  # fmt: skip


def edit(
    shop: Shop, note: Note, *, scopes: frozenset[str] = ALL, at: datetime = NOW, by: str = "bob",
    **change: Any,
) -> Note:  # fmt: skip
    with shop.ledger.transaction() as tx:
        return operations.edit(
            tx, note.note_id, Change(**change), version=note.version, scopes=scopes, by=by, at=at
        )


def redact(shop: Shop, note: Note, scopes: frozenset[str] = ALL) -> Note:
    with shop.ledger.transaction() as tx:
        return operations.redact(
            tx, note.note_id, "asked", scopes=scopes, by="bob", at=minutes(5)
        )  # fmt: skip


def notes(shop: Shop, ref: str = "W-1") -> tuple[Note, ...]:
    with shop.ledger.snapshot() as tx:
        return queries.of_order(tx, shop.order(ref).summary.order_id)


class TestAdd:
    def test_it_is_kept_and_told_without_what_it_says(self, shop: Shop) -> None:
        shop.take(an_order())
        note = add(shop, "  Called back ☎\r\nTwice  ", kind=Kind.CALL, is_pinned=True)
        assert notes(shop) == (note,)
        assert (note.body, note.kind, note.author) == ("Called back ☎\nTwice", "call", "eve")
        event = shop.order().events[-1]
        assert (event.type, event.actor, event.data) == ("note.added", "eve", {
            "note_id": note.note_id, "kind": "call", "visibility": "internal", "is_pinned": True,
        })  # fmt: skip
        assert shop.violations() == {}

    @pytest.mark.parametrize(
        "body", ["", " \n\t ", "x" * 10_001, "\u200b\u200d", "\u00a0", "\ufeff \u2028"]
    )
    def test_it_refuses_nothing_and_too_much(self, shop: Shop, body: str) -> None:
        shop.take(an_order())
        with pytest.raises(NoteEmpty):
            add(shop, body)
        assert (notes(shop), shop.story()) == ((), ["order.captured"])

    def test_it_refuses_the_number_of_a_card(self, shop: Shop) -> None:
        shop.take(an_order())
        with pytest.raises(CardNumber):
            add(shop, f"Pays by {CARD}, until 12/27")
        note = add(shop, "Pays by the card ending in 1111")
        with pytest.raises(CardNumber):
            edit(shop, note, body=CARD)

    def test_it_refuses_an_unknown_order(self, shop: Shop) -> None:
        with pytest.raises(OrderNotFound):
            add(shop, number="R1")

    @pytest.mark.parametrize(
        "part",
        [
            Part(line_no=2), Part(fulfillment_number="F1"), Part(parcel_number="P1"),
            Part(line_no=1, fulfillment_number="F500000001"),
        ],
    )  # fmt: skip
    def test_it_is_on_a_part_that_is_there(self, routed: Shop, part: Part) -> None:
        routed.take(a_movement(9), an_order(), an_order("W-2"))
        route(routed)
        with pytest.raises(NoteUnfit):
            add(routed, part=part)
        assert add(routed, part=Part(line_no=1)).line_no == 1
        theirs = routed.value(
            "select fulfillment_number from fulfillment_orders join orders using (order_id)"
            " where order_number <> :number", number=NUMBER,
        )  # fmt: skip
        with pytest.raises(NoteUnfit):
            add(routed, part=Part(fulfillment_number=theirs))

    def test_there_are_so_many_and_no_more(self, shop: Shop) -> None:
        shop.take(an_order())
        first = add(shop)
        with shop.ledger.transaction() as tx:  # as if it was added so often
            tx.execute(text(
                "insert into notes (order_id, visibility, body, author, created_at)"
                " select order_id, visibility, body, author, created_at from notes"
                " cross join generate_series(3, :count)"
            ), {"count": NOTES_MAX})  # fmt: skip
        tried = together([lambda: add(shop)] * 4)
        assert [type(each) for each in tried if isinstance(each, Exception)] == [TooManyNotes] * 3
        assert shop.value("select count(*) from notes") == NOTES_MAX
        with shop.ledger.transaction() as tx:
            tx.execute(text("delete from notes where note_id <> :id"), {"id": first.note_id})
            tx.execute(text("delete from order_events where seq > 2"))
            tx.execute(text("update orders set last_seq = 2"))


class TestEdit:
    def test_it_keeps_what_was_said_by_whom_and_when(self, shop: Shop) -> None:
        shop.take(an_order())
        note = add(shop, "One", by="ann")
        note = edit(shop, note, body="Two", by="bob", at=minutes(1))
        note = edit(shop, note, visibility=V.STORE, kind=Kind.CALL, by="cid", at=minutes(2))
        assert (note.body, note.version, note.author) == ("Two", 3, "ann")
        assert (note.edited_by, note.edited_at) == ("cid", minutes(2))
        assert [
            (each.version, each.body, each.written_by, each.written_at, each.visibility)
            for each in note.previous
        ] == [(1, "One", "ann", NOW, V.INTERNAL), (2, "Two", "bob", minutes(1), V.INTERNAL)]
        assert shop.story()[-2:] == ["note.edited", "note.edited"]
        assert shop.violations() == {}

    def test_it_is_of_what_was_seen(self, shop: Shop) -> None:
        shop.take(an_order())
        note = add(shop)
        edit(shop, note, body="Two")
        with pytest.raises(VersionConflict):
            edit(shop, note, body="Three")

    def test_of_two_at_once_one_is_told_so(self, shop: Shop) -> None:
        shop.take(an_order())
        note = add(shop)
        tried = together([lambda n=n: edit(shop, note, body=f"{n}") for n in range(4)])
        assert sorted(type(each).__name__ for each in tried) == ["Note", *["VersionConflict"] * 3]
        assert len(notes(shop)[0].previous) == 1

    def test_what_changes_nothing_is_no_version(self, shop: Shop) -> None:
        shop.take(an_order())
        note = add(shop)
        assert edit(shop, note, body=" Call back. ") == note
        assert shop.story() == ["order.captured", "note.added"]

    def test_it_ends(self, shop: Shop) -> None:
        shop.take(an_order())
        note = add(shop)
        with shop.ledger.transaction() as tx:
            for n in range(2, NOTE_VERSIONS_MAX + 1):
                note = operations.edit(
                    tx, note.note_id, Change(body=f"{n}"), version=note.version, scopes=ALL,
                    by="bob", at=NOW,
                )  # fmt: skip
        with pytest.raises(TooManyNotes):
            edit(shop, note, body="One more")

    def test_what_came_with_the_order_stays_as_it_came(self, shop: Shop) -> None:
        shop.take(an_order(note="Ring twice"))
        (note,) = notes(shop)
        assert (note.is_captured, note.visibility, note.body) == (True, V.CUSTOMER, "Ring twice")
        with pytest.raises(NoteFixed):
            edit(shop, note, body="Ring once")
        assert redact(shop, note).body is None
        assert shop.violations() == {}


class TestCaptured:
    def test_a_card_of_its_customer_is_masked(self, shop: Shop) -> None:
        shop.take(an_order("W-1", note=f"My card is {CARD}."), an_order("W-2", note="4111"))
        assert [each.body for each in notes(shop)] == ["My card is xxxx xxxx xxxx 1111."]
        assert [each.body for each in notes(shop, "W-2")] == ["4111"]
        assert shop.violations() == {}


class TestPin:
    def test_it_stands_first_and_is_told(self, shop: Shop) -> None:
        shop.take(an_order())
        _, second = add(shop, "One"), add(shop, "Two")
        for is_pinned in (True, True, False):
            with shop.ledger.transaction() as tx:
                operations.pin(
                    tx, second.note_id, is_pinned=is_pinned, scopes=ALL, by="bob", at=NOW
                )
            bodies = [each.body for each in notes(shop)]
            assert bodies == (["Two", "One"] if is_pinned else ["One", "Two"])
        assert shop.story()[-2:] == ["note.pinned", "note.unpinned"]
        assert shop.violations() == {}


class TestRedact:
    def test_nothing_is_left_but_that_it_was(self, shop: Shop) -> None:
        shop.take(an_order())
        note = edit(shop, add(shop, "Secret one", is_pinned=True), body="Secret two")
        indexed(shop.ledger)
        assert found(shop, note="secret", note_visibilities=READ) == ["W-1"]
        gone = redact(shop, note)
        assert (gone.body, gone.redacted_by, gone.redact_reason) == (None, "bob", "asked")
        assert [each.body for each in gone.previous] == [None]
        assert found(shop, note="secret", note_visibilities=READ) == []
        for table in ("notes", "note_versions", "order_events", "order_search"):
            rows = f"select count(*) from {table} t where to_jsonb(t)::text ilike '%secret%'"
            assert shop.value(rows) == 0, table
        assert shop.violations() == {}

    def test_it_is_for_good(self, shop: Shop) -> None:
        shop.take(an_order())
        gone = redact(shop, add(shop))
        for again in (lambda: redact(shop, gone), lambda: edit(shop, gone, body="Back")):
            with pytest.raises(NoteRedacted):
                again()


class TestScopes:
    def test_each_is_written_by_who_may(self, shop: Shop) -> None:
        shop.take(an_order())
        may = {
            role: {each.value for each in V if _may(shop, frozenset(ROLES[role]), each)}
            for role in ("admin", "agent", "channel", "finance", "store", "analyst")
        }
        assert may == {
            "admin": set(V), "agent": set(V), "channel": {"customer"}, "finance": {"internal"},
            "store": {"store", "warehouse"}, "analyst": set(),
        }  # fmt: skip

    def test_one_that_may_not_be_read_is_not_there(self, shop: Shop) -> None:
        shop.take(an_order())
        note = add(shop)
        channel = frozenset(ROLES["channel"])
        for attempt in (
            lambda: edit(shop, note, scopes=channel, body="x"), lambda: redact(shop, note, channel),
        ):  # fmt: skip
            with pytest.raises(NoteNotFound):
                attempt()

    def test_to_publish_one_takes_both(self, shop: Shop) -> None:
        shop.take(an_order())
        with pytest.raises(ScopeMissing) as raised:
            edit(shop, add(shop), scopes=frozenset(ROLES["finance"]), visibility=V.CUSTOMER)
        assert raised.value.facts == {"scope": "notes:customer"}


def _may(shop: Shop, scopes: frozenset[str], visibility: Visibility) -> bool:
    try:
        add(shop, scopes=scopes, visibility=visibility)
    except ScopeMissing:
        return False
    return True


class TestSearch:
    def test_an_order_is_found_by_its_notes_for_whom_one_may_read(self, shop: Shop) -> None:
        shop.take(an_order("W-1"), an_order("W-2"))
        add(shop, "Wheelchair-access, Ground Floor", visibility=V.STORE)
        note = add(shop, "Suspected reseller")
        indexed(shop.ledger)
        for asked, seen, expected in (
            ("floor wheelch", READ, ["W-1"]), ("FLOOR", ("store",), ["W-1"]),
            ("floor", ("customer", "internal"), []), ("reseller", ("internal",), ["W-1"]),
            ("reseller", ("customer",), []), ("floor reseller", READ, ["W-1"]),
            ("reseller nobody", READ, []), ("reseller", (), []), ("--", READ, []),
            ("wheelchairaccess", READ, ["W-1"]),
        ):  # fmt: skip
            assert found(shop, note=asked, note_visibilities=seen) == expected, (asked, seen)
        assert found(shop, q="reseller") == []
        edit(shop, note, body="Known customer")
        indexed(shop.ledger)
        assert found(shop, note="reseller", note_visibilities=READ) == []
        assert found(shop, note="known", note_visibilities=READ) == ["W-1"]

    def test_a_long_one_is_found_by_its_end(self, shop: Shop) -> None:
        shop.take(an_order("W-1"))
        add(shop, "word " * 1_990 + "needle " + "x" * 40)
        indexed(shop.ledger)
        assert found(shop, note="needle", note_visibilities=READ) == ["W-1"]


class TestWork:
    def test_a_location_is_told_what_is_for_it(self, routed: Shop) -> None:
        routed.take(a_movement(9), an_order())
        route(routed)
        (order,) = work(routed)
        at_dc = add(routed, "Wrap it", visibility=V.WAREHOUSE)
        on_it = add(
            routed, "Fragile", visibility=V.WAREHOUSE, is_pinned=True,
            part=Part(fulfillment_number=order.fulfillment_number.lower()),
        )  # fmt: skip
        on_line = add(routed, "The blue one", visibility=V.WAREHOUSE, part=Part(line_no=1))
        for visibility in (V.STORE, V.INTERNAL, V.CUSTOMER):
            add(routed, visibility=visibility)
        redact(routed, add(routed, visibility=V.WAREHOUSE))
        with routed.ledger.snapshot() as tx:
            told = queries.of_work(tx, [order.fulfillment_number, "F1"])
        assert told == {order.fulfillment_number: (on_it, at_dc, on_line)}


class TestErasure:
    def test_it_leaves_tombstones_of_orders_and_customers(self, shop: Shop) -> None:
        shop.take(
            an_order(customer_email="ada@example.org", note="Ring at Ada's",
                     changes=(a_change("ship", 1, location_code="DC"),))
        )  # fmt: skip
        caught_up(shop.ledger)
        me = owners(shop)["W-1"][0]
        edit(shop, add(shop, "Ada called"), body="Ada called twice")
        with shop.ledger.transaction() as tx:
            customers.remark(tx, me, Draft(body="Ada is kind"), scopes=ALL, by="eve", at=NOW)
        with shop.ledger.transaction() as tx:
            customers.erase(tx, me, reason="asked", include_open=True, by="bob", at=minutes(9))
        assert shop.rows("select distinct body, redacted_by, redact_reason from notes") == [
            (None, "bob", "erased")
        ]
        assert shop.rows("select body from note_versions") == [(None,)]
        assert shop.value("select count(*) from notes") == 3
        assert found(shop, note="ada", note_visibilities=READ) == []
        assert shop.violations() == {}

    def test_what_comes_back_is_redacted_and_told(self, shop: Shop) -> None:
        shop.take(an_order("W-1", customer_email="ada@example.org",
                           changes=(a_change("ship", 1, location_code="DC"),)))  # fmt: skip
        caught_up(shop.ledger)
        with shop.ledger.transaction() as tx:
            customers.erase(
                tx, owners(shop)["W-1"][0], reason="asked", include_open=True, by="bob",
                at=minutes(9),
            )  # fmt: skip
        shop.take(an_order("W-0", customer_email="ada@example.org", note="It is Ada's"))
        caught_up(shop.ledger)
        assert [each.body for each in notes(shop, "W-0")] == [None]
        assert shop.story("W-0") == ["order.captured", "note.redacted"]
        assert shop.violations() == {}

    def test_a_note_written_meanwhile_does_not_stay(self, shop: Shop) -> None:
        """Who writes holds what the note is on; who erases waits for it."""
        shop.take(an_order(customer_email="ada@example.org",
                           changes=(a_change("ship", 1, location_code="DC"),)))  # fmt: skip
        caught_up(shop.ledger)
        me = owners(shop)["W-1"][0]

        def erase() -> Any:
            with shop.ledger.transaction() as tx:
                return customers.erase(
                    tx, me, reason="asked", include_open=True, by="bob", at=minutes(9)
                )

        def remark() -> Any:
            with shop.ledger.transaction() as tx:
                return customers.remark(
                    tx, me, Draft(body="Ada"), scopes=ALL, by="eve", at=NOW
                )  # fmt: skip

        together([erase, remark, remark, remark])
        assert shop.value("select count(*) from notes where body is not null") == 0
