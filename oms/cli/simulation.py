"""Playing the simulated retailer against a running system, each channel by its own transport."""

import base64
import hashlib
import hmac
import sys
import threading
import time
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from typing import Final, Protocol

import httpx
import typer

from oms import bootstrap, launcher
from oms.access import operations as access
from oms.access import queries as access_queries
from oms.access.model import NotAuthenticated
from oms.billing import operations as billing
from oms.billing.model import LegalEntity
from oms.channels import operations as channels
from oms.channels import queries
from oms.channels.model import ChannelDraft
from oms.cli import receiving, settling, staffing
from oms.cli.common import Progress, fail
from oms.cli.paying import Terminal
from oms.cli.story import Story, write_secret
from oms.kernel import clock
from oms.locations import operations as locations
from oms.locations.model import Location
from oms.settings import Settings
from oms.simulator import setup
from oms.simulator.formats.canonical import PSP
from oms.simulator.history import history
from oms.simulator.live import live
from oms.simulator.model import Payload
from oms.simulator.network import BACKOFFICE, KIOSK
from oms.simulator.settling import TILLS, TRANSPORT
from oms.simulator.shop import Records, Shop
from oms.simulator.timeline import midnight
from oms.workflows import ingest

LIVE_SPEED: Final = 60.0
WAITING_MAX: Final = 500
# Of the history so much is invoiced here: whoever begins anew does not bill the past again.
BILLED_FOR: Final = timedelta(days=7)
PUSH_SECONDS_MAX: Final = 30


def live_program() -> launcher.Program:
    """Return the program that plays on after the history."""
    command = (sys.executable, "-m", "oms", "simulate", "--live", "--speed", str(LIVE_SPEED))
    return launcher.Program(name="simulator", command=command)


def first_history(
    system: bootstrap.System, stop: threading.Event, *, days: int, per_day: int
) -> None:
    """Play the history on a home that has none, while its worker captures it.

    One that was broken off is played to its end, as it was begun.
    """
    known = Story.read(system.settings)
    if known is None:
        play_history(system, stop, days=days, per_day=per_day, seed=1, process=False)
    elif not known.is_complete:
        typer.echo(f"Going on with the history that was broken off: {known}.")
        _tell_history(system, stop, known, process=False)


def play_history(
    system: bootstrap.System, stop: threading.Event, *, days: int, per_day: int, seed: int,
    process: bool,
) -> None:  # fmt: skip
    """Register the retailer and hand its past to the inbox, in the order it would have come.

    With `process` the payloads are captured here; without, a running worker does it and this
    waits for it. Handing the same past over again changes nothing, on another day, too; a home
    that was told another one refuses.
    """
    until = clock.now().date() - timedelta(days=1)
    known = Story.read(system.settings)
    if known is not None and not known.is_told_with(seed=seed, days=days, orders_per_day=per_day):
        raise fail(
            f"This home has been told another story: {known}. Say the same numbers to go on"
            " with it, or choose another OMS_HOME for a new one."
        )
    story = known or Story(
        seed=seed, days=days, orders_per_day=per_day, until=until.isoformat(), is_complete=False,
        is_routed=True,
    )  # fmt: skip
    _tell_history(system, stop, story, process=process)


def _tell_history(
    system: bootstrap.System, stop: threading.Event, story: Story, *, process: bool
) -> None:
    # Remembered first: who is interrupted goes on with this story, whatever day it is then.
    story.write(system.settings)
    billed_from = midnight(story.last_on) - BILLED_FOR
    _register(system, shop_url="", is_routed=False, billed_from=billed_from)
    typer.echo(
        f"Playing {story.days} days of a simulated retailer,"
        f" about {story.days * story.orders_per_day:,} orders …"
    )
    first = story.last_on - timedelta(days=story.days)
    _receive(system, _catalogue(story.seed, first), process=process)
    progress = Progress("payloads received")
    told = history(
        story.seed, story.days, story.orders_per_day, story.last_on, is_routed=story.is_routed
    )
    reports: list[Payload] = []
    for payload in told:
        if stop.is_set():
            return
        if payload.transport == TRANSPORT:
            reports.append(payload)  # what they settle is captured first
            continue
        _receive(system, payload, process=process)
        progress.step()
        while not process and not stop.is_set() and _waiting(system) > WAITING_MAX:
            stop.wait(0.5)
    progress.end()
    _drain(system, stop)
    if process:
        ingest.replay_orphans(system.intake)
    settling.take_past(system, stop, reports)
    if story.is_routed:
        staff = staffing.staff_of(system, story.seed)
        staffing.work_through_past(system, stop, staff, story.last_on)
    if not stop.is_set():
        replace(story, is_complete=True).write(system.settings)


