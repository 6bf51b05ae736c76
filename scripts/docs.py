"""Write the documents that are made of code; `--check` tells whether they are in step."""

import importlib
import json
import pkgutil
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

import api  # noqa: E402 - found through the line above
import oms  # noqa: E402 - likewise
from oms.cli import journeys  # noqa: E402 - likewise
from oms.kernel.errors import OmsError  # noqa: E402 - likewise
from oms.settings import Settings  # noqa: E402 - likewise

# What may be wrong with one document of a payload, beside the errors of a request.
DOCUMENT_CODES = {
    "BAD_LOOKUP": "A look-up file has no row for a key.",
    "CURRENCY_MISMATCH": "The channel does not sell in this currency, or the order has another.",
    "MALFORMED": "The document cannot be read.",
    "ORDER_NOT_FOUND": "The document changes an order that has not come yet; it waits for it.",
    "QTY_EXCEEDS_RETURNABLE": "More is taken from a line than is left of it.",
    "QUANTITY_BELOW_DONE": "A line is edited below what is shipped, returned or canceled of it.",
    "TRUNCATED": "The document is too large to be kept whole: it cannot be tried again.",
    "UNKNOWN_LINE": "The order has no such line.",
    "UNKNOWN_LOCATION": "There is no such location.",
    "UNKNOWN_SKU": "The catalog has no such SKU.",
    "UNMAPPED_CODE": "A code of the channel is not in the mapping's list.",
    "VALIDATION": "A field is missing, or not what it should be.",
}


def problems() -> str:
    """Return docs/problems.md: every error an API caller can meet, and every document's."""
    for package in (oms, api):
        for module in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
            if "__main__" not in module.name and "migrations" not in module.name:
                importlib.import_module(module.name)
    found: dict[str, str] = {}
    waiting = [OmsError]
    while waiting:
        error = waiting.pop()
        waiting += sorted(error.__subclasses__(), key=lambda each: each.__name__, reverse=True)
        if "code" in vars(error) and error is not OmsError:
            found.setdefault(error.code, (error.__doc__ or "").strip().split("\n\n")[0])
    lines = ["# Problems", "", "Every error answer is `application/problem+json` with one of these"
             " as its `code`; `type` leads here.", ""]  # fmt: skip
    for code in sorted(found):
        lines += [f"## {code}", "", " ".join(found[code].split()), ""]
    lines += ["# Problems of documents", "", "Why a document of a payload is in quarantine, or a"
              " posted one was refused: beside each problem stands its field.", ""]  # fmt: skip
    lines += ["| code | meaning |", "|---|---|"]
    lines += [f"| `{code}` | {meaning} |" for code, meaning in sorted(DOCUMENT_CODES.items())]
    return "\n".join(lines) + "\n"


# What the folded states of an order say; nobody sets them.
FOLDED = {
    "OrderState": {
        "placed": "nothing of it has left",
        "in_progress": "some has left, some is to leave",
        "completed": "nothing is to leave any more, and something has",
        "canceled": "all of it was canceled",
    },
    "FulfillmentState": {
        "allocated": "all that is to leave is kept for it somewhere",
        "backordered": "some of it waits for stock, whatever has left",
        "partially_shipped": "some has left, and what is to leave is kept for it",
        "shipped": "all that was not canceled has left",
        "partially_returned": "some of it came back",
        "returned": "all that was not canceled came back",
        "canceled": "all of it was canceled",
    },
    "OrderPaymentState": {
        "none": "no payment is known, or nothing is due of it",
        "awaiting": "a payment is begun, and nothing of it authorized",
        "partially_authorized": "less is authorized than is due",
        "authorized": "what is due is authorized, and nothing captured",
        "partially_paid": "less is captured than is due",
        "paid": "what is due is captured",
        "overpaid": "more is kept than is due: it is owed back",
        "partially_refunded": "some was paid back, and what is kept is due",
        "refunded": "all that was captured was paid back",
        "voided": "what was authorized was given up",
        "chargeback": "a payer's bank took something back",
    },
}


def states() -> str:
    """Return docs/states.md: what may follow what, drawn from the tables that decide it."""
    from oms.fulfillment.model import NEXT as WORK
    from oms.holds.model import RULES, Command
    from oms.returns.model import NEXT as RETURNS
    from oms.shipments.model import NEXT as PARCELS
    from oms.transfers.model import NEXT as WAYS

    lines = ["# States", *_folded(), "", "## Fulfillment order", "",
             "Work at one location for one delivery group. What is not drawn is refused with 409"
             " and `allowed_actions`; from every state up to `ready_for_collection` a "
             "cancellation of the order leads to `canceled`. What is collected in a store and "
             "sent there waits until all of it has come. What is only reserved (`reserve`) leads"
             " from every state between to `collected` when a till converts it, and to "
             "`uncollected` when its time is over.", "",
             *_drawn(WORK, "[*] --> assigned: route", "[*] --> waiting_for_transfer: route",
                     "waiting_for_transfer --> assigned: all received",
                     "waiting_for_transfer --> canceled: nothing comes"),
             "", "## Transfer", "", "Goods one location sends to another: for an order that is"
             " collected there they are kept from the start, to fill shelves they are requested."
             " A cancellation of the order leads to `canceled` before the goods have left, and"
             " leaves them free stock where they arrive afterwards.", "",
             *_drawn(WAYS, "[*] --> requested: shelves", "[*] --> allocated: order",
                     "shipped --> partially_received: receive some",
                    "partially_received --> partially_received: receive some"),
             "", "## Return", "", "Goods of an order that come back. What a store takes over its"
             " counter begins as received. A receipt of some of it leaves it partially received, an"
             " inspection of some received, a decision on some inspected. What comes when its time"
             " is over waits for a person; once goods are there it is not canceled"
             " (`GOODS_RECEIVED`). `expire` happens by itself, `complete` by the refund of what is"
             " owed, by the channel's word that it took the same units back, or, where the money is"
             " not ours to give back, by a person with a reason.", "",
             *_drawn(RETURNS, "[*] --> requested: request", "[*] --> received: store_return",
                     "approved --> partially_received: receive some",
                     "in_transit --> partially_received: receive some",
                     "partially_received --> partially_received: receive some"),
             "", "## Parcel", "", "What a carrier tells is folded in the order in which it"
             " happened; what is not drawn moves nothing and is kept beside it.", "",
             "```mermaid", "stateDiagram-v2", "    [*] --> label_created"]  # fmt: skip
    for state, following in PARCELS.items():
        lines += [f"    {state} --> {after}" for after in PARCELS if after in following]
        lines += [] if following else [f"    {state} --> [*]"]
    lines += ["```", *_of_money(), "", "## Hold", "", "An order may be on several, one of a type."
              " Each is placed and released; meanwhile the commands its type names are refused with"
              " 409 `ORDER_ON_HOLD`.", "",
              "| type | blocks | released by |", "|---|---|---|"]  # fmt: skip
    for hold_type, rule in RULES.items():
        blocks = ", ".join(command for command in Command if command in rule.blocks)
        lines.append(f"| `{hold_type}` | {blocks} | `{rule.release_scope}` |")
    return "\n".join(lines) + "\n"


