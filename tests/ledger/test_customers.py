"""Customers: whose an order is follows from what is shown to be theirs, in any sequence."""

import itertools
from collections.abc import Callable
from contextlib import ExitStack
from datetime import date, timedelta
from functools import partial
from typing import Any

import pytest
from sqlalchemy.exc import DBAPIError

from oms.customers import operations, queries, search
from oms.customers.model import (
    BATCH_ORDERS_MAX,
    CustomerCannot,
    CustomerNotFound,
    IdentifierInvalid,
    IdentifierKind,
    IdentifierTaken,
    ReceiptNotFound,
    returnable,
)
from oms.ledger import journal
from oms.ledger.database import Tx
from tests.builders import NOW, Draft, a_change, a_line, a_receipt, an_order, minutes
from tests.ledger.people import caught_up, known, owners, theirs, verified
from tests.ledger.shop import Shop
from tests.ledger.threads import together, waiting_for_a_lock

NOBODY = {"customer_email": None, "customer_name": None}


def an_account(ref: str = "W-1", account: str = "c-1", **columns: Any) -> Draft:
    return an_order(ref, customer_ref=account, **columns)


def a_guest(ref: str = "G-1", email: str | None = "ada@example.org", **columns: Any) -> Draft:
    return an_order(ref, customer_email=email, **columns)


def taken(shop: Shop, *documents: Draft, channel: str = "web") -> dict[str, tuple[int, str]]:
    """Capture documents, follow, and return whose each order is."""
    shop.take(*documents, channel=channel)
    caught_up(shop.ledger)
    return owners(shop)


def done(shop: Shop, work: Callable[[Tx], Any]) -> Any:
    return shop.ledger.run(work)


class TestAnAccount:
    def test_is_one_customer_whatever_its_orders_say(self, shop: Shop) -> None:
        found = taken(shop, an_account("W-1"), an_account("W-2", customer_email="b@example.org"))
        assert found["W-1"] == found["W-2"]
        assert found["W-1"][1] == "channel_ref"

    def test_is_another_with_each_channel(self, shop: Shop) -> None:
        taken(shop, an_account("W-1"))
        found = taken(shop, an_account("M-1"), channel="market")
        assert found["W-1"][0] != found["M-1"][0]

    def test_is_not_joined_with_guests_of_its_address(self, shop: Shop) -> None:
        found = taken(shop, an_account("W-1"), a_guest("G-1"))
        assert found["G-1"][0] != found["W-1"][0]
        assert found["G-1"][1] == "unverified"
        assert theirs(shop, found["W-1"][0]) == ["#W-1"]
        assert theirs(shop, found["G-1"][0]) == []

    def test_keeps_its_orders_when_another_owns_the_address(self, shop: Shop) -> None:
        owner = taken(shop, an_account("W-1", customer_email="own@example.org"))["W-1"][0]
        verified(shop, owner, "ada@example.org")
        found = taken(shop, an_account("W-2", "c-2", customer_email="ada@example.org"))
        assert found["W-2"] == (found["W-2"][0], "channel_ref")
        assert found["W-2"][0] != owner

    def test_knows_the_addresses_of_its_orders_as_unverified(self, shop: Shop) -> None:
        found = taken(shop, an_account("W-1", customer_phone="+31 (0)6 1234-5678"))
        told = known(shop, found["W-1"][0])
        assert {value: each.is_verified for value, each in told.items()} == {
            "c-1": True, "ada@example.org": False, "+31612345678": False,
        }  # fmt: skip


