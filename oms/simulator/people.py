"""The people who buy: names of several languages, e-mail addresses, homes in real cities."""

from __future__ import annotations

import unicodedata
from functools import lru_cache
from typing import NamedTuple

from oms.simulator.model import Address, Customer
from oms.simulator.streams import scatter


class _Country(NamedTuple):
    """What people of a country are called and where they live."""

    first: tuple[str, ...]
    last: tuple[str, ...]
    streets: tuple[str, ...]
    cities: tuple[tuple[str, str, str], ...]  # city, region, start of the postcode
    postcode: str  # after its start: # a digit, A a letter
    number_first: bool
    phone: str  # pattern: # a digit; ranges that nobody is given
    domains: tuple[str, ...]


COUNTRIES: dict[str, _Country] = {
    "NL": _Country(
        ("Sanne", "Daan", "Fleur", "Bram", "Noa", "Sem", "Zoë", "Thijs", "Eefje", "Jeroen",
         "Fatima", "Mehmet", "Łukasz", "Anouk", "Ruben", "Priya", "Lieke", "Joost", "Ayşe", "Wim"),
        ("de Vries", "van der Berg", "Jansen", "Bakker", "van den Heuvel", "Visser", "Smit",
         "de Boer", "Mulder", "van 't Hof", "El Idrissi", "Şahin", "Dijkstra", "ter Horst",
         "Kuipers", "Wójcik", "Ramdin", "van Rossum", "Hoekstra", "Çelik", "Schouten", "Prins"),
        ("Dorpsstraat", "Kerkstraat", "Molenweg", "Prinsengracht", "Beukenlaan", "Stationsweg",
         "Burgemeester Röellstraat", "Korte Nieuwstraat", "Havenkade"),
        (("Amsterdam", "Noord-Holland", "10"), ("Rotterdam", "Zuid-Holland", "30"),
         ("Utrecht", "Utrecht", "35"), ("Zwolle", "Overijssel", "80"),
         ("Breda", "Noord-Brabant", "48"), ("Haarlem", "Noord-Holland", "20"),
         ("Leeuwarden", "Fryslân", "89"), ("Nijmegen", "Gelderland", "65")),
        "## AA", number_first=False, phone="+31600######",
        domains=("post.example", "ziggomail.example", "mail.example"),
    ),
    "BE": _Country(
        ("Lotte", "Jef", "Margaux", "Thibault", "Elise", "Wout", "Chloé", "Benoît", "Nele", "Arne"),
        ("Peeters", "Janssens", "Maes", "Dubois", "Van Damme", "De Smet", "Lambert", "Wouters",
         "D'hondt", "Léonard", "Vandenbroucke"),
        ("Kerkstraat", "Rue de la Station", "Nieuwstraat", "Chaussée de Wavre", "Lange Leemstraat"),
        (("Antwerpen", "Antwerpen", "20"), ("Gent", "Oost-Vlaanderen", "90"),
         ("Liège", "Liège", "40"), ("Leuven", "Vlaams-Brabant", "30"), ("Namur", "Namur", "50")),
        "##", number_first=False, phone="+32400######",
        domains=("courriel.example", "post.example"),
    ),
    "DE": _Country(
        ("Jürgen", "Anke", "Sören", "Katrin", "Björn", "Heike", "Lukas", "Mia", "Emre", "Käthe",
         "Ulrich", "Jana"),
        ("Müller", "Schmidt", "Groß", "Weiß", "Jäger", "Schröder", "von der Heide", "Öztürk",
         "Köhler", "Nowak", "Böhm", "Krüger"),
        ("Hauptstraße", "Bahnhofstraße", "Gartenweg", "Lindenallee", "Königsplatz", "Am Mühlbach"),
        (("Köln", "Nordrhein-Westfalen", "50"), ("Düsseldorf", "Nordrhein-Westfalen", "40"),
         ("Hamburg", "Hamburg", "20"), ("München", "Bayern", "80"), ("Leipzig", "Sachsen", "04")),
        "###", number_first=False, phone="+4915000######",
        domains=("netzpost.example", "mail.example"),
    ),
    "FR": _Country(
        ("Hélène", "François", "Aurélie", "Loïc", "Inès", "Théo", "Amélie", "Nicolas"),
        ("Lefèvre", "Béranger", "d'Aubigné", "Moreau", "Gauthier", "N'Diaye", "Le Goff", "Garçon"),
        ("Rue de l'Église", "Avenue Jean-Jaurès", "Impasse des Lilas", "Boulevard Voltaire"),
        (("Lille", "Hauts-de-France", "59"), ("Paris", "Île-de-France", "75"),
         ("Lyon", "Auvergne-Rhône-Alpes", "69")),
        "###", number_first=True, phone="+3363998####", domains=("courriel.example",),
    ),
    "GB": _Country(
        ("Oliver", "Amelia", "Siân", "Callum", "Priyanka", "Niamh", "George", "Zoe", "Tomasz",
         "Grace", "Kwame", "Imogen"),
        ("Smith", "O'Neill", "Hughes", "Taylor-Jones", "MacDonald", "Patel", "Evans", "Kowalczyk",
         "Osei", "Featherstonehaugh", "Brown", "Whitfield"),
        ("High Street", "Station Road", "Church Lane", "Victoria Terrace", "Mill Close"),
        (("London", "Greater London", "SE1"), ("Manchester", "Greater Manchester", "M1"),
         ("Leeds", "West Yorkshire", "LS6"), ("Bristol", "Bristol", "BS3"),
         ("Edinburgh", "Scotland", "EH6"), ("Cardiff", "Wales", "CF1")),
        " #AA", number_first=True, phone="+447700900###",
        domains=("postbox.example", "mail.example"),
    ),
}  # fmt: skip

