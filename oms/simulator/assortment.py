"""What the retailer has in its range: types of product, brands, model names, colors, seasons."""

from __future__ import annotations

from typing import NamedTuple

# A factor per month, January first: when a thing is bought more and when less.
SEASONS: dict[str, tuple[float, ...]] = {
    "steady": (0.95, 0.92, 0.97, 1.0, 1.0, 1.0, 0.97, 0.95, 1.0, 1.02, 1.08, 1.15),
    "winter": (1.35, 1.0, 0.75, 0.55, 0.4, 0.3, 0.35, 0.6, 1.2, 1.6, 1.8, 1.6),
    "summer": (0.5, 0.6, 0.95, 1.3, 1.6, 1.7, 1.5, 1.1, 0.8, 0.6, 0.5, 0.6),
    "gift": (0.6, 0.9, 0.7, 0.8, 1.0, 0.8, 0.7, 0.7, 0.8, 1.0, 1.5, 2.3),
    "school": (0.9, 0.85, 0.9, 0.95, 0.9, 0.85, 1.0, 1.5, 1.3, 1.0, 0.95, 1.0),
}

SIZES: dict[str, tuple[tuple[str, float], ...]] = {
    "": (("", 1.0),),
    "letters": (("XS", 0.5), ("S", 1.0), ("M", 1.5), ("L", 1.3), ("XL", 0.7)),
    "waist": (("28", 0.6), ("30", 1.0), ("32", 1.5), ("34", 1.3), ("36", 0.8)),
    "ages": (("92", 0.7), ("104", 1.1), ("116", 1.3), ("128", 1.1), ("140", 0.8)),
    "shoes": (
        ("37", 0.6), ("38", 1.0), ("39", 1.3), ("40", 1.1), ("41", 1.0), ("42", 1.2),
        ("43", 1.0), ("44", 0.6),
    ),
    "bottle": (("50 ml", 1.2), ("100 ml", 0.8)),
    "pan": (("24 cm", 0.8), ("28 cm", 1.2)),
    "bag": (("250 g", 1.2), ("1 kg", 0.8)),
}  # fmt: skip

COLORS: dict[str, str] = {
    "Black": "BLK", "Navy": "NVY", "Écru": "ECR", "Olive": "OLV", "Terracotta": "TER",
    "Powder": "POW", "Grey": "GRY", "Bordeaux": "BOR", "Ochre": "OCH", "White": "WHT",
}  # fmt: skip

BRANDS: dict[str, tuple[str, ...]] = {
    "Women": ("Maren & Lou", "Aldérine", "Noordlicht", "Velvet Heron", "Ysolde", "Petra Vonn"),
    "Men": ("Harbour & Pine", "Klaas Dijkman", "Thornfield", "Noordlicht", "Oskar Lind"),
    "Kids": ("Pippeloen", "Little Otter", "Wolkje"),
    "Shoes": ("Strade", "Kobalt Footwear", "Løvberg", "Two Canals"),
    "Home": ("Huis Amaril", "Tallow & Wick", "Lumenza", "Oak Parish"),
    "Kitchen": ("Pottenkijker", "Brasa", "Edelschmied", "Morgenrood"),
    "Beauty": ("Fleur d'Écume", "Sel & Sauge", "Nuit Claire"),
    "Pantry": ("Kade Tien", "Cacaofabriek Zuid", "Uitgeverij Linde", "Bergkaffee Arlt"),
}

MODELS: tuple[str, ...] = (
    "Zoë", "Noor", "Liv", "Amélie", "Bente", "Cato", "Dune", "Elba", "Fjord", "Gaia", "Hélène",
    "Isar", "Jolie", "Kaya", "Loire", "Marée", "Nèvé", "Oslo", "Praia", "Quinn", "Rhône", "Sund",
    "Tarn", "Ulla", "Vidar", "Wells", "Xanthe", "Ymir", "Zeeland", "Arles", "Bruges", "Como",
    "Delft", "Exmoor", "Faro", "Göta", "Hoorn", "Imola", "Jura", "København", "Lund", "Malmö",
)  # fmt: skip


