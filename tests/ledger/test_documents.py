"""Documents: what is invoiced and credited of an order, and that it is what its events say."""

from datetime import date
from typing import Final

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy.exc import DBAPIError

from oms.billing import operations, queries
from oms.billing.model import (
    DocumentType,
    EntityInvalid,
    ExceedsInvoiced,
    NoInvoiceToCredit,
    NotBilled,
    NotCarriedOut,
    NothingToCredit,
    NothingToInvoice,
)
from oms.orders.model import OrderNotFound
from tests.builders import EFFORT, NOW, a_change, a_line, a_partial, a_receipt, an_order, minutes
from tests.ledger.issuing import balance, bill, documents, follow_once, register, told
from tests.ledger.shop import Shop

ADDRESS: Final = {"name": "Ada Pen", "street": "Laan 1", "city": "Utrecht", "country_code": "NL"}


@pytest.fixture
def billed(shop: Shop) -> Shop:
    """Give the retailer with a legal entity."""
    register(shop)
    return shop


def number_of(shop: Shop, ref: str = "W-1") -> str:
    return str(shop.value("select order_number from orders where external_ref = :r", r=ref))


class TestInvoice:
    def test_is_of_what_left_with_shipping_on_the_first(self, billed: Shop) -> None:
        billed.take(an_order(
            lines=[a_line(quantity=3), a_line("INK")],
            shipping_net_minor=413, shipping_tax_minor=87,
            changes=[a_change("ship", 2, ref="s-1")],
        ))  # fmt: skip
        assert len(bill(billed)) == 1
        billed.take(a_partial("W-1", a_change("ship", 1, ref="s-2"),
                              a_change("ship", 1, ref="s-3", line="INK")))  # fmt: skip
        bill(billed)
        first, second = (each.paper for each in documents(billed))
        assert [(line.line_no, line.quantity) for line in first.lines] == [(1, 2), (0, 1)]
        assert [(line.line_no, line.quantity) for line in second.lines] == [(1, 1), (2, 1)]
        assert (first.number, second.number) == ("NL-I2026-000001", "NL-I2026-000002")
        assert first.total_minor + second.total_minor == billed.order().summary.total_minor
        assert balance(documents(billed)) == tuple(
            sum(pair) for pair in zip(billed.kept(), (413, 87), strict=True)
        )

    def test_is_not_issued_again_by_looking_again(self, billed: Shop) -> None:
        billed.take(an_order(changes=[a_change("ship")]))
        assert [len(bill(billed)) for _ in range(3)] == [1, 0, 0]

    def test_of_what_was_only_ordered_is_for_channels_that_say_so(self, billed: Shop) -> None:
        billed.take(an_order("W-1"))
        billed.take(an_order("B-1", prices_include_tax=False), channel="trade")
        bill(billed, "W-1", "B-1")
        assert told(billed, "W-1") == []
        assert [kind for kind, *_ in told(billed, "B-1")] == ["invoice"]

    def test_on_request_waits_for_it_and_goes_on_by_itself(self, billed: Shop) -> None:
        billed.take(a_receipt(lines=[a_line(quantity=2)]), channel="till")
        bill(billed, "T-1")
        assert told(billed, "T-1") == []
        bill(billed, "T-1", is_asked=True)
        billed.take(a_partial("T-1", a_change("return", 1)), channel="till")
        bill(billed, "T-1")
        assert [kind for kind, *_ in told(billed, "T-1")] == ["invoice", "credit_note"]

    def test_is_never_of_history_and_tests(self, billed: Shop) -> None:
        billed.take(an_order("W-1", is_historical=True), an_order("W-2", is_test=True))
        billed.take(a_partial("W-2", a_change("ship")))
        assert bill(billed, "W-1", "W-2") == []
        with billed.ledger.transaction() as tx, pytest.raises(NotBilled):
            operations.invoice(tx, number_of(billed), by="test", at=NOW)

    def test_keeps_the_basis_it_began_with_when_the_policy_changes(self, billed: Shop) -> None:
        billed.take(an_order("B-1", prices_include_tax=False), channel="trade")
        bill(billed, "B-1")
        register(billed, channels={"trade": "on_shipment"})
        assert bill(billed, "B-1") == []

    def test_says_its_rates_and_keeps_the_tax_the_channel_gave(self, billed: Shop) -> None:
        billed.take(an_order(lines=[
            a_line("PEN", total=121, tax=21), a_line("INK", total=109, tax=9),
            a_line("LAMP", 3, total=1000, tax=175),
        ], changes=[
            a_change("ship", ref="a"), a_change("ship", ref="b", line="INK"),
            a_change("ship", 3, ref="c", line="LAMP"),
        ]))  # fmt: skip
        bill(billed)
        (paper,) = (each.paper for each in documents(billed))
        assert [(g.rate_ppm, g.net_minor, g.tax_minor, g.tax_delta_minor) for g in paper.groups] \
            == [(210_000, 925, 196, 2), (90_000, 100, 9, 0)]  # fmt: skip
        assert sum(line.tax_minor for line in paper.lines) == paper.tax_minor == 205

    @pytest.mark.parametrize(("currency", "total"), [("JPY", 1000), ("KWD", 12_345)])
    def test_is_in_any_currency(self, billed: Shop, currency: str, total: int) -> None:
        billed.take(an_order(currency=currency, lines=[a_line(quantity=7, total=total)],
                             changes=[a_change("ship", 7)]))  # fmt: skip
        bill(billed)
        assert documents(billed)[0].paper.total_minor == total

    def test_dates_do_not_go_back_within_a_series(self, billed: Shop) -> None:
        billed.take(*(an_order(f"W-{n}", changes=[a_change("ship")]) for n in (1, 2)))
        bill(billed, "W-1", at=minutes(60 * 24))
        bill(billed, "W-2", at=NOW)
        assert {each.paper.issued_on for ref in ("W-1", "W-2") for each in
                documents(billed, ref)} == {date(2026, 1, 6)}  # fmt: skip

    def test_numbers_begin_anew_with_a_fiscal_year(self, billed: Shop) -> None:
        billed.take(*(an_order(f"W-{n}", changes=[a_change("ship")]) for n in (1, 2)))
        bill(billed, "W-1")
        bill(billed, "W-2", at=minutes(60 * 24 * 366))
        numbers = [documents(billed, ref)[0].paper.number for ref in ("W-1", "W-2")]
        assert numbers == ["NL-I2026-000001", "NL-I2027-000001"]

    def test_that_is_asked_for_twice_is_refused(self, billed: Shop) -> None:
        billed.take(a_receipt(), channel="till")
        number = number_of(billed, "T-1")
        with billed.ledger.transaction() as tx:
            assert len(operations.invoice(tx, number, by="test", at=NOW)) == 1
        with billed.ledger.transaction() as tx, pytest.raises(NothingToInvoice):
            operations.invoice(tx, number, by="test", at=NOW)
        with billed.ledger.transaction() as tx, pytest.raises(OrderNotFound):
            operations.invoice(tx, "R1", by="test", at=NOW)

    def test_names_buyer_and_seller_as_they_were(self, billed: Shop) -> None:
        billed.take(an_order(bill_to='{"name": "Pen & Co", "vat_id": "de 123", "country_code":'
                             ' "DE"}', changes=[a_change("ship")]))  # fmt: skip
        bill(billed)
        register(billed, name="Other B.V.")
        paper = documents(billed)[0].paper
        assert (paper.seller.name, paper.buyer.name, paper.buyer.vat_id) == (
            "Penshop B.V.", "Pen & Co", "DE123",
        )  # fmt: skip

    def test_of_a_till_has_the_rates_of_its_place(self, billed: Shop) -> None:
        """Small change says little of a rate: of 0.50 all of 20 to 22 % make this tax."""
        billed.take(a_receipt(lines=[a_line(total=50, tax=9)], country_code=None), channel="till")
        bill(billed, "T-1", is_asked=True)
        assert documents(billed, "T-1")[0].paper.groups[0].rate_ppm == 210_000


