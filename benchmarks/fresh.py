"""One order posted over HTTP: how soon the API, the live numbers and the marts have it."""

import statistics
import time
from datetime import UTC, datetime

import httpx

from benchmarks import orders
from benchmarks.stage import Stage, stage
from oms.access import operations as access
from oms.reports.published import Publications

ROUNDS = 50
CHANNEL = "bench-json"


def measure() -> None:
    with stage() as made:
        with made.system.ledger.transaction() as tx:
            key = access.make_key(
                tx, "bench", role="admin", channel_codes=None, at=datetime.now(UTC)
            )
        made.start("refresher", "-m", "pipelines.refresher")
        made.start("api", "-m", "api")
        client = httpx.Client(
            base_url=f"http://127.0.0.1:{made.settings.api_port}",
            headers={"Authorization": f"Bearer {key}"}, timeout=30,
        )  # fmt: skip
        made.until(lambda: _answers(client) and made.published_orders() == 0)
        seconds = [_round(made, client, number) for number in range(ROUNDS)]
        floor = [_floor(client) for _ in range(ROUNDS)]
    print(f"fresh: one order over HTTP, median and worst of {ROUNDS}, in ms")
    floor_ms = statistics.median(floor) * 1000
    print(f"  GET /health/live, the floor    {floor_ms:8.1f} {max(floor) * 1000:8.1f}")
    names = ("POST /v1/orders answers", "GET /v1/orders/{number} has it",
             "the live numbers have it", "the published marts have it")  # fmt: skip
    for index, name in enumerate(names):
        times = [each[index] * 1000 for each in seconds]
        median = statistics.median(times)
        print(
            f"  {name:<30} {median:8.1f} {max(times):8.1f}   {median / floor_ms:6.1f} x the floor"
        )


def _answers(client: httpx.Client) -> bool:
    try:
        return client.get("/health/ready").is_success
    except httpx.HTTPError:
        return False


def _floor(client: httpx.Client) -> float:
    begun = time.perf_counter()
    client.get("/health/live").raise_for_status()
    return time.perf_counter() - begun


def _round(made: Stage, client: httpx.Client, number: int) -> tuple[float, float, float, float]:
    before = _live_orders(client)
    published = made.published_orders()
    ref = f"fresh-{number}"
    placed = datetime.now(UTC).isoformat().replace("+00:00", "Z")
    body = {
        "channel_code": CHANNEL, "external_ref": ref, "placed_at": placed,
        "currency": "EUR", "prices_include_tax": True, "total": "12.10",
        "lines": [{"line_ref": "1", "sku": orders.sku(number), "quantity": 1, "total": "12.10",
                   "tax": "2.10"}],
    }  # fmt: skip
    begun = time.perf_counter()
    answer = client.post("/v1/orders", json=body, headers={"Idempotency-Key": ref})
    answer.raise_for_status()
    answered = time.perf_counter() - begun
    client.get(f"/v1/orders/{answer.json()['order_number']}").raise_for_status()
    read = time.perf_counter() - begun
    while _live_orders(client) <= before:
        pass
    live = time.perf_counter() - begun
    while Publications(made.settings.published_dir).current().stamp.mart_orders_count <= published:
        time.sleep(0.01)
    return answered, read, live, time.perf_counter() - begun


def _live_orders(client: httpx.Client) -> int:
    answer = client.get("/v1/sales/live")
    answer.raise_for_status()
    return sum(item["today"]["orders_count"] for item in answer.json()["items"])