class TestAGuest:
    def test_is_with_all_that_give_the_same_address(self, shop: Shop) -> None:
        found = taken(shop, a_guest("G-1", "Ada@Example.org"), a_guest("G-2", "ada@example.ORG"),
                      a_guest("G-3", "other@example.org"))  # fmt: skip
        assert found["G-1"] == found["G-2"] != found["G-3"]

    def test_may_be_known_by_a_telephone_alone(self, shop: Shop) -> None:
        found = taken(shop, a_guest("G-1", None, customer_phone="0031 6 12345678"),
                      a_guest("G-2", None, customer_phone="+31-6-12345678"))  # fmt: skip
        assert found["G-1"] == found["G-2"]
        assert found["G-1"][1] == "unverified"

    @pytest.mark.parametrize(
        "columns",
        [
            NOBODY,
            {"customer_email": "nobody"},
            {"customer_email": "a" * 4000 + "@example.org"},
            {**NOBODY, "customer_phone": "n/a"},
            {**NOBODY, "customer_phone": "9" * 4000},
            {**NOBODY, "customer_ref": "r" * 4000},
        ],
    )
    def test_is_nobody_without_one(self, shop: Shop, columns: dict[str, Any]) -> None:
        """And what no index could hold does not stop the others."""
        assert set(taken(shop, an_order("G-1", **columns), a_guest("G-2"))) == {"G-2"}

    def test_moves_with_a_corrected_address(self, shop: Shop) -> None:
        before = taken(shop, a_guest("G-1"), a_guest("G-2", "other@example.org"))
        after = taken(shop, a_guest("G-1", "other@example.org", version=2))
        assert after["G-1"] == before["G-2"]
        assert taken(shop, a_guest("G-1", None, version=3)).keys() == {"G-2"}


class TestVerified:
    def test_address_brings_what_guests_bought_and_will(self, shop: Shop) -> None:
        shop.take(a_receipt("T-1", placed_at=minutes(1)), channel="till")
        me = taken(shop, an_account("W-1"), a_guest("G-1", placed_at=minutes(2)))["W-1"][0]
        verified(shop, me, " ADA@example.org")
        assert theirs(shop, me) == ["#G-1", "#T-1", "#W-1"]
        taken(shop, a_guest("G-2", placed_at=minutes(3)))
        assert theirs(shop, me)[0] == "#G-2"

    def test_address_leaves_other_accounts_their_own(self, shop: Shop) -> None:
        found = taken(shop, an_account("W-1"), an_account("W-2", "c-2"))
        verified(shop, found["W-1"][0], "ada@example.org")
        assert theirs(shop, found["W-2"][0]) == ["#W-2"]

    def test_telephone_brings_what_was_bought_with_it(self, shop: Shop) -> None:
        guest = a_guest("G-1", "x@example.org", customer_phone="+31612345678")
        me = taken(shop, an_account("W-1"), guest)["W-1"][0]
        verified(shop, me, "0031612345678", "phone")
        assert owners(shop)["G-1"] == (me, "phone")

    def test_card_brings_what_tills_scanned_and_no_web_account(self, shop: Shop) -> None:
        shop.take(a_receipt("T-1", customer_ref="L-7", **NOBODY), channel="till")
        me = taken(shop, an_account("W-1"), an_account("W-2", "L-7"))["W-1"][0]
        verified(shop, me, "L-7", "loyalty")
        found = owners(shop)
        assert found["T-1"] == (me, "loyalty")
        assert found["W-2"][0] != me

    def test_identifier_is_one_customers(self, shop: Shop) -> None:
        found = taken(shop, an_account("W-1"), an_account("W-2", "c-2"))
        verified(shop, found["W-1"][0], "ada@example.org")
        with pytest.raises(IdentifierTaken):
            verified(shop, found["W-2"][0], "ada@example.org")

    def test_taken_back_the_orders_are_guests_again(self, shop: Shop) -> None:
        before = taken(shop, an_account("W-1"), a_guest("G-1"))
        me = before["W-1"][0]
        identifier = verified(shop, me, "ada@example.org")
        assert owners(shop)["G-1"] == (me, "email")
        done(shop, lambda tx: operations.unverify(
            tx, me, identifier, reason="wrong person", by="agent", at=NOW))  # fmt: skip
        assert owners(shop) == before

    @pytest.mark.parametrize(
        ("kind", "value"),
        [("email", "nobody"), ("phone", "12345"), ("loyalty", " "), ("channel_ref", "c-9")],
    )
    def test_value_must_identify_somebody(self, shop: Shop, kind: str, value: str) -> None:
        me = taken(shop, an_account("W-1"))["W-1"][0]
        with pytest.raises(IdentifierInvalid):
            verified(shop, me, value, kind)

    def test_ref_of_a_channel_brings_its_account_unless_somebody_has_it(self, shop: Shop) -> None:
        found = taken(shop, an_account("W-1"))
        me, channel_id = found["W-1"][0], shop.channel("market").channel_id

        def add(ref: str) -> int:
            return int(done(shop, lambda tx: operations.add_identifier(
                tx, me, kind=IdentifierKind.CHANNEL_REF, value=ref, channel_id=channel_id,
                by="agent", at=NOW)))  # fmt: skip

        assert add("m-1") == add("m-1")
        assert taken(shop, an_account("M-1", "m-1"), channel="market")["M-1"][0] == me
        taken(shop, an_account("M-2", "m-2"), channel="market")
        with pytest.raises(IdentifierTaken):
            add("m-2")


