"""Every document of orders of all kinds, VAT cases and fates is valid by EN 16931's own rules.

With `OMS_TEST_EFFORT=50` there are thousands.
"""

import json
import random
from dataclasses import replace
from typing import Any, Final

from oms.billing.model import Category, DocumentType
from tests.builders import EFFORT, Draft, a_change, a_line, a_movement, an_order, minutes
from tests.en16931 import checking
from tests.ledger.issuing import bill, documents, register
from tests.ledger.shop import SKUS, Shop

ORDERS: Final = 40 * EFFORT
AT_ONCE: Final = 100
# Where to, by which rates; none of them outside of the EU, nor to another country's business.
RATES: Final = {"NL": (210_000, 90_000, 0), "DE": (190_000, 70_000), "FR": (200_000, 55_000)}
OUTSIDE: Final = ("CH", "US", "JP")
FATES: Final = ("sent", "sent in parts", "canceled in part", "returned", "returned in part")


def test_all_of_them(shop: Shop) -> None:
    seed = random.SystemRandom().randrange(10**6)
    print(f"seed {seed}")
    dice = random.Random(seed)
    register(shop)
    shop.take(*(a_movement(10**6, sku=sku, ref=f"much {sku}") for sku in SKUS))
    categories, kinds, count = set[Category](), set[DocumentType](), 0
    with checking() as faults_of:
        for begin in range(0, ORDERS, AT_ONCE):
            refs = [f"W-{n}" for n in range(begin, min(begin + AT_ONCE, ORDERS))]
            made = [an_order_of(dice, ref) for ref in refs]
            for drafts in zip(*made, strict=True):  # all as sold, then all as sent, then the rest
                shop.take(*drafts)
                bill(shop, *refs)
            for each in (paper for ref in refs for paper in documents(shop, ref)):
                assert faults_of(each.paper) == [], (seed, each.paper)
                categories |= {line.category for line in each.paper.lines}
                kinds.add(each.paper.type)
                count += 1
    print(f"{count} documents of {ORDERS} orders")
    assert count > ORDERS
    assert categories == set(Category)
    assert kinds == {DocumentType.INVOICE, DocumentType.CREDIT_NOTE}


def an_order_of(dice: random.Random, ref: str) -> tuple[Draft, ...]:
    """Return an order of somebody somewhere: as it was sold, as it was sent, and in the end."""
    country, vat_id = whose(dice)
    rates = (0,) if vat_id or country in OUTSIDE else RATES[country]
    lines = [
        a_line_of(dice, sku, dice.choice(rates))
        for sku in dice.sample(sorted(SKUS), dice.randint(1, min(3, len(SKUS))))
    ]
    address = {"name": "Ada Pen", "street": "Laan 1", "postcode": "1", "city": "Aalst",
               "country_code": country}  # fmt: skip
    shipping = dice.choice((0, 413, 1))
    columns: dict[str, Any] = {
        "lines": lines, "ship_to": json.dumps(address),
        "bill_to": json.dumps(address | ({"vat_id": vat_id} if vat_id else {})),
        "shipping_net_minor": shipping, "shipping_tax_minor": taxed(shipping, max(rates)),
    }  # fmt: skip
    changes = fate(dice, lines)
    sent = [each for each in changes if each["kind"] != "return"]
    return tuple(
        an_order(ref, version=version, updated_at=minutes(version), changes=told, **columns)
        for version, told in enumerate(([], sent, changes), start=1)
    )


def whose(dice: random.Random) -> tuple[str, str | None]:
    """Return where to, and the VAT number of a business: ours, another country's, none outside."""
    country = dice.choice((*RATES, *OUTSIDE))
    numbers = {"NL": "NL987654321B01", "DE": "DE123456789", "FR": "FR40303265045"}
    return country, numbers.get(country) if dice.random() < 1 / 3 else None


def a_line_of(dice: random.Random, sku: str, rate_ppm: int) -> dict[str, Any]:
    quantity, discount = dice.randint(1, 5), dice.choice((0, 0, 1, 333))
    net = dice.choice((dice.randint(1, 99), dice.randint(100, 99_999))) * quantity
    tax = taxed(net, rate_ppm)
    line = a_line(sku, quantity, total=net + tax, tax=tax, discount=discount)
    return line | {"unit_price_minor": -(-(net + tax + discount) // quantity)}


def taxed(net_minor: int, rate_ppm: int) -> int:
    return round(net_minor * rate_ppm / 1_000_000)


def fate(dice: random.Random, lines: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return what becomes of an order: its lines are sent, in parts, or less of it, or return."""
    found = []
    for line in lines:
        sku, quantity, what = str(line["sku"]), int(line["quantity"]), dice.choice(FATES)
        part = dice.randint(1, quantity)
        if what == "canceled in part" and quantity > 1:
            found.append(a_change("cancel", quantity - 1, ref=f"x-{sku}", line=sku))
            quantity, part = 1, 1
        found.append(a_change("ship", part, ref=f"s-{sku}", line=sku))
        if what != "sent in parts" and part < quantity:
            found.append(a_change("ship", quantity - part, ref=f"t-{sku}", line=sku))
        if what == "returned":
            found.append(a_change("return", part, ref=f"r-{sku}", line=sku))
        if what == "returned in part":
            found.append(a_change("return", 1, ref=f"r-{sku}", line=sku))
    return found


def test_what_is_wrong_is_found(shop: Shop) -> None:
    """Or the rules above would say nothing."""
    register(shop)
    shop.take(a_movement(9), an_order(changes=[a_change("ship")]))
    bill(shop)
    (document,) = documents(shop)
    with checking() as faults_of:
        assert faults_of(document.paper) == []
        assert "BR-CO-15" in " ".join(faults_of(replace(document.paper, net_minor=1)))
