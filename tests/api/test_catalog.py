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
