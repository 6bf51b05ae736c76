"""Settlements in the database."""

from pathlib import Path
from typing import Final

from oms.ledger.scratch import Scratch
from oms.ledger.statements import Statements

SQL: Final = Statements(Path(__file__).with_name("settlements.sql"))
DRAFTS: Final = Scratch({
    "draft_settled": "row_no integer, entry_ref text, payout_ref text, type text,"
    " psp_reference text, payment_reference text, reference text, currency text,"
    " amount_minor bigint, net_currency text, fee_minor bigint, net_minor bigint,"
    " occurred_at timestamptz, named_payment_id bigint, by_reference_id bigint,"
    " transaction_id bigint, is_duplicate boolean not null default false",
    "draft_free": "transaction_id bigint, payment_id bigint, type text, amount_minor bigint,"
    " has_id boolean",
})  # fmt: skip
