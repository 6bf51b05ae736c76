"""Words: every module says what it is, every exception says why, nothing names a machine."""

import ast
import re

import pytest

from tests.tidy.house import Line, files, functions, lines, name, sources, text, tree

PYTHON = ("oms", "api", "pipelines", "dashboards", "scripts", "tests", "benchmarks")


OPEN_ENDS = re.compile(r"\b(TODO|FIXME|HACK)\b")
NOQA = re.compile(r"#\s*noqa\b")
NOQA_WITH_REASON = re.compile(r"# noqa: [A-Z]+\d+(, [A-Z]+\d+)*( -|  #) \S.*")
IGNORE = re.compile(r"#\s*type:\s*ignore")
IGNORE_WITH_REASON = re.compile(r"# type: ignore\[[a-z-]+(, ?[a-z-]+)*\](  #| -) \S.*")
NO_COVER = re.compile(r"#\s*(pragma|mypy:|ruff:|pylint|fmt: off)")

# Folders of somebody's machine, and other words that belong to no product.
MACHINES = re.compile(
    r"(?<![\w.{])(/home/\w|/Users/\w|/root\b|/work/|/mnt/|/var/folders/|[A-Z]:\\\\?Users)"
)
HOSTS = re.compile(r"\bhttps?://([A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)+)")
OUR_HOSTS = {
    "127.0.0.1", "localhost", "example.com", "example.org", "example.net",
    "docs.getdbt.com",  # where dbt explains its own files
    "1.1.1.1", "10.0.0.1", "169.254.169.254",  # addresses to try: one public, two that are not
    "www.w3.org",  # names of XML and SVG, which are no addresses
}  # fmt: skip
# Words of the islands, and what we write.
AMERICAN = {
    "cancelled": "canceled", "cancelling": "canceling", "fulfilment": "fulfillment",
    "authoris": "authoriz", "colour": "color", "behaviour": "behavior", "normalis": "normaliz",
    "serialis": "serializ", "recognis": "recogniz", "centre": "center", "favour": "favor",
}  # fmt: skip
# A value in quotes may be somebody else's word.
QUOTED = re.compile(r"""(?<!")"[^"]*"(?!")|'[^']*'|`[^`]*`""")


class TestModules:
    @pytest.mark.parametrize("top", PYTHON)
    def test_each_opens_with_what_it_is(self, top: str) -> None:
        wrong = []
        for path in sources(top):
            first = (ast.get_docstring(tree(path)) or "").split("\n\n", 1)[0]
            if text(path).strip() and not re.search(r"[.:!?]$", first):
                wrong.append(name(path))
        assert wrong == []

    def test_a_public_function_says_what_it_does(self) -> None:
        wrong = [
            str(each)
            for each in functions(sources("oms", "api", "pipelines", "dashboards"))
            if not each.node.name.startswith("_") and each.node.col_offset == 0
            and not (ast.get_docstring(each.node) or "").split("\n", 1)[0].endswith((".", ":"))
        ]  # fmt: skip
        assert wrong == []

    @pytest.mark.parametrize("top", ["api", "pipelines"])
    def test_annotations_are_read_at_run_time(self, top: str) -> None:
        wrong = [each for each in lines(sources(top)) if "import annotations" in each.text]
        assert list(map(str, wrong)) == []


def ours(*suffixes: str) -> list[Line]:
    """Return every line we wrote ourselves, but for these tests."""
    paths = tuple(
        path
        for path in files(*suffixes)
        if not name(path).startswith(("tests/tidy/", "requirements"))
    )
    return list(lines(paths))


class TestOpenEnds:
    def test_nothing_is_left_for_later(self) -> None:
        found = [each for each in ours(".py", ".sql", ".md", ".toml", ".yml", ".yaml")
                 if OPEN_ENDS.search(each.text)]  # fmt: skip
        assert list(map(str, found)) == []

    def test_a_rule_that_is_not_kept_has_its_reason(self) -> None:
        found = [
            each for each in ours(".py")
            if (NOQA.search(each.text) and not NOQA_WITH_REASON.search(each.text))
            or (IGNORE.search(each.text) and not IGNORE_WITH_REASON.search(each.text))
            or NO_COVER.search(each.text)
        ]  # fmt: skip
        assert list(map(str, found)) == []

    def test_an_exception_of_the_linter_has_its_reason(self) -> None:
        inside, found = False, []
        for each in lines(tuple(path for path in files(".toml") if path.name == "pyproject.toml")):
            inside = each.text.strip() == "ignore = [" or (inside and each.text.strip() != "]")
            if inside and each.text.strip() != "ignore = [" and "#" not in each.text:
                found.append(str(each))
        assert found == []

    def test_no_test_is_left_out_without_a_date(self) -> None:
        dated = re.compile(r"\d{4}-\d{2}-\d{2}")
        marks = [
            ast.unparse(node)
            for path in sources("tests")
            for node in ast.walk(tree(path))
            if isinstance(node, ast.Call)
            and ast.unparse(node.func) in {"pytest.mark.xfail", "pytest.mark.skip"}
        ]
        assert [each for each in marks if not dated.search(each)] == []

    def test_no_line_of_code_is_commented_out(self) -> None:
        code = re.compile(r"^\s*# (?:(def|class|import|return|assert) \S+.*[:()]|\w+ = \S+\(.*\))$")
        assert [str(each) for each in ours(".py") if code.match(each.text)] == []


class TestStrangers:
    def test_no_machine_is_named(self) -> None:
        suffixes = (".py", ".sql", ".md", ".toml", ".yml", ".yaml", ".json", ".html", "")
        found = [each for each in ours(*suffixes) if MACHINES.search(each.text)]
        assert list(map(str, found)) == []

    def test_no_foreign_host_is_named(self) -> None:
        suffixes = (".py", ".sql", ".md", ".toml", ".yml", ".yaml", ".lock", ".txt", ".in", "")
        strange = [
            each
            for each in lines(files(*suffixes))
            if set(HOSTS.findall(each.text)) - OUR_HOSTS and not is_reserved(each.text)
        ]
        assert list(map(str, strange)) == []

    def test_words_are_spelled_as_the_libraries_do(self) -> None:
        british = re.compile("|".join(AMERICAN), re.IGNORECASE)
        found = [
            each for each in ours(".py", ".sql", ".md", ".yml")
            if british.search(QUOTED.sub("", each.text))
        ]  # fmt: skip
        assert list(map(str, found)) == []


def is_reserved(line: str) -> bool:
    """Tell whether every host of a line is one that can never be anybody's (RFC 2606)."""
    return all(
        host in OUR_HOSTS
        or host.endswith((".example", ".test", ".invalid", ".example.com", ".example.org"))
        for host in HOSTS.findall(line)
    )
