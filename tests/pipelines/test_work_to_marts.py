"""Guards: what locations really did stands in the marts, to the unit and the second."""

from dataclasses import replace
from pathlib import Path
from typing import Any, Final

import pytest

from oms.channels import operations as channels
from oms.fulfillment import queries
from oms.fulfillment.model import Action, FulfillmentOrder, Reason
from oms.holds import operations as holds
from oms.holds.model import HoldType
from oms.ledger.database import Ledger
from oms.ledger.followers import follow
from oms.returns.model import Condition, Resolution, ReturnReason
from oms.transfers.model import TransferAction
from oms.transfers.operations import Wanted, request
from oms.workflows import fulfillment, return_receipts, transfers
from oms.workflows.fulfillment import Doing
from oms.workflows.return_receipts import Basket, Handed
from oms.workflows.transfers import Came, Moved, Receipt
from pipelines.lib import publishing, rebuilding
from pipelines.lib.journals import LedgerJournal
from pipelines.lib.refreshing import Refresh
from tests.builders import (
    NOW,
    a_change,
    a_group,
    a_line,
    a_movement,
    a_partial,
    a_receipt,
    an_order,
    minutes,
)
from tests.ledger.routing import NEAR_AMS, activate, settle_places
from tests.ledger.shop import CHANNELS, Shop, furnish
from tests.pipelines.conftest import Shop as Followed
from tests.pipelines.conftest import published
from tests.pipelines.test_refreshing import Killed
from tests.warehouse.conftest import a_warehouse

A: Final = Action
READY: Final = (A.ACCEPT, A.START_PICK, A.PICK, A.PACK, A.READY)


