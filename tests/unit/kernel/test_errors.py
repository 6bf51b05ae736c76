"""The errors: a code for programs, a sentence for people, facts for both."""

import importlib
from pathlib import Path

import pytest

import oms
from oms.kernel.errors import (
    Conflict,
    Forbidden,
    NotFound,
    OmsError,
    Rejected,
    Unavailable,
)


def every_error() -> list[type[OmsError]]:
    """Return every error of the core: they live beside values, and where we meet the outside."""
    root = Path(oms.__file__).parent
    homes = [*root.glob("*/model.py"), *root.glob("kernel/*.py"), root / "workflows/documents.py"]
    homes += [root / "ledger/database.py", root / "ledger/embedded.py"]
    for home in homes:
        importlib.import_module(".".join(home.relative_to(root.parent).with_suffix("").parts))
    known, found = [OmsError], set[type[OmsError]]()
    while known:
        error = known.pop()
        if error not in found:
            found.add(error)
            known += error.__subclasses__()
    ours = (error for error in found if error.__module__.startswith("oms."))
    return sorted(ours, key=lambda each: each.__qualname__)


class TestOmsError:
    def test_its_docstring_is_its_text_unless_it_is_told_more(self) -> None:
        class TooLate(Conflict):
            """It is too late for that.

            Only the first line is for people.
            """

        assert str(TooLate()) == TooLate().detail == "It is too late for that."
        assert TooLate("The shop closed at six").detail == "The shop closed at six"

    def test_it_carries_facts(self) -> None:
        assert Conflict("no", left=3).facts == {"left": 3}

    @pytest.mark.parametrize(
        ("kind", "code"),
        [(NotFound, "NOT_FOUND"), (Conflict, "CONFLICT"), (Rejected, "VALIDATION"),
         (Forbidden, "FORBIDDEN"), (Unavailable, "UNAVAILABLE")],
    )  # fmt: skip
    def test_each_of_the_five_kinds_has_its_code(self, kind: type[OmsError], code: str) -> None:
        assert kind.code == code


class TestEveryError:
    @pytest.mark.parametrize("error", every_error(), ids=lambda each: each.__name__)
    def test_it_has_a_sentence_and_a_code(self, error: type[OmsError]) -> None:
        sentence = (error.__doc__ or "").split("\n", 1)[0]
        assert sentence.endswith(".")
        assert error.code == error.code.upper()
        assert error.code.replace("_", "").isalpha()

    def test_a_code_says_one_kind_of_thing(self) -> None:
        roots = (NotFound, Conflict, Rejected, Forbidden, Unavailable)
        kinds: dict[str, set[str]] = {}
        for error in every_error():
            kinds.setdefault(error.code, set()).update(
                root.__name__ for root in roots if issubclass(error, root)
            )
        assert {code: each for code, each in kinds.items() if len(each) > 1} == {}
