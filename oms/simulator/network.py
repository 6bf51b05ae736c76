"""Where the retailer is and how it sells: one DC, twelve stores, pick-up points, six channels."""

from __future__ import annotations

from typing import TYPE_CHECKING

from oms.simulator.model import Channel, Place

if TYPE_CHECKING:
    from collections.abc import Mapping

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")

_Hours = tuple[str, str, str, str, str, str, str]

# Monday to Sunday; an empty text is a closed day.
_DUTCH: _Hours = (
    "11:00-18:00", "09:30-18:00", "09:30-18:00", "09:30-21:00", "09:30-18:00", "09:30-18:00",
    "12:00-17:00",
)  # fmt: skip
_BELGIAN: _Hours = ("10:00-18:30",) * 5 + ("10:00-18:30", "")
_GERMAN: _Hours = ("10:00-19:00",) * 5 + ("10:00-20:00", "")
_BRITISH: _Hours = ("10:00-19:00",) * 5 + ("09:30-19:00", "11:30-17:30")
_DOCK: _Hours = ("06:00-22:00",) * 5 + ("07:00-18:00", "10:00-18:00")
_COUNTER: _Hours = ("08:00-20:00",) * 5 + ("08:00-18:00", "10:00-16:00")


def _hours(week: _Hours) -> Mapping[str, tuple[tuple[str, str], ...]]:
    """Write a week as the opening hours per weekday."""
    spans = {}
    for day, span in zip(DAYS, week, strict=True):
        opens, _, closes = span.partition("-")
        spans[day] = ((opens, closes),) if span else ()
    return spans


def _minutes(span: str) -> tuple[int, int]:
    """Read a span as minutes of the day."""
    opens, _, closes = span.partition("-")
    return (_minute(opens), _minute(closes)) if span else (0, 0)


def _minute(text: str) -> int:
    hour, _, minute = text.partition(":")
    return int(hour) * 60 + int(minute)


_ZONES = {
    "NL": "Europe/Amsterdam",
    "BE": "Europe/Brussels",
    "DE": "Europe/Berlin",
    "GB": "Europe/London",
}


def _place(row: tuple[str, ...], kind: str, week: _Hours, share: float = 0.0) -> Place:
    """Read one row of the tables below."""
    code, number, name, street, postcode, city, region, country, latitude, longitude = row
    return Place(
        code=code,
        number=int(number),
        name=name,
        kind=kind,
        street=street,
        postcode=postcode,
        city=city,
        region=region,
        country_code=country,
        latitude=float(latitude),
        longitude=float(longitude),
        time_zone=_ZONES[country],
        hours=_hours(week),
        minutes=tuple(_minutes(span) for span in week),
        share=share,
    )


DC = _place(
    ("DC-WAALWIJK", "900", "DC Waalwijk", "Havenweg 200", "5145 ND", "Waalwijk",
     "Noord-Brabant", "NL", "51.6891", "5.0470"),
    "dc", _DOCK,
)  # fmt: skip

TILL_STORES: tuple[Place, ...] = tuple(
    _place(row, "store", week, share)
    for row, week, share in (
        (("S-AMSTERDAM", "101", "Amsterdam Kalverstraat", "Kalverstraat 112", "1012 PK",
          "Amsterdam", "Noord-Holland", "NL", "52.3702", "4.8922"), _DUTCH, 1.9),
        (("S-ROTTERDAM", "102", "Rotterdam Lijnbaan", "Lijnbaan 48", "3012 EP", "Rotterdam",
          "Zuid-Holland", "NL", "51.9196", "4.4777"), _DUTCH, 1.4),
        (("S-DENHAAG", "103", "Den Haag Spuistraat", "Spuistraat 21", "2511 BC", "Den Haag",
          "Zuid-Holland", "NL", "52.0772", "4.3113"), _DUTCH, 1.2),
        (("S-UTRECHT", "104", "Utrecht Oudegracht", "Oudegracht 153", "3511 AL", "Utrecht",
          "Utrecht", "NL", "52.0917", "5.1190"), _DUTCH, 1.3),
        (("S-EINDHOVEN", "105", "Eindhoven Demer", "Demer 17", "5611 AN", "Eindhoven",
          "Noord-Brabant", "NL", "51.4403", "5.4783"), _DUTCH, 0.9),
        (("S-GRONINGEN", "106", "Groningen Herestraat", "Herestraat 60", "9711 LM", "Groningen",
          "Groningen", "NL", "53.2164", "6.5663"), _DUTCH, 0.7),
        (("S-MAASTRICHT", "107", "Maastricht Grote Staat", "Grote Staat 30", "6211 CW",
          "Maastricht", "Limburg", "NL", "50.8503", "5.6896"), _DUTCH, 0.6),
        (("S-ANTWERPEN", "201", "Antwerpen Meir", "Meir 85", "2000", "Antwerpen", "Antwerpen",
          "BE", "51.2181", "4.4074"), _BELGIAN, 1.2),
        (("S-GENT", "202", "Gent Veldstraat", "Veldstraat 41", "9000", "Gent",
          "Oost-Vlaanderen", "BE", "51.0518", "3.7226"), _BELGIAN, 0.8),
        (("S-KOELN", "301", "Köln Schildergasse", "Schildergasse 69", "50667", "Köln",
          "Nordrhein-Westfalen", "DE", "50.9362", "6.9536"), _GERMAN, 1.1),
    )
)  # fmt: skip

