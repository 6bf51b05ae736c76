"""What needs a person, as values: each kind with who may see it and what to do."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

# From when on a thing that is on its way is one that got stuck.
INBOX_WAITS_MAX: Final = timedelta(minutes=15)
ENDPOINT_FAILS_MAX: Final = timedelta(minutes=15)
UNTOUCHED_MAX: Final = timedelta(hours=4)
PARCEL_SILENT_MAX: Final = timedelta(days=4)
TIMED_OUT_SHOWN: Final = timedelta(days=1)
TRANSFER_AWAY_MAX: Final = timedelta(days=5)
HOLD_OPEN_MAX: Final = timedelta(days=2)
PAYMENT_UNKNOWN_MAX: Final = timedelta(minutes=15)
AUTHORIZATION_ENDS_IN: Final = timedelta(days=2)
REFUND_WAITS_MAX: Final = timedelta(hours=4)
NOTICE_PARKED_MAX: Final = timedelta(hours=4)
OVERPAID_MAX: Final = timedelta(days=1)
# A bank takes an answer for some weeks; after that it is what it is.
CHARGED_BACK_SHOWN: Final = timedelta(days=30)
RETURN_UNDECIDED_MAX: Final = timedelta(days=2)
RETURN_UNPAID_MAX: Final = timedelta(days=7)


class Severity(StrEnum):
    """How bad it is."""

    ERROR = "error"  # something stands still until a person acts
    WARNING = "warning"  # it goes on, but somebody waits


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """A kind of matter: which scope is needed to see it, and what to do about it."""

    severity: Severity
    scope: str
    title: str
    advice: str


KINDS: Final[dict[str, Kind]] = {
    "PAYLOAD_FAILED": Kind(
        severity=Severity.ERROR, scope="channels:read", title="Payloads that cannot be read",
        advice="Mend the mapping or the file, then hand it over again.",
    ),
    "INBOX_WAITS": Kind(
        severity=Severity.ERROR, scope="channels:read", title="Payloads nobody takes up",
        advice="The worker is down or overwhelmed: look at its log.",
    ),
    "QUARANTINED": Kind(
        severity=Severity.WARNING, scope="quarantine:read", title="Documents set aside",
        advice="Mend what is missing, then replay them.",
    ),
    "SUBSCRIPTION_DISABLED": Kind(
        severity=Severity.ERROR, scope="webhooks:read", title="Subscribers that are told nothing",
        advice="Mend the endpoint, then enable it: it gets everything it missed.",
    ),
    "SUBSCRIPTION_FAILING": Kind(
        severity=Severity.WARNING, scope="webhooks:read", title="Subscribers that do not answer",
        advice="Ask whose endpoint it is; it is tried again by itself for 72 hours.",
    ),
    "MESSAGES_PARKED": Kind(
        severity=Severity.ERROR, scope="webhooks:read", title="Messages a subscriber refuses",
        advice="Look at the answers of the deliveries, mend, and redeliver.",
    ),
    "FEED_HELD": Kind(
        severity=Severity.ERROR, scope="webhooks:read", title="Stock that is not told",
        advice="Too much went to none at once: mend the count, or release the feed.",
    ),
    "STOCK_REFUSED": Kind(
        severity=Severity.WARNING, scope="webhooks:read", title="SKUs a subscriber refuses",
        advice="Mend them there; each is tried alone every hour.",
    ),
    "ORDER_EXCEPTION": Kind(
        severity=Severity.WARNING, scope="orders:read", title="Orders with an exception",
        advice="List the orders with this exception and see to them, oldest first.",
    ),
    "HOLD_OPEN": Kind(
        severity=Severity.WARNING, scope="orders:read", title="Orders long on hold",
        advice="Decide and release, or cancel.",
    ),
    "WORK_UNTOUCHED": Kind(
        severity=Severity.WARNING, scope="fulfillment:read", title="Work nobody accepted",
        advice="Ask the location, or reject it so that another gets it.",
    ),
    "WORK_TIMED_OUT": Kind(
        severity=Severity.WARNING, scope="fulfillment:read", title="Work not accepted in time",
        advice="It went elsewhere by itself; ask the location why nobody looks.",
    ),
    "TRANSFER_AWAY": Kind(
        severity=Severity.WARNING, scope="fulfillment:read", title="Transfers long on their way",
        advice="Ask the carrier; receive what came and close it.",
    ),
    "PARCEL_SILENT": Kind(
        severity=Severity.WARNING, scope="fulfillment:read", title="Parcels nobody hears of",
        advice="Ask the carrier; a lost one is a claim and a new parcel.",
    ),
    "PAYMENT_UNKNOWN": Kind(
        severity=Severity.ERROR, scope="payments:read", title="Money nobody can tell of",
        advice="The payment service does not say what it did: look there. Do not do it again.",
    ),
    "CAPTURE_FAILED": Kind(
        severity=Severity.ERROR, scope="payments:read", title="Goods that left and are not paid",
        advice="Capture it by hand, or ask its customer for another payment.",
    ),
    "CHARGED_BACK": Kind(
        severity=Severity.ERROR, scope="payments:read", title="Money a bank took back",
        advice="What had not left was put on hold. Answer the bank at the payment service in time.",
    ),
    "VOID_FAILED": Kind(
        severity=Severity.WARNING, scope="payments:read",
        title="Authorizations that were not given up",
        advice="Give it up again by hand, or at the payment service: its customer's money is held.",
    ),
    "SET_ASIDE": Kind(
        severity=Severity.ERROR, scope="payments:read",
        title="Orders that something does not follow",
        advice="See the worker's log. They are tried again when they change, and every hour.",
    ),
    "AUTHORIZATION_ENDS": Kind(
        severity=Severity.WARNING, scope="payments:read",
        title="Authorizations that end before their goods leave",
        advice="Have the goods leave, capture it by hand, or ask for another payment.",
    ),
    "REFUND_FAILED": Kind(
        severity=Severity.ERROR, scope="refunds:read", title="Refunds that failed or came back",
        advice="Retry it, pay it by another tender of its order, or give it up.",
    ),
    "REFUND_WAITS": Kind(
        severity=Severity.WARNING, scope="refunds:read", title="Refunds that wait for approval",
        advice="Approve or reject them; who asked may not.",
    ),
    "REFUND_NOT_BEGUN": Kind(
        severity=Severity.WARNING, scope="refunds:read",
        title="Orders paid too much, which nothing gives back",
        advice="Refund what is owed, on the order's page; a rule or a person left it to people.",
    ),
    "OVERPAID": Kind(
        severity=Severity.WARNING, scope="payments:read",
        title="Orders paid too much, of which their channel has told no refund",
        advice="Have the channel pay it back and tell us, or the store that took the money.",
    ),
    "MAIL_FAILED": Kind(
        severity=Severity.WARNING, scope="documents:read", title="Mails that did not get there",
        advice="Look at what the mail server said (GET /v1/mails); mend the address, send again.",
    ),
    "NOTICE_PARKED": Kind(
        severity=Severity.WARNING, scope="payments:read",
        title="Notifications of no payment we know",
        advice="Look at them (GET /v1/notices) and find their orders at the payment service.",
    ),
    "SETTLEMENT_DIFFERS": Kind(
        severity=Severity.WARNING, scope="settlements:read",
        title="Settlements that do not agree with us",
        advice="Find what explains each difference, and resolve it with that.",
    ),
    "RETURN_UNIDENTIFIED": Kind(
        severity=Severity.WARNING, scope="returns:read", title="Goods that came and are nobody's",
        advice="Say whose they are: somebody waits for their money.",
    ),
    "RETURN_UNDECIDED": Kind(
        severity=Severity.WARNING, scope="returns:read", title="Returns nobody decides",
        advice="Approve or decline what was asked for; accept or reject what came, and receive it"
        " as complete where the rest will not come.",
    ),
    "RETURN_UNPAID": Kind(
        severity=Severity.WARNING, scope="returns:read", title="Returns long accepted and not paid",
        advice="See to its refund; where its channel pays ask there, then complete it by hand.",
    ),
}  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Matter:
    """Something that needs a person: how much of it, where, and since when."""

    code: str
    place: str | None  # a channel, a location, a subscription, an exception's code
    channel_code: str | None  # whose it is; None: nobody's, or of several
    count: int
    oldest_at: datetime

    @property
    def kind(self) -> Kind:
        """What kind of matter it is."""
        return KINDS[self.code]
