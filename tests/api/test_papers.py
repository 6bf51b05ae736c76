"""Papers over HTTP: what stands on them, in letters of any of our languages, always alike."""

from typing import Any

import pypdfium2

from tests.api.conftest import House
from tests.api.test_fulfillments import act
from tests.api.test_parcels import pack, picked
from tests.api.wire import a_line, an_order


def words(answer: Any) -> str:
    """Return what a PDF says."""
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"] == "application/pdf"
    document = pypdfium2.PdfDocument(answer.content)
    said = "\n".join(page.get_textpage().get_text_range() for page in document)
    document.close()
    return said


class TestPackingSlip:
    def test_says_what_is_in_the_box_and_for_no_one_who(self, routed: House) -> None:
        work = pack(routed, picked(routed, 2), 2).json()
        path = f"/v1/fulfillments/{work['fulfillment']['fulfillment_number']}/packing-slip"
        first = routed.get(path, "store")
        said = words(first)
        for word in ("Packing slip", "F500000001", "#W-1", "PEN",
                     work["parcels"][0]["tracking_number"]):  # fmt: skip
            assert word in said
        assert "Ada" not in said
        assert "20.00" not in said
        assert routed.get(path, "store").content == first.content
        assert routed.get(path, "finance").status_code == 403


class TestPickList:
    def test_adds_up_what_is_to_be_picked_by_article(self, routed: House) -> None:
        for ref, quantity in (("W-1", 2), ("W-2", 3), ("W-3", 1)):
            lines = [a_line(quantity=quantity, title="Füller Łódź Ελλάς €")]
            (work,) = routed.routed_order(an_order(ref, lines=lines))["fulfillments"]
            if ref != "W-3":
                act(routed, work, "accept")
        said = words(routed.get("/v1/locations/DC/pick-list", "store"))
        assert "Füller Łódź Ελλάς €" in said
        assert " 5 " in said.replace("\r\n", " ")
        assert "F500000001: 2, F500000002: 3" in said.replace("\r\n", " ")
        assert "F500000003" not in said

    def test_of_no_place_is_none(self, routed: House) -> None:
        answer = routed.get("/v1/locations/ROOF/pick-list")
        assert (answer.status_code, answer.json()["code"]) == (404, "LOCATION_NOT_FOUND")
