"""The published marts as the dashboards read them; answers are kept by version."""

from collections.abc import Callable
from pathlib import Path
from typing import Any, Final, TypeVar

import streamlit as st

from oms.reports.published import Identity, Publication, Publications
from oms.settings import Settings

ANSWERS_KEPT_MAX: Final = 500

Answer = TypeVar("Answer")


def current() -> Publication:
    """Return the current publication. Raises NothingPublished or PublicationUnreadable."""
    return _publications(Settings().published_dir).current()


def answer(
    question: Callable[..., Answer], publication: Publication, *asked: object, **more: object
) -> Answer:
    """Ask a publication once; a new publication has other answers, so none is ever stale."""
    name = f"{question.__module__}.{question.__qualname__}"
    answered: Answer = _answer(name, publication.identity, asked, more, question, publication)
    return answered


def order_address(order_number: str) -> str:
    """Return where the API shows an order."""
    return f"http://127.0.0.1:{Settings().api_port}/v1/orders/{order_number}"


@st.cache_resource(show_spinner=False)
def _publications(directory: Path) -> Publications:
    return Publications(directory)


@st.cache_data(max_entries=ANSWERS_KEPT_MAX, show_spinner=False)
def _answer(
    name: str,  # noqa: ARG001 - a part of the key
    identity: Identity,  # noqa: ARG001 - a part of the key
    asked: tuple[object, ...],
    more: dict[str, object],
    _question: Callable[..., Any],
    _publication: Publication,
) -> Any:
    return _question(_publication, *asked, **more)