class TestCreditNote:
    def test_is_of_what_came_back_and_names_its_invoice(self, billed: Shop) -> None:
        billed.take(an_order(lines=[a_line(quantity=3)], changes=[a_change("ship", 3)]))
        bill(billed)
        billed.take(a_partial("W-1", a_change("return", 1, reason="too blue")))
        bill(billed)
        invoice, credit = (each.paper for each in documents(billed))
        assert credit.preceding is not None
        assert (credit.preceding.number, credit.preceding.issued_on) == (
            invoice.number, invoice.issued_on,
        )  # fmt: skip
        assert (credit.number, credit.total_minor, credit.reason) == (
            "NL-C2026-000001", 1000, "too blue",
        )  # fmt: skip
        assert balance(documents(billed)) == billed.kept()

    def test_is_one_for_each_invoice(self, billed: Shop) -> None:
        billed.take(an_order(lines=[a_line(quantity=2)], changes=[a_change("ship", 1, ref="a")]))
        bill(billed)
        billed.take(a_partial("W-1", a_change("ship", 1, ref="b")))
        bill(billed)
        billed.take(a_partial("W-1", a_change("return", 2)))
        bill(billed)
        found = [each.paper for each in documents(billed)]
        assert [each.preceding.number for each in found[2:] if each.preceding] == [
            found[0].number, found[1].number,
        ]  # fmt: skip
        assert balance(documents(billed)) == (0, 0)

    def test_of_what_left_and_came_back_since_follows_its_invoice(self, billed: Shop) -> None:
        billed.take(an_order(lines=[a_line(quantity=2)],
                             changes=[a_change("ship", 2), a_change("return", 1)]))  # fmt: skip
        bill(billed)
        assert told(billed) == [("invoice", 1653, 347), ("credit_note", 827, 173)]

    def test_takes_back_what_was_invoiced_and_canceled(self, billed: Shop) -> None:
        billed.take(an_order("B-1", prices_include_tax=False, lines=[a_line(quantity=2, tax=420)]),
                    channel="trade")  # fmt: skip
        bill(billed, "B-1")
        billed.take(a_partial("B-1", a_change("cancel", 1)), channel="trade")
        bill(billed, "B-1")
        assert told(billed, "B-1") == [("invoice", 2000, 420), ("credit_note", 1000, 210)]

    def test_takes_back_shipping_of_what_never_left(self, billed: Shop) -> None:
        billed.take(an_order("B-1", prices_include_tax=False, shipping_net_minor=500,
                             shipping_tax_minor=105), channel="trade")  # fmt: skip
        bill(billed, "B-1")
        billed.take(a_partial("B-1", a_change("cancel", 1)), channel="trade")
        bill(billed, "B-1")
        assert balance(documents(billed, "B-1")) == (0, 0)

    def test_is_of_a_price_that_was_lowered(self, billed: Shop) -> None:
        billed.take(an_order(changes=[a_change("ship")]))
        bill(billed)
        billed.take(an_order(lines=[a_line(total=900)], changes=[a_change("ship")], version=2))
        bill(billed)
        assert [kind for kind, *_ in told(billed)] == ["invoice", "credit_note"]
        assert balance(documents(billed)) == billed.kept()

    def test_takes_all_back_where_the_rate_was_wrong(self, billed: Shop) -> None:
        billed.take(an_order(lines=[a_line(total=1210, tax=210)], changes=[a_change("ship")]))
        bill(billed)
        billed.take(an_order(lines=[a_line(total=1210, tax=100)], changes=[a_change("ship")],
                             version=2))  # fmt: skip
        bill(billed)
        assert told(billed) == [
            ("invoice", 1000, 210), ("invoice", 1110, 100), ("credit_note", 1000, 210),
        ]  # fmt: skip
        assert documents(billed)[2].paper.groups[0].rate_ppm == 210_000
        assert bill(billed) == []

    def test_has_no_more_than_was_invoiced(self, billed: Shop) -> None:
        billed.take(an_order(changes=[a_change("ship")]))
        bill(billed)
        billed.take(a_partial("W-1", a_change("return", 1, total_minor=1500, tax_minor=260)))
        bill(billed)
        assert balance(documents(billed)) == (0, 0)
        with billed.ledger.transaction() as tx, pytest.raises(ExceedsInvoiced) as refused:
            operations.credit(tx, number_of(billed), by="test", at=NOW)
        assert refused.value.facts == {"net_minor": 413, "tax_minor": 87}

    def test_needs_an_invoice_and_something_to_credit(self, billed: Shop) -> None:
        billed.take(a_receipt("T-1", changes=[a_change("return")]), channel="till")
        billed.take(an_order("W-1", changes=[a_change("ship")]))
        bill(billed, "W-1")
        for ref, error in (("T-1", NoInvoiceToCredit), ("W-1", NothingToCredit)):
            with billed.ledger.transaction() as tx, pytest.raises(error):
                operations.credit(tx, number_of(billed, ref), by="test", at=NOW)

    def test_beyond_its_invoice_is_refused_by_the_ledger_itself(self, billed: Shop) -> None:
        billed.take(an_order(changes=[a_change("ship"), a_change("return")]))
        bill(billed)
        note = billed.value("select document_id from documents where document_type <> 'invoice'")
        with pytest.raises(DBAPIError, match="more is credited"):
            billed.ledger.run(lambda tx: tx.exec_driver_sql(
                f"insert into document_lines values ({note}, 2, 1, 1, 1, 0, 0)"
            ))  # fmt: skip


