"""Health: alive, ready, and how each part is."""

import time
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Final

from alembic.config import Config
from alembic.script import ScriptDirectory
from fastapi import APIRouter, Request
from fastapi.responses import FileResponse
from sqlalchemy import text

from api.dependencies import Now, Opening, Snapshot, system_of
from api.routes import LedgerRoute
from api.schemas.health import AliveOut, HealthOut, InboxHealth, LedgerHealth, PublicationHealth
from api.security import HealthRead
from oms.kernel.errors import NotFound, Unavailable
from oms.ledger import migrations
from oms.ledger.database import Tx
from oms.reports.published import Publications

PROBLEMS: Final = Path(__file__).parents[2] / "docs" / "problems.md"

# Open to everybody: they tell nothing of anybody.
public: Final = APIRouter(tags=["health"])
router: Final = APIRouter(tags=["health"], route_class=LedgerRoute)


@public.get("/health/live")
async def get_alive() -> AliveOut:
    """Tell that the process answers."""
    return AliveOut()


@public.get("/health/ready")
def get_ready(request: Request) -> AliveOut:
    """Tell that requests can be answered; 503 while the ledger is away."""
    opening = Opening(ledger=system_of(request).ledger, is_read_only=True)
    opening.run(lambda tx: tx.execute(text("select 1")))
    return AliveOut()


@public.get("/docs/problems.md", include_in_schema=False)
async def get_problems() -> FileResponse:
    """Return the list of problems; 404 where the program runs without its documents."""
    if not PROBLEMS.exists():
        raise NotFound
    return FileResponse(PROBLEMS, media_type="text/markdown; charset=utf-8")


@router.get("/health/deep")
def get_health(_caller: HealthRead, tx: Snapshot, now: Now, request: Request) -> HealthOut:
    """Tell how each part is: ledger, migrations, inbox, publication."""
    ledger, inbox = _ledger(tx), _inbox(tx, at=now)
    publication = _publication(request.app.state.publications, at=now)
    is_whole = ledger.is_migrated and publication is not None
    return HealthOut(
        status="ok" if is_whole else "degraded", as_of=now, ledger=ledger, inbox=inbox,
        publication=publication,
    )  # fmt: skip


def _ledger(tx: Tx) -> LedgerHealth:
    began = time.perf_counter()
    migration = str(tx.execute(text("select version_num from alembic_version")).scalar_one())
    return LedgerHealth(
        answered_milliseconds=round((time.perf_counter() - began) * 1000, 2),
        migration=migration, is_migrated=migration == _head(),
    )  # fmt: skip


@cache
def _head() -> str | None:
    config = Config()
    config.set_main_option("script_location", str(Path(migrations.__file__).parent))
    return ScriptDirectory.from_config(config).get_current_head()


def _inbox(tx: Tx, *, at: datetime) -> InboxHealth:
    row = tx.execute(
        text(
            "select count(*) as waiting_count, min(received_at) as oldest_at from inbox"
            " where state in ('received', 'processing')"
        )
    ).one()
    oldest = None if row.oldest_at is None else (at - row.oldest_at).total_seconds()
    return InboxHealth(waiting_count=row.waiting_count, oldest_age_seconds=oldest)


def _publication(publications: Publications, *, at: datetime) -> PublicationHealth | None:
    try:
        stamp = publications.current().stamp
    except Unavailable:
        return None
    age_seconds = round((at - stamp.published_at).total_seconds(), 1)
    return PublicationHealth(version=stamp.version, age_seconds=age_seconds)
