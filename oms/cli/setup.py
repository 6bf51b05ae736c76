"""Commands that set things up: channels, mappings, keys."""

from dataclasses import fields, replace
from pathlib import Path
from typing import Annotated, Any

import typer
import yaml

from oms.access import operations as access
from oms.access.model import ROLES
from oms.channels import operations as channels
from oms.channels import queries
from oms.channels.model import ChannelDraft
from oms.cli.common import fail, running_system
from oms.kernel import clock
from oms.ledger.database import Tx
from oms.locations import operations as locations
from oms.locations.model import Location

channels_app = typer.Typer(help="The channels orders come from.", no_args_is_help=True)
mapping_app = typer.Typer(help="Mappings of files in any shape.", no_args_is_help=True)
keys_app = typer.Typer(help="Keys to the API.", no_args_is_help=True)


def add_to(app: typer.Typer) -> None:
    """Add the groups of commands to the command line."""
    app.add_typer(channels_app, name="channels")
    app.add_typer(mapping_app, name="mapping")
    app.add_typer(keys_app, name="keys")


@channels_app.command("list")
def list_channels() -> None:
    """Show the registered channels."""
    with running_system() as system, system.ledger.snapshot() as tx:
        for channel in queries.channels(tx):
            typer.echo(
                f"{channel.code:<20}{channel.kind:<13}{'/'.join(channel.currencies):<10}"
                f"{channel.adapter:<11}{channel.time_zone:<20}{channel.name}"
            )


@channels_app.command("add")
def add_channels(
    file: Annotated[Path, typer.Argument(help="YAML with the keys locations and channels")],
) -> None:
    """Register locations and channels from a YAML file; those already there are changed.

    See mappings/*.channel.yaml for examples. A path in adapter_options.mapping is relative to
    the file.
    """
    try:
        content = yaml.safe_load(file.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise fail(f"{file} cannot be read: {error}") from None
    with running_system() as system, system.ledger.transaction() as tx:
        count = _register(tx, content, file.parent)
    typer.echo(f"Registered {count[0]} locations and {count[1]} channels.")


def _register(tx: Tx, content: Any, folder: Path) -> tuple[int, int]:
    if not isinstance(content, dict) or set(content) - {"locations", "channels"}:
        raise fail("The file has the keys locations and channels, and no others.")
    places = [Location(**_known(Location, entry)) for entry in content.get("locations") or ()]
    drafts = [
        ChannelDraft(**_known(ChannelDraft, entry)) for entry in content.get("channels") or ()
    ]
    locations.register(tx, places, at=clock.now())
    for draft in drafts:
        channels.register(tx, _with_paths(draft, folder.resolve()), at=clock.now())
    return len(places), len(drafts)


def _with_paths(draft: ChannelDraft, folder: Path) -> ChannelDraft:
    """Make the paths of mapping and look-up files absolute, as seen from the YAML file."""
    options = dict(draft.adapter_options)
    for name in {"mapping", "look_ups"} & set(options):
        options[name] = str(folder / str(options[name]))
    if isinstance(options.get("mappings"), dict):
        options["mappings"] = {
            topic: str(folder / str(file)) for topic, file in options["mappings"].items()
        }
    return replace(draft, adapter_options=options)


def _known(kind: type, entry: Any) -> dict[str, Any]:
    names = {field.name for field in fields(kind)}
    if not isinstance(entry, dict) or set(entry) - names:
        raise fail(f"A {kind.__name__} has these keys: {', '.join(sorted(names))}.")
    return {key: tuple(value) if isinstance(value, list) else value for key, value in entry.items()}


@mapping_app.command("check")
def check_mapping(
    file: Annotated[Path, typer.Argument(help="the mapping, a YAML file")],
    sample: Annotated[Path, typer.Option(help="a file it shall read")],
) -> None:
    """Say what a mapping would make of a file, without changing anything."""
    from oms.adapters.channels.tabular import explain  # DuckDB, which the others need not load

    typer.echo(explain.check(file, sample))


@keys_app.command("add")
def add_key(
    name: Annotated[str, typer.Argument(help="who or what it is for")],
    role: Annotated[str, typer.Option(help=f"one of {', '.join(ROLES)}")] = "channel",
    channel: Annotated[
        list[str] | None, typer.Option(help="only this channel; repeat for several")
    ] = None,
) -> None:
    """Make an API key and show it, once."""
    with running_system() as system, system.ledger.transaction() as tx:
        for code in channel or ():
            queries.channel(tx, code)
        key = access.make_key(tx, name, role=role, channel_codes=channel, at=clock.now())
    typer.echo(key)
