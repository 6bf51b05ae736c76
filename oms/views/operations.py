"""Writes on saved views: kept, and given up."""

import json
from datetime import datetime
from typing import Any, Final

from sqlalchemy import text

from oms.ledger.database import Tx
from oms.ledger.rows import by_name
from oms.views.model import Holder, View, ViewNotFound

_SAVE: Final = text("""
    insert into saved_views (owner, team, name, query, created_by, updated_at)
    values (:owner, :team, :name, cast(:query as jsonb), :created_by, :at)
    on conflict (owner, team, name) do update
    set query = excluded.query, created_by = excluded.created_by, updated_at = excluded.updated_at
    returning view_id, name, team is not null as is_shared, query, created_by, updated_at
""")
_REMOVE: Final = text(
    "delete from saved_views where view_id = :view_id and (owner = :owner or team = :team)"
)


def save(
    tx: Tx, holder: Holder, name: str, query: dict[str, Any], *, is_shared: bool, at: datetime
) -> View:
    """Keep a question under a name, in the place of what was under it before."""
    row = tx.execute(
        _SAVE,
        {
            "owner": None if is_shared else holder.owner,
            "team": holder.team if is_shared else None,
            "name": name, "query": json.dumps(query), "created_by": holder.name, "at": at,
        },
    ).one()  # fmt: skip
    return View(**by_name(row))


def remove(tx: Tx, holder: Holder, view_id: int) -> None:
    """Give up a view of one's own or of one's team; raises ViewNotFound for any other."""
    key = {"view_id": view_id, "owner": holder.owner, "team": holder.team}
    if not tx.execute(_REMOVE, key).rowcount:
        raise ViewNotFound