class TestReceipt:
    def test_is_issued_once(self, billed: Shop) -> None:
        billed.take(a_receipt(lines=[a_line(total=1999)], total_minor=2000), channel="till")
        number = number_of(billed, "T-1")
        for _ in range(2):
            with billed.ledger.transaction() as tx:
                operations.receipt(tx, number, by="test", at=NOW)
        (paper,) = (each.paper for each in documents(billed, "T-1"))
        assert (paper.type, paper.number, paper.total_minor, paper.payable_minor) == (
            DocumentType.RECEIPT, "NL-R2026-000001", 1999, 2000,
        )  # fmt: skip

    def test_is_of_tills_only(self, billed: Shop) -> None:
        billed.take(an_order(changes=[a_change("ship")]))
        with billed.ledger.transaction() as tx, pytest.raises(NotCarriedOut):
            operations.receipt(tx, number_of(billed), by="test", at=NOW)


class TestFollower:
    def test_issues_what_is_due_of_what_changed_once(self, billed: Shop) -> None:
        follow_once(billed)
        billed.take(*(an_order(f"W-{n}", changes=[a_change("ship")]) for n in range(30)))
        billed.take(an_order("H-1", is_historical=True))
        while follow_once(billed):
            pass
        billed.take(a_partial("W-7", a_change("return")))
        while follow_once(billed):
            pass
        assert billed.value("select count(*) from documents") == 31
        assert [kind for kind, *_ in told(billed, "W-7")] == ["invoice", "credit_note"]

    def test_passes_what_nobody_bills(self, billed: Shop) -> None:
        follow_once(billed)
        billed.take(an_order("M-1", changes=[a_change("ship")]), channel="market")
        assert follow_once(billed)
        assert billed.value("select count(*) from documents") == 0
        assert not follow_once(billed)