class TestSequence:
    @pytest.mark.parametrize("order", list(itertools.permutations(range(3))))
    def test_makes_no_difference(self, shop: Shop, order: tuple[int, ...]) -> None:
        """Orders before the address is verified, after it, or in between: the same in the end."""
        me = taken(shop, an_account("W-0", customer_email=None))["W-0"][0]
        steps: list[Callable[[], Any]] = [
            lambda: taken(shop, a_guest("G-1")),
            lambda: taken(shop, an_account("W-2", "c-2"), a_guest("G-2")),
            lambda: verified(shop, me, "ada@example.org"),
        ]
        for number in order:
            steps[number]()
        found = owners(shop)
        assert found["G-1"] == found["G-2"] == (me, "email")
        assert found["W-2"][1] == "channel_ref"

    def test_verified_while_orders_are_matched_none_is_missed(self, shop: Shop) -> None:
        me = taken(shop, an_account("W-0", customer_email=None))["W-0"][0]
        shop.take(a_guest("G-1"))
        with ExitStack() as verifying, shop.ledger.transaction() as tx:
            operations.assign_changed(tx, 0, journal.horizon(tx), at=NOW)
            work = partial(verified, shop, me, "ada@example.org")
            verifying.enter_context(waiting_for_a_lock(shop.ledger, work))
        assert owners(shop)["G-1"] == (me, "email")

    def test_again_nothing_is_written(self, shop: Shop) -> None:
        taken(shop, an_account("W-1"), a_guest("G-1"))
        query = "select xmin::text, ctid::text from {} order by 1, 2"
        tables = ("customers", "customer_identifiers", "customer_orders")
        before = [shop.rows(query.format(table)) for table in tables]
        shop.take(an_account("W-1", version=2), a_guest("G-1", version=2))
        caught_up(shop.ledger)
        assert [shop.rows(query.format(table)) for table in tables] == before


class TestBatches:
    def test_are_bounded(self, shop: Shop) -> None:
        for n in range(5):
            shop.take(a_guest(f"G-{n}"))
        with shop.ledger.snapshot() as tx:
            upto = journal.horizon(tx)
            first = journal.rows_before(tx, "orders", after=0, upto=upto, rows_max=2)
            rest = journal.rows_before(tx, "orders", after=first, upto=upto, rows_max=9)
        count = "select count(*) from orders where changed_xid < cast(cast(:upto as text) as xid8)"
        assert shop.value(count, upto=str(first)) == 2
        assert rest == upto
        assert BATCH_ORDERS_MAX > 0

    def test_never_take_a_transaction_apart_nor_stand_still(self, shop: Shop) -> None:
        shop.take(*(a_guest(f"G-{n}") for n in range(5)))
        xid = int(shop.value("select min(changed_xid::text::bigint) from orders"))
        with shop.ledger.snapshot() as tx:
            upto = journal.horizon(tx)
            for after in (0, xid):
                bound = journal.rows_before(tx, "orders", after=after, upto=upto, rows_max=2)
                assert bound == xid + 1


