"""Webhooks: subscriptions made and switched, their deliveries looked at and sent again."""

from datetime import timedelta
from typing import Annotated, Final

from fastapi import APIRouter, Path, Query

from api.dependencies import Now, Snapshot, System, Tx
from api.idempotency import OncePerKey, OncePerKeyIfGiven
from api.paging import Page
from api.problems import Refused, field_problem
from api.routes import LedgerRoute, keeping
from api.schemas.webhooks import (
    DeliveriesQuery,
    DeliveryInFullOut,
    DeliveryOut,
    RotatePost,
    SecretOut,
    SubscribedOut,
    SubscriptionOut,
    SubscriptionPost,
    without_secret,
)
from api.security import WebhooksRead, WebhooksWrite
from oms.access.model import Caller
from oms.channels import queries as channels
from oms.ledger.database import Tx as Transaction
from oms.webhooks import operations, queries
from oms.webhooks.model import Subscription, SubscriptionDraft, SubscriptionNotFound, Transport

router: Final = APIRouter(prefix="/v1", tags=["webhooks"], route_class=LedgerRoute)

SubscriptionId = Annotated[int, Path(ge=1, le=2**62)]
DeliveryId = Annotated[int, Path(ge=1, le=2**62)]


@router.get("/webhooks")
def list_subscriptions(caller: WebhooksRead, tx: Snapshot) -> list[SubscriptionOut]:
    """List subscriptions, oldest first."""
    found = queries.subscriptions(tx)
    return [SubscriptionOut.of(each) for each in found if _governs(caller, each)]


@router.post("/webhooks", status_code=201)
@keeping(without_secret)
def subscribe(
    body: SubscriptionPost, caller: WebhooksWrite, tx: Tx, system: System, now: Now,
    _once: OncePerKey,
) -> SubscribedOut:  # fmt: skip
    """Subscribe an endpoint to what happens from now on; its secret is in this answer only."""
    draft = body.draft()
    _check_form(draft)
    _check(tx, caller, draft)
    number, secret = operations.subscribe(tx, draft, by=caller.name, at=now, tellers=system.tellers)
    made = SubscriptionOut.of(queries.subscription(tx, number))
    return SubscribedOut(**made.model_dump(), secret=secret)


@router.get("/webhooks/{subscription_id}")
def get_subscription(
    subscription_id: SubscriptionId, caller: WebhooksRead, tx: Snapshot
) -> SubscriptionOut:
    """Return a subscription, and how it goes."""
    return SubscriptionOut.of(_subscription(tx, subscription_id, caller))


@router.post("/webhooks/{subscription_id}:enable")
def enable_subscription(
    subscription_id: SubscriptionId, caller: WebhooksWrite, tx: Tx, now: Now,
    _once: OncePerKeyIfGiven,
) -> SubscriptionOut:  # fmt: skip
    """Serve a subscription again, from where it was; its endpoint is tried at once."""
    _subscription(tx, subscription_id, caller)
    operations.change_state(tx, subscription_id, "enabled", reason=None, at=now)
    return SubscriptionOut.of(queries.subscription(tx, subscription_id))


@router.post("/webhooks/{subscription_id}:pause")
def pause_subscription(
    subscription_id: SubscriptionId, caller: WebhooksWrite, tx: Tx, now: Now,
    _once: OncePerKeyIfGiven,
) -> SubscriptionOut:  # fmt: skip
    """Send a subscription nothing for now; it gets everything when it is enabled again."""
    _subscription(tx, subscription_id, caller)
    operations.change_state(tx, subscription_id, "paused", reason=caller.name, at=now)
    return SubscriptionOut.of(queries.subscription(tx, subscription_id))


@router.post("/webhooks/{subscription_id}:disable")
def disable_subscription(
    subscription_id: SubscriptionId, caller: WebhooksWrite, tx: Tx, now: Now,
    _once: OncePerKeyIfGiven,
) -> SubscriptionOut:  # fmt: skip
    """Send a subscription nothing any more."""
    _subscription(tx, subscription_id, caller)
    operations.change_state(tx, subscription_id, "disabled", reason=caller.name, at=now)
    return SubscriptionOut.of(queries.subscription(tx, subscription_id))