class TestEntity:
    def test_keeps_its_prefix_once_a_series_has_begun(self, billed: Shop) -> None:
        register(billed, series_prefix="NEW")
        billed.take(an_order(changes=[a_change("ship")]))
        bill(billed)
        with pytest.raises(EntityInvalid, match="prefix"):
            register(billed, series_prefix="NL")
        register(billed, series_prefix="NEW", name="New B.V.")

    def test_is_of_channels_that_are_there(self, billed: Shop) -> None:
        with pytest.raises(EntityInvalid, match="channel"):
            register(billed, channels={"nowhere": "on_shipment"})


class TestImmutable:
    @pytest.mark.parametrize("change", [
        "update documents set total_minor = total_minor", "delete from documents",
        "update document_lines set quantity = 9", "delete from document_lines",
        "truncate mails, document_lines, document_files, document_sendings, documents",
        "update document_files set body = ''", "delete from document_files",
        "update document_sendings set sent_by = 'x'", "delete from document_sendings",
    ])  # fmt: skip
    def test_nothing_of_it_changes(self, billed: Shop, change: str) -> None:
        billed.take(an_order(changes=[a_change("ship")]))
        bill(billed)
        (document,) = documents(billed)
        with billed.ledger.transaction() as tx:
            operations.note_sent(tx, document, recipient=None, by="test", at=NOW)
            tx.exec_driver_sql(
                "insert into document_files select document_id, 'pdf', '', '', now() from documents"
            )
        with pytest.raises(DBAPIError, match="is never changed"):
            billed.ledger.run(lambda tx: tx.exec_driver_sql(change))

    def test_a_correction_is_a_document_of_its_own(self, billed: Shop) -> None:
        billed.take(an_order(changes=[a_change("ship")]))
        bill(billed)
        before = documents(billed)[0]
        billed.take(an_order(lines=[a_line(total=900)], changes=[a_change("ship")], version=2))
        bill(billed)
        assert documents(billed)[0] == before


