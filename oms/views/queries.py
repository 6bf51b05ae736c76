"""Reads of saved views."""

from typing import Final

from sqlalchemy import text

from oms.ledger.database import Tx
from oms.ledger.rows import by_name
from oms.views.model import Holder, View

_VIEWS: Final = text(
    "select view_id, name, team is not null as is_shared, query, created_by, updated_at"
    " from saved_views where owner = :owner or team = :team order by lower(name), view_id"
)


def views(tx: Tx, holder: Holder) -> list[View]:
    """List one's own views and those of one's team, by name."""
    rows = tx.execute(_VIEWS, {"owner": holder.owner, "team": holder.team})
    return [View(**by_name(row)) for row in rows]
