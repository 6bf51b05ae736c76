"""The frame of every page: its title, the age of its numbers, and what to do without any."""

import logging
from collections.abc import Callable, Sequence
from functools import wraps
from typing import Final

import streamlit as st

from dashboards import format as written
from dashboards import warehouse
from dashboards.widgets import address
from oms.kernel.clock import now
from oms.kernel.errors import Unavailable
from oms.reports import feeds
from oms.reports.choices import Choices
from oms.reports.model import Filters
from oms.reports.published import NothingPublished, Publication, PublicationUnreadable, Stamp

# A publication older than this is told in another color: something has stopped.
OLD_SECONDS: Final = 15 * 60
AGE_EVERY_SECONDS: Final = 10
UNKNOWN_SHOWN_MAX: Final = 5

View = Callable[[Publication], None]
_LOG: Final = logging.getLogger(__name__)


def page(title: str, sentence: str) -> Callable[[View], Callable[[], None]]:
    """Make a page of a view: it gets the current publication; what goes wrong is told in words."""

    def framed(view: View) -> Callable[[], None]:
        @wraps(view)
        def shown() -> None:
            _show(title, sentence, view)

        return shown

    return framed


def _show(title: str, sentence: str, view: View) -> None:
    st.title(title, anchor=False)
    try:
        publication = warehouse.current()
        _head(sentence, publication)
        address.begin(title)
        view(publication)
        address.finish()
    except NothingPublished:
        st.caption(sentence)
        _nothing_published()
    except PublicationUnreadable:
        _LOG.exception("the publication cannot be read")
        st.error("The published numbers cannot be read. The next publication replaces them.")
    except Exception:  # noqa: BLE001 - the last resort: a sentence instead of a traceback
        _LOG.exception("the page %s failed", title)
        st.error(
            "This page could not be drawn. The reason is in the log of the dashboards; "
            "other pages may work."
        )


def _head(sentence: str, publication: Publication) -> None:
    """Say what the page is for, how old its numbers are, and what is not in them."""
    with st.container(horizontal=True, gap="small", vertical_alignment="center", key="head"):
        st.caption(sentence, width="content")
        waiting = warehouse.answer(feeds.open_count, publication)
        if waiting:
            st.badge(
                f"{waiting:,} in quarantine",
                icon=":material/report:",
                color="orange",
                help="Documents that could not be taken; they are in no number. See Freshness.",
            )
        _age_badge(publication)


@st.fragment(run_every=AGE_EVERY_SECONDS)
def _age_badge(publication: Publication) -> None:
    """Tell how old the numbers are, and go on telling while the page stays open."""
    stamp = publication.stamp
    seconds = (now() - stamp.published_at).total_seconds()
    with st.container(horizontal=True, gap="xsmall", vertical_alignment="center", width="content"):
        st.badge(
            f"{written.age(seconds)} old",
            icon=":material/schedule:",
            color="green" if seconds < OLD_SECONDS else "orange",
            help=(
                f"As of {written.instant(stamp.published_at)}, publication {stamp.version}, "
                f"ledger watermark {stamp.watermark}."
            ),
        )
        if warehouse.current().identity != publication.identity:
            newer = st.button(
                "Newer numbers", key="newer", icon=":material/refresh:", type="tertiary"
            )
            if newer:
                st.rerun()


def notes(asked: Filters, choices: Choices, unknown_skus: Sequence[str]) -> None:
    """Say what the filters leave out without people meaning it."""
    others = [currency for currency in choices.currencies if currency != asked.currency]
    if others:
        st.caption(
            f"Sales in {', '.join(others)} are not in these numbers: currencies are never added up."
        )
    first_on, last_on = choices.spans.get(asked.currency, (choices.first_on, choices.last_on))
    if asked.period.from_on > last_on or asked.period.last_on < first_on:
        st.info(
            f"There are no sales in {asked.currency} in this period. The newest were on "
            f"{written.day(last_on)}, the first on {written.day(first_on)}: choose *Everything* as "
            "the period to see them all."
        )
    unknown(unknown_skus)


def unknown(unknown_skus: Sequence[str]) -> None:
    """Say which SKUs of a list no product has."""
    if unknown_skus:
        named = ", ".join(unknown_skus[:UNKNOWN_SHOWN_MAX])
        more = " …" if len(unknown_skus) > UNKNOWN_SHOWN_MAX else ""
        st.warning(f"{len(unknown_skus):,} SKUs are not known: {written.plain(named)}{more}")


def provenance(stamp: Stamp) -> None:
    """Say which publication this is, and whether it has every order of the ledger."""
    agree = stamp.ledger_orders_count == stamp.mart_orders_count
    counted = (
        f"all {stamp.mart_orders_count:,} orders of the ledger are in it"
        if agree
        else f"it has {stamp.mart_orders_count:,} of {stamp.ledger_orders_count:,} orders"
    )
    sign = ":material/check_circle:" if agree else ":material/warning:"
    st.caption(
        f"{sign} Publication {stamp.version} of {written.instant(stamp.published_at)}, load "
        f"{stamp.batch}, ledger watermark {stamp.watermark}: {counted}."
    )


def no_stock() -> None:
    """Say that no product has stock that fits the filters."""
    st.info("No product fits these filters. Reset them to see everything there is.")


def no_work() -> None:
    """Say that no location was ever asked for anything, and how that comes about."""
    _next_step(
        "**Nothing has been given to a location yet.** Locations are asked for what is ordered in "
        "channels registered with `is_routed: true`; what a channel ships by itself shows up here "
        "as soon as it tells of it."
    )


def none_of_it(choices: Choices, what: str) -> None:
    """Say that the filters leave nothing in, and when there was something."""
    st.info(
        f"{what}: there is none in this period and of these filters. The newest work was on "
        f"{written.day(choices.last_on)}, the first on {written.day(choices.first_on)}: choose "
        "*Everything* as the period, or *Reset*, to see it all."
    )


def nothing_sold() -> None:
    """Say that a publication has no sales yet."""
    _next_step("**Nothing has been sold yet.** The warehouse is published, but holds no order.")


def _nothing_published() -> None:
    _next_step("**Nothing has been published yet.** This page fills by itself once there is.")
    _wait_for_one()


@st.fragment(run_every=AGE_EVERY_SECONDS)
def _wait_for_one() -> None:
    try:
        warehouse.current()
    except Unavailable:
        return
    st.rerun()


def _next_step(text: str) -> None:
    st.info(text, icon=":material/hourglass_empty:")
    st.markdown("To see a believable retailer with orders in every channel:")
    st.code("oms simulate", language="shell")
    st.markdown("To take in files of your own:")
    st.code("oms ingest --help", language="shell")
