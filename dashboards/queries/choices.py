"""What the filters of the pages can be set to."""

from dataclasses import replace

from dashboards import warehouse
from oms.reports import choices as asked
from oms.reports import feeds, fulfillment
from oms.reports.choices import Choices
from oms.reports.published import Publication


def choices(publication: Publication) -> Choices:
    """Return what there is to choose from."""
    return warehouse.answer(asked.choices, publication)


def choices_of_feeds(publication: Publication) -> Choices:
    """Return what there is to choose from where days are those anything could come in.

    They end with the publication's own day: that nothing came in since is what people look for.
    """
    published_on = publication.stamp.published_at.date()
    first_on, _ = warehouse.answer(feeds.span, publication)
    known = choices(publication)
    return replace(known, first_on=first_on or published_on, last_on=published_on)


def choices_of_work(publication: Publication) -> Choices | None:
    """Return what there is to choose from where days are those of work; None: there was none."""
    first_on, last_on = warehouse.answer(fulfillment.span, publication)
    if first_on is None or last_on is None:
        return None
    return replace(choices(publication), first_on=first_on, last_on=last_on)


def unknown_skus(publication: Publication, skus: tuple[str, ...]) -> tuple[str, ...]:
    """Return those SKUs the catalog does not have."""
    return warehouse.answer(asked.unknown_skus, publication, skus) if skus else ()
