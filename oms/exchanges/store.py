"""Exchanges in the database."""

from pathlib import Path
from typing import Final

from oms.ledger.statements import Statements

SQL: Final = Statements(Path(__file__).with_name("exchanges.sql"))
