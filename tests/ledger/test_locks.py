"""Locks that matter: whoever acts on an order holds it first, and nothing else meanwhile."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import text

from oms.adapters.carriers.sandbox import SandboxCarrier
from oms.channels import operations as channels
from oms.fulfillment.model import Action, FulfillmentOrderState, Reason
from oms.kernel.errors import OmsError, VersionConflict
from oms.ledger.database import Tx
from oms.shipments.model import Scan
from oms.transfers import queries as transfer_queries
from oms.transfers.model import TransferAction, TransferState
from oms.workflows import changes, fulfillment, parcels, transfers
from oms.workflows.actions import QuantityNotCancelable
from oms.workflows.fulfillment import Doing
from oms.workflows.transfers import Moved
from tests.builders import NOW, a_group, a_line, a_movement, an_order, minutes
from tests.ledger.routing import activate, do, route, settle_places, work
from tests.ledger.shop import CHANNELS, Shop
from tests.ledger.threads import WAIT_SECONDS_MAX, waiting_for_a_lock

DOING = Doing(by="bob", at=minutes(2))


@pytest.fixture
def busy(shop: Shop) -> Iterator[Shop]:
    """Give a retailer with W-1, being picked at DC, and W-2, to be sent from there to AMS."""
    with shop.ledger.transaction() as tx:
        made = replace(CHANNELS[0], is_routed=True, collect_supply="any")
        channels.register(tx, made, at=NOW)
    groups = [a_group("collect_store", "PEN", location="AMS")]
    shop.take(a_movement(5))
    shop.take(
        an_order(lines=[a_line(quantity=2)]),
        an_order("W-2", groups=groups, fulfillment_method="collect_store"),
    )
    route(shop)
    do(shop, *work(shop), Action.ACCEPT, Action.START_PICK)
    yield shop


def pick(tx: Tx, shop: Shop) -> None:
    (held,) = work(shop)
    fulfillment.act(tx, held.fulfillment_number, Action.PICK, DOING, version=held.version)


def cancel(tx: Tx, shop: Shop) -> None:
    seen = shop.order().summary
    changes.cancel(
        tx, seen.order_number, None, reason="customer", version=seen.version, by="ann",
        at=minutes(2),
    )  # fmt: skip


class TestWhoIsSecond:
    @pytest.mark.parametrize(
        ("first", "second", "refusals"),
        [(pick, cancel, (QuantityNotCancelable, VersionConflict)), (cancel, pick, VersionConflict)],
    )
    def test_waits_and_is_refused_for_what_became_of_it(
        self, busy: Shop, first: Callable[..., None], second: Callable[..., None], refusals: Any
    ) -> None:
        def try_second() -> OmsError | None:
            try:
                busy.ledger.run(lambda tx: second(tx, busy))
            except refusals as error:
                return error
            return None

        with ExitStack() as under_way:
            first(under_way.enter_context(busy.ledger.transaction()), busy)
            with waiting_for_a_lock(busy.ledger, try_second) as future:
                under_way.close()  # it commits
                assert future.result(WAIT_SECONDS_MAX) is not None
        (held,), line = work(busy), busy.line()
        picked = (FulfillmentOrderState.PICKED, 0), (FulfillmentOrderState.CANCELED, 2)
        assert (held.state, line.canceled) == picked[0 if first is pick else 1]


def pick_for_it(shop: Shop) -> object:
    (held,) = work(shop)
    return do(shop, held, Action.PICK).state is FulfillmentOrderState.PICKED


def pick_to_send(shop: Shop) -> object:
    with shop.ledger.snapshot() as tx:
        (held,) = transfer_queries.of_order(tx, shop.order("W-2").summary.order_id)
    moved = Moved(by="bob", at=minutes(2))
    done = shop.ledger.run(
        lambda tx: transfers.act(
            tx, held.transfer_number, TransferAction.PICK, moved, version=held.version
        )
    )
    return done.state is TransferState.PICKED


class TestWhoWaitsForAnOrder:
    @pytest.mark.parametrize(
        ("ref", "act", "table"),
        [("W-1", pick_for_it, "fulfillment_orders"), ("W-2", pick_to_send, "transfers")],
    )
    def test_holds_nothing_its_holder_may_need(
        self, busy: Shop, ref: str, act: Callable[[Shop], object], table: str
    ) -> None:
        """Else two who need both wait for each other."""
        order_id = busy.order(ref).summary.order_id
        with ExitStack() as holding:
            tx = holding.enter_context(busy.ledger.transaction())
            tx.execute(text("select from orders where order_id = :id for update"), {"id": order_id})
            with waiting_for_a_lock(busy.ledger, lambda: act(busy)) as future:
                tx.execute(
                    text(f"select from {table} where order_id = :id for update nowait"),
                    {"id": order_id},
                )
                tx.execute(text("select from stock_levels for update nowait"))
                holding.close()
                assert future.result(WAIT_SECONDS_MAX)


def reject(shop: Shop) -> object:
    (held,) = work(shop, "W-3")
    return shop.ledger.run(
        lambda tx: fulfillment.act(
            tx, held.fulfillment_number, Action.REJECT,
            replace(DOING, reason=Reason.NOT_FOUND), version=held.version,
        )
    ).state  # fmt: skip


def pick_short(shop: Shop) -> object:
    (held,) = work(shop)
    doing = replace(DOING, reason=Reason.NOT_FOUND, picked={1: 1})
    return shop.ledger.run(
        lambda tx: fulfillment.act(
            tx, held.fulfillment_number, Action.PICK, doing, version=held.version
        )
    ).state


def send_nothing(shop: Shop) -> object:
    with shop.ledger.snapshot() as tx:
        (held,) = transfer_queries.of_order(tx, shop.order("W-2").summary.order_id)
    moved = Moved(by="bob", at=minutes(2), reason=Reason.NOT_FOUND)
    return shop.ledger.run(
        lambda tx: transfers.act(
            tx, held.transfer_number, TransferAction.CANCEL, moved, version=held.version
        )
    ).state


class TestWhoHasUnitsPlannedAnew:
    @pytest.mark.parametrize("act", [reject, pick_short, send_nothing])
    def test_waits_for_a_limited_place_before_it_holds_a_level(
        self, busy: Shop, act: Callable[[Shop], object]
    ) -> None:
        """A plan holds limits, then levels: else the two wait for each other."""
        busy.take(an_order("W-3"))
        route(busy)
        settle_places(busy, UTR={"capacity_per_day": 9})
        activate(busy)
        with ExitStack() as planning:
            tx = planning.enter_context(busy.ledger.transaction())
            tx.execute(text("select from locations where location_code = 'UTR' for update"))
            with waiting_for_a_lock(busy.ledger, lambda: act(busy)) as future:
                tx.execute(text("select from stock_levels for update nowait"))
                planning.close()
                assert future.result(WAIT_SECONDS_MAX)


def test_who_takes_in_scans_holds_orders_in_one_order_those_of_returns_among_them(
    busy: Shop,
) -> None:
    """Else two batches that tell of the same parcels wait for each other."""
    first, second = (busy.order(ref).summary.order_id for ref in ("W-1", "W-2"))
    with busy.ledger.transaction() as tx:
        for order_id, number in ((first, "T1"), (second, "T2")):
            tx.execute(
                text(
                    "insert into returns (order_id, kind, state, method, carrier,"
                    " tracking_number, location_id, expires_at, requested_by, created_at,"
                    " changed_at) select :order_id, 'customer', 'approved', 'carrier', 'sandbox',"
                    " :number, location_id, :until, 'ann', :at, :at"
                    " from locations where location_code = 'DC'"
                ),
                {"order_id": order_id, "number": number, "at": NOW, "until": minutes(9_000)},
            )
    told = [
        Scan(tracking_number=each, occurred_at=NOW, status="IN_TRANSIT") for each in ("T2", "T1")
    ]
    carrier = SandboxCarrier()

    def take() -> object:
        return busy.ledger.run(lambda tx: parcels.record(tx, carrier, told, at=minutes(2)))

    with ExitStack() as holding:
        tx = holding.enter_context(busy.ledger.transaction())
        hold = text("select from orders where order_id = :id for update nowait")
        tx.execute(hold, {"id": first})
        with waiting_for_a_lock(busy.ledger, take) as future:
            tx.execute(hold, {"id": second})
            holding.close()
            assert future.result(WAIT_SECONDS_MAX)
