"""Vocabularies: which states of ours a channel may have a word for, and what is wrong with one."""

import re
from collections.abc import Iterator, Mapping
from enum import StrEnum
from typing import Final

from oms.events.model import Vocabulary
from oms.fulfillment.model import FulfillmentOrderState
from oms.orders.model import FulfillmentState, OrderState
from oms.payments.model import OrderPaymentState
from oms.returns.model import ReturnState

STATES: Final[Mapping[str, type[StrEnum]]] = {
    "order_state": OrderState, "fulfillment_state": FulfillmentState,
    "payment_state": OrderPaymentState, "fulfillment_order_state": FulfillmentOrderState,
    "return_state": ReturnState,
}  # fmt: skip
WORD: Final = re.compile(r"[^\x00-\x1f\x7f\ud800-\udfff]{1,100}")


def faults(vocabulary: Vocabulary) -> Iterator[str]:
    """Say what is wrong with a channel's words, each with the field it stands in."""
    for kind, words in vocabulary.items():
        if kind not in STATES:
            yield f"vocabulary.{kind[:40]}: there are words for {', '.join(STATES)} only."
            continue
        ours = [state.value for state in STATES[kind]]
        for state, word in words.items():
            field = f"vocabulary.{kind}.{state[:40]}"
            if state not in ours:
                yield f"{field} is no state of ours; they are {', '.join(ours)}."
            elif not word.strip() or not WORD.fullmatch(word):
                yield f"{field} must be a word of 1 to 100 characters."
