"""The pick-up points of the sandbox carrier: a small net over some cities of five countries."""

from collections.abc import Iterator, Mapping, MutableMapping, Sequence
from dataclasses import replace
from statistics import fmean
from typing import Final, NamedTuple

from oms.locations.hours import DAYS, Week
from oms.locations.model import Point, distance_km, point
from oms.points.model import CarrierAway, Near, PickupPoint, PointKind, PointStatus, Sought

# What its settings say of every point at once.
ALL: Final = "*"
AWAY: Final = "away"

_ZONES: Final = {
    "NL": "Europe/Amsterdam", "BE": "Europe/Brussels", "DE": "Europe/Berlin",
    "FR": "Europe/Paris", "GB": "Europe/London",
}  # fmt: skip
# Country, postcode of the center, city, latitude, longitude.
_CITIES: Final = (
    ("NL", "1012 JS", "Amsterdam", 52.3731, 4.8926),
    ("NL", "3011 AD", "Rotterdam", 51.9225, 4.4792),
    ("NL", "2511 CV", "Den Haag", 52.0793, 4.3130),
    ("NL", "3511 CE", "Utrecht", 52.0893, 5.1101),
    ("NL", "5611 EM", "Eindhoven", 51.4416, 5.4697),
    ("NL", "9711 LV", "Groningen", 53.2194, 6.5665),
    ("NL", "6811 AG", "Arnhem", 51.9851, 5.9147),
    ("NL", "6211 CX", "Maastricht", 50.8514, 5.6909),
    ("BE", "1060", "Bruxelles", 50.8354, 4.3361),
    ("BE", "2000", "Antwerpen", 51.2194, 4.4025),
    ("BE", "9000", "Gent", 51.0543, 3.7174),
    ("DE", "40223", "Düsseldorf", 51.2090, 6.7820),
    ("DE", "50667", "Köln", 50.9384, 6.9600),
    ("DE", "10117", "Berlin", 52.5170, 13.3889),
    ("FR", "75001", "Paris", 48.8606, 2.3376),
    ("FR", "59000", "Lille", 50.6366, 3.0630),
    ("GB", "E8 1HE", "London", 51.5467, -0.0553),
    ("GB", "LS1 6NP", "Leeds", 53.7975, -1.5428),
    ("GB", "M2 5DB", "Manchester", 53.4808, -2.2426),
)  # fmt: skip
_ALWAYS: Final[Week] = {day: [["00:00", "24:00"]] for day in DAYS}
_SHOP: Final[Week] = {
    **{day: [["08:00", "20:00"]] for day in DAYS[:5]}, "sat": [["08:00", "18:00"]],
}  # fmt: skip
_LATE_SHOP: Final[Week] = {
    **{day: [["08:00", "22:00"]] for day in DAYS[:6]}, "sun": [["10:00", "20:00"]],
}  # fmt: skip


class _Spot(NamedTuple):
    """One of the points every city has."""

    kind: PointKind
    name: str
    street: str
    north: float  # degrees off the center
    east: float
    hours: Week


_SPOTS: Final = (
    _Spot(PointKind.LOCKER, "Parcel locker {city} station", "Station square 1", 0.0, 0.0, _ALWAYS),
    _Spot(PointKind.COUNTER, "Bookshop The Reader", "Market 12", 0.0061, -0.0042, _SHOP),
    _Spot(PointKind.COUNTER, "Corner market", "Long street 84", -0.0093, 0.0071, _LATE_SHOP),
    _Spot(PointKind.LOCKER, "Parcel locker {city} park", "Ring road 240", 0.0152, 0.0118, _ALWAYS),
)
# A locker takes what fits its largest box, a counter what one person lifts.
_LIMITS: Final[Mapping[PointKind, tuple[int, int]]] = {
    PointKind.LOCKER: (15_000, 600), PointKind.COUNTER: (20_000, 1_000),
}  # fmt: skip


class SandboxPoints:
    """The net of the sandbox carrier; by its settings points are full, closed or gone."""

    def __init__(self, said: Mapping[str, str] | None = None) -> None:
        """Take what is said of points by their id, or of all of them under a star."""
        self.said: MutableMapping[str, str] = dict(said or {})
        self._net = {each.point_id: each for each in _net()}

    def near(self, sought: Sought) -> Sequence[Near]:
        """Return points near a place, or near those whose postcodes are most alike."""
        self._answer()
        center = self._center(sought)
        if center is None:
            return []
        now = (self._now(each) for each in self._net.values())
        found = [
            Near(point=each, distance_km=far)
            for each in now
            if each is not None and (each.is_open or not sought.only_open)
            and sought.weight_grams <= each.weight_grams_max
            and sought.country_code in {None, each.country_code}
            and (far := distance_km(each.place, center)) is not None and far <= sought.radius_km
        ]  # fmt: skip
        found.sort(key=lambda each: (each.distance_km, each.point.point_id))
        return found[: sought.limit]

    def point(self, point_id: str) -> PickupPoint | None:
        """Return a point of the net."""
        self._answer(point_id)
        known = self._net.get(point_id)
        return None if known is None else self._now(known)

    def _answer(self, point_id: str = ALL) -> None:
        if AWAY in {self.said.get(ALL), self.said.get(point_id)}:
            raise CarrierAway(carrier="sandbox")

    def _now(self, known: PickupPoint) -> PickupPoint | None:
        said = self.said.get(known.point_id, known.status)
        status = known.status if said == AWAY else PointStatus(said)
        return None if status is PointStatus.GONE else replace(known, status=status)

    def _center(self, sought: Sought) -> Point | None:
        if sought.latitude is not None and sought.longitude is not None:
            return point(sought.latitude, sought.longitude)
        alike = self._alike(sought.country_code or "", _plain(sought.postcode or ""))
        if not alike:
            return None
        return point(fmean(each.latitude for each in alike), fmean(e.longitude for e in alike))

    def _alike(self, country_code: str, postcode: str) -> list[PickupPoint]:
        """Return the points of a country that share the longest beginning with a postcode."""
        there = [each for each in self._net.values() if each.country_code == country_code]
        for length in range(len(postcode), 0, -1):
            begin = postcode[:length]
            if found := [each for each in there if _plain(each.postcode).startswith(begin)]:
                return found
        return []


def _plain(postcode: str) -> str:
    return "".join(postcode.split()).upper()


def _net() -> Iterator[PickupPoint]:
    for country_code, postcode, city, latitude, longitude in _CITIES:
        area = postcode.split()[0]
        for number, spot in enumerate(_SPOTS, start=1):
            weight_grams_max, length_mm_max = _LIMITS[spot.kind]
            yield PickupPoint(
                provider="sandbox", point_id=f"SB-{country_code}-{area}-{number}", kind=spot.kind,
                name=spot.name.format(city=city), street=spot.street, postcode=postcode, city=city,
                country_code=country_code, latitude=round(latitude + spot.north, 4),
                longitude=round(longitude + spot.east, 4), time_zone=_ZONES[country_code],
                opening_hours=spot.hours, status=PointStatus.OPEN,
                weight_grams_max=weight_grams_max, length_mm_max=length_mm_max,
                checks_age=spot.kind is PointKind.COUNTER,
            )  # fmt: skip
