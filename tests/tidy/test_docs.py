"""Docs in step: what is generated is what the code says, what is linked is there."""

import importlib
import re
from pathlib import Path

import pytest

from oms.kernel.errors import OmsError
from tests.tidy.house import ROOT, files, name, sources, text

LINK = re.compile(r"\]\((?!https?://|#)([^)#]+)(?:#[^)]*)?\)")
CODE_FILE = re.compile(
    r"`((?:oms|api|pipelines|dashboards|dbt_project|tests|scripts)/[\w./<>*{}-]+)`"
)
COMMAND = re.compile(r"`make ([a-z-]+)`")


def errors() -> set[type[OmsError]]:
    """Return every error an API's caller can meet."""
    for path in sources("oms", "api"):
        if path.stem in {"model", "errors", "documents", "database", "money", "embedded"} or (
            name(path).startswith("api/") and "OmsError" in text(path)
        ):
            importlib.import_module(".".join(path.relative_to(ROOT).with_suffix("").parts))
    known, found = [OmsError], set[type[OmsError]]()
    while known:
        found.add(error := known.pop())
        known += error.__subclasses__()
    return {error for error in found if error.__module__.startswith(("oms.", "api."))}


class TestProblems:
    def test_every_error_is_explained(self) -> None:
        told = text(ROOT / "docs" / "problems.md")
        missing = {error.code for error in errors() if error.code not in told}
        assert missing - {OmsError.code} == set()


class TestGlossary:
    def rows(self) -> list[list[str]]:
        """Return the rows of the table: we say, for, and not."""
        table = [line for line in text(ROOT / "docs/glossary.md").splitlines() if line[:3] == "| *"]
        return [[cell.strip() for cell in line.strip("|").split("|")] for line in table]

    def test_every_noun_is_there_once(self) -> None:
        nouns = [row[0] for row in self.rows()]
        assert len(nouns) > 20
        assert len(nouns) == len(set(nouns))
        assert all(row[1] for row in self.rows())

    def test_no_word_is_both_ours_and_refused_for_the_same(self) -> None:
        for noun, _, refused in self.rows():
            assert noun.strip("*") not in {word.strip() for word in refused.split(",")}, noun

    @pytest.mark.parametrize(
        "noun", ["channel", "location", "publication", "quarantine", "watermark"]
    )
    def test_the_nouns_of_the_code_are_there(self, noun: str) -> None:
        assert f"**{noun}**" in {row[0] for row in self.rows()}


class TestPages:
    def test_every_link_leads_somewhere(self) -> None:
        dead = [
            f"{name(page)}: {link}"
            for page in files(".md")
            for link in LINK.findall(text(page))
            if not (page.parent / link).exists()
        ]
        assert dead == []

    def test_every_file_a_page_names_is_there(self) -> None:
        dead = [
            f"{name(page)}: {file}"
            for page in files(".md")
            for file in CODE_FILE.findall(text(page))
            if not set("<>*{}") & set(file) and not (ROOT / file).exists()
        ]
        assert dead == []

    def test_every_command_a_page_names_is_there(self) -> None:
        known = set(re.findall(r"^([a-z-]+):.*## ", text(ROOT / "Makefile"), re.MULTILINE))
        named = {
            (name(page), verb) for page in files(".md") for verb in COMMAND.findall(text(page))
        }
        assert {(page, verb) for page, verb in named if verb not in known} == set()

    def test_every_decision_has_its_number_and_its_title(self) -> None:
        pages = sorted((ROOT / "docs/adr").glob("*.md"))
        assert [page.name[:4] for page in pages] == [f"{n:04}" for n in range(1, len(pages) + 1)]
        assert all(re.match(r"# \S", text(page)) for page in pages)


class TestMakefile:
    def test_every_command_says_what_it_does(self) -> None:
        targets = re.findall(r"^([a-z-]+):(.*)$", text(ROOT / "Makefile"), re.MULTILINE)
        assert [target for target, rest in targets if "##" not in rest] == []

    def test_every_tier_it_names_is_there(self) -> None:
        tiers = re.findall(r"tests/(\w+)", text(ROOT / "Makefile"))
        assert [tier for tier in tiers if not Path(ROOT / "tests" / tier).is_dir()] == []
