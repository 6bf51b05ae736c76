"""Settlement files of services as rows of one shape: whatever words and columns they have."""

import csv
import io

import pytest

from oms.adapters.settlements import LAYOUTS
from oms.settlements.model import PROBLEMS_MAX, Unreadable
from oms.settlements.port import SETTLED
from tests.settling import a_row, written

STRIPE = """\
automatic_payout_id,balance_transaction_id,created_utc,currency,gross,fee,net,reporting_category,\
source_id,payment_intent_id,payment_metadata[oms_transaction],refund_metadata[oms_transaction],more
po_1,txn_1,2026-01-05 12:00:00,eur,20.00,0.55,19.45,charge,ch_1,pi_1,X900000001,,x
po_1,txn_2,2026-01-06 12:00:00,eur,-5.00,0.00,-5.00,refund,re_1,pi_1,X900000001,X900000003,
po_1,txn_3,2026-01-06 12:00:00,eur,-15.00,15.00,-30.00,dispute,dp_1,pi_1,,,
po_1,txn_4,2026-01-06 12:00:00,jpy,1500,0,1500,charge,ch_2,pi_2,,,
po_1,txn_5,2026-01-06 12:00:00,kwd,1.234,0,1.234,charge,ch_3,pi_3,,,
po_1,txn_6,2026-01-06 12:00:00,eur,-0.10,0.00,-0.10,fee,,,,,
,txn_7,2026-01-07 12:00:00,eur,15.65,0.00,15.65,payout,po_1,,,,
po_1,txn_8,2026-01-07 12:00:00,eur,1.00,0.00,1.00,climate_order_purchase,x,,,,
"""
ADYEN = """\
Company Account,Merchant Account,Psp Reference,Merchant Reference,Payment Method,Creation Date,\
TimeZone,Type,Modification Reference,Gross Currency,Gross Debit (GC),Gross Credit (GC),\
Exchange Rate,Net Currency,Net Debit (NC),Net Credit (NC),Commission (NC),Markup (NC),\
Scheme Fees (NC),Interchange (NC),Modification Merchant Reference,Batch Number
C,M,PAY1,X900000001,visa,2026-07-01 12:00:00,CEST,Settled,CAP1,EUR,,20.00,1,EUR,,19.70,,0.10,\
0.05,0.15,X900000002,7
C,M,PAY1,X900000001,visa,2026-01-02 12:00:00,CET,Refunded,REF1,EUR,5.00,,1,EUR,5.10,,0.10,,,,\
X900000003,7
C,M,PAY2,X900000009,visa,2026-01-02 12:00:00,CET,Settled,PAY2,USD,,10.00,0.9,EUR,,9.00,,,,,,7
C,M,,,,2026-01-02 12:00:00,CET,Fee,fee 1,,,,,EUR,1.00,,,,,,,7
C,M,,,,2026-01-03 12:00:00,CET,MerchantPayout,,,,,,EUR,22.60,,,,,,,7
"""


def read(layout: str, text: str) -> list[dict[str, str]]:
    rows = LAYOUTS[layout].read(text.encode()).rows.decode()
    return list(csv.DictReader(io.StringIO(rows), SETTLED))


def sums(layout: str, text: str) -> list[tuple[str, str, int, int, int]]:
    return [
        (row["type"], row["currency"], int(row["amount_minor"]), int(row["fee_minor"]),
         int(row["net_minor"]))
        for row in read(layout, text)
    ]  # fmt: skip


class TestStripe:
    def test_is_read_in_the_decimals_of_each_currency(self) -> None:
        assert sums("stripe", STRIPE) == [
            ("capture", "EUR", 2000, 55, 1945), ("refund", "EUR", -500, 0, -500),
            ("chargeback", "EUR", -1500, 1500, -3000), ("capture", "JPY", 1500, 0, 1500),
            ("capture", "KWD", 1234, 0, 1234), ("fee", "EUR", -10, 0, -10),
            ("payout", "EUR", 1565, 0, 1565), ("other", "EUR", 100, 0, 100),
        ]  # fmt: skip

    def test_names_operations_payments_and_payouts(self) -> None:
        charge, refund, *_, payout, _ = read("stripe", STRIPE)
        assert (charge["psp_reference"], charge["payment_reference"]) == ("ch_1", "pi_1")
        assert (charge["reference"], refund["reference"]) == ("X900000001", "X900000003")
        assert (payout["payout_ref"], payout["entry_ref"]) == ("po_1", "txn_7")
        assert charge["occurred_at"] == "2026-01-05T12:00:00Z"


class TestAdyen:
    def test_is_read_from_debit_and_credit(self) -> None:
        assert sums("adyen", ADYEN) == [
            ("capture", "EUR", 2000, 30, 1970), ("refund", "EUR", -500, 10, -510),
            ("capture", "USD", 1000, 0, 900), ("fee", "EUR", -100, 0, -100),
            ("payout", "EUR", -2260, 0, -2260),
        ]  # fmt: skip

    def test_names_operations_payments_and_batches(self) -> None:
        capture, refund, foreign, *_ = read("adyen", ADYEN)
        assert (capture["psp_reference"], capture["payment_reference"]) == ("CAP1", "PAY1")
        assert (capture["reference"], refund["reference"]) == ("X900000002", "X900000003")
        assert (foreign["psp_reference"], foreign["net_currency"]) == ("", "EUR")
        assert {row["payout_ref"] for row in read("adyen", ADYEN)} == {"7"}

    def test_is_told_in_the_time_of_its_account(self) -> None:
        summer, winter, *_ = read("adyen", ADYEN)
        assert summer["occurred_at"] == "2026-07-01T10:00:00Z"
        assert winter["occurred_at"] == "2026-01-02T11:00:00Z"
        with pytest.raises(Unreadable, match="row 1: TimeZone"):
            read("adyen", ADYEN.replace("CEST", "MARS"))


class TestEvery:
    @pytest.mark.parametrize("layout", LAYOUTS)
    @pytest.mark.parametrize("content", [b"", b"  \n", b"\x00", b"\xff", b"a\n1,2,3\n", b"a\n1\n"])
    def test_refuses_what_is_none(self, layout: str, content: bytes) -> None:
        with pytest.raises(Unreadable):
            LAYOUTS[layout].read(content)

    def test_says_of_the_first_wrong_cells_where_they_are(self) -> None:
        wrong = [a_row() | {"gross": "x"}] * 100
        with pytest.raises(Unreadable) as refused:
            LAYOUTS["sandbox"].read(written(wrong))
        problems = refused.value.facts["problems"]
        assert [each["row"] for each in problems] == list(range(1, PROBLEMS_MAX + 1))

    def test_passes_over_lines_of_nothing(self) -> None:
        content = written([a_row(), a_row(entry_id="e2")]).decode()
        assert len(read("sandbox", content + "\n\n")) == 2

    def test_reads_texts_with_quotes_and_lines(self) -> None:
        (row,) = read("sandbox", written([a_row(entry_id='a "b"\nc, d')]).decode())
        assert row["entry_ref"] == 'a "b"\nc, d'
