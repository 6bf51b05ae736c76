"""Commands on sourcing: rules loaded, activated, and rehearsed on what was decided before."""

import csv
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from datetime import UTC, date, datetime, time
from pathlib import Path
from typing import Annotated, Any, Final, TextIO

import typer
import yaml

from oms.cli.common import fail, running_system
from oms.kernel import clock
from oms.sourcing import messages, operations, queries
from oms.sourcing.model import BadRules, Part, Rules, Work
from oms.workflows.rehearsal import Comparison, Rehearsed, rehearse

BY: Final = "command line"
_COLUMNS: Final = ("parts", "cost_minor", "distance_km", "late_parts", "left_units", "transfers")
TOLD_EVERY: Final = 1_000

sourcing_app = typer.Typer(help="Which location supplies what, by rules.", no_args_is_help=True)


def add_to(app: typer.Typer) -> None:
    """Add the group of commands to the command line."""
    app.add_typer(sourcing_app, name="sourcing")


@sourcing_app.command("load")
def load(
    file: Annotated[Path, typer.Argument(help="the rules, a YAML file; see docs/sourcing.md")],
    activate: Annotated[bool, typer.Option("--activate", help="let them decide at once")] = False,
) -> None:
    """Keep the rules of a file as a new version: a draft, until it is activated."""
    rules = _read(file)
    with running_system() as system, system.ledger.transaction() as tx:
        version = operations.draft(tx, rules, by=BY, at=clock.now())
        if activate:
            operations.activate(tx, version, by=BY, at=clock.now())
    state = "active" if activate else "draft"
    typer.echo(f"Version {version} of the rules, {rules.name!r}, is {state}.")


@sourcing_app.command("list")
def list_rules() -> None:
    """Show every version of the rules, the newest first."""
    with running_system() as system, system.ledger.snapshot() as tx:
        for each in queries.rule_sets(tx):
            typer.echo(f"{each.version:>4}  {each.state:<9}{each.created_by:<20}{each.rules.name}")


@sourcing_app.command("activate")
def activate_rules(version: Annotated[int, typer.Argument(help="of the rules, a draft")]) -> None:
    """Let a draft decide from now on; what was active is kept as archived."""
    with running_system() as system, system.ledger.transaction() as tx:
        operations.activate(tx, version, by=BY, at=clock.now())
    typer.echo(f"Version {version} of the rules is active.")


@sourcing_app.command("replay")
def replay(
    rules: Annotated[Path, typer.Option(help="the draft, a YAML file")],
    from_: Annotated[str, typer.Option("--from", help="the first day, as 2026-01-31, in UTC")],
    to: Annotated[str, typer.Option(help="the day after the last")],
    out: Annotated[Path | None, typer.Option(help="write each decision to this CSV file")] = None,
) -> None:
    """Plan recorded decisions again under a draft and compare; nothing is written.

    Each is planned with what was known then. The capacity a draft would have used up itself is
    not: it is that of the moment of the decision. Beside both stands what really happened to
    these delivery groups by now, from the work of the locations.
    """
    draft = _read(rules)
    begin, end = _day(from_), _day(to)
    if begin >= end:
        raise fail(f"--to {to} is not after --from {from_}: it is the day after the last.")
    compared = Comparison()
    with running_system() as system, system.ledger.snapshot() as tx:
        count = queries.count_between(tx, begin, end)
        rehearsed = _followed(rehearse(tx, draft, begin, end, at=clock.now()), compared, count)
        if out is None:
            for _ in rehearsed:
                pass
        else:
            with out.open("w", newline="", encoding="utf-8") as file:
                _export(file, rehearsed)
    _show(compared)


def _followed(
    rehearsed: Iterator[Rehearsed], compared: Comparison, count: int
) -> Iterator[Rehearsed]:
    """Count what is rehearsed, and say now and then how far it is."""
    for each in rehearsed:
        compared.add(each)
        if compared.count % TOLD_EVERY == 0:
            typer.echo(f"{compared.count:,} of {count:,} decisions …", err=True)
        yield each


def _read(file: Path) -> Rules:
    try:
        return messages.read_rules(yaml.safe_load(file.read_text(encoding="utf-8")))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise fail(f"{file} cannot be read: {error}") from None
    except BadRules as error:
        raise fail(f"{file.name}:\n{error.detail}") from None


def _day(text: str) -> datetime:
    try:
        return datetime.combine(date.fromisoformat(text), time(), UTC)
    except ValueError:
        raise fail(f"{text!r} is not a day such as 2026-01-31.") from None


def _export(file: TextIO, rehearsed: Iterator[Rehearsed]) -> None:
    writer = csv.writer(file)
    sides = [
        f"{side}_{name}"
        for side in ("recorded", "draft", "happened")
        for name in ("from", *_COLUMNS)
    ]
    writer.writerow(
        ["decision_id", "order_number", "group_no", "decided_at", *sides, "happened_rejections"]
    )
    writer.writerows(map(_row, rehearsed))


def _row(each: Rehearsed) -> list[Any]:
    made, demand, really = each.decision, each.decision.demand, each.happening
    told = {} if each.drafted is None else asdict(each.drafted)
    known = asdict(each.recorded)
    happened = {} if each.happened is None else asdict(each.happened)
    return [
        made.decision_id, f"R{demand.order_id}", demand.group_no, made.decided_at.isoformat(),
        _places(made.plan.parts), *(known[name] for name in _COLUMNS),
        _places(each.plan.parts), *(told.get(name) for name in _COLUMNS),
        _places(() if really is None else really.works),
        *(happened.get(name) for name in _COLUMNS),
        None if really is None else really.rejection_count,
    ]  # fmt: skip


def _places(parts: Sequence[Part | Work]) -> str:
    return " ".join(part.code for part in parts)


def _show(compared: Comparison) -> None:
    typer.echo(
        f"{compared.count} decisions, {compared.changed_count} of them would be others,"
        f" {compared.unmatched_count} match no group of the draft and are not compared."
    )
    typer.echo(f"{'':<14}{'recorded':>14}{'draft':>14}{'difference':>14}{'happened':>14}")
    recorded, drafted = asdict(compared.recorded), asdict(compared.drafted)
    happened = asdict(compared.happened)
    for name, before in recorded.items():
        after = drafted[name]
        label = name.replace("_", " ")
        typer.echo(
            f"{label:<14}{before:>14,}{after:>14,}{round(after - before, 1):>+14,}"
            f"{happened[name]:>14,}"
        )
    typer.echo(
        f"What happened is of {compared.group_count} delivery groups by now;"
        f" locations let {compared.rejection_count} of their works go."
    )
