"""Commands that move data: ingest, replay, simulate, export."""

import mimetypes
import re
import threading
from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from pathlib import Path
from typing import Annotated, Final

import typer

from oms import bootstrap
from oms.channels import operations
from oms.channels import queries as channels
from oms.channels.model import Payload
from oms.cli.common import Progress, fail, running_system, settings
from oms.kernel import clock
from oms.kernel.errors import OmsError
from oms.reports.model import NO_CURRENCY, Basis, Filters, Period
from oms.workflows import ingest as workflow

SHOWN_MAX: Final = 10
_LINE: Final = re.compile("(line [0-9]+): ")


def add_to(app: typer.Typer) -> None:
    """Add the commands to the command line."""
    for command in (ingest, replay, simulate, export):
        app.command()(command)


def ingest(
    paths: Annotated[list[Path], typer.Argument(metavar="PATH…", help="files, or folders of them")],
    channel: Annotated[str, typer.Option(help="the channel they are of; `oms channels list`")],
    topic: Annotated[
        str, typer.Option(help="what is inside: orders, products, counts …")
    ] = "orders",
) -> None:
    """Take files through the inbox into the ledger, and say what became of each document.

    The same file twice changes nothing. What cannot be used is quarantined and listed.
    """
    chosen = _files(paths)
    with running_system() as system:
        done = [_ingest(system, path, channel=channel, topic=topic) for path in chosen]
        workflow.replay_orphans(system.intake)
        _show_quarantine(system, channel, [payload.inbox_id for payload in done])
    if any(payload.state == "failed" for payload in done):
        raise typer.Exit(code=1)


def _files(paths: Sequence[Path]) -> list[Path]:
    for path in paths:
        if not path.exists():
            raise fail(f"There is no file {path}.")
    chosen = [
        file
        for path in paths
        for file in (sorted(path.rglob("*")) if path.is_dir() else [path])
        if file.is_file() and not file.name.startswith(".")
    ]
    if not chosen:
        raise fail("There are no files in there.")
    return chosen


def _ingest(system: bootstrap.System, path: Path, *, channel: str, topic: str) -> Payload:
    content_type = mimetypes.guess_type(path.name)[0] or "application/octet-stream"
    received = workflow.receive_file(
        system.intake, path, channel_code=channel, topic=topic, content_type=content_type,
        at=clock.now(),
    )  # fmt: skip
    if received.state == "processed":
        with system.ledger.snapshot() as tx:
            known = channels.payload(tx, received.inbox_id)
        assert known is not None, "the inbox has just named it"
        typer.echo(
            f"{path.name}: here already since {known.received_at:%Y-%m-%d %H:%M}Z, nothing to do"
            f" (payload {received.inbox_id})"
        )
        return known
    if received.state == "failed":
        with system.ledger.transaction() as tx:
            operations.reopen(tx, received.inbox_id)
    payload = workflow.process(system.intake, received.inbox_id)
    while payload is None or payload.state in {"received", "processing"}:
        # A running worker has it: wait until it is done.
        threading.Event().wait(0.2)
        payload = workflow.process(system.intake, received.inbox_id)
    typer.echo(
        f"{path.name}: {payload.state}; {payload.documents_count:,} documents:"
        f" {payload.captured_count:,} captured, {payload.updated_count:,} updated,"
        f" {payload.duplicate_count:,} duplicates, {payload.stale_count:,} stale,"
        f" {payload.quarantined_count:,} quarantined"
    )
    if payload.failure:
        typer.secho(f"  {payload.failure}", fg=typer.colors.RED)
    return payload


def _show_quarantine(system: bootstrap.System, channel: str, inbox_ids: Sequence[int]) -> None:
    with system.ledger.snapshot() as tx:
        found = [
            document
            for document in channels.quarantine(tx, channel_code=channel, limit=100_000)
            if document.inbox_id in inbox_ids
        ]
    if not found:
        return
    counts = Counter(problem["code"] for document in found for problem in document.problems)
    typer.echo("Quarantined: " + ", ".join(f"{n:,} {code}" for code, n in counts.most_common()))
    for document in found[:SHOWN_MAX]:
        place = f"line {document.line}" if document.line else f"document {document.position}"
        for problem in document.problems[:3]:
            typer.echo(f"  {_problem(problem, place)}")
    if len(found) > SHOWN_MAX:
        typer.echo(
            f"  … and {len(found) - SHOWN_MAX:,} more; see Quarantine on the dashboards' page"
            " Freshness"
        )