STEPS: Final = st.lists(
    st.tuples(st.sampled_from(["ship", "cancel", "return", "priced return", "price", "bill"]),
              st.integers(1, 3)),
    max_size=10,
)  # fmt: skip


@settings(
    max_examples=25 * EFFORT, deadline=None, suppress_health_check=[HealthCheck.too_slow],
)  # fmt: skip
@given(
    steps=STEPS, quantity=st.integers(1, 5), total=st.integers(0, 1500),
    channel=st.sampled_from(["web", "trade"]), shipping=st.integers(0, 300),
)  # fmt: skip
def test_invoices_less_credit_notes_are_the_sum_of_the_events(
    common_shop: Shop, steps: list[tuple[str, int]], quantity: int, total: int, channel: str,
    shipping: int,
) -> None:  # fmt: skip
    """In whatever sequence goods leave, come back, are canceled and get other prices."""
    register(common_shop)
    ref = f"X-{common_shop.value('select count(*) from orders')}"
    where = {"channel": channel}
    version = 1

    def whole(total: int) -> None:
        common_shop.take(an_order(
            ref, lines=[a_line(quantity=quantity, total=total, tax=total * 21 // 121)],
            version=version, prices_include_tax=channel == "web", shipping_net_minor=shipping,
        ), **where)  # fmt: skip

    whole(total)
    for number, (kind, count) in enumerate(steps):
        if kind == "bill":
            bill(common_shop, ref)
        elif kind == "price":
            version += 1
            whole(max(total - count * 7, 0))
        else:
            given_money = {"total_minor": min(total // quantity * count, 5), "tax_minor": 0}
            common_shop.take(a_partial(ref, a_change(
                kind.split()[-1], count, ref=f"c-{number}",
                **given_money if kind == "priced return" else {},
            )), **where)  # fmt: skip
    line = common_shop.line(ref)
    if left := line.quantity - line.canceled - line.shipped:
        common_shop.take(a_partial(ref, a_change("ship", left, ref="rest")), **where)
    bill(common_shop, ref)
    kept = common_shop.kept(ref)
    is_any = line.quantity > line.canceled
    found = documents(common_shop, ref)
    assert balance(found) == (max(kept[0], 0) + shipping * is_any, max(kept[1], 0))
    assert bill(common_shop, ref) == []
    with common_shop.ledger.snapshot() as tx:
        assert queries.of_order(tx, number_of(common_shop, ref)) == found
