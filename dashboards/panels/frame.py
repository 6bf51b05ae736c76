"""The frame of the console's pages: who is signed in, what was done, what was refused."""

import logging
from collections.abc import Callable
from functools import wraps
from typing import Final
from uuid import uuid4

import streamlit as st

from dashboards.api_client import ApiRefusal, Client
from dashboards.panels import session
from dashboards.widgets import address

_TURNS: Final = "form_turns"
_USED: Final = "forms_used"

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
    try:
        session.badge(client)
        address.begin(title)
        session.told()
        view(client)
        address.finish()
        _renew()
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


def turn(name: str) -> int:
    """Return the turn of a form: whatever is sent in one acts once.

    It is made when the form is shown, and another one when it is shown again after it was used:
    the second click of a double click is still of the first turn.
    """
    turns: dict[str, int] = st.session_state.setdefault(_TURNS, {})
    return turns.setdefault(name, uuid4().int)


def end(name: str) -> None:
    """End the turn of a form whose fields are named by it: it is shown anew, and empty."""
    st.session_state.get(_TURNS, {}).pop(name, None)


def _renew() -> None:
    """Begin new turns for the forms that were used: the page stands there without a click."""
    for name in st.session_state.pop(_USED, ()):
        st.session_state[_TURNS].pop(name, None)


def do(work: Callable[[], object], done: str, *, form: str | None = None) -> None:
    """Do something, tell what became of it, and show the page as it is now.

    A form is named whose turn this was.
    """
    try:
        work()
    except ApiRefusal as refused:
        if refused.is_of_the_key:
            raise
        session.say(refused.sentence, is_refusal=True)
    else:
        session.say(done)
        if form is not None:
            st.session_state.setdefault(_USED, set()).add(form)
    st.rerun()