# The British shops sell on the web shop's own point of sale, in pounds.
SHOP_STORES: tuple[Place, ...] = tuple(
    _place(row, "store", _BRITISH, share)
    for row, share in (
        (("S-LONDON", "401", "London Marylebone", "77 Marylebone High Street", "W1U 5JX",
          "London", "Greater London", "GB", "51.5204", "-0.1519"), 1.2),
        (("S-MANCHESTER", "402", "Manchester King Street", "18 King Street", "M2 6AG",
          "Manchester", "Greater Manchester", "GB", "53.4817", "-2.2447"), 0.8),
    )
)  # fmt: skip

PICKUP_POINTS: tuple[Place, ...] = tuple(
    _place(row, "pickup_point", _COUNTER)
    for row in (
        ("P-UTRECHT", "501", "Parcel point Utrecht Centraal", "Stationshal 12", "3511 CE",
         "Utrecht", "Utrecht", "NL", "52.0893", "5.1101"),
        ("P-ARNHEM", "502", "Parcel point Arnhem Velperplein", "Velperplein 8", "6811 AG",
         "Arnhem", "Gelderland", "NL", "51.9851", "5.9147"),
        ("P-BRUSSEL", "503", "Relais Bruxelles-Midi", "Avenue Fonsny 47", "1060", "Bruxelles",
         "Bruxelles-Capitale", "BE", "50.8354", "4.3361"),
        ("P-DUESSELDORF", "504", "Paketshop Düsseldorf Bilk", "Brunnenstraße 20", "40223",
         "Düsseldorf", "Nordrhein-Westfalen", "DE", "51.2090", "6.7820"),
        ("P-HACKNEY", "505", "Parcel shop Hackney Central", "214 Mare Street", "E8 1HE",
         "London", "Greater London", "GB", "51.5467", "-0.0553"),
        ("P-LEEDS", "506", "Parcel shop Leeds Briggate", "90 Briggate", "LS1 6NP", "Leeds",
         "West Yorkshire", "GB", "53.7975", "-1.5428"),
    )
)  # fmt: skip

STORES = TILL_STORES + SHOP_STORES
PLACES = (DC, *STORES, *PICKUP_POINTS)
STOCKED = (DC, *STORES)  # a pick-up point keeps parcels, not stock


def _channel(row: tuple[str, int, str, str], facts: tuple[str, str, str, str], share: float,
             *, with_tax: bool = True) -> Channel:  # fmt: skip
    """Read one row of the table below."""
    code, number, name, kind = row
    currency, country, adapter, transport = facts
    return Channel(
        code=code,
        number=number,
        name=name,
        kind=kind,
        currency=currency,
        country_code=country,
        prices_include_tax=with_tax,
        time_zone=_ZONES[country],
        adapter=adapter,
        transport=transport,
        share=share,
    )


WEBSHOP_EU = _channel(
    ("webshop-eu", 1, "Web shop Europe", "webshop"), ("EUR", "NL", "shopify", "push"), 0.31
)
WEBSHOP_UK = _channel(
    ("webshop-uk", 2, "Web shop UK", "webshop"), ("GBP", "GB", "shopify", "pull"), 0.14
)
POS = _channel(("pos", 3, "Store tills", "pos"), ("EUR", "NL", "tabular", "file"), 0.36)
KIOSK = _channel(("kiosk", 4, "Store kiosks", "kiosk"), ("EUR", "NL", "canonical", "push"), 0.04)
MARKETPLACE = _channel(
    ("marketplace", 5, "Marketplace", "marketplace"), ("EUR", "DE", "tabular", "file"), 0.11
)
# The call center serves small businesses: it quotes prices without tax.
PHONE = _channel(
    ("phone", 6, "Telephone orders", "phone"),
    ("EUR", "NL", "tabular", "file"),
    0.04,
    with_tax=False,
)
CHANNELS = (WEBSHOP_EU, WEBSHOP_UK, POS, KIOSK, MARKETPLACE, PHONE)

# Whose goods we give to locations; the marketplace sends by itself, and tells us.
ROUTED = frozenset({WEBSHOP_EU.code, WEBSHOP_UK.code, POS.code, KIOSK.code, PHONE.code})

# Sells nothing: the way by which catalogue, counts and stock movements come.
BACKOFFICE = _channel(
    ("backoffice", 9, "Back office", "other"), ("EUR", "NL", "canonical", "file"), 0.0
)

# Thousandths of the price without tax, standard and reduced, where the goods go.
TAX_RATES: dict[str, dict[str, int]] = {
    "NL": {"standard": 210, "reduced": 90},
    "BE": {"standard": 210, "reduced": 60},
    "DE": {"standard": 190, "reduced": 70},
    "FR": {"standard": 200, "reduced": 55},
    "GB": {"standard": 200, "reduced": 0},
}
