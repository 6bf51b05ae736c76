"""Cases as values: whose tool, which case, where it is, and how it stands."""

import re
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final
from urllib.parse import urlsplit

from oms.kernel.errors import Conflict, Rejected

TOOL: Final = re.compile(r"[a-z0-9][a-z0-9._-]{0,39}")
CASE_ID: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:-]{0,99}")
URL_CHARACTERS_MAX: Final = 1_000
_URL: Final = re.compile(r"https://[\x21-\x7e]+")
# What no address has as it stands, and what would end a link in a text.
_NEVER: Final = re.compile(r"[\"'<>\\^`{|}()\[\]]")


class CaseState(StrEnum):
    """Whether somebody is at it still."""

    OPEN = "open"
    CLOSED = "closed"


class CaseInvalid(Rejected):
    """A case has a tool, an id and an https address, each in the letters such things have."""

    code = "CASE_INVALID"


class TooManyCases(Conflict):
    """An order has as many cases as it may have."""

    code = "TOO_MANY_CASES"


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseDraft:
    """A case that is about an order."""

    tool: str
    case_id: str
    url: str
    state: CaseState = CaseState.OPEN


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """A case that is about an order, and who said so."""

    tool: str
    case_id: str
    url: str
    state: CaseState
    linked_at: datetime
    linked_by: str
    changed_at: datetime
    changed_by: str


def checked(draft: CaseDraft) -> CaseDraft:
    """Return a case as it may be kept: its address opens in a browser. Raises CaseInvalid."""
    if not TOOL.fullmatch(draft.tool):
        raise CaseInvalid("a tool is named by 1 to 40 small letters, digits, dots and dashes")
    if not CASE_ID.fullmatch(draft.case_id):
        raise CaseInvalid("a case has 1 to 100 letters, digits, dots, colons and dashes")
    if not _is_address(draft.url):
        raise CaseInvalid("an address is https, of a host, without a user's name")
    return draft


def _is_address(url: str) -> bool:
    if len(url) > URL_CHARACTERS_MAX or not _URL.fullmatch(url) or _NEVER.search(url):
        return False
    try:
        parts = urlsplit(url)
        return bool(parts.hostname) and parts.port != 0 and "@" not in parts.netloc
    except ValueError:
        return False
