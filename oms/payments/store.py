"""Payments in the database."""

from pathlib import Path
from typing import Final

from oms.ledger.scratch import Scratch
from oms.ledger.statements import Statements

SQL: Final = Statements(Path(__file__).with_name("payments.sql"))
NOTICES: Final = Statements(Path(__file__).with_name("notices.sql"))
LEASES: Final = Statements(Path(__file__).with_name("leases.sql"))
DRAFTS: Final = Scratch({
    "draft_payments": "position bigint, external_ref text, tender text, psp text,"
    " psp_reference text, managed_by text, brand text, last4 text, amount_minor bigint,"
    " authorized_minor bigint, captured_minor bigint, refunded_minor bigint,"
    " authorized_until_at timestamptz, location_code text, occurred_at timestamptz,"
    " ordinal bigint generated always as identity",
})  # fmt: skip
