"""Each folder under cases/: a mapping and a payload in, drafts out."""

import json
from pathlib import Path
from typing import Final

import pytest

from oms.adapters.channels.tabular.loading import load
from oms.adapters.channels.tabular.mapping import TabularMapping
from tests.channels.mapped import Mapped, mapped, source

CASES: Final = sorted((Path(__file__).parent / "cases").iterdir(), key=lambda case: case.name)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
class TestCase:
    def test_payload_becomes_these_drafts(self, case: Path):
        told = _mapped(case).as_case()
        digests = [order.pop("sha256") for order in told.get("orders", [])]
        assert told == json.loads((case / "drafts.json").read_text())
        assert all(len(digest) == 64 for digest in digests)
        assert len(set(digests)) == len(digests)

    def test_documents_are_mapped_again_from_their_fragments(self, case: Path):
        spec = load(case / "mapping.yaml")
        mapping = TabularMapping({spec.documents: spec}, (case,))
        payload = source(case / "payload.csv", topic=spec.documents)
        whole = mapped(mapping, payload)
        refused = {each["position"]: each["problems"] for each in whole.rejected}
        for documents in mapping.documents(payload):
            some = {1, documents.count, *list(refused)[-2:]}
            pieces = {position: documents.fragment(position) for position in some}
        for position, piece in pieces.items():
            again = mapped(mapping, source(piece.body, topic=spec.documents))
            assert again.count == 1
            assert piece.line is not None
            if position in refused:
                assert _kinds(again.rejected[0]["problems"]) == _kinds(refused[position])
            elif spec.documents == "orders":
                (order,) = again.rows("orders")
                assert order["sha256"] == _order(whole, position)["sha256"]
            else:
                assert not again.rejected


def _mapped(case: Path) -> Mapped:
    spec = load(case / "mapping.yaml")
    mapping = TabularMapping({spec.documents: spec}, (case,))
    return mapped(mapping, source(case / "payload.csv", topic=spec.documents))


def _kinds(problems: list[list[str]]) -> list[tuple[str, str]]:
    return [(field, code) for field, code, _ in problems]


def _order(result: Mapped, position: int) -> dict[str, object]:
    return next(order for order in result.rows("orders") if order["position"] == position)
