"""Papers over HTTP: what stands on them, in letters of any of our languages, always alike."""

import io
from dataclasses import replace
from typing import Any

import pypdf
import pypdfium2

from oms.adapters.documents.pdf import PdfPrinter
from oms.workflows.papers import Column, Paper
from tests.api.conftest import House
from tests.api.returning import ask, sent
from tests.api.test_fulfillments import act
from tests.api.test_parcels import pack, picked
from tests.api.wire import a_line, an_order
from tests.builders import NOW
from tests.ledger.issuing import register


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

    def test_speaks_the_language_of_the_channel(self, routed: House) -> None:
        register(routed.shop, language="nl")
        work = pack(routed, picked(routed, 2), 2).json()["fulfillment"]["fulfillment_number"]
        said = words(routed.get(f"/v1/fulfillments/{work}/packing-slip", "store"))
        assert "Pakbon" in said
        assert "05-01-2026" in said
        assert "Packing slip" not in said

    def test_of_several_pages_has_its_number_on_each(self) -> None:
        columns = (Column(name="SKU", share=3), Column(name="Units", share=1, is_number=True))
        rows = tuple((f"SKU-{at}", str(at)) for at in range(120))
        paper = Paper(title="Packing slip", number="F1", made_at=NOW, facts=(), columns=columns,
                      rows=rows)  # fmt: skip
        pages = pypdf.PdfReader(io.BytesIO(PdfPrinter().print(paper))).pages
        assert len(pages) > 1
        for at, page in enumerate(pages):
            assert f"F1 · {at + 1} / {len(pages)}" in page.extract_text()


class TestReturnSlip:
    def test_says_what_comes_back_where_to_and_whose_it_is(self, stocked: House) -> None:
        with stocked.system.ledger.transaction() as tx:
            tx.exec_driver_sql(
                "update locations set street = 'Dok 1', postcode = '1011 AB', city = 'Amsterdam'"
                " where location_code = 'DC'"
            )
        path = f"/v1/returns/{ask(stocked, sent(stocked)).json()['return_number']}/slip"
        said = words(stocked.get(path, "agent"))
        for word in ("Return slip", "RMA800000001", "#W-1", "PEN", "too small",
                     "DC, Dok 1, 1011 AB Amsterdam, NL"):  # fmt: skip
            assert word in said
        assert "Ada" not in said
        assert stocked.get(path, "agent").content == stocked.get(path, "agent").content

    def test_speaks_the_language_of_the_channel(self, stocked: House) -> None:
        register(stocked.shop, language="de")
        path = f"/v1/returns/{ask(stocked, sent(stocked)).json()['return_number']}/slip"
        said = words(stocked.get(path))
        assert "Rücksendeschein" in said
        assert "05.01.2026" in said
        assert "zu klein" in said

    def test_has_its_number_as_bars(self) -> None:
        """Code 39 of nine bars and spaces a character: without the code there are none."""
        column = Column(name="c", share=1)
        plain = Paper(title="t", number="n", made_at=NOW, facts=(), columns=(column,), rows=())
        bars = []
        for paper in (plain, replace(plain, code="RMA800000001")):
            (page,) = pypdf.PdfReader(io.BytesIO(PdfPrinter().print(paper))).pages
            contents = page.get_contents()
            assert contents is not None
            bars.append(contents.get_data().count(b" re f"))
        assert bars[1] - bars[0] == 5 * len("*RMA800000001*")


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
