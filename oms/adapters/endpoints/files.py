"""Files: each message a file in the subscriber's folder, there whole or not at all."""

import csv
import io
import json
import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

from oms.webhooks.model import STOCK_TOPIC, Answer, Endpoint, Sending

# What a subscriber does not take away for so long is enough: it is called busy, and loses nothing.
WAITING_FILES_MAX: Final = 10_000
BUSY_SECONDS: Final = 300.0
STOCK_COLUMNS: Final = ("channel_code", "sku", "available_to_sell", "version", "computed_at")


class FileTeller:
    """Writes messages as files into folders others take them from."""

    def __init__(self, root: Path) -> None:
        """Take the folder that holds one per subscriber."""
        self._root = root

    def problem(self, endpoint: Endpoint) -> str | None:
        """Return why the folder cannot be written to in this format."""
        if endpoint.file_format == "csv" and set(endpoint.topics) != {STOCK_TOPIC}:
            return f"of {STOCK_TOPIC} there is csv; everything else is told in json"
        return None

    def tell(self, sending: Sending) -> Answer:
        """Write a message under its number; the same message again is the same file."""
        begun = time.monotonic()
        endpoint = sending.endpoint
        folder = self._root / str(endpoint.folder)
        name = f"{sending.delivery_id:012d}-{sending.topic}.{endpoint.file_format}"
        try:
            folder.mkdir(parents=True, exist_ok=True)
            if _is_full(folder):
                return Answer(error_kind="full", retry_after_seconds=BUSY_SECONDS)
            _put(folder, name, _CONTENTS[endpoint.file_format or ""](sending.body))
        except OSError:
            return Answer(error_kind="disk")
        return Answer(status_code=201, duration_ms=int((time.monotonic() - begun) * 1000))


def _is_full(folder: Path) -> bool:
    with os.scandir(folder) as entries:
        return sum(1 for _ in entries) >= WAITING_FILES_MAX


def _put(folder: Path, name: str, content: bytes) -> None:
    """Write a file so that nobody sees a part of it, whenever the machine is switched off."""
    part = folder / f".{name}.part"
    with part.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    part.replace(folder / name)
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _json(body: bytes) -> bytes:
    return body + b"\n"


def _csv(body: bytes) -> bytes:
    """Write what a message of stock says as a table (RFC 4180)."""
    document: dict[str, Any] = json.loads(body)
    text = io.StringIO(newline="")
    writer = csv.writer(text)
    writer.writerow(STOCK_COLUMNS)
    for item in document["data"]["items"]:
        row = {**item, "channel_code": document["channel_code"]}
        writer.writerow([row[column] for column in STOCK_COLUMNS])
    return text.getvalue().encode()


_CONTENTS: Final[dict[str, Callable[[bytes], bytes]]] = {"json": _json, "csv": _csv}
