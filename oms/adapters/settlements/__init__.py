"""Layouts of settlement reports: the sandbox's own, Stripe's and Adyen's."""

from collections.abc import Mapping
from typing import Final

from oms.adapters.settlements.adyen import AdyenLayout
from oms.adapters.settlements.sandbox import SandboxLayout
from oms.adapters.settlements.stripe import StripeLayout
from oms.settlements.port import Layout

_ALL: Final[tuple[Layout, ...]] = (SandboxLayout(), StripeLayout(), AdyenLayout())
LAYOUTS: Final[Mapping[str, Layout]] = {each.name: each for each in _ALL}
