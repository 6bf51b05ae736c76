"""How a language writes numbers, amounts and dates, where a customer reads them on paper."""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Final, TypeVar

from oms.kernel.money import text_from_minor

Name = TypeVar("Name", bound=str)
LANGUAGES: Final = ("nl", "de", "fr", "en")
# What parts thousands and decimals, and how a date is written.
_SHAPES: Final = {
    "en": (",", ".", "%d/%m/%Y"), "nl": (".", ",", "%d-%m-%Y"), "de": (".", ",", "%d.%m.%Y"),
    "fr": ("\N{NO-BREAK SPACE}", ",", "%d/%m/%Y"),
}  # fmt: skip
assert set(_SHAPES) == set(LANGUAGES)


def by_language(names: Sequence[Name], said: Mapping[str, str]) -> dict[str, dict[Name, str]]:
    """Return the words of each language by their names, which are given in order between bars."""
    assert set(said) == set(LANGUAGES)
    return {
        language: dict(zip(names, words.split("|"), strict=True))
        for language, words in said.items()
    }


def amount(minor: int, currency: str, language: str) -> str:
    """Write an amount as a language does, without its currency."""
    return number(text_from_minor(minor, currency), language)


def number(text: str, language: str) -> str:
    """Write a decimal text as a language does."""
    thousands, point, _ = _SHAPES[language]
    whole, _, decimals = text.partition(".")
    sign, digits = ("-", whole[1:]) if whole.startswith("-") else ("", whole)
    grouped = f"{int(digits):,}".replace(",", thousands)
    return f"{sign}{grouped}{point}{decimals}" if decimals else f"{sign}{grouped}"


def day(on: date, language: str) -> str:
    """Write a date as a language does; in English as the British do."""
    return on.strftime(_SHAPES[language][2])
