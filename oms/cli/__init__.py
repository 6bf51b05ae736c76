"""The command line: `oms --help` says what there is."""

import typer

from oms.cli import data, journeys, setup, sourcing, system

app = typer.Typer(
    name="oms",
    help="ORP OMS: every order of every channel in one place. Start with `oms up`.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_show_locals=False,
    rich_markup_mode=None,
)
for part in (system, data, setup, sourcing, journeys):
    part.add_to(app)

__all__ = ["app"]
