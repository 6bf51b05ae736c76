"""What the tests of customers share: the follower caught up, whose each order is."""

from oms.customers import operations, queries
from oms.customers.model import Identifier, IdentifierKind
from oms.ledger.database import Ledger
from oms.ledger.followers import follow
from tests.builders import NOW
from tests.ledger.finding import indexed
from tests.ledger.shop import Shop


def caught_up(ledger: Ledger) -> None:
    """Assign every order to its customer; the first look of a follower only begins."""

    def step() -> bool:
        return follow(
            ledger, operations.FOLLOWER,
            lambda tx, after, upto: operations.assign_changed(tx, after, upto, at=NOW),
            stop=operations.stop,
        )  # fmt: skip

    step()
    while step():
        pass
    indexed(ledger)


def owners(shop: Shop) -> dict[str, tuple[int, str]]:
    """Return whose each order is and why, by the channel's id of it."""
    rows = shop.rows(
        "select external_ref, customer_id, basis from orders join customer_orders using (order_id)"
    )
    return {ref: (customer_id, basis) for ref, customer_id, basis in rows}


def known(shop: Shop, customer_id: int) -> dict[str, Identifier]:
    """Return what a customer and all merged into them are known by, by value."""
    with shop.ledger.snapshot() as tx:
        family = queries.family(tx, customer_id, channel_codes=None)
        found = queries.identifiers(tx, family, channel_codes=None)
    return {each.value: each for each in found}


def theirs(shop: Shop, customer_id: int) -> list[str]:
    """Return the orders that are shown to a customer as theirs, newest first."""
    with shop.ledger.snapshot() as tx:
        family = queries.family(tx, customer_id, channel_codes=None)
        found = queries.orders(
            tx, family, channel_codes=None, with_unverified=False, after=None, limit=50
        )
    return [each.external_number or "" for each in found]


def verified(shop: Shop, customer_id: int, value: str, kind: str = "email") -> int:
    """Let a customer show that something is theirs; return the identifier."""
    with shop.ledger.transaction() as tx:
        identifier_id = operations.add_identifier(
            tx, customer_id, kind=IdentifierKind(kind), value=value, channel_id=None, by="agent",
            at=NOW,
        )  # fmt: skip
        operations.verify(tx, customer_id, identifier_id, by="agent", at=NOW)
    return identifier_id