class Story:
    """A retailer's days, as they are really written, and the warehouse that follows them."""

    def __init__(self, ledger: Ledger, followed: Followed, folder: Path) -> None:
        furnish(ledger)
        self.shop = Shop(ledger)
        self.warehouse = a_warehouse(folder)
        self.transformer = followed.transformer.on(self.warehouse)
        with ledger.transaction() as tx:
            channels.register(tx, replace(CHANNELS[0], is_routed=True), at=NOW)
        settle_places(self.shop)
        activate(self.shop)

    def refresh(self) -> None:
        """Let a freshly started refresher follow once."""
        journal = LedgerJournal(ledger=self.shop.ledger)
        Refresh(self.warehouse, journal, self.transformer, lambda: NOW)()

    def ask(self, sql: str) -> list[tuple[Any, ...]]:
        """Ask the published marts."""
        return published(self.warehouse, sql)

    def rows(self, sql: str) -> list[tuple[Any, ...]]:
        """Ask the ledger."""
        return [tuple(row) for row in self.shop.rows(sql)]

    def route(self, at: float = 0) -> None:
        """Give what is reserved to its locations."""
        for _ in range(3):
            follow(
                self.shop.ledger, "routing",
                lambda tx, a, u: fulfillment.route(tx, a, u, at=minutes(at)),
            )  # fmt: skip

    def work(self, ref: str, location: str) -> FulfillmentOrder:
        """Return the open work of an order at a location."""
        number = self.shop.order(ref).summary.order_number
        with self.shop.ledger.snapshot() as tx:
            found = queries.of_order(tx, number)
        return next(each for each in found if each.location_code == location and each.allowed())

    def do(self, ref: str, location: str, at: float, *actions: Action, **said: Any) -> None:
        """Do one thing after another, ten minutes apart; what is said is said of the last."""
        for number, action in enumerate(actions):
            of, last = self.work(ref, location), action is actions[-1]
            doing = Doing(by="ann", at=minutes(at + 10 * number), **(said if last else {}))
            self.shop.ledger.run(
                lambda tx, f=of, a=action, d=doing: fulfillment.act(
                    tx, f.fulfillment_number, a, d, version=f.version
                )
            )

    def first_day(self) -> None:
        """Goods come; one order is short and rejected on its way, two are to be collected."""
        ams, utr = {"location": "AMS"}, {"location": "UTR"}
        self.shop.take(
            a_movement(2, **ams), a_movement(5, **utr), a_movement(9, sku="INK", **ams),
            a_movement(6, sku="LAMP"),
        )  # fmt: skip
        groups = [a_group("collect_store", "INK", location="AMS")]
        inks = {"lines": [a_line("INK", 2)], "groups": groups}
        self.shop.take(
            an_order("W-1", lines=[a_line(quantity=2)], ship_to=NEAR_AMS),
            an_order("W-2", fulfillment_method="collect_store", **inks),
            an_order("W-3", fulfillment_method="collect_store", **inks),
            an_order("W-4", lines=[a_line("LAMP")]),
        )  # fmt: skip
        self.route()
        self.do("W-2", "AMS", 10, *READY)
        self.do("W-3", "AMS", 20, *READY)

    def later(self) -> None:
        """One is collected and one is not; goods leave, come back, and go between locations."""
        code = self.work("W-2", "AMS").collect_code
        self.do("W-2", "AMS", 500, A.COLLECT, collect_code=code)
        self.do("W-3", "AMS", 20_000, A.NO_SHOW)
        self.do("W-1", "AMS", 30, A.ACCEPT, A.START_PICK)
        self.do("W-1", "AMS", 60, A.PICK, picked={1: 1}, reason=Reason.DAMAGED)
        self.do("W-1", "AMS", 90, A.PACK, A.SHIP, carrier="sandbox", tracking_number="T1")
        self.do("W-1", "UTR", 200, A.ACCEPT, A.START_PICK, A.PICK, A.PACK)
        self.do("W-1", "UTR", 3_000, A.SHIP, carrier="sandbox", tracking_number="T2")
        self.do("W-4", "DC", 40, A.REJECT, reason=Reason.NO_CAPACITY)
        back = a_change("return", 1, at=minutes(9_000), location_code="UTR", restock=True)
        self.shop.take(a_partial("W-1", back))
        self.shop.take(a_receipt("T-1", lines=[a_line("INK")]), channel="till")
        self.send()
        self.hold("W-4")

    def send(self) -> None:
        """Send lamps to a store; of four three come, one of them broken."""
        run = self.shop.ledger.run
        made = run(
            lambda tx: request(tx, "DC", "UTR", [Wanted(sku="LAMP", quantity=4)], at=minutes(0))
        )
        receipt = Receipt(receipt_id="r1", came={1: Came(received=2, damaged=1)})
        for at, action in ((5, "allocate"), (10, "pick"), (60, "ship"), (660, "receive")):
            moved = Moved(by="ann", at=minutes(at), receipt=receipt)
            made = run(
                lambda tx, m=made, d=action, g=moved: transfers.act(
                    tx, m.transfer_number, TransferAction(d), g, version=m.version
                )
            )

    def hold(self, ref: str) -> None:
        """Put an order on hold, and release it an hour later."""
        number = self.shop.order(ref).summary.order_number
        kind, run = HoldType.MANUAL, self.shop.ledger.run
        held, version = run(
            lambda tx: holds.place(tx, number, kind, "why", by="ann", at=minutes(5))
        )
        run(
            lambda tx: holds.release(
                tx, number, held.hold_no, "so", version=version, by="ann",
                scopes=frozenset({"orders:hold"}),
                at=minutes(65),
            )
        )  # fmt: skip


@pytest.fixture
def story(ledger: Ledger, first_shop: Followed, tmp_path: Path) -> Story:
    made = Story(ledger, first_shop, tmp_path / "home")
    made.first_day()
    return made


# The same questions of both sides, each in its own words.
LEDGER_STEPS: Final = """
    select data ->> 'fulfillment', split_part(type, '.', 2), min(occurred_at)
    from order_events where type in ('fulfillment.accepted', 'fulfillment.shipped',
        'fulfillment.ready_for_collection', 'fulfillment.rejected', 'fulfillment.collected',
        'fulfillment.uncollected', 'fulfillment.picked')
    group by 1, 2 order by 1, 2
"""
MART_STEPS: Final = """
    select fulfillment_number, step, done_at
    from (unpivot fct_fulfillments on accepted_at as accepted, picked_at as picked,
        shipped_at as shipped, ready_at as ready_for_collection, rejected_at as rejected,
        collected_at as collected, uncollected_at as uncollected into name step value done_at)
    order by 1, 2
"""
LEDGER_UNITS: Final = """
    select fulfillment_number, l.line_no, l.quantity, l.picked, l.done, l.removed
    from fulfillment_lines l join fulfillment_orders using (fulfillment_id) order by 1, 2
"""
MART_UNITS: Final = """
    select fulfillment_number, line_no, units, picked_units, done_units, removed_units
    from fct_fulfillment_lines order by 1, 2
"""
TIMES: Final = """
    select external_ref, work.location_code, work.fulfillment_state, accept_seconds, pick_seconds,
        work_seconds, shelf_seconds, is_on_time, short_units
    from fct_fulfillments as work inner join fct_orders using (order_id) order by 1, work.created_at
"""
FLOWS: Final = """
    select channel_code, sold_location_code, fulfilled_location_code, returned_location_code,
        sum(units)::int, bool_or(is_omnichannel)
    from fct_unit_flows group by all order by all
"""


