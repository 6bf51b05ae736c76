"""Money adds up: what documents say of an order is what its customer has paid for it.

Random orders are sent, canceled, given back and made cheaper in any sequence; after each step
their money is moved and their documents issued.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Final

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from oms.billing.model import Document, DocumentType
from oms.channels import operations as channels
from oms.kernel.errors import OmsError
from oms.ledger.database import Tx
from oms.orders import operations as orders
from oms.payments import queries as payment_queries
from oms.payments.model import PaymentDraft, Tender, TransactionState, total
from oms.payments.port import Answer, Asked, Notice
from oms.refunds.model import Mode, Policy, RefundDraft, RefundKind
from oms.returns.model import Condition, Resolution, ReturnReason
from oms.workflows import payments, refunds, return_receipts
from oms.workflows.return_receipts import Basket, Handed
from tests.builders import EFFORT, NOW, a_change, a_line, a_movement, a_partial, an_order
from tests.ledger.issuing import balance, bill, documents, register
from tests.ledger.shop import CHANNELS, SKUS, Shop
from tests.policies import set_policy

RATES: Final = {21: 121, 9: 109, 0: 100}
FEE: Final = {"EUR": 95, "JPY": 95, "KWD": 950}
# What is to be had for what is brought back.
BROUGHT: Final = {
    "bring": Resolution.REFUND, "fail": Resolution.REFUND, "keep": Resolution.NONE,
    "credit": Resolution.STORE_CREDIT, "replace": Resolution.REPLACE,
}  # fmt: skip
ADDRESS: Final = '{"country_code": "NL"}'
FREE: Final = Policy(mode=Mode.AUTO, limit_minor=None)


@dataclass(frozen=True, slots=True)
class Willing:
    """A payment service that does what it is asked, at once."""

    code: str = "sandbox"
    captures_once: bool = False

    def execute(self, asked: Asked) -> Answer:
        return Answer(
            state=TransactionState.SUCCEEDED, psp_reference=f"x-{asked.key}",
            captures_once=self.captures_once,
        )  # fmt: skip

    def find(self, asked: Asked) -> Answer | None:
        raise AssertionError(f"{asked.reference} was answered at once")

    def read(self, headers: Mapping[str, str], body: bytes, *, at: datetime) -> Sequence[Notice]:
        raise AssertionError(f"nothing is told of {at}: {headers} {body!r}")


@pytest.fixture(scope="module")
def selling(common_shop: Shop) -> Shop:
    """Give the retailer who bills, takes goods back for a fee, and pays back what is owed."""
    register(common_shop)
    with common_shop.ledger.transaction() as tx:
        policy = {
            "approval": "auto", "fee_minor": FEE,
            "refunds_shipping": "standard", "standard_shipping_minor": {"KWD": 200},
        }  # fmt: skip
        channels.register(tx, replace(CHANNELS[0], return_policy=policy), at=NOW)
        for kind in RefundKind:
            set_policy(tx, None, kind, FREE)
    common_shop.take(*(
        a_movement(9_999, sku=sku, ref=f"much {sku}", location="AMS") for sku in SKUS
    ))  # fmt: skip
    return common_shop


@dataclass(frozen=True, slots=True)
class Bought:
    """One order, with what may happen to it."""

    shop: Shop
    ref: str
    captures_once: bool = False

    @property
    def order_id(self) -> int:
        return self.shop.order(self.ref).summary.order_id

    @property
    def number(self) -> str:
        return self.shop.order(self.ref).summary.order_number

    def do(self, kind: str, line: int, units: int, step: int) -> None:
        """Let something happen, as far as the order allows it."""
        try:
            self._do(kind, line, units, f"{self.ref}-{step}")
        except OmsError:
            return

    def _do(self, kind: str, line: int, units: int, ref: str) -> None:
        lines = self.shop.order(self.ref).lines
        sku = SKUS[line % len(lines)]
        if kind in {"ship", "cancel", "return"}:
            self.shop.take(a_partial(self.ref, a_change(kind, units, ref=ref, line=sku)))
        elif kind in BROUGHT:
            reason = ReturnReason.DEFECTIVE if kind == "fail" else ReturnReason.TOO_SMALL
            found = next(each for each in lines if each.line_ref == sku)
            self._bring(found.line_no, units, reason, BROUGHT[kind])
        else:
            lines = {lines[line % len(lines)].line_no: units * 137} if kind == "off" else {}
            self._refund(RefundDraft(
                kind=RefundKind.GOODWILL if lines else RefundKind(kind),
                amount_minor=units * 137, lines=lines,
            ))  # fmt: skip

    def _bring(self, line_no: int, units: int, reason: ReturnReason, of: Resolution) -> None:
        handed = Handed(line_no=line_no, quantity=units, reason=reason, resolution=of,
                        condition=Condition.NEW, disposition=None)  # fmt: skip
        basket = Basket(order_number=self.number, lines=(handed,))
        self.shop.ledger.run(
            lambda tx: return_receipts.take_at_store(tx, "AMS", [basket], by="ann", at=NOW)
        )

    def _refund(self, draft: RefundDraft) -> None:
        number = self.number
        self.shop.ledger.run(lambda tx: refunds.compose_by_hand(
            tx, number, draft, reason="late", by="ann", at=NOW, already_refunded_minor=None,
        ))  # fmt: skip

    def rest(self) -> None:
        """Let what is left of it be sent or canceled."""
        for line in self.shop.order(self.ref).lines:
            kind = "ship" if line.line_no % 2 else "cancel"
            # What came back without having been told to be sent cannot be canceled any more.
            gone = line.shipped if kind == "ship" else max(line.shipped, line.returned)
            if left := line.quantity - line.canceled - gone:
                change = a_change(kind, left, ref=f"rest-{line.line_no}", line=line.line_ref)
                self.shop.take(a_partial(self.ref, change))

    def settle(self) -> int:
        """Move the money there is to move; return what stays of it."""
        order_id = self.order_id

        def settle(tx: Tx) -> None:
            orders.hold(tx, order_id)
            payments.settle_all(tx, [order_id], at=NOW)

        self.shop.ledger.run(settle)
        while payments.execute_due(
            self.shop.ledger, {"sandbox": Willing(captures_once=self.captures_once)}
        ):
            pass
        with self.shop.ledger.snapshot() as tx:
            sums = total(each.sums for each in payment_queries.of_order(tx, order_id))
        return sums.captured - sums.refunded

    def billed(self) -> int:
        """Issue the documents that are due; return invoices less credit notes."""
        bill(self.shop, self.ref)
        return sum(balance(documents(self.shop, self.ref)))

    def sold(self) -> int:
        """Return net sales, and what is paid beside them (ADR 0034)."""
        return int(self.shop.value(_SOLD, order_id=self.order_id))


_SOLD: Final = """
    select (select sum(net_minor + tax_minor) from line_events e where e.order_id = o.order_id)
        + (o.shipping_net_minor + o.shipping_tax_minor) * (exists (
            select from line_events e
            where e.order_id = o.order_id and e.kind in ('ship', 'return')))::integer
        + coalesce((
            select sum(case l.resolution when 'none'
                then d.goods_net_minor + d.goods_tax_minor
                else d.fee_minor - d.shipping_net_minor - d.shipping_tax_minor end)
            from returns r join return_decisions d using (return_id)
            join return_lines l using (return_id, line_no)
            where r.order_id = o.order_id and d.verdict = 'accepted'), 0)
        - coalesce((
            select sum(least(p.done_minor, v.minor + v.given_minor))
            from price_reductions p join line_values(o.order_id) v using (line_no)
            where p.order_id = o.order_id), 0)
    from orders o where o.order_id = :order_id
