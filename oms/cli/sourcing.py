"""Commands on sourcing: rules loaded, activated, and rehearsed on what was decided before."""

import csv
from collections.abc import Sequence
from dataclasses import asdict
from datetime import UTC, date, datetime, time
from pathlib import Path
from typing import Annotated, Any, Final, TextIO

import typer
import yaml

from oms.cli.common import fail, running_system
from oms.kernel import clock
from oms.sourcing import messages, operations, queries
from oms.sourcing.model import BadRules, Part, Rules
from oms.workflows.rehearsal import Comparison, Rehearsed, rehearse

BY: Final = "command line"
_COLUMNS: Final = ("parts", "cost_minor", "distance_km", "late_parts", "left_units")

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
    not: it is that of the moment of the decision.
    """
    draft = _read(rules)
    begin, end = _day(from_), _day(to)
    compared = Comparison()
    with running_system() as system, system.ledger.snapshot() as tx:
        rehearsed = rehearse(queries.between(tx, begin, end), draft)
        if out is None:
            for each in rehearsed:
                compared.add(each)
        else:
            with out.open("w", newline="", encoding="utf-8") as file:
                _export(file, rehearsed, compared)
    _show(compared)


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


def _export(file: TextIO, rehearsed: Any, compared: Comparison) -> None:
    writer = csv.writer(file)
    sides = [f"{side}_{name}" for side in ("recorded", "draft") for name in ("from", *_COLUMNS)]
    writer.writerow(["decision_id", "order_number", "group_no", "decided_at", *sides])
    for each in rehearsed:
        compared.add(each)
        writer.writerow(_row(each))


def _row(each: Rehearsed) -> list[Any]:
    made, demand = each.decision, each.decision.demand
    told = {} if each.drafted is None else asdict(each.drafted)
    known = asdict(each.recorded)
    return [
        made.decision_id, f"R{demand.order_id}", demand.group_no, made.decided_at.isoformat(),
        _places(made.plan.parts), *(known[name] for name in _COLUMNS),
        _places(each.plan.parts), *(told.get(name) for name in _COLUMNS),
    ]  # fmt: skip


def _places(parts: Sequence[Part]) -> str:
    return " ".join(part.code for part in parts)


def _show(compared: Comparison) -> None:
    typer.echo(
        f"{compared.count} decisions, {compared.changed_count} of them would be others,"
        f" {compared.unmatched_count} match no group of the draft and are not compared."
    )
    typer.echo(f"{'':<14}{'recorded':>14}{'draft':>14}{'difference':>14}")
    recorded, drafted = asdict(compared.recorded), asdict(compared.drafted)
    for name, before in recorded.items():
        after = drafted[name]
        label = name.replace("_", " ")
        typer.echo(f"{label:<14}{before:>14,}{after:>14,}{round(after - before, 1):>+14,}")
