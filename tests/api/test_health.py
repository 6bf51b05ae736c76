"""Health: alive and ready for everybody, each part for who may know."""

from pathlib import Path

from api.app import create_app
from oms.bootstrap import System
from oms.channels.operations import receive
from oms.ledger.database import Ledger
from oms.settings import Settings
from tests.api.conftest import House, TestClient
from tests.builders import minutes
from tests.conftest import Clock


class TestAlive:
    def test_needs_no_key(self, house: House) -> None:
        assert house.client.get("/health/live").json() == {"status": "ok"}
        assert house.client.get("/health/ready").json() == {"status": "ok"}


class TestWithoutLedger:
    def test_is_alive_but_not_ready(self, house: House, tmp_path: Path) -> None:
        """While the database is away everything is 503, with a hint when to come back."""
        ledger = Ledger(f"postgresql+psycopg://nobody@/none?host={tmp_path}")
        app = create_app(System(settings=Settings(home=tmp_path), ledger=ledger))
        with TestClient(app) as client:
            assert client.get("/health/live").status_code == 200
            for answer in (
                client.get("/health/ready"),
                client.get("/v1/orders", headers=house.keys.header()),
            ):
                assert answer.status_code == 503
                assert answer.headers["retry-after"] == "2"
                assert answer.json()["code"] == "UNAVAILABLE"


class TestDeep:
    def test_tells_of_each_part(self, house: House, clock: Clock) -> None:
        with house.system.ledger.transaction() as tx:
            receive(
                tx, channel_id=house.shop.channel("web").channel_id, transport="push",
                topic="orders", external_ref="r", sha256=b"", content_type="x", size_bytes=1,
                file_name=None, body=b"x", at=minutes(-2),
            )  # fmt: skip
        health = house.get("/health/deep").json()
        assert health["status"] == "degraded"
        assert health["ledger"]["is_migrated"] is True
        assert health["inbox"] == {"waiting_count": 1, "oldest_age_seconds": 120.0}
        assert health["publication"] is None
