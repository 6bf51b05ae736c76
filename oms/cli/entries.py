"""Locations and channels as a person writes them in YAML, checked before anything is registered."""

import re
from collections.abc import Callable, Collection, Iterator
from dataclasses import MISSING, fields, replace
from pathlib import Path
from typing import Any, Final, TypeVar
from zoneinfo import available_timezones

from pydantic import TypeAdapter, ValidationError

from oms import bootstrap
from oms.billing.model import LegalEntity, Policy
from oms.channels.model import ChannelDraft
from oms.kernel.errors import OmsError, Rejected
from oms.kernel.limits import RESERVE_DAYS_MAX
from oms.kernel.money import EXPONENTS
from oms.kernel.writing import LANGUAGES
from oms.locations import hours
from oms.locations.model import Location
from oms.returns.rules import BadReturnPolicy
from oms.returns.rules import Policy as ReturnPolicy
from oms.workflows import vocabularies

T = TypeVar("T", Location, ChannelDraft, LegalEntity)

LOCATION_KINDS: Final = ("dc", "store", "pickup_point")
CHANNEL_KINDS: Final = ("webshop", "pos", "kiosk", "marketplace", "phone", "wholesale", "other")
MONTHS: Final = 12
_COUNTRY: Final = re.compile(r"[A-Z]{2}")
_PREFIX: Final = re.compile(r"[A-Z0-9]{1,8}")
_TIME: Final = re.compile(r"([01]\d|2[0-3]):[0-5]\d")
# Of a value's type, in a person's words.
_WANTED: Final = {
    "string_type": "a text; quote it where YAML reads something else",
    "bool_type": "true or false", "bool_parsing": "true or false",
    "int_type": "a whole number", "int_parsing": "a whole number",
    "int_from_float": "a whole number",
    "float_type": "a number", "float_parsing": "a number",
    "tuple_type": "a list of texts", "dict_type": "a mapping of names to values",
}  # fmt: skip


class BadEntry(Rejected):
    """An entry of the file is not usable as it is written."""


def read(content: Any, folder: Path) -> tuple[list[Location], list[ChannelDraft]]:
    """Read the content of a file; paths in it are relative to a folder.

    Raises BadEntry, naming entry and field of everything that is wrong.
    """
    if not isinstance(content, dict) or set(content) - {"locations", "channels", "legal_entities"}:
        raise BadEntry("The file has the keys locations, channels and legal_entities, no others.")
    places = _entries(content, "locations", Location, _location_faults)
    drafts = _entries(
        content, "channels", ChannelDraft, lambda draft: _channel_faults(draft, folder)
    )
    return places, [with_paths(draft, folder) for draft in drafts]


def legal_entities(content: dict[str, Any]) -> list[LegalEntity]:
    """Read who issues the documents of which channels. Raises BadEntry."""
    return _entries(content, "legal_entities", LegalEntity, _entity_faults)


def with_paths(draft: ChannelDraft, folder: Path) -> ChannelDraft:
    """Make the paths of mapping and look-up files absolute, as seen from the YAML file."""
    options = dict(draft.adapter_options)
    for name in {"mapping", "look_ups"} & set(options):
        options[name] = str(folder / str(options[name]))
    if isinstance(options.get("mappings"), dict):
        options["mappings"] = {
            topic: str(folder / str(file)) for topic, file in options["mappings"].items()
        }
    return replace(draft, adapter_options=options)


def _entries(
    content: dict[str, Any], key: str, kind: type[T], faults_of: Callable[[T], Iterator[str]]
) -> list[T]:
    listed = content.get(key) or []
    if not isinstance(listed, list):
        raise BadEntry(f"{key}: must be a list of entries, each begun with a dash.")
    found, faults = [], []
    for number, raw in enumerate(listed, start=1):
        place = f"{key}, entry {number}"
        if isinstance(raw, dict) and raw.get("code"):
            place += f" ({raw['code']})"
        try:
            entry = _entry(kind, raw)
            found.append(entry)
            faults += [f"{place}: {fault}" for fault in faults_of(entry)]
        except BadEntry as error:
            faults += [f"{place}: {fault}" for fault in error.detail.split("\n")]
    if faults:
        raise BadEntry("\n".join(faults))
    return found


