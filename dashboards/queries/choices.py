"""What the filters of the pages can be set to."""

from dashboards import warehouse
from oms.reports import choices as asked
from oms.reports.choices import Choices
from oms.reports.published import Publication


def choices(publication: Publication) -> Choices:
    """Return what there is to choose from."""
    return warehouse.answer(asked.choices, publication)


def unknown_skus(publication: Publication, skus: tuple[str, ...]) -> tuple[str, ...]:
    """Return those SKUs the catalog does not have."""
    return warehouse.answer(asked.unknown_skus, publication, skus) if skus else ()