class TestMerge:
    def merged(self, shop: Shop) -> tuple[int, int]:
        found = taken(shop, an_account("W-1"), an_account("W-2", "c-2", placed_at=minutes(1)),
                      a_guest("G-1", "guest@example.org"))  # fmt: skip
        one, two = found["W-1"][0], found["W-2"][0]
        done(shop, lambda tx: operations.merge(
            tx, two, into=one, reason="same person", by="agent", at=NOW))  # fmt: skip
        return one, two

    def test_shows_both_as_one_whichever_is_asked_for(self, shop: Shop) -> None:
        one, two = self.merged(shop)
        assert theirs(shop, one) == theirs(shop, two) == ["#W-2", "#W-1"]
        assert {"c-1", "c-2"} <= set(known(shop, one))

    def test_undone_is_exactly_as_before(self, shop: Shop) -> None:
        state = (
            "select customer_id, state, merged_into, kind, value_normalized, is_verified"
            " from customers left join customer_identifiers using (customer_id) order by 1, 4, 5"
        )
        one, two = self.merged(shop)
        found = owners(shop)
        done(shop, lambda tx: operations.unmerge(tx, two, reason="no", by="agent", at=NOW))
        rows = shop.rows(state)
        assert {row[1:3] for row in rows} == {("active", None)}
        assert owners(shop) == found
        assert (theirs(shop, one), theirs(shop, two)) == (["#W-1"], ["#W-2"])

    def test_undone_what_came_meanwhile_goes_with_its_account(self, shop: Shop) -> None:
        one, two = self.merged(shop)
        taken(shop, an_account("W-3", "c-2", placed_at=minutes(2)))
        assert theirs(shop, one)[0] == "#W-3"
        done(shop, lambda tx: operations.unmerge(tx, two, reason="no", by="agent", at=NOW))
        assert theirs(shop, two) == ["#W-3", "#W-2"]

    def test_shows_nobody_what_only_claims_to_be_theirs(self, shop: Shop) -> None:
        one, _ = self.merged(shop)
        guest = owners(shop)["G-1"][0]
        done(shop, lambda tx: operations.merge(
            tx, guest, into=one, reason="says so", by="agent", at=NOW))  # fmt: skip
        assert "#G-1" not in theirs(shop, one)

    def test_is_of_two_that_are_active(self, shop: Shop) -> None:
        one, two = self.merged(shop)
        for who, into in ((one, one), (two, one), (one, two)):
            with pytest.raises(CustomerCannot):
                done(shop, lambda tx, who=who, into=into: operations.merge(
                    tx, who, into=into, reason="x", by="agent", at=NOW))  # fmt: skip
        with pytest.raises(CustomerCannot):
            done(shop, lambda tx: operations.unmerge(tx, one, reason="x", by="agent", at=NOW))
        with pytest.raises(CustomerNotFound):
            done(shop, lambda tx: operations.unmerge(tx, 2**40, reason="x", by="agent", at=NOW))

    def test_at_once_both_ways_happens_once(self, shop: Shop) -> None:
        found = taken(shop, an_account("W-1"), an_account("W-2", "c-2"))
        one, two = found["W-1"][0], found["W-2"][0]

        def merge(who: int, into: int) -> bool:
            try:
                done(shop, lambda tx: operations.merge(
                    tx, who, into=into, reason="x", by="agent", at=NOW))  # fmt: skip
            except CustomerCannot:
                return False
            return True

        assert sorted(together([lambda: merge(one, two), lambda: merge(two, one)])) == [False, True]

    def test_is_written_down_for_good(self, shop: Shop) -> None:
        one, two = self.merged(shop)
        rows = shop.rows("select customer_id, type, actor, reason from customer_events order by 1")
        assert sorted(rows) == [
            (one, "customer.joined", "agent", "same person"),
            (two, "customer.merged", "agent", "same person"),
        ]
        for change in ("update customer_events set reason = ''", "delete from customer_events"):
            with (
                pytest.raises(DBAPIError, match="append-only"), shop.ledger.transaction() as tx,
            ):  # fmt: skip
                tx.exec_driver_sql(change)