_BUSINESSES = ("Kantoor", "Hotel", "Praktijk", "Lunchroom", "Studio", "Atelier")
HOUSE_NUMBER_MAX = 180
_LETTERS = "ABCDEFGHJKLMNPRSTUVWXZ"
_SPECIAL = str.maketrans({"ł": "l", "Ł": "L", "ß": "ss", "ø": "o", "Ø": "O"})


def plain(text: str) -> str:
    """Write a text without accents, in ASCII, as mail addresses and old tills do."""
    bare = unicodedata.normalize("NFKD", text.translate(_SPECIAL))
    return bare.encode("ascii", "ignore").decode()


def _filled(pattern: str, number: int) -> str:
    """Replace the run of # in a pattern by the last digits of a number."""
    count = pattern.count("#")
    return pattern.replace("#" * count, str(number % 10**count).zfill(count))


def _postcode(country: _Country, start: str, number: int) -> str:
    """Fill the country's pattern after the city's start: digits, then letters."""
    digits = country.postcode.rstrip("A")
    code = _filled(start + digits, number)
    for _ in range(len(country.postcode) - len(digits)):
        number, letter = divmod(number, len(_LETTERS))
        code += _LETTERS[letter]
    return code


def _home(name: str, code: str, word: int) -> Address:
    """Give somebody a home, out of one word of chance."""
    country = COUNTRIES[code]
    word, city_no = divmod(word, len(country.cities))
    word, street_no = divmod(word, len(country.streets))
    word, number = divmod(word, HOUSE_NUMBER_MAX)
    city, region, start = country.cities[city_no]
    street = country.streets[street_no]
    return Address(
        name=name,
        street=f"{number + 1} {street}" if country.number_first else f"{street} {number + 1}",
        postcode=_postcode(country, start, word),
        city=city,
        region=region,
        country_code=code,
    )


def _mailbox(first: str, last: str, number: int) -> str:
    """Make the part before the @: the number keeps two of the same name apart."""
    words = _words(first) + _words(last)
    return f"{words[0]}.{''.join(words[1:])}{number}"


@lru_cache(maxsize=1024)
def _words(name: str) -> tuple[str, ...]:
    return tuple(plain(name).lower().replace("'", "").replace("-", "").split())


@lru_cache(maxsize=65536)
def customer(seed: int, code: str, number: int) -> Customer:
    """Make the n-th customer of a country: the same number is always the same person."""
    country = COUNTRIES[code]
    word = scatter(seed, number * 8 + "NL BE DE FR GB".index(code) // 3)
    word, first_no = divmod(word, len(country.first))
    word, last_no = divmod(word, len(country.last))
    word, domain_no = divmod(word, len(country.domains))
    first, last = country.first[first_no], country.last[last_no]
    name = f"{first} {last}"
    return Customer(
        ref=f"{code}{number}",
        first_name=first,
        last_name=last,
        email=f"{_mailbox(first, last, number)}@{country.domains[domain_no]}",
        phone=_filled(country.phone, word),
        address=_home(name, code, scatter(seed + 1, number)),
    )


def business(seed: int, code: str, number: int) -> Customer:
    """Make the n-th small business of a country: a customer that buys by telephone."""
    owner = customer(seed, code, 10_000_000 + number)
    kind = _BUSINESSES[scatter(seed, number) % len(_BUSINESSES)]
    return Customer(
        ref=f"B{code}{number}",
        first_name=kind,
        last_name=owner.last_name,
        email=owner.email,
        phone=owner.phone,
        address=Address(
            name=f"{kind} {owner.last_name}",
            street=owner.address.street,
            postcode=owner.address.postcode,
            city=owner.address.city,
            region=owner.address.region,
            country_code=code,
        ),
    )