def _problem(problem: Mapping[str, str], place: str) -> str:
    """Say what is wrong and where: the line of the problem, where it names one of its own."""
    detail = problem["detail"]
    if named := _LINE.match(detail):
        place, detail = named[1], detail[named.end() :]
    field = f", {problem['field']}" if problem["field"] else ""
    return f"{place}{field}: {detail} [{problem['code']}]"


def replay(
    channel: Annotated[str | None, typer.Option(help="only this channel's")] = None,
    code: Annotated[str | None, typer.Option(help="only with this problem, as UNKNOWN_SKU")] = None,
) -> None:
    """Try quarantined documents again, after a mapping or the catalog was mended."""
    with running_system() as system:
        with system.ledger.snapshot() as tx:
            if channel is not None:
                channels.channel(tx, channel)
            documents = channels.quarantine(tx, channel_code=channel, code=code, limit=1_000_000)
        progress = Progress("replayed", len(documents))
        resolved = 0
        for document in documents:
            resolved += workflow.replay_all(system.intake, [document])
            progress.step()
        progress.end()
    typer.echo(f"{resolved:,} resolved, {len(documents) - resolved:,} still in quarantine.")


def simulate(
    days: Annotated[int, typer.Option(min=1, max=3650, help="days of history")] = 90,
    orders_per_day: Annotated[int, typer.Option(min=1, max=100_000)] = 400,
    seed: Annotated[int, typer.Option(help="another number, another retailer")] = 1,
    live: Annotated[
        bool, typer.Option("--live", help="go on from the history, as it happens")
    ] = False,
    speed: Annotated[float, typer.Option(min=0.1, max=3600, help="of the clock, when live")] = 60,
) -> None:
    """Play a believable retailer: a DC, twelve stores, six channels, each in its own format."""
    from oms.cli import simulation  # the simulator, which the others need not load

    with running_system() as system:
        if live:
            simulation.play_live(system, speed=speed)
        else:
            simulation.play_history(
                system, threading.Event(), days=days, per_day=orders_per_day, seed=seed,
                process=True,
            )  # fmt: skip


def export(
    report: Annotated[str, typer.Argument(help="its name; a wrong one lists them all")],
    out: Annotated[Path, typer.Option(help="the file; .csv or .xlsx decides the format")],
    currency: Annotated[str | None, typer.Option(help="of reports with amounts: one only")] = None,
    since: Annotated[str | None, typer.Option("--from", help="first day, as 2026-01-31")] = None,
    until: Annotated[str | None, typer.Option("--to", help="day after the last one")] = None,
    channel: Annotated[list[str] | None, typer.Option(help="repeat for several")] = None,
    location: Annotated[list[str] | None, typer.Option(help="repeat for several")] = None,
    basis: Annotated[
        Basis, typer.Option(help="count on the event's date, or the order's")
    ] = Basis.EVENT,
) -> None:
    """Write a report of the published marts to a CSV or XLSX file."""
    from oms.reports import (  # Polars, which the others need not load
        choices,
        exports,
        files,
        published,
    )

    try:
        form = files.Form(out.suffix.removeprefix(".").lower())
    except ValueError:
        raise fail("The file's name ends in .csv or .xlsx.") from None
    if currency is None and exports.has_amounts(report):
        raise fail("Say --currency: amounts of two currencies are never added up.")
    filters = Filters(
        period=_period(since, until), currency=(currency or NO_CURRENCY).upper(), basis=basis,
        channels=tuple(channel or ()), locations=tuple(location or ()),
    )  # fmt: skip
    try:
        publication = published.Publications(settings().published_dir).current()
        choices.check(
            publication, channels=filters.channels, locations=filters.locations,
            currency=filters.currency if currency else None,
        )  # fmt: skip
        sheet = exports.report(report, publication, filters)
    except OmsError as error:
        raise fail(error.detail) from None
    try:
        with out.open("wb") as target:
            rows = files.write(sheet, target, form)
    except OSError as error:
        raise fail(f"{out} cannot be written: {error.strerror}.") from None
    of_currency = f", {filters.currency}" if currency else ""
    typer.echo(f"{out}: {report}, {filters.period}{of_currency}, {rows:,} rows")


def _period(since: str | None, until: str | None) -> Period:
    """Read the days that were asked for; the last four weeks unless said."""
    try:
        today = clock.now().date()
        to_day = date.fromisoformat(until) if until else today + timedelta(days=1)
        from_day = date.fromisoformat(since) if since else to_day - timedelta(days=28)
    except ValueError:
        raise fail("A day is written like 2026-01-31.") from None
    if from_day >= to_day:
        raise fail("The first day lies before the day after the last one.")
    return Period(from_on=from_day, to_on=to_day)