class Type(NamedTuple):
    """One type of product: how many styles, in which sizes and colors, at which prices."""

    name: str
    code: str
    category: str
    low: int  # EUR cents
    high: int
    sizes: str
    colors: int
    styles: int
    season: str
    weight: float  # share of the units sold
    return_ratio: float
    is_bulk: bool = False


TYPES: tuple[Type, ...] = (
    Type("Dress", "DRS", "Women", 3995, 12995, "letters", 2, 9, "summer", 6.0, 0.34),
    Type("Blouse", "BLS", "Women", 2995, 7995, "letters", 2, 8, "steady", 5.0, 0.26),
    Type("Knitwear", "KNT", "Women", 3995, 9995, "letters", 2, 8, "winter", 5.0, 0.22),
    Type("Jeans", "JNS", "Women", 4995, 11995, "waist", 2, 6, "steady", 6.0, 0.31),
    Type("Coat", "COT", "Women", 8995, 24995, "letters", 2, 4, "winter", 2.0, 0.28),
    Type("Shirt", "SHT", "Men", 2995, 8995, "letters", 2, 8, "steady", 6.0, 0.17),
    Type("Trousers", "TRS", "Men", 4995, 10995, "waist", 2, 6, "steady", 4.5, 0.22),
    Type("Sweater", "SWT", "Men", 3995, 9995, "letters", 2, 6, "winter", 4.5, 0.16),
    Type("Jacket", "JCK", "Men", 7995, 19995, "letters", 2, 4, "winter", 2.0, 0.21),
    Type("T-shirt", "TSH", "Kids", 995, 2495, "ages", 2, 8, "school", 7.0, 0.09, is_bulk=True),
    Type("Pajamas", "PYJ", "Kids", 1995, 3495, "ages", 1, 6, "gift", 3.0, 0.08),
    Type("Sneakers", "SNK", "Shoes", 5995, 13995, "shoes", 2, 7, "school", 6.0, 0.27),
    Type("Boots", "BTS", "Shoes", 8995, 18995, "shoes", 1, 4, "winter", 2.5, 0.28),
    Type("Sandals", "SND", "Shoes", 3995, 8995, "shoes", 1, 4, "summer", 2.5, 0.24),
    Type("Cushion", "CSH", "Home", 1495, 4495, "", 3, 12, "steady", 4.0, 0.07, is_bulk=True),
    Type("Candle", "CND", "Home", 695, 3495, "", 2, 14, "gift", 7.0, 0.02, is_bulk=True),
    Type("Table Lamp", "LMP", "Home", 3995, 14995, "", 2, 12, "steady", 1.5, 0.08),
    Type("Mug", "MUG", "Kitchen", 795, 1795, "", 3, 12, "gift", 6.0, 0.03, is_bulk=True),
    Type("Frying Pan", "PAN", "Kitchen", 2995, 8995, "pan", 1, 11, "steady", 2.0, 0.05),
    Type("Chef's Knife", "KNF", "Kitchen", 3495, 15995, "", 1, 10, "gift", 1.2, 0.04),
    Type("Hand Cream", "CRM", "Beauty", 495, 1895, "", 1, 18, "winter", 5.0, 0.01, is_bulk=True),
    Type("Eau de Parfum", "EDP", "Beauty", 4495, 12995, "bottle", 1, 12, "gift", 2.0, 0.03),
    Type("Coffee", "COF", "Pantry", 695, 2195, "bag", 1, 14, "steady", 7.0, 0.004, is_bulk=True),
    Type("Chocolate", "CHO", "Pantry", 295, 1295, "", 1, 24, "gift", 9.0, 0.002, is_bulk=True),
    Type("Cookbook", "BOK", "Pantry", 1995, 3995, "", 1, 26, "gift", 2.5, 0.03),
)

REDUCED_CATEGORIES = frozenset({"Pantry"})  # food and books
