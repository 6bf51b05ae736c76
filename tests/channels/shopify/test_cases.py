"""Each folder under cases/: what a shop sends, how its channel is set up, and the drafts."""

import json
from pathlib import Path
from typing import Any, Final

import pytest

from oms.adapters.channels.shopify import build
from tests.channels.mapped import mapped, source

CASES: Final = sorted((Path(__file__).parent / "cases").iterdir(), key=lambda case: case.name)


def drafts_of(case: Path) -> Any:
    channel = json.loads((case / "channel.json").read_text())
    payload = source(case / "payload.json", topic=channel["topic"], content_type="application/json")
    told = mapped(build(channel["options"]), payload).as_case()
    for order in told.get("orders", []):
        assert len(order.pop("sha256")) == 64
    for count in told.get("counts", []):
        assert len(count.pop("count_ref")) == 64  # of the payload
    return told


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_payload_becomes_these_drafts(case: Path) -> None:
    assert drafts_of(case) == json.loads((case / "drafts.json").read_text())


@pytest.mark.parametrize(
    "coordinates",
    [{"latitude": None, "longitude": 4.9}, {"latitude": 52.4}, {"latitude": "?", "longitude": 4},
     {"latitude": True, "longitude": 4}, {"latitude": 91, "longitude": 4},
     {"latitude": "nan", "longitude": 4}, {"latitude": [], "longitude": {}}],
    ids=str,
)  # fmt: skip
def test_an_order_is_none_the_worse_where_its_place_is_unknown(
    coordinates: dict[str, Any], tmp_path: Path
) -> None:
    case = CASES[[each.name for each in CASES].index("order-full")]
    order = json.loads((case / "payload.json").read_text())
    for name in ("latitude", "longitude"):
        del order["shipping_address"][name]
    order["shipping_address"] |= coordinates
    (tmp_path / "payload.json").write_text(json.dumps(order))
    (tmp_path / "channel.json").write_text((case / "channel.json").read_text())
    told = drafts_of(tmp_path)
    assert "rejected" not in told
    assert not {"latitude", "longitude"} & told["orders"][0]["ship_to"].keys()