def _folded() -> list[str]:
    """Return what the states of an order say, which follow from its lines and its money."""
    from oms.orders.model import FulfillmentState, OrderState
    from oms.payments.model import OrderPaymentState

    lines = ["", "## Order", "", "An order has three states, each folded from what is beneath it"
             " whenever that changes: where it is in its life and how far its goods are, from its"
             " lines; how it is paid, from its payments and what it comes to."]  # fmt: skip
    for kind in (OrderState, FulfillmentState, OrderPaymentState):
        meanings = FOLDED[kind.__name__]
        assert list(meanings) == list(kind), f"{kind.__name__} has other states"
        name = {"OrderState": "order_state", "FulfillmentState": "fulfillment_state",
                "OrderPaymentState": "payment_state"}[kind.__name__]  # fmt: skip
        lines += ["", f"| `{name}` | |", "|---|---|"]
        lines += [f"| `{state}` | {meaning} |" for state, meaning in meanings.items()]
    return lines


def _of_money() -> list[str]:
    """Return the states of payments' transactions, of refunds and of batches of them."""
    from oms.payments.model import NEXT as MONEY
    from oms.refunds.batches import NEXT as BATCHES
    from oms.refunds.model import NEXT as REFUNDS

    lines = ["", "## Transaction of a payment", "", "A timeout is not a failure: what is `unknown`"
             " is asked for and not done again. What has ended is contradicted by the payment"
             " service alone, once it was asked.", "",
             "```mermaid", "stateDiagram-v2", "    [*] --> requested"]  # fmt: skip
    for state, ends in MONEY.items():
        lines += [f"    {state} --> {after}" for after in MONEY if after in ends]
    return [*lines, "```", "", "## Refund", "", "What somebody may do with it; the rest follows"
            " from the transactions of its parts.", "",
            *_drawn(REFUNDS, "[*] --> awaiting_approval: above the limit",
                    "[*] --> requested: within it", "requested --> succeeded: all parts",
                    "requested --> partially_succeeded: some", "requested --> failed: none",
                    "succeeded --> failed: the service says so",
                    "succeeded --> reversed: it came back"),
            "", "## Refunds in bulk", "", "What somebody may do with a batch; a change of its rows"
            " makes it a draft again. The worker ends a dry run and pays what is approved, and a"
            " batch is over when its payment services have answered.", "",
            *_drawn(BATCHES, "[*] --> draft: make", "validating --> validated: all rows seen",
                    "approved --> executing: first row", "executing --> completed: all went back",
                    "executing --> partially_failed: some did not")]  # fmt: skip


def _drawn(following: Mapping[Any, Mapping[Any, Any]], *beside: str) -> list[str]:
    """Draw a table of states, and beside it what no action leads to."""
    lines = ["```mermaid", "stateDiagram-v2", *(f"    {each}" for each in beside)]
    led_on = {each.split(" ")[0] for each in beside}
    for state, actions in following.items():
        lines += [f"    {state} --> {after}: {action}" for action, after in actions.items()]
        lines += [] if actions or state in led_on else [f"    {state} --> [*]"]
    return [*lines, "```"]


def environment() -> str:
    """Return .env.example: every setting with its default."""
    lines = ["# Every setting, with its default. Copy what you change into your environment."]
    for name, field in Settings.model_fields.items():
        default = "" if field.default is None else field.default
        default = json.dumps(default) if isinstance(default, dict) else default
        description = str(field.description)
        lines += ["", f"# {description[0].upper()}{description[1:]}.",
                  f"#OMS_{name.upper()}={default}"]  # fmt: skip
    return "\n".join(lines) + "\n"


DOCUMENTS = {
    "docs/problems.md": problems, "docs/states.md": states, "docs/journeys.md": journeys.document,
    ".env.example": environment,
}  # fmt: skip


def main() -> None:
    """Write the documents, or name those that are out of step."""
    stale = []
    for name, make in DOCUMENTS.items():
        content = make()
        path = ROOT / name
        if path.exists() and path.read_text(encoding="utf-8") == content:
            continue
        stale.append(name)
        if "--check" not in sys.argv:
            path.write_text(content, encoding="utf-8")
            print(f"written: {name}")
    if stale and "--check" in sys.argv:
        sys.exit(f"out of step, run `make docs`: {', '.join(stale)}")


if __name__ == "__main__":
    main()