class TestClaim:
    def claim(self, shop: Shop, customer_id: int, **values: Any) -> int:
        given = {
            "number": "#T-1", "placed_on": date(2026, 1, 5), "total_minor": 1000,
            "currency": "EUR", "channel_codes": None, **values,
        }  # fmt: skip
        return int(done(shop, lambda tx: operations.claim(
            tx, customer_id, by="web", at=NOW, **given)))  # fmt: skip

    def bought(self, shop: Shop) -> int:
        shop.take(a_receipt("T-1", **NOBODY), channel="till")
        return taken(shop, an_account("W-1", placed_at=minutes(-1)))["W-1"][0]

    def test_makes_a_receipt_theirs_and_stays_so(self, shop: Shop) -> None:
        me = self.bought(shop)
        assert self.claim(shop, me) == self.claim(shop, me)
        assert theirs(shop, me) == ["#T-1", "#W-1"]
        shop.take(a_receipt("T-1", version=2, customer_email="x@example.org"), channel="till")
        caught_up(shop.ledger)
        assert owners(shop)["T-1"] == (me, "claimed")
        assert shop.value("select count(*) from customer_events") == 1

    @pytest.mark.parametrize(
        "wrong",
        [
            {"number": "#T-2"}, {"placed_on": date(2026, 1, 6)}, {"total_minor": 1001},
            {"currency": "JPY"}, {"number": "#W-1"}, {"channel_codes": ("web",)},
        ],
    )  # fmt: skip
    def test_needs_number_date_and_total_of_a_store(
        self, shop: Shop, wrong: dict[str, Any]
    ) -> None:
        me = self.bought(shop)
        with pytest.raises(ReceiptNotFound):
            self.claim(shop, me, **wrong)

    def test_is_refused_of_what_is_anothers(self, shop: Shop) -> None:
        me = self.bought(shop)
        other = taken(shop, an_account("W-2", "c-2"))["W-2"][0]
        self.claim(shop, me)
        with pytest.raises(ReceiptNotFound):
            self.claim(shop, other)

    def test_of_two_that_look_the_same_is_refused(self, shop: Shop) -> None:
        me = self.bought(shop)
        shop.take(a_receipt("T-2", external_number="#T-1", **NOBODY), channel="till")
        with pytest.raises(ReceiptNotFound):
            self.claim(shop, me)


class TestReturnable:
    def line(self, shop: Shop, *, days: int = 0) -> tuple[int, int, date | None]:
        with shop.ledger.snapshot() as tx:
            order_id = int(shop.value("select order_id from orders where external_ref = 'W-1'"))
            (line,) = queries.purchases(tx, [order_id])[0].lines
        today = NOW.date() + timedelta(days=days)
        return line.returnable, returnable(line, today=today), line.returnable_until

    def test_is_what_was_handed_over_and_has_not_come_back(self, shop: Shop) -> None:
        shop.take(an_order(lines=[a_line(quantity=3)]))
        assert self.line(shop) == (0, 0, None)
        shop.take(an_order(lines=[a_line(quantity=3)], version=2, changes=[
            a_change("ship", 2, location_code="DC"), a_change("return", 1)]))  # fmt: skip
        assert self.line(shop) == (1, 1, date(2026, 2, 4))

    def test_is_nothing_once_the_time_is_over(self, shop: Shop) -> None:
        shop.take(an_order(changes=[a_change("ship", 1, location_code="DC")]))
        assert self.line(shop, days=30)[:2] == (1, 1)
        assert self.line(shop, days=31)[:2] == (1, 0)

    def test_counts_from_the_sale_of_history(self, shop: Shop) -> None:
        shop.take(an_order(is_historical=True))
        assert self.line(shop) == (1, 1, date(2026, 2, 4))


class TestSearch:
    def found(self, shop: Shop, words: str, *, channels: tuple[str, ...] | None = None) -> set[int]:
        with shop.ledger.snapshot() as tx:
            return set(search.customers(tx, words, channel_codes=channels, after=0, limit=50))

    @pytest.mark.parametrize(
        "words",
        ["c-1", "ADA@example.org", "+31 6 12345678", "#W-1", "r100000001", "ad pe", "Pen"],
    )
    def test_finds_by_what_was_heard(self, shop: Shop, words: str) -> None:
        me = taken(shop, an_account("W-1", customer_phone="0031612345678"))["W-1"][0]
        assert self.found(shop, words) == {me}
        assert self.found(shop, words, channels=("market",)) == set()

    def test_finds_who_was_merged_as_who_they_are_now(self, shop: Shop) -> None:
        found = taken(shop, an_account("W-1"), an_account("W-2", "c-2"))
        one, two = found["W-1"][0], found["W-2"][0]
        done(shop, lambda tx: operations.merge(
            tx, two, into=one, reason="x", by="agent", at=NOW))  # fmt: skip
        assert self.found(shop, "c-2") == {one}

    def test_finds_nobody_else(self, shop: Shop) -> None:
        taken(shop, an_account("W-1"))
        assert [self.found(shop, words) for words in ("c-", "example.org", "%", "'")] == [set()] * 4