@router.post("/webhooks/{subscription_id}:rotate")
@keeping(without_secret)
def rotate_secret(
    subscription_id: SubscriptionId, body: RotatePost, caller: WebhooksWrite, tx: Tx, now: Now,
    _once: OncePerKey,
) -> SecretOut:  # fmt: skip
    """Give a subscription a new secret; for a while messages are signed with both."""
    _subscription(tx, subscription_id, caller)
    overlap = timedelta(hours=body.overlap_hours)
    secret = operations.rotate(tx, subscription_id, overlap=overlap, at=now)
    return SecretOut(subscription_id=subscription_id, secret=secret, former_until_at=now + overlap)


@router.get("/webhooks/{subscription_id}/deliveries")
def list_deliveries(
    subscription_id: SubscriptionId, query: Annotated[DeliveriesQuery, Query()],
    caller: WebhooksRead, tx: Snapshot,
) -> Page[DeliveryOut]:  # fmt: skip
    """List deliveries of a subscription, newest first."""
    _subscription(tx, subscription_id, caller)
    found = queries.deliveries(
        tx, subscription_id, state=query.state, before=query.after, limit=query.limit + 1
    )
    items = [DeliveryOut.of(each) for each in found[: query.limit]]
    has_more = len(found) > query.limit
    return Page(items=items, next_after=str(items[-1].delivery_id) if has_more else None)


@router.get("/webhooks/{subscription_id}/deliveries/{delivery_id}")
def get_delivery(
    subscription_id: SubscriptionId, delivery_id: DeliveryId, caller: WebhooksRead, tx: Snapshot
) -> DeliveryInFullOut:
    """Return a delivery with its body as sent, and every attempt."""
    _subscription(tx, subscription_id, caller)
    delivery = queries.delivery(tx, subscription_id, delivery_id)
    return DeliveryInFullOut.of_all(
        delivery, queries.body(tx, delivery_id), queries.attempts(tx, delivery_id)
    )


@router.post("/webhooks/{subscription_id}/deliveries/{delivery_id}:redeliver")
def redeliver(
    subscription_id: SubscriptionId, delivery_id: DeliveryId, caller: WebhooksWrite, tx: Tx,
    _once: OncePerKeyIfGiven,
) -> DeliveryOut:  # fmt: skip
    """Send a delivery again that was delivered or given up, with the same id and body."""
    _subscription(tx, subscription_id, caller)
    queries.delivery(tx, subscription_id, delivery_id)
    operations.redeliver(tx, subscription_id, delivery_id)
    return DeliveryOut.of(queries.delivery(tx, subscription_id, delivery_id))


def _subscription(tx: Transaction, subscription_id: int, caller: Caller) -> Subscription:
    found = queries.subscription(tx, subscription_id)
    if not _governs(caller, found):
        raise SubscriptionNotFound
    return found


def _governs(caller: Caller, subscription: Subscription) -> bool:
    """Tell whether a subscription is of a channel the caller may know of."""
    if caller.channels is None:
        return True
    return subscription.channel_code is not None and caller.may_see(subscription.channel_code)


def _check_form(draft: SubscriptionDraft) -> None:
    """Refuse what a transport has no use for, and what it lacks."""
    if (draft.url is not None) != (draft.transport is Transport.WEBHOOK):
        raise Refused([field_problem("VALIDATION", "/url")])
    if (draft.file_format is not None) != (draft.transport is Transport.FILE):
        raise Refused([field_problem("VALIDATION", "/file_format")])
    if draft.transport is Transport.PLATFORM and draft.channel_code is None:
        raise Refused([field_problem("VALIDATION", "/channel_code")])


def _check(tx: Transaction, caller: Caller, draft: SubscriptionDraft) -> None:
    """Refuse what the caller may not know of: nobody gives others more than they have."""
    known = {each.code for each in channels.channels(tx) if caller.may_see(each.code)}
    if draft.channel_code is None and caller.channels is not None:
        raise Refused([field_problem("VALIDATION", "/channel_code")])
    if draft.channel_code is not None and draft.channel_code not in known:
        raise Refused([field_problem("UNKNOWN_CHANNEL", "/channel_code")])
    is_every_one = draft.channel_codes is None and caller.channels is not None
    if is_every_one or not known.issuperset(draft.channel_codes or ()):
        raise Refused([field_problem("UNKNOWN_CHANNEL", "/channel_codes")])