def play_live(system: bootstrap.System, *, speed: float) -> None:
    """Go on from the history: faster than the clock until it is caught up with, then with it."""
    story = Story.read(system.settings)
    if story is None or not story.is_complete:
        raise fail("There is no whole history to go on from; run `oms simulate` first.")
    start = midnight(story.last_on)
    records = Records()
    with Shop(records) as shop:
        _register(system, shop_url=shop.url, is_routed=story.is_routed)
        told = live(
            story.seed, start, 1, days=story.days, orders_per_day=story.orders_per_day,
            is_routed=story.is_routed,
        )  # fmt: skip
        if story.is_routed:
            _begin_shift(system, story)
        _begin_receiving(system)
        tell_live(system.settings, story, told, Outside(system, records), start=start, speed=speed)


def _begin_shift(system: bootstrap.System, story: Story) -> None:
    """Let DC and stores work beside what is told, as long as this process lasts."""
    threading.Thread(
        target=staffing.keep_working, name="staff", daemon=True,
        args=(system, threading.Event(), staffing.staff_of(system, story.seed)),
        kwargs={"orders_per_day": story.orders_per_day},
    ).start()  # fmt: skip


def _begin_receiving(system: bootstrap.System) -> None:
    """Let systems of the retailer be told what happens, as long as this process lasts."""
    folders = receiving.subscribed(system, at=clock.now())
    threading.Thread(
        target=receiving.keep_taking, name="receivers", daemon=True,
        args=(folders, threading.Event()),
    ).start()  # fmt: skip


def tell_live(
    settings: Settings, story: Story, told: Iterable[Payload], outside: "Deliveries", *,
    start: datetime, speed: float,
) -> None:  # fmt: skip
    """Deliver what was not delivered before, each when it is due, and note how far it is.

    What was delivered at the very moment the last telling ended is delivered again: the inbox
    knows it.
    """
    since = story.goes_on_at(start)
    pace = Pace(start=since, began_at=clock.now(), speed=speed)
    is_behind = since < pace.began_at
    if is_behind:
        typer.echo(f"Catching up from {since:%Y-%m-%d %H:%M}, {speed:g} times the clock …")
    for payload in told:
        if payload.at < since:
            outside.recall(payload)
            continue
        pace.wait(payload.at)
        if is_behind and pace.has_caught_up(payload.at):
            typer.echo("Caught up; going on with the clock.")
            is_behind = False
        outside.deliver(payload)
        story = story.delivered(payload.at)
        story.write(settings)


class Deliveries(Protocol):
    """Where the story is told to."""

    def deliver(self, payload: Payload) -> None:
        """Hand a payload over."""
        ...

    def recall(self, payload: Payload) -> None:
        """Take notice of a payload that was handed over in an earlier telling."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Pace:
    """Turns the story's clock into ours: faster while it lies behind, never ahead of it."""

    start: datetime
    began_at: datetime
    speed: float

    def wait(self, at: datetime) -> None:
        """Wait until a moment of the story is due."""
        pause = (self._due_at(at) - clock.now()).total_seconds()
        if pause > 0:
            time.sleep(pause)

    def has_caught_up(self, at: datetime) -> bool:
        """Say whether a moment of the story is due at that very moment."""
        return self._due_at(at) == at

    def _due_at(self, at: datetime) -> datetime:
        return max(self.began_at + (at - self.start) / self.speed, at)


