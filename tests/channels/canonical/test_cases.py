"""Each folder under cases/: a payload in our own format, and the drafts of it."""

import json
from pathlib import Path
from typing import Final

import pytest

from oms.adapters.channels.canonical import build
from tests.channels.mapped import mapped, source

CASES: Final = sorted((Path(__file__).parent / "cases").iterdir(), key=lambda case: case.name)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
class TestCase:
    def test_payload_becomes_these_drafts(self, case: Path):
        topic = case.name.partition("-")[0]
        (payload,) = case.glob("payload.*")
        told = mapped(build({}), source(payload, topic=topic, content_type="")).as_case()
        digests = [order.pop("sha256") for order in told.get("orders", [])]
        assert told == json.loads((case / "drafts.json").read_text())
        assert all(len(digest) == 64 for digest in digests)

    def test_a_refused_document_is_refused_alone_for_the_same_reasons(self, case: Path):
        topic = case.name.partition("-")[0]
        (payload,) = case.glob("payload.*")
        result = mapped(build({}), source(payload, topic=topic, content_type=""))
        for refused in result.rejected:
            piece = result.fragments[refused["position"]].body
            again = mapped(build({}), source(piece, topic=topic, content_type="application/json"))
            reasons = [each["problems"] for each in again.rejected]
            assert refused["problems"] in reasons or again.count != 1
