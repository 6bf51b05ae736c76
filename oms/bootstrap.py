"""Settings become a running system; the only place that picks adapters."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, Final, Protocol

from oms.adapters.carriers.listed import PROFILES, ListedCarrier
from oms.adapters.carriers.sandbox import SandboxCarrier
from oms.adapters.channels import canonical, shopify
from oms.adapters.channels.tabular.mapping import TabularMapping
from oms.adapters.documents.invoices import InvoiceRenderer
from oms.adapters.documents.pdf import PdfPrinter
from oms.adapters.endpoints import FileTeller, HttpSender, PlatformTeller, WebhookTeller
from oms.adapters.mail.smtp import SmtpMailer
from oms.adapters.psp.adyen import AdyenPsp
from oms.adapters.psp.sandbox import SandboxPsp
from oms.adapters.psp.stripe import StripePsp
from oms.adapters.settlements import LAYOUTS
from oms.billing.port import Renderer
from oms.channels.model import Channel
from oms.kernel.errors import Rejected
from oms.ledger.database import Ledger, open_ledger
from oms.ledger.migrate import migrate
from oms.mails.port import Mailer
from oms.payments.port import Psp
from oms.settings import Settings
from oms.settlements.port import Layout
from oms.shipments.port import Carrier
from oms.webhooks.model import Transport
from oms.webhooks.port import Teller
from oms.workflows.documents import ChannelMapping, Puller
from oms.workflows.ingest import Intake
from oms.workflows.papers import Printer

# One line per kind of channel: its adapter's name, and what makes a mapping of its options.
ADAPTERS: Final[dict[str, Callable[[dict[str, Any]], ChannelMapping]]] = {
    "canonical": canonical.build,
    "shopify": shopify.build,
    "tabular": lambda options: TabularMapping.from_options(_mapping_files(options), Path("/")),
}
# Channels that have to be asked.
PULLERS: Final[dict[str, Callable[[dict[str, Any]], Puller]]] = {"shopify": shopify.puller}


class ClosablePsp(Psp, Protocol):
    """A payment service with connections to let go of."""

    def close(self) -> None:
        """Let go of them."""
        ...


@dataclass(kw_only=True)
class System:
    """Everything that runs on one ledger."""

    settings: Settings
    ledger: Ledger
    _mappings: dict[tuple[str, str, int], ChannelMapping] = field(default_factory=dict)

    @property
    def intake(self) -> Intake:
        """What ingest works with."""
        return Intake(
            ledger=self.ledger, files_dir=self.settings.files_dir, mapping_of=self.mapping_of,
            puller_of=puller_of,
        )  # fmt: skip

    @cached_property
    def sender(self) -> HttpSender:
        """What calls the endpoints of others."""
        return HttpSender(is_local_allowed=self.settings.allow_local_targets)

    @cached_property
    def tellers(self) -> dict[Transport, Teller]:
        """What tells subscribers, by transport."""
        platforms = {"shopify": shopify.ShopTeller(self.sender)}
        return {
            Transport.WEBHOOK: WebhookTeller(self.sender),
            Transport.FILE: FileTeller(self.settings.outbox_dir),
            Transport.PLATFORM: PlatformTeller(platforms),
        }

    @cached_property
    def carriers(self) -> dict[str, Carrier]:
        """Who carries parcels, by code."""
        sandbox = SandboxCarrier(
            hour_seconds=self.settings.sandbox_carrier_hour_seconds,
            points=self.settings.sandbox_points,
        )
        listed: list[Carrier] = [ListedCarrier(profile) for profile in PROFILES]
        return {each.profile.code: each for each in (sandbox, *listed)}

    @cached_property
    def psps(self) -> dict[str, Psp]:
        """Who moves money, by code."""
        return {each.code: each for each in self._psps}

    @cached_property
    def _psps(self) -> tuple[ClosablePsp, ...]:
        told = self.settings
        url = f"http://127.0.0.1:{told.sandbox_psp_port}"
        found: list[ClosablePsp] = [SandboxPsp(url, told.sandbox_psp_secret.get_secret_value())]
        if told.stripe_key is not None:
            found.append(StripePsp(
                told.stripe_key.get_secret_value(), told.stripe_webhook_secret.get_secret_value(),
                url=told.stripe_url, is_multicapture=told.stripe_multicapture,
            ))  # fmt: skip
        if told.adyen_key is not None and told.adyen_url is not None:
            found.append(AdyenPsp(
                told.adyen_url, told.adyen_key.get_secret_value(), account=told.adyen_account,
                hmac_key=told.adyen_hmac_key.get_secret_value(),
                is_multicapture=told.adyen_multicapture,
            ))  # fmt: skip
        return tuple(found)

    @property
    def layouts(self) -> Mapping[str, Layout]:
        """What reads settlement reports, by the name of its layout."""
        return LAYOUTS

    @cached_property
    def mailer(self) -> Mailer | None:
        """Who carries mails, where a mail server is set up."""
        url = self.settings.smtp_url
        if url is None:
            return None
        return SmtpMailer(url.get_secret_value(), self.settings.mail_from)

    @cached_property
    def printer(self) -> Printer:
        """What prints papers."""
        return PdfPrinter()

    @cached_property
    def renderer(self) -> Renderer:
        """What makes files of invoices, credit notes and receipts."""
        return InvoiceRenderer()

    def mapping_of(self, channel: Channel) -> ChannelMapping:
        """Return the mapping of a channel, made anew when its options or its file changed."""
        key = (channel.adapter, json.dumps(channel.adapter_options, sort_keys=True), _age(channel))
        if key not in self._mappings:
            self._mappings[key] = ADAPTERS[channel.adapter](channel.adapter_options)
        return self._mappings[key]

    def close(self) -> None:
        """Let go of every connection."""
        if "sender" in self.__dict__:
            self.sender.close()
        if "_psps" in self.__dict__:
            for psp in self._psps:
                psp.close()
        self.ledger.close()


def puller_of(channel: Channel) -> Puller:
    """Return what pulls from a channel; raises Rejected for one that is not pulled."""
    make = PULLERS.get(channel.adapter)
    if make is None or not channel.adapter_options.get("url"):
        raise Rejected(f"channel {channel.code} is not one to pull from")
    return make(channel.adapter_options)


def _mapping_files(options: dict[str, Any]) -> dict[str, Any]:
    """Read `mapping: file` as the short form of `mappings: {orders: file}`."""
    if "mapping" not in options:
        return options
    rest = {name: value for name, value in options.items() if name != "mapping"}
    return {**rest, "mappings": {"orders": options["mapping"]}}


def _age(channel: Channel) -> int:
    files = _mapping_files(channel.adapter_options).get("mappings") or {}
    paths = [Path(str(file)) for file in files.values()]
    return max((path.stat().st_mtime_ns for path in paths if path.exists()), default=0)


def build(settings: Settings, *, connections_max: int = 20) -> System:
    """Make a running system: ledger started where it is embedded, and up to date."""
    settings.root.mkdir(parents=True, exist_ok=True)
    ledger = open_ledger(settings, connections_max=connections_max)
    migrate(ledger)
    return System(settings=settings, ledger=ledger)
