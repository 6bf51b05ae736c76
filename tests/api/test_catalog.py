"""The catalog: products written down in batches, all or none, and looked at."""

import pytest

from tests.api.conftest import House

NIB = {"sku": "NIB", "title": "Nib", "gtin": "4006381333931", "product_type": "part"}


class TestProducts:
    def test_are_written_and_read(self, house: House) -> None:
        answer = house.post("/v1/products", {"products": [NIB, {"sku": "CAP", "title": "Cap"}]})
        assert answer.json() == {"received_count": 2, "changed_count": 2}
        product = house.get("/v1/products/NIB", "store").json()
        assert {name: product[name] for name in NIB} == NIB
        assert product["is_sellable"] is True

    def test_change_when_they_differ(self, house: House) -> None:
        for title, changed in (("Nib", 1), ("Nib", 0), ("Gold nib", 1)):
            answer = house.post("/v1/products", {"products": [NIB | {"title": title}]})
            assert answer.json()["changed_count"] == changed
        assert house.get("/v1/products/NIB").json()["title"] == "Gold nib"

    def test_are_taken_all_or_none(self, house: House) -> None:
        wrong = NIB | {"sku": "CAP", "gtin": "4006381333932"}
        answer = house.post("/v1/products", {"products": [NIB, wrong]})
        assert answer.status_code == 422
        assert [each["pointer"] for each in answer.json()["errors"]] == ["/products/1/gtin"]
        assert house.get("/v1/products/NIB").status_code == 404

    @pytest.mark.parametrize("products", [[], [NIB | {"title": ""}], [NIB] * 1001, [{"sku": "A"}]])
    def test_refuse(self, house: House, products: object) -> None:
        assert house.post("/v1/products", {"products": products}).status_code == 422


class TestList:
    def test_finds_by_words_and_kinds(self, house: House) -> None:
        house.post("/v1/products", {"products": [
            NIB | {"brand": "Inkwell", "category": "Parts"},
            {"sku": "CAP_1", "title": "A 100% wool cap", "product_type": "hat", "brand": "Inkwell"},
            {"sku": "CAPX1", "title": "Cape", "product_type": "hat", "is_sellable": False},
        ]})  # fmt: skip
        asked = {
            "q=nib": ["NIB"], "q=4006381333931": ["NIB"], "q=400638": [], "q=P_1": ["CAP_1"],
            "q=100%25": ["CAP_1"], "type=hat": ["CAP_1", "CAPX1"],
            "brand=Inkwell": ["CAP_1", "NIB"],
            "type=hat&is_sellable=true": ["CAP_1"], "category=Parts&brand=Inkwell": ["NIB"],
            "q=\\": [], "q=cap&type=part": [],
        }  # fmt: skip
        for query, skus in asked.items():
            found = house.get(f"/v1/products?{query}", "store").json()
            assert sorted(each["sku"] for each in found["items"]) == sorted(skus), query
            assert found["next_after"] is None

    def test_is_read_on_page_by_page(self, house: House) -> None:
        known = {each["sku"] for each in house.get("/v1/products?limit=200").json()["items"]}
        many = [{"sku": f"Z-{number:02}", "title": f"Z {number}"} for number in range(7)]
        house.post("/v1/products", {"products": many})
        seen: list[str] = []
        after: str | None = ""
        while after is not None:
            page = house.get(f"/v1/products?limit=3{after and f'&after={after}'}").json()
            seen += [each["sku"] for each in page["items"]]
            after = page["next_after"]
        assert len(seen) == len(set(seen))
        assert set(seen) == known | {each["sku"] for each in many}

    @pytest.mark.parametrize("query", ["limit=0", "after=x", "q=", "colour=red"])
    def test_refuses(self, house: House, query: str) -> None:
        assert house.get(f"/v1/products?{query}").status_code == 422
