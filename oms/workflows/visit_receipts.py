"""Receipts of what a till gave back, in the language of who gets it."""

from collections.abc import Mapping
from typing import Final
from zoneinfo import ZoneInfo

from oms.billing import queries as billing
from oms.channels import queries as channels
from oms.kernel.writing import LANGUAGES, amount, by_language, day
from oms.ledger.database import Tx
from oms.locations import queries as locations
from oms.refunds.model import RefundKind, RefundState, Visit, VisitState
from oms.workflows.papers import Column, Paper

_NAMES: Final = (
    "title", "store", "by", "at", "rounding", "cash", "order", "refund", "for", "amount",
    "how_far", "remark",
)  # fmt: skip
_WORDS: Final[Mapping[str, str]] = {
    "en": "Refund receipt|Store|Given by|At|Rounding|In cash|Order|Refund|For|Amount|How far|"
          "What is not in cash goes back as it was paid; a bank may take some days.",
    "nl": "Terugbetalingsbon|Winkel|Geholpen door|Op|Afronding|Contant|Bestelling|Terugbetaling|"
          "Voor|Bedrag|Stand|Wat niet contant is, gaat terug zoals het is betaald; een bank kan"
          " er enkele dagen over doen.",
    "de": "Erstattungsbeleg|Filiale|Ausgezahlt von|Am|Rundung|Bar|Bestellung|Erstattung|Für|"
          "Betrag|Stand|Was nicht bar ausgezahlt wird, geht auf dem Zahlungsweg zurück; bei einer"
          " Bank kann das einige Tage dauern.",
    "fr": "Reçu de remboursement|Magasin|Remis par|Le|Arrondi|En espèces|Commande|Remboursement|"
          "Pour|Montant|État|Ce qui n'est pas remis en espèces retourne au moyen de paiement"
          " utilisé ; une banque peut mettre quelques jours.",
}  # fmt: skip
WORDS: Final = by_language(_NAMES, _WORDS)
_KIND_NAMES: Final = (RefundKind.OWED, RefundKind.SHIPPING, RefundKind.GOODWILL)
_KINDS: Final[Mapping[str, str]] = {
    "en": "what was owed|shipping|goodwill", "nl": "tegoed|verzendkosten|coulance",
    "de": "offener Betrag|Versand|Kulanz", "fr": "montant dû|frais de port|geste commercial",
}  # fmt: skip
KINDS: Final = by_language(_KIND_NAMES, _KINDS)
# As who stands at the till reads it; what nobody has tried again is for the office to end.
_STATE_NAMES: Final = (
    RefundState.AWAITING_APPROVAL, RefundState.REQUESTED, RefundState.SUCCEEDED,
    RefundState.PARTIALLY_SUCCEEDED, RefundState.FAILED, RefundState.REVERSED,
    RefundState.REJECTED, RefundState.CANCELED,
)  # fmt: skip
_STATES: Final[Mapping[str, str]] = {
    "en": "to be approved|on its way|given back|given back in part|not yet given back|"
          "not yet given back|declined|canceled",
    "nl": "wacht op akkoord|onderweg|terugbetaald|deels terugbetaald|nog niet terugbetaald|"
          "nog niet terugbetaald|afgewezen|geannuleerd",
    "de": "wartet auf Freigabe|unterwegs|erstattet|teilweise erstattet|noch nicht erstattet|"
          "noch nicht erstattet|abgelehnt|storniert",
    "fr": "en attente d'accord|en cours|remboursé|remboursé en partie|pas encore remboursé|"
          "pas encore remboursé|refusé|annulé",
}  # fmt: skip
STATES: Final = by_language(_STATE_NAMES, _STATES)
assert set(_KIND_NAMES) == set(RefundKind)
assert set(_STATE_NAMES) == set(RefundState)


def visit_receipt(tx: Tx, visit: Visit) -> Paper:
    """Return the one receipt of what somebody got back at a till, by the clock of its store.

    It is in the language the documents of the channel are in by which they bought, or bought
    first of what they get back.
    """
    language = _language_of(tx, visit)
    said = WORDS[language]
    every = locations.places(tx, channel_codes=None)
    store = next(each.location for each in every if each.location.code == visit.location_code)
    given_at = visit.given_at.astimezone(ZoneInfo(store.time_zone))
    rows = [
        (each.order_number, each.refund_number, KINDS[language][each.kind],
         _money(each.amount_minor, each.currency, language), STATES[language][each.state])
        for each in visit.refunds
    ]  # fmt: skip
    facts = [(said["store"], store.name), (said["by"], visit.given_by),
             (said["at"], f"{day(given_at, language)} {given_at:%H:%M}")]  # fmt: skip
    if visit.cash:
        currency = visit.cash[0].currency
        facts += [
            (said["rounding"], _money(visit.rounding_minor, currency, language)),
            (said["cash"], _money(visit.cash_minor, currency, language)),
        ]
    return Paper(
        title=said["title"], number=visit.visit_number, made_at=visit.given_at,
        facts=tuple(facts), rows=tuple(rows),
        columns=tuple(
            Column(name=said[name], share=4, is_number=name == "amount")
            for name in ("order", "refund", "for", "amount", "how_far")
        ),
        remark="" if visit.state is VisitState.DONE else said["remark"],
    )  # fmt: skip


def _language_of(tx: Tx, visit: Visit) -> str:
    if not visit.refunds:
        return LANGUAGES[-1]
    channel = channels.channel(tx, visit.refunds[0].channel_code)
    return billing.language_of(tx, channel.channel_id)


def _money(minor: int, currency: str, language: str) -> str:
    return f"{amount(minor, currency, language)} {currency}"
