"""The sandbox payment service by itself."""

import asyncio
from pathlib import Path
from typing import Any

from oms.sandbox.psp import GONE, create_app


def test_a_client_that_goes_away_while_it_asks_is_no_error(tmp_path: Path) -> None:
    """As a worker does that is killed: what it sent in part is not done."""
    sent: list[dict[str, Any]] = []

    async def receive() -> dict[str, Any]:
        return {"type": "http.disconnect"}

    async def send(message: Any) -> None:
        sent.append(message)

    app = create_app(tmp_path / "psp.db")
    scope = {
        "type": "http", "method": "POST", "path": "/operations", "query_string": b"",
        "headers": [(b"idempotency-key", b"k")], "http_version": "1.1", "scheme": "http",
    }  # fmt: skip
    asyncio.run(app(scope, receive, send))
    assert [each["status"] for each in sent if each["type"] == "http.response.start"] == [GONE]
    assert app.state.service.book.all() == []
