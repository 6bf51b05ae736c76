"""`python -m oms` is the command line."""

from oms.cli import app

app()