def _entry(kind: type[T], raw: Any) -> T:
    names = {field.name for field in fields(kind)}
    if not isinstance(raw, dict):
        raise BadEntry(f"must be a mapping with the keys {', '.join(sorted(names))}.")
    faults = [
        f"there is no key {str(name)[:40]!r}; there are {', '.join(sorted(names))}."
        for name in raw
        if name not in names
    ]
    faults += [
        f"{field.name} is missing."
        for field in fields(kind)
        if field.name not in raw
        and field.default is MISSING and field.default_factory is MISSING
    ]  # fmt: skip
    if faults:
        raise BadEntry("\n".join(faults))
    try:
        return TypeAdapter(kind).validate_python(raw)
    except ValidationError as error:
        raise BadEntry("\n".join(_type_faults(error))) from None


def _type_faults(error: ValidationError) -> Iterator[str]:
    for fault in error.errors(include_url=False):
        place = "".join(f"[{p}]" if isinstance(p, int) else f".{p}" for p in fault["loc"])
        wanted = _WANTED.get(fault["type"], fault["msg"])
        yield f"{place.lstrip('.')} must be {wanted}, not {str(fault['input'])[:40]!r}."


def _location_faults(place: Location) -> Iterator[str]:
    yield from _one_of("kind", place.kind, LOCATION_KINDS)
    yield from hours.faults_of(place.opening_hours)
    yield from _zone_faults(place.time_zone)
    if place.cut_off is not None and not _TIME.fullmatch(place.cut_off):
        yield f'cut_off must be a time of day such as "16:00", not {place.cut_off[:40]!r}.'
    numbers = (
        "lead_time_hours", "shipping_buffer", "node_cost_minor", "capacity_per_day",
        "transit_days", "transit_days_abroad", "collect_lead_minutes",
    )  # fmt: skip
    for name in numbers:
        if (getattr(place, name) or 0) < 0:
            yield f"{name} must be 0 or more."
    if place.accept_minutes is not None and place.accept_minutes < 1:
        yield "accept_minutes must be 1 or more; without it there is no limit."


def _channel_faults(draft: ChannelDraft, folder: Path) -> Iterator[str]:
    yield from _one_of("kind", draft.kind, CHANNEL_KINDS)
    yield from _one_of("stock_shown", draft.stock_shown, ("banded", "exact", "hidden"))
    yield from _zone_faults(draft.time_zone)
    for currency in (draft.currency, *draft.currencies):
        if currency not in EXPONENTS:
            yield f"{currency[:8]!r} is no currency of ISO 4217, as EUR or USD."
    if draft.threshold < 0:
        yield "threshold must be 0 or more."
    if not 1 <= draft.reserve_days <= RESERVE_DAYS_MAX:
        yield f"reserve_days must be 1 to {RESERVE_DAYS_MAX}."
    if draft.reserve_max is not None and draft.reserve_max < 1:
        yield "reserve_max must be 1 or more; without it there is no limit."
    try:
        ReturnPolicy.of(draft.return_policy)
    except BadReturnPolicy as error:
        yield error.detail
    yield from vocabularies.faults(draft.vocabulary)
    faults = list(_one_of("adapter", draft.adapter, bootstrap.ADAPTERS))
    yield from faults or _adapter_faults(with_paths(draft, folder))


def _entity_faults(entity: LegalEntity) -> Iterator[str]:
    yield from _one_of("language", entity.language, LANGUAGES)
    yield from _zone_faults(entity.time_zone)
    if not _COUNTRY.fullmatch(entity.country_code):
        yield f"country_code must be two letters such as NL, not {entity.country_code[:40]!r}."
    if not _PREFIX.fullmatch(entity.series_prefix):
        yield f"series_prefix must be 1 to 8 letters or digits, not {entity.series_prefix[:40]!r}."
    if not 1 <= entity.fiscal_year_month <= MONTHS:
        yield f"fiscal_year_month must be 1 to {MONTHS}."
    for policy in (entity.channels or {}).values():
        yield from _one_of("channels", policy, tuple(Policy))


def _adapter_faults(draft: ChannelDraft) -> Iterator[str]:
    """Build the adapter as it will be built at work: what it lacks is said here, not then."""
    try:
        bootstrap.ADAPTERS[draft.adapter](draft.adapter_options)
    except OmsError as error:
        yield from (f"adapter_options: {line}" for line in error.detail.split("\n"))
    except ValidationError as error:
        yield from (f"adapter_options: {fault}" for fault in _type_faults(error))


def _one_of(name: str, value: str, allowed: Collection[str]) -> Iterator[str]:
    if value not in allowed:
        yield f"{name} must be one of {', '.join(allowed)}, not {value[:40]!r}."


def _zone_faults(name: str) -> Iterator[str]:
    if name not in available_timezones():
        yield f"time_zone must be a name like Europe/Amsterdam, not {name[:40]!r}."
