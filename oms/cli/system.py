"""Commands that run the system: up, down, status."""

import signal
import threading
from datetime import datetime
from typing import Annotated

import typer

from oms import launcher
from oms.access import operations as access
from oms.channels import queries as channels
from oms.cli.common import fail, running_system
from oms.cli.common import settings as read_settings
from oms.kernel import clock
from oms.kernel.errors import OmsError
from oms.ledger import embedded
from oms.settings import Settings


def add_to(app: typer.Typer) -> None:
    """Add the commands to the command line."""
    for command in (up, down, status):
        app.command()(command)


def up(
    workers: Annotated[
        int | None,
        typer.Option(min=1, max=64, help="processes that serve the API; else OMS_API_WORKERS"),
    ] = None,
    simulate: Annotated[
        bool, typer.Option(help="play a retailer: history on first start, then a live day")
    ] = True,
    days: Annotated[int, typer.Option(min=1, max=3650, help="days of history to play")] = 90,
    orders_per_day: Annotated[int, typer.Option(min=1, max=100_000)] = 400,
) -> None:
    """Start everything and keep it running until Ctrl-C.

    The ledger, the worker, the refresher of the warehouse, the API, the dashboards and Dagster.
    """
    settings = read_settings()
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    try:
        with launcher.only_one(settings):
            _up(
                settings,
                stop,
                workers=workers or settings.api_workers,
                days=days if simulate else 0,
                per_day=orders_per_day,
            )
    except OmsError as error:
        raise fail(error.detail) from None


def _up(
    settings: Settings, stop: threading.Event, *, workers: int, days: int, per_day: int
) -> None:
    from oms.cli import simulation  # the simulator, which the others need not load

    typer.echo("Starting the ledger …")
    with running_system() as system:
        with system.ledger.transaction() as tx:
            access.first_admin_key(tx, settings.admin_key_path, at=clock.now())
        running = launcher.Running(settings=settings)
        programs = launcher.programs(settings, workers=workers)
        try:
            for program in programs:
                running.start(program)
            if days:
                simulation.first_history(system, stop, days=days, per_day=per_day)
            if not stop.is_set():
                _tell_ready(settings, running, programs)
            if days and not stop.is_set():
                running.start(simulation.live_program())
            _watch(running, stop)
        finally:
            typer.echo("Stopping …")
            running.stop()
    if settings.ledger_url is None:
        embedded.stop(settings.pgdata_path)
    typer.echo("Stopped; the data is kept.")


def _tell_ready(
    settings: Settings, running: launcher.Running, programs: list[launcher.Program]
) -> None:
    typer.echo("Waiting for the services to answer …")
    for program in programs:
        if program.url is None:
            continue
        is_ready = launcher.wait_ready(running, program, tell=typer.echo)
        typer.echo(f"  {program.name:<11} {program.url}{'' if is_ready else '  (not ready)'}")
    if settings.admin_key_path.exists():
        typer.echo(f"  admin key   {settings.admin_key_path.read_text().strip()}")
        typer.echo(f"              kept in {settings.admin_key_path}")
    typer.echo("Ready. Ctrl-C stops everything; the data is kept.")


def _watch(running: launcher.Running, stop: threading.Event) -> None:
    known: set[str] = set()
    while not stop.wait(0.5):
        for name in set(running.ended()) - known:
            known.add(name)
            log = running.settings.logs_dir / f"{name}.log"
            typer.secho(f"{name} has ended; see {log}", fg=typer.colors.RED, err=True)


def down() -> None:
    """Stop the embedded ledger of this home, if it was left running."""
    settings = read_settings()
    if settings.ledger_url is not None:
        raise fail("The ledger is a server of its own (OMS_LEDGER_URL); nothing to stop here.")
    stopped = embedded.stop(settings.pgdata_path)
    typer.echo("The ledger is stopped." if stopped else "The ledger was not running.")


def status() -> None:
    """Show what the system holds: orders per channel, inbox, quarantine, publication."""
    with running_system() as system:
        with system.ledger.snapshot() as tx:
            rows = channels.counts(tx)
        if not rows:
            typer.echo(
                "No channel is registered yet. Try `oms simulate`, or `oms channels --help`."
            )
            return
        head = ("channel", "orders", "waiting", "failed", "quarantined", "last received")
        typer.echo(f"{head[0]:<20}{head[1]:>12}{head[2]:>10}{head[3]:>8}{head[4]:>13}  {head[5]}")
        for row in rows:
            last = row["last_received_at"]
            shown = last.strftime("%Y-%m-%d %H:%M:%SZ") if isinstance(last, datetime) else "never"
            typer.echo(
                f"{row['channel_code']:<20}{row['orders_count']:>12,}{row['waiting_count']:>10,}"
                f"{row['failed_count']:>8,}{row['quarantined_count']:>13,}  {shown}"
            )
    _show_publication(system.settings)


def _show_publication(settings: Settings) -> None:
    from oms.reports import published  # DuckDB and Polars, which the others need not load

    try:
        stamp = published.Publications(settings.published_dir).current().stamp
    except OmsError as error:
        typer.echo(f"\n{error.detail}")
        return
    age = clock.now() - stamp.published_at
    typer.echo(
        f"\nPublished marts: version {stamp.version} with {stamp.mart_orders_count:,} orders,"
        f" {age.total_seconds():,.0f} s old."
    )
