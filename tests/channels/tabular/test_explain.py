"""What a mapping would make of a file is told without making anything."""

from pathlib import Path
from typing import Final

import pytest

from oms.adapters.channels.tabular import explain
from oms.adapters.channels.tabular.loading import BadMapping, load
from oms.workflows.documents import Unreadable

CASES: Final = Path(__file__).parent / "cases"


def told(case: str) -> explain.Explanation:
    folder = CASES / case
    return explain.explain(load(folder / "mapping.yaml"), folder / "payload.csv", folder=folder)


class TestExplain:
    def test_it_counts_what_would_come_of_it(self):
        counts = told("report").counts
        assert counts == {
            "rows": 6, "documents": 2, "refused": 0, "lines": 2, "changes": 4, "products": 2,
        }  # fmt: skip

    def test_it_sums_money_by_currency_of_usable_orders_only(self):
        sums = [(s.currency, s.total, s.tax, s.shipping) for s in told("money").totals]
        assert sums == [
            ("EUR", "556.66", "96.61", "2.02"), ("JPY", "101", "9", "1"),
            ("KWD", "1.235", "0.059", "0.001"),
        ]  # fmt: skip

    def test_it_names_unused_columns(self):
        assert told("chained").unused == ()
        assert told("tills").unused == ()
        assert told("sparse").unused == ()
        assert told("refused").unused == ()

    def test_each_field_has_its_source_and_examples(self):
        fields = {field.field: field for field in told("chained").fields}
        category = fields["products.category"]
        assert (
            category.source == "column 'item' → group in items → parent in groups → name in groups"
        )
        assert category.examples == ("Home",)
        assert fields["lines.total"].examples == ("20", "99.5", "199")

    def test_refusals_are_counted_by_code_with_an_example(self):
        refusals = {(each.code, each.column): each for each in told("refused").refusals}
        malformed = refusals["MALFORMED", ""]
        assert malformed.count == 3
        assert malformed.example == "line 22: it has 4 fields (the header has 10)"

    @pytest.mark.parametrize("case", ["catalog", "counts", "movements"])
    def test_other_documents_are_told_too(self, case):
        explanation = told(case)
        assert explanation.counts["documents"] > 0
        assert all(field.field.startswith(case if case != "catalog" else "products")
                   for field in explanation.fields)  # fmt: skip

    def test_it_reads_as_a_text(self):
        text = explain.check(CASES / "money" / "mapping.yaml", CASES / "money" / "payload.csv")
        assert "4 documents: 3 usable, 1 refused" in text
        assert "EUR: lines 556.66, tax of them 96.61, shipping without tax 2.02" in text
        assert "(column 'qty' * column 'price' * (always 1 - column 'rate'))" in text

    def test_a_bad_mapping_and_an_unreadable_sample_are_said(self, tmp_path: Path):
        (tmp_path / "empty.csv").write_bytes(b"")
        with pytest.raises(Unreadable, match="empty"):
            explain.check(CASES / "money" / "mapping.yaml", tmp_path / "empty.csv")
        (tmp_path / "bad.yaml").write_text("mapping: x")
        with pytest.raises(BadMapping, match="documents"):
            explain.check(tmp_path / "bad.yaml", tmp_path / "empty.csv")
