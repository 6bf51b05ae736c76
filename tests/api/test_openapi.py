"""The API's description is a snapshot: every change of it is a visible difference.

Written anew with OMS_SNAPSHOT=write.
"""

import json
import os
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter

from api.app import PUBLIC
from api.schemas.orders import EXAMPLE, OrderPost
from tests.api.conftest import House

SNAPSHOT = Path(__file__).with_name("openapi.json")


def described(house: House) -> str:
    """Write the description as it is kept."""
    return json.dumps(house.app.openapi(), indent=1, sort_keys=True, ensure_ascii=False) + "\n"


def examples(value: Any) -> list[Any]:
    """Find every example of the description."""
    if isinstance(value, dict):
        own = value.get("examples", []) if isinstance(value.get("examples"), list) else []
        return own + [found for each in value.values() for found in examples(each)]
    if isinstance(value, list):
        return [found for each in value for found in examples(each)]
    return []


class TestDescription:
    def test_is_the_snapshot(self, house: House) -> None:
        if os.environ.get("OMS_SNAPSHOT") == "write":
            SNAPSHOT.write_text(described(house), encoding="utf-8")
        assert described(house) == SNAPSHOT.read_text(encoding="utf-8")

    def test_is_served_to_everybody(self, house: House) -> None:
        assert house.client.get("/openapi.json").json() == house.app.openapi()
        assert house.client.get("/docs").status_code == 200

    def test_says_every_permission_and_problem(self, house: House) -> None:
        for path, methods in house.app.openapi()["paths"].items():
            for operation in methods.values():
                assert operation["summary"], path
                assert {"4XX", "5XX"} <= set(operation["responses"]), path
                assert path in PUBLIC or "x-permission" in operation

    def test_has_examples_that_are_right(self, house: House) -> None:
        assert EXAMPLE in examples(house.app.openapi())
        TypeAdapter(OrderPost).validate_python(EXAMPLE)