class Outside:
    """The world outside: it drops files, pushes to the API, and fills the shop that is pulled."""

    def __init__(self, system: bootstrap.System, records: Records) -> None:
        """Take the system it delivers to and the shop's records."""
        self._system, self._settings = system, system.settings
        self._records = records
        self._terminal = Terminal(system.settings)
        key = channels_key(system)
        self._api = httpx.Client(
            base_url=f"http://127.0.0.1:{self._settings.api_port}", timeout=PUSH_SECONDS_MAX,
            headers={"Authorization": f"Bearer {key}"},
        )  # fmt: skip
        self._roads: dict[str, Callable[[Payload], None]] = {
            "file": self._drop, "push": self._push, "pull": self._publish,
            TRANSPORT: self._settle,
        }  # fmt: skip

    def deliver(self, payload: Payload) -> None:
        """Hand a payload over by its channel's own transport."""
        self._roads[payload.transport](payload)

    def recall(self, payload: Payload) -> None:
        """Let the shop, whose records end with this process, have again what it had."""
        if payload.transport == "pull":
            self._publish(payload)

    def _drop(self, payload: Payload) -> None:
        """Write a file under another name first: a half-written one is nobody's."""
        folder = self._settings.drop_dir / payload.channel_code
        if payload.topic != "orders":
            folder /= payload.topic
        folder.mkdir(parents=True, exist_ok=True)
        name = payload.file_name or hashlib.sha256(payload.body).hexdigest()
        part = folder / f".{name}.part"
        part.write_bytes(payload.body)
        part.rename(folder / name)

    def _settle(self, payload: Payload) -> None:
        """Drop a service's report, and beside the tills' that of whom kiosks are paid through."""
        settling.drop(self._system, payload)
        if payload.channel_code != TILLS:
            return
        day = str(payload.file_name).removeprefix(f"{TILLS}_").removesuffix(".csv")
        if len(body := self._terminal.settlement(day)) > 0:
            own = payload._replace(channel_code=PSP, file_name=f"{PSP}_{day}.csv", body=body)
            settling.drop(self._system, own)

    def _push(self, payload: Payload) -> None:
        """Push until it is taken: a shop repeats its webhooks, too."""
        if payload.channel_code == KIOSK.code:
            self._terminal.authorize(payload.body)
        signature = hmac.new(setup.WEBHOOK_SECRET.encode(), payload.body, hashlib.sha256).digest()
        headers = {
            "Content-Type": payload.content_type,
            "X-Shopify-Topic": payload.topic,
            "X-Shopify-Hmac-Sha256": base64.b64encode(signature).decode(),
            "X-Shopify-Webhook-Id": hashlib.sha256(payload.body).hexdigest()[:32],
        }
        while True:
            try:
                answer = self._api.post(
                    f"/v1/channels/{payload.channel_code}/inbox", content=payload.body,
                    params={"topic": payload.topic}, headers=headers,
                )  # fmt: skip
            except httpx.TransportError:
                time.sleep(1)
                continue
            if answer.status_code < 500 and answer.status_code != 429:  # noqa: PLR2004 - HTTP's own
                if not answer.is_success:
                    typer.echo(f"refused: {answer.status_code} {answer.text[:200]}", err=True)
                return
            time.sleep(1)

    def _publish(self, payload: Payload) -> None:
        """Let the shop have it, until somebody asks."""
        self._records.append(payload.body)


def channels_key(system: bootstrap.System) -> str:
    """Return the key the simulated channels push with: the one kept in the home while it holds."""
    path = system.settings.root / "simulator.key"
    with system.ledger.transaction() as tx:
        if path.exists():
            kept = path.read_text().strip()
            with suppress(NotAuthenticated):
                access_queries.caller(tx, kept, at=clock.now())
                return kept
        key = access.make_key(
            tx, "simulated channels", role="channel", channel_codes=None, at=clock.now()
        )
    write_secret(path, key)
    return key


def _register(
    system: bootstrap.System, *, shop_url: str, is_routed: bool, billed_from: datetime | None = None
) -> None:
    """Register places, channels and whose the sales are, the last from when it is first told."""
    at = clock.now()
    with system.ledger.transaction() as tx:
        places = [
            Location(**{
                **place, "latitude": float(place["latitude"]),
                "longitude": float(place["longitude"]),
            })
            for place in setup.locations()
        ]  # fmt: skip
        locations.register(tx, places, at=at)
        for draft in setup.channels(shop_url=shop_url, is_routed=is_routed):
            channels.register(tx, ChannelDraft(**draft), at=at)
        billing.register(tx, LegalEntity(**setup.legal_entity()), at=billed_from or at)
    for channel in setup.channels(shop_url=shop_url):
        (system.settings.drop_dir / channel["code"]).mkdir(parents=True, exist_ok=True)


def _catalogue(seed: int, first: date) -> Payload:
    return Payload(
        channel_code=BACKOFFICE.code, transport="file", topic="products",
        content_type="application/x-ndjson", file_name="catalogue.ndjson",
        body=b"".join(line + b"\n" for line in setup.products(seed, first)),
        at=datetime.combine(first, datetime.min.time(), UTC),
    )  # fmt: skip


def _receive(system: bootstrap.System, payload: Payload, *, process: bool) -> None:
    with system.ledger.transaction() as tx:
        channel = queries.channel(tx, payload.channel_code)
        received = ingest.receive_body(
            system.intake, tx, payload.body, channel=channel, transport=payload.transport,
            topic=payload.topic, content_type=payload.content_type, message_id=None,
            at=clock.now(), file_name=payload.file_name,
        )  # fmt: skip
    if process:
        ingest.process(system.intake, received.inbox_id)


def _waiting(system: bootstrap.System) -> int:
    with system.ledger.snapshot() as tx:
        return len(queries.waiting(tx, limit=100_000))


def _drain(system: bootstrap.System, stop: threading.Event) -> None:
    """Wait until the worker has captured what was received."""
    left = _waiting(system)
    progress = Progress("payloads captured", left)
    while left and not stop.wait(0.5):
        now_left = _waiting(system)
        progress.step(left - now_left)
        left = now_left
    progress.end()
