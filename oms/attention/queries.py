"""Reads of what needs a person."""

from collections.abc import Collection
from datetime import datetime

from oms.attention import model
from oms.attention.model import KINDS, Matter
from oms.attention.store import SQL
from oms.ledger.database import Tx
from oms.ledger.rows import by_name


def matters(
    tx: Tx, *, scopes: Collection[str], channel_codes: Collection[str] | None, at: datetime
) -> list[Matter]:
    """Return what needs a person, of what these scopes and channels may see, worst first.

    `channel_codes` None is every channel, and what is nobody's.
    """
    codes = [code for code, kind in KINDS.items() if kind.scope in scopes]
    rows = SQL.run(
        tx, "matters", at=at, codes=codes,
        channel_codes=None if channel_codes is None else list(channel_codes),
        inbox_waits_max=model.INBOX_WAITS_MAX, endpoint_fails_max=model.ENDPOINT_FAILS_MAX,
        hold_open_max=model.HOLD_OPEN_MAX, untouched_max=model.UNTOUCHED_MAX,
        timed_out_shown=model.TIMED_OUT_SHOWN,
        transfer_away_max=model.TRANSFER_AWAY_MAX, parcel_silent_max=model.PARCEL_SILENT_MAX,
        payment_unknown_max=model.PAYMENT_UNKNOWN_MAX, refund_waits_max=model.REFUND_WAITS_MAX,
        overpaid_max=model.OVERPAID_MAX, charged_back_shown=model.CHARGED_BACK_SHOWN,
        return_undecided_max=model.RETURN_UNDECIDED_MAX,
        return_unpaid_max=model.RETURN_UNPAID_MAX,
        notice_parked_max=model.NOTICE_PARKED_MAX,
        authorization_ends_in=model.AUTHORIZATION_ENDS_IN,
    )  # fmt: skip
    found = [Matter(**by_name(row)) for row in rows]
    return sorted(found, key=lambda each: (each.kind.severity, list(KINDS).index(each.code)))
