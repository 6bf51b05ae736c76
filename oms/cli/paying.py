"""Customers of the simulated kiosks pay: their cards are authorized before the order is told."""

import json
import time
from typing import Final

import httpx
import typer

from oms.kernel.money import minor_from_text
from oms.settings import Settings
from oms.simulator.formats.canonical import PSP

TIMEOUT_SECONDS: Final = 10.0


class Terminal:
    """The kiosks' payment terminal, at the sandbox payment service."""

    def __init__(self, settings: Settings) -> None:
        """Know where the service is."""
        url = f"http://127.0.0.1:{settings.sandbox_psp_port}"
        self._service = httpx.Client(base_url=url, timeout=TIMEOUT_SECONDS, trust_env=False)

    def close(self) -> None:
        """Let go of the connection."""
        self._service.close()

    def settlement(self, day: str) -> bytes:
        """Return what the service reports of a day; nothing while it is away."""
        try:
            answer = self._service.get(f"/settlements/{day}")
        except httpx.TransportError:
            return b""
        return answer.content if answer.is_success else b""

    def authorize(self, body: bytes) -> None:
        """Have the service know the payments of orders that are ours to capture: each once.

        A document nobody can read is told as it is.
        """
        for line in body.splitlines():
            try:
                order = json.loads(line)
                payments = [p for p in order["payments"] if p.get("psp") == PSP]
            except (ValueError, KeyError, TypeError):
                continue
            for payment in payments:
                self._ask(payment, order["currency"])

    def _ask(self, payment: dict[str, str], currency: str) -> None:
        reference = payment["psp_reference"]
        asked = {
            "type": "authorize", "amount_minor": minor_from_text(payment["amount"], currency),
            "currency": currency, "reference": reference, "payment_id": reference,
            "token": "tok_visa",
        }  # fmt: skip
        while True:
            try:
                answer = self._service.post(
                    "/operations", json=asked, headers={"Idempotency-Key": reference}
                )
            except httpx.TransportError:
                time.sleep(1)
                continue
            if not answer.is_server_error:
                if not answer.is_success:
                    typer.echo(f"not authorized: {reference} {answer.text[:200]}", err=True)
                return
            time.sleep(1)