class TestWork:
    def test_stands_in_the_marts_to_the_unit_and_the_second(self, story: Story) -> None:
        story.refresh()
        story.later()
        story.refresh()
        assert story.ask(MART_STEPS) == story.rows(LEDGER_STEPS)
        assert story.ask(MART_UNITS) == story.rows(LEDGER_UNITS)
        assert story.ask(TIMES) == [
            ("W-1", "AMS", "shipped", 1_800, 1_800, 6_000, None, True, 1),
            ("W-1", "UTR", "shipped", 8_400, 1_200, 176_400, None, False, 0),
            ("W-2", "AMS", "collected", 600, 1_200, 3_000, 27_000, True, 0),
            ("W-3", "AMS", "uncollected", 1_200, 1_200, 3_600, 1_196_400, True, 0),
            ("W-4", "DC", "rejected", None, None, None, None, None, 1),
        ]
        assert story.ask(FLOWS) == [
            ("till", "AMS", "AMS", None, 1, False),
            ("web", None, "AMS", "UTR", 1, True),
            ("web", None, "AMS", None, 2, True),
            ("web", None, "UTR", None, 1, True),
        ]
        assert story.ask(
            "select external_ref, shipments_count, is_split, rejections_count, short_units"
            " from fct_delivery_groups inner join fct_orders using (order_id) order by 1"
        ) == [
            ("W-1", 2, True, 0, 1), ("W-2", 1, False, 0, 0), ("W-3", 1, False, 0, 0),
            ("W-4", 0, False, 1, 1),
        ]  # fmt: skip
        assert story.ask(
            "select from_location_code, to_location_code, transfer_state, shipped_units,"
            " received_units, damaged_units, missing_units, discrepancies_count, send_seconds,"
            " transit_seconds from fct_transfers"
        ) == [("DC", "UTR", "received", 4, 2, 1, 1, 2, 3_600, 36_000)]
        assert story.ask(
            "select location_code, sku, short_units, short_reason from fct_fulfillment_lines"
            " where short_units > 0 order by 1"
        ) == [("AMS", "PEN", 1, "damaged"), ("DC", "LAMP", 1, "no_capacity")]
        assert story.ask("select hold_type, held_seconds from fct_order_holds") == [
            ("manual", 3_600)
        ]
        counted = "select count(*), count(distinct order_id) from {}sourcing_decisions"
        assert story.ask(counted.format("fct_")) == story.rows(counted.format(""))
        assert rebuilding.differences(story.warehouse, story.transformer) == {}

    def test_what_comes_back_stands_there_with_what_is_owed(self, story: Story) -> None:
        story.refresh()
        story.shop.take(a_receipt("T-9", lines=[a_line(quantity=3)]), channel="till")
        handed = Handed(
            line_no=1, quantity=2, reason=ReturnReason.TOO_SMALL, resolution=Resolution.REFUND,
            condition=Condition.NEW, disposition=None,
        )  # fmt: skip
        basket = Basket(order_number=story.shop.order("T-9").summary.order_number, lines=(handed,))
        story.shop.ledger.run(
            lambda tx: return_receipts.take_at_store(tx, "AMS", [basket], by="amy", at=minutes(60))
        )
        story.refresh()
        assert story.ask(
            "select channel_code, location_code, return_state, reason, received_units,"
            " accepted_units, goods_net_minor, goods_tax_minor, decide_seconds, asked_on::varchar"
            " from fct_returns"
        ) == [
            ("till", "AMS", "resolved", "too_small", 2, 2, 1654, 346, 0, "2026-01-05"),
        ]  # fmt: skip

    def test_is_taken_in_once_whatever_is_killed_meanwhile(
        self, story: Story, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def dies(*_: Any, **__: Any) -> None:
            raise Killed

        story.refresh()
        story.later()
        for place, name in ((publishing, "stamp"), (publishing, "release")):
            with monkeypatch.context() as patched:
                patched.setattr(place, name, dies)
                with pytest.raises(Killed):
                    story.refresh()
        story.refresh()
        assert story.ask(MART_UNITS) == story.rows(LEDGER_UNITS)
        assert story.ask(MART_STEPS) == story.rows(LEDGER_STEPS)
