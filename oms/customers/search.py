"""Search: customers by what an agent has heard of them, orders by what a store is shown."""

from typing import Any, Final

from sqlalchemy import text

from oms.customers import store
from oms.customers.queries import Codes
from oms.ledger.database import Tx
from oms.orders.filters import NAMED, named

_VISIBLE: Final = (
    "(cast(:channel_codes as text[]) is null or c.channel_code = any (:channel_codes))"
)

# What a store may be shown of an order to find it by, one condition each.
LOOK_UPS: Final[dict[str, str]] = {
    "receipt": "(o.external_ref = :receipt or o.external_number = :receipt)",
    "number": "(o.order_number = upper(:number) or o.external_number = :number)",
    "email": "lower(o.customer_email) = lower(:email)",
    "card_last4": ("o.order_id in (select p.order_id from payments p where p.last4 = :card_last4)"),
    "placed_on": "o.placed_on = cast(:placed_on as date)",
    "phone": (
        "o.order_id in (select l.order_id from customer_identifiers i join customer_orders l"
        " using (customer_id)"
        " where i.kind = 'phone' and i.value_normalized = normalized_phone(:phone))"
        " and normalized_phone(o.customer_phone) = normalized_phone(:phone)"
    ),
    "name": (
        "o.order_id in (select s.order_id from order_search s"  # noqa: S608 - a condition of ours
        f" where s.words @@ cast(:name as tsquery) and {NAMED})"
    ),
}


def customers(tx: Tx, words: str, *, channel_codes: Codes, after: int, limit: int) -> list[int]:
    """Return the customers known by a value, a name, or the number of an order of theirs."""
    name, names = named(tx, words)
    rows = store.READ.run(
        tx, "search", words=words, name_words=name, names=names, after=after, limit=limit,
        channel_codes=None if channel_codes is None else list(channel_codes),
    )  # fmt: skip
    return [row.customer_id for row in rows]


def account(tx: Tx, ref: str, *, channel_code: str) -> int | None:
    """Return the customer whose account at a channel has a ref, or None."""
    found = store.READ.run(tx, "account", ref=ref, channel_code=channel_code).scalar()
    return None if found is None else int(found)


def orders(tx: Tx, asked: dict[str, str], *, channel_codes: Codes, limit: int) -> list[int]:
    """Return the newest orders that fit everything a store was told, of any channel."""
    given: dict[str, Any] = {
        **asked, "limit": limit,
        "channel_codes": None if channel_codes is None else list(channel_codes),
    }  # fmt: skip
    if "name" in asked:
        given["name"], given["names"] = named(tx, asked["name"])
    where = " and ".join(LOOK_UPS[name] for name in asked)
    rows = tx.execute(
        text(
            "select o.order_id from orders o join channels c using (channel_id)"  # noqa: S608 - conditions of ours
            f" where {where} and not o.is_test and {_VISIBLE}"
            " order by o.placed_at desc, o.order_id desc limit :limit"
        ),
        given,
    )
    return [row.order_id for row in rows]
