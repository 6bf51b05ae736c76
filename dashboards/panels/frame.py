"""The frame of the console's pages: who is signed in, what was done, what was refused."""

import logging
from collections.abc import Callable
from functools import wraps
from typing import Final

import streamlit as st

from dashboards.api_client import ApiRefusal, Client
from dashboards.panels import session
from dashboards.widgets import address

View = Callable[[Client], None]
_LOG: Final = logging.getLogger(__name__)


def console(title: str, sentence: str) -> Callable[[View], Callable[[], None]]:
    """Make a page of a view: it gets the API under the key of who is signed in."""

    def framed(view: View) -> Callable[[], None]:
        @wraps(view)
        def shown() -> None:
            st.title(title, anchor=False)
            st.caption(sentence)
            _show(title, view)

        return shown

    return framed


def _show(title: str, view: View) -> None:
    client = session.client()
    if client is None:
        session.sign_in()
        return
    session.badge(client)
    try:
        address.begin(title)
        session.told()
        view(client)
        address.finish()
    except ApiRefusal as refused:
        if refused.is_of_the_key:
            session.sign_out()
            session.sign_in(refused.sentence)
        else:
            st.error(refused.sentence)
    except Exception:  # noqa: BLE001 - the last resort: a sentence instead of a traceback
        _LOG.exception("the page %s failed", title)
        st.error(
            "This page could not be drawn. The reason is in the log of the dashboards; "
            "other pages may work."
        )


def seen(name: str, version: int) -> int:
    """Return the version of a thing that is on the screen, and keep the one that is drawn now.

    A tap draws the page again before it acts: what it is about is what was seen before it.
    """
    versions = st.session_state.setdefault("seen_versions", {})
    before: int = versions.get(name, version)
    versions[name] = version
    return before


def do(work: Callable[[], object], done: str) -> None:
    """Do something, tell what became of it, and show the page as it is now."""
    try:
        work()
    except ApiRefusal as refused:
        if refused.is_of_the_key:
            raise
        session.say(refused.sentence, is_refusal=True)
    else:
        session.say(done)
    st.rerun()
