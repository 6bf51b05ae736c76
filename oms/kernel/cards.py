"""Numbers of payment cards in texts: found by their check digit, masked to their last four."""

import re
from typing import Final

DIGITS_MIN: Final = 13
DIGITS_MAX: Final = 19
SHOWN_DIGITS: Final = 4
_TEN: Final = 10
_MASK: Final = "x"

# Digits written together or in groups, with at most one sign between two of them.
_RUN: Final = re.compile(r"\d(?:[^\S\n]?[-.\u2010-\u2015]?[^\S\n]?\d){12,}")
_GROUP: Final = re.compile(r"\d+")


def has_card(text: str) -> bool:
    """Tell whether a text holds what may be the number of a card."""
    return bool(_spans(text))


def mask_cards(text: str) -> str:
    """Return a text in which no card's number has more than its last four digits."""
    shown = list(text)
    for first, end in _spans(text):
        digits = [at for at in range(first, end) if text[at].isdecimal()]
        for at in digits[:-SHOWN_DIGITS]:
            shown[at] = _MASK
    return "".join(shown)


def _spans(text: str) -> list[tuple[int, int]]:
    """Return where cards' numbers begin and end: at the ends of groups, as people write them."""
    found = []
    for run in _RUN.finditer(text):
        groups = [(run.start() + each.start(), run.start() + each.end())
                  for each in _GROUP.finditer(run.group())]  # fmt: skip
        for nth, (first, _) in enumerate(groups):
            for _, end in groups[nth:]:
                digits = [int(each) for each in text[first:end] if each.isdecimal()]
                if len(digits) > DIGITS_MAX:
                    break
                if len(digits) >= DIGITS_MIN and _is_checked(digits):
                    found.append((first, end))
    return found


def _is_checked(digits: list[int]) -> bool:
    """Tell whether the last digit is the one the others make by Luhn's sum."""
    doubled = [sum(divmod(2 * each, _TEN)) for each in digits[-2::-2]]
    return any(digits) and (sum(digits[::-2]) + sum(doubled)) % _TEN == 0