"""


def buy(
    shop: Shop, lines: list[dict[str, Any]], shipping: tuple[int, int], currency: str, *,
    captures_once: bool = False,
) -> Bought:  # fmt: skip
    ref = f"M-{shop.value('select count(*) from orders')}"
    columns = {"shipping_net_minor": shipping[0], "shipping_tax_minor": shipping[1]}
    shop.take(an_order(ref, currency=currency, lines=lines, ship_to=ADDRESS, **columns))
    bought = Bought(shop, ref, captures_once)
    amount = shop.order(ref).summary.total_minor
    if amount:
        card = PaymentDraft(tender=Tender.CARD, amount_minor=amount, currency=currency,
                            external_ref="p-1", psp="sandbox", token="tok_visa")  # fmt: skip
        number = bought.number
        shop.ledger.run(lambda tx: payments.authorize(tx, number, card, by="ann", at=NOW))
    bought.settle()
    return bought


LINES: Final = st.lists(
    st.builds(
        lambda quantity, total, rate, discount: {
            "quantity": quantity, "total": total, "tax": total * rate // RATES[rate],
            "discount": discount,
        },
        st.integers(1, 4), st.integers(0, 3000), st.sampled_from(sorted(RATES)),
        st.integers(0, 300),
    ), min_size=1, max_size=3,
)  # fmt: skip
STEPS: Final = st.lists(
    st.tuples(
        st.sampled_from(["ship", "ship", "cancel", "return", "goodwill", "off", "shipping",
                         "bring", *BROUGHT]),
        st.integers(0, 2), st.integers(1, 4),
    ), min_size=2, max_size=8,
)  # fmt: skip


@settings(
    max_examples=20 * EFFORT, deadline=None, suppress_health_check=[HealthCheck.too_slow],
)  # fmt: skip
@given(
    lines=LINES, steps=STEPS, shipping=st.integers(0, 600),
    currency=st.sampled_from(["EUR", "JPY", "KWD"]),
)  # fmt: skip
def test_documents_are_what_was_captured_and_not_refunded(
    selling: Shop, lines: list[dict[str, Any]], steps: list[tuple[str, int, int]], shipping: int,
    currency: str,
) -> None:  # fmt: skip
    """At every moment, while an order is partly sent as well as when it has ended."""
    made = [a_line(sku, **line) for sku, line in zip(SKUS, lines, strict=False)]
    tax = shipping * 21 // 121
    bought = buy(selling, made, (shipping - tax, tax), currency)
    for number, (kind, line, units) in enumerate(steps):
        bought.do(kind, line, units, number)
        assert bought.settle() == bought.billed(), f"after {number}: {kind}"
    bought.rest()
    assert bought.settle() == bought.billed() == bought.sold()
    assert bill(selling, bought.ref) == []
    for each in documents(selling, bought.ref):
        assert_its_lines_are_its_own(each)


@settings(
    max_examples=10 * EFFORT, deadline=None, suppress_health_check=[HealthCheck.too_slow],
)  # fmt: skip
@given(lines=LINES, steps=STEPS, shipping=st.integers(0, 600))
def test_what_is_captured_once_is_never_less_than_what_left_and_goes_back(
    selling: Shop, lines: list[dict[str, Any]], steps: list[tuple[str, int, int]], shipping: int
) -> None:
    """All of it at the first goods that leave; what then does not leave is refunded."""
    made = [a_line(sku, **line) for sku, line in zip(SKUS, lines, strict=False)]
    bought = buy(selling, made, (shipping, 0), "EUR", captures_once=True)
    for number, (kind, line, units) in enumerate(steps):
        bought.do(kind, line, units, number)
        assert bought.settle() >= bought.billed(), f"after {number}: {kind}"
        with selling.ledger.snapshot() as tx:
            known = payment_queries.of_order(tx, bought.order_id)
        captures = [t for each in known for t in each.transactions if t.type == "capture"]
        assert len(captures) <= 1
        assert not captures or total(each.sums for each in known).capturable == 0
    bought.rest()
    assert bought.settle() == bought.billed() == bought.sold()
    assert "PAYMENT_MISSING" not in selling.open_exceptions(bought.ref)


def assert_its_lines_are_its_own(document: Document) -> None:
    paper = document.paper
    groups = {(each.category, each.rate_ppm): (each.net_minor, each.tax_minor)
              for each in paper.groups}  # fmt: skip
    for key, found in groups.items():
        of = [each for each in paper.lines if (each.category, each.rate_ppm) == key]
        assert found == (sum(e.net_minor for e in of), sum(e.tax_minor for e in of))
    assert min(each.net_minor for each in paper.lines) >= 0


def test_ledger_keeps_its_invariants(selling: Shop) -> None:
    assert selling.violations() == {}


def two_rates(shop: Shop) -> Bought:
    """Two pens at 21 % for 20.00, ink at 9 % for 10.90, 4.84 of shipping; all of it sent."""
    bought = buy(
        shop, [a_line("PEN", 2, total=2000, tax=347), a_line("INK", total=1090, tax=90)],
        (400, 84), "EUR",
    )  # fmt: skip
    bought.do("ship", 0, 2, 0)
    bought.do("ship", 1, 1, 1)
    assert bought.settle() == bought.billed() == 3574
    return bought


def lines_of(shop: Shop, bought: Bought) -> list[tuple[str, list[tuple[int, int, int]]]]:
    """Return what all but the first document have of each line: number, units, money."""
    return [
        (each.paper.type.value,
         [(line.line_no, line.quantity, line.net_minor + line.tax_minor)
          for line in each.paper.lines])
        for each in documents(shop, bought.ref)[1:]
    ]  # fmt: skip


class TestOnPaper:
    def test_goodwill_is_on_a_credit_note_by_rates_and_says_why(self, selling: Shop) -> None:
        bought = two_rates(selling)
        bought.do("goodwill", 0, 2, 2)
        assert bought.settle() == bought.billed() == 3574 - 274
        assert lines_of(selling, bought) == [
            ("credit_note", [(1, 0, 153), (2, 0, 84), (0, 0, 37)])
        ]  # fmt: skip
        paper = documents(selling, bought.ref)[1].paper
        assert [(each.rate_ppm, each.net_minor + each.tax_minor) for each in paper.groups] == [
            (210_000, 190), (90_000, 84),
        ]  # fmt: skip
        assert (paper.reason, paper.preceding is not None) == ("late", True)

    def test_no_more_of_a_fee_is_kept_than_goods_made_cheaper_still_give_back(
        self, selling: Shop
    ) -> None:
        """Three of 188 with 173 of shipping; goodwill of 274 leaves 45 of the goods and 42 of it.

        One that comes back is 62 and leaves 125, less than went back before: it gives back 45.
        """
        bought = buy(selling, [a_line("PEN", 3, total=188, tax=0)], (173, 0), "EUR")
        bought.do("ship", 0, 3, 0)
        assert bought.settle() == bought.billed() == 361
        bought.do("goodwill", 0, 2, 1)
        assert bought.settle() == bought.billed() == 361 - 274
        bought.do("bring", 0, 1, 2)
        assert bought.settle() == bought.billed() == bought.sold() == 361 - 274

    def test_of_goodwill_that_failed_there_is_none(self, selling: Shop) -> None:
        bought = two_rates(selling)
        bought.do("goodwill", 0, 2, 2)
        assert bought.billed() == 3574
        with selling.ledger.transaction() as tx:
            tx.exec_driver_sql(
                "update payment_transactions set state = 'failed', next_try_at = null"
                " where type = 'refund' and state = 'requested'"
            )
        assert bought.settle() == bought.billed() == 3574

    def test_shipping_comes_back_as_its_own_line_with_the_last_goods(self, selling: Shop) -> None:
        bought = two_rates(selling)
        bought.do("fail", 0, 2, 2)
        assert bought.settle() == bought.billed() == 1574
        bought.do("fail", 1, 1, 3)
        assert bought.settle() == bought.billed() == 0
        assert lines_of(selling, bought) == [
            ("credit_note", [(1, 2, 2000)]), ("credit_note", [(2, 1, 1090), (0, 1, 484)]),
        ]  # fmt: skip
        shipping = documents(selling, bought.ref)[2].paper.lines[-1]
        assert (shipping.net_minor, shipping.tax_minor, shipping.rate_ppm) == (400, 84, 210_000)

    def test_a_fee_is_invoiced_at_the_rate_of_what_came_back(self, selling: Shop) -> None:
        bought = two_rates(selling)
        bought.do("bring", 1, 1, 2)
        assert bought.settle() == bought.billed() == 3574 - 1090 + 95
        assert lines_of(selling, bought) == [
            ("invoice", [(-2, 1, 95)]), ("credit_note", [(2, 1, 1090)]),
        ]  # fmt: skip
        fee = documents(selling, bought.ref)[1].paper.lines[0]
        assert (fee.title, fee.tax_minor, fee.rate_ppm) == ("Ink", 8, 90_000)

    def test_goods_kept_without_money_are_credited_to_nobody(self, selling: Shop) -> None:
        bought = two_rates(selling)
        bought.do("keep", 0, 1, 2)
        assert bought.settle() == bought.billed() == 3574
        bought.do("fail", 0, 1, 3)
        assert bought.settle() == bought.billed() == 2574
        assert lines_of(selling, bought) == [("credit_note", [(1, 1, 1000)])]

    def test_goodwill_stays_off_what_is_kept(self, selling: Shop) -> None:
        """It is not taken out of what is owed for goods that come back later."""
        bought = two_rates(selling)
        bought.do("goodwill", 0, 2, 2)
        assert bought.settle() == bought.billed() == 3574 - 274
        bought.do("fail", 0, 1, 3)
        assert bought.settle() == bought.billed() == 3574 - 274 - 1000
        bought.do("fail", 0, 1, 4)
        assert bought.settle() == bought.billed() == 3574 - 2000 - (274 - 153)
        assert [each.paper.type for each in documents(selling, bought.ref)] == [
            DocumentType.INVOICE, DocumentType.CREDIT_NOTE, DocumentType.CREDIT_NOTE,
            DocumentType.CREDIT_NOTE,
        ]  # fmt: skip

    def test_what_came_back_is_refunded_while_other_goods_wait(self, selling: Shop) -> None:
        bought = buy(selling, [a_line("PEN", 3, total=1001, tax=100)], (0, 0), "EUR")
        bought.do("ship", 0, 2, 0)
        assert bought.settle() == bought.billed() == 667
        bought.do("fail", 0, 1, 1)
        assert bought.settle() == bought.billed() == 334
        bought.do("ship", 0, 1, 2)
        assert bought.settle() == bought.billed() == 668
