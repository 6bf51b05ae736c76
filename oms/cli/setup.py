"""Commands that set things up: channels, mappings, keys."""

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer
import yaml

from oms.access import operations as access
from oms.access.model import ROLES
from oms.billing import operations as billing
from oms.channels import operations as channels
from oms.channels import queries
from oms.channels.model import ChannelDraft
from oms.cli import entries
from oms.cli.common import fail, running_system
from oms.kernel import clock
from oms.kernel.errors import OmsError, Rejected
from oms.ledger.database import Tx
from oms.locations import operations as locations
from oms.locations import queries as location_queries

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
    file: Annotated[
        Path, typer.Argument(help="YAML with the keys locations, channels, legal_entities")
    ],
) -> None:
    """Register locations, channels and legal entities from a YAML file; known ones are changed.

    A legal entity names the channels whose sales are its, each with when they are invoiced.
    See mappings/*.channel.yaml for examples. A path in adapter_options.mapping is relative to
    the file.
    """
    try:
        content = yaml.safe_load(file.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise fail(f"{file} cannot be read: {error}") from None
    with running_system() as system:
        places, drafts = entries.read(content, file.parent.resolve())
        sellers = entries.legal_entities(content)
        with system.ledger.transaction() as tx:
            locations.register(tx, places, at=clock.now())
            _check_networks(tx, drafts)
            for draft in drafts:
                channels.register(tx, draft, at=clock.now())
            for entity in sellers:
                billing.register(tx, entity, at=clock.now())
        typer.echo(f"Registered {len(places)} locations and {len(drafts)} channels.")
        if sellers:
            typer.echo(f"Registered {len(sellers)} legal entities.")
        for draft in drafts:
            folder = system.settings.drop_dir / draft.code
            folder.mkdir(parents=True, exist_ok=True)
            typer.echo(f"  files of {draft.code} are dropped into {folder}")


def _check_networks(tx: Tx, drafts: Sequence[ChannelDraft]) -> None:
    known = location_queries.codes(tx)
    for draft in drafts:
        if unknown := [code for code in draft.network if code not in known]:
            raise entries.BadEntry(
                f"channels ({draft.code}): network names no location that is known:"
                f" {', '.join(unknown)}."
            )


@mapping_app.command("check")
def check_mapping(
    file: Annotated[Path, typer.Argument(help="the mapping, a YAML file")],
    sample: Annotated[Path, typer.Option(help="a file it shall read")],
) -> None:
    """Say what a mapping would make of a file, without changing anything."""
    from oms.adapters.channels.tabular import explain, loading  # DuckDB, not for the others

    if not sample.is_file():
        raise fail(f"There is no file {sample}.")
    try:
        told = explain.explain(loading.load(file), sample, folder=file.parent)
    except OmsError as error:
        raise fail(f"{file.name}: {error.detail}") from None
    typer.echo(str(told))
    if not told.usable_count:
        raise fail("No document of the sample is usable.")


@keys_app.command("add")
def add_key(
    name: Annotated[str, typer.Argument(help="who or what it is for")],
    role: Annotated[str, typer.Option(help=f"one of {', '.join(ROLES)}")] = "channel",
    channel: Annotated[
        list[str] | None, typer.Option(help="only this channel; repeat for several")
    ] = None,
    location: Annotated[
        list[str] | None,
        typer.Option(help="only this location's work, for the role store; repeat for several"),
    ] = None,
    tool: Annotated[
        bool, typer.Option("--tool", help="it says for whom it acts; for the roles agent, finance")
    ] = False,
) -> None:
    """Make an API key and show it, once."""
    with running_system() as system, system.ledger.transaction() as tx:
        for code in channel or ():
            queries.channel(tx, code)
        if unknown := set(location or ()) - location_queries.codes(tx):
            raise fail(f"There is no location {', '.join(sorted(unknown))}.")
        try:
            key = access.make_key(
                tx, name, role=role, channel_codes=channel, location_codes=location,
                at=clock.now(), is_tool=tool,
            )  # fmt: skip
        except Rejected as error:
            raise fail(f"No key was made: {error.detail}.") from None
    typer.echo(key)
