"""The choices of a page, kept in its URL: they outlive a rerun, a reload and a change of page."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any, Final

import streamlit as st

from oms.kernel.clock import now

# In the session: the last choices on any page, by parameter; what the page before this run was,
# which choices it showed with which values, and the URL we gave it. A run may end before its page
# does, wherever somebody clicks or types meanwhile: `_DRAWN` is what the last whole one showed.
_KEPT: Final = "address_kept"
_PAGE: Final = "address_page"
_SHOWN: Final = "address_shown"
_DRAWN: Final = "address_drawn"
_VALUES: Final = "address_values"
_WRITTEN: Final = "address_written"
_CAME_BARE: Final = "address_came_bare"
_CAME_WHOLE: Final = "address_came_whole"
_REPLACED: Final = "address_replaced"
# So long a browser may take to show the URL it was given; nobody goes back that fast.
LATE_FOR: Final = timedelta(seconds=1)

Parameters = dict[str, list[str]]


def begin(page: str) -> None:
    """Begin a page: take over what its URL says, if people changed it and not we."""
    state = st.session_state
    found = _in_url()
    if page != state.get(_PAGE):
        # The navigation menu leads to a bare URL: the choices of the last page go on.
        # What a widget of the other page was last set to is less sure than what we kept of it.
        for name in _on_screen():
            state.pop(name, None)
        state[_CAME_BARE] = not found and any(state.get(_KEPT, {}).values())
        # A URL that says something says all of the page: what it does not name is not chosen,
        # whatever this session chose there before. Of other pages it says nothing.
        state[_CAME_WHOLE] = set(found) or None
        _take_over(found)
    elif found != state[_WRITTEN] and not _is_late(found) and (found or not state[_CAME_BARE]):
        # Back or forward within the page.
        forget([*_on_screen(), *state[_WRITTEN]])
        _take_over(found)
    state[_PAGE], state[_SHOWN] = page, []


def recall(name: str) -> list[str]:
    """Return the values of a choice as the URL has them, or as this session last had them."""
    named = st.session_state.get(_CAME_WHOLE)
    if named is not None and name not in named:
        return []
    values: list[str] = st.session_state.get(_KEPT, {}).get(name, [])
    return values


def remember(name: str, values: Sequence[str]) -> None:
    """Remember a choice; one without values is not worth a word in the URL."""
    st.session_state.setdefault(_KEPT, {})[name] = list(values)


def keep(name: str, values: Sequence[str]) -> None:
    """Remember a choice this page shows, so that it stands in its URL."""
    remember(name, values)
    st.session_state[_SHOWN].append(name)


def finish() -> None:
    """End a page: write the choices it has into its URL."""
    state = st.session_state
    kept: Parameters = state.get(_KEPT, {})
    wanted = {name: kept[name] for name in state[_SHOWN] if kept[name]}
    before = _in_url()
    if wanted != before:
        state[_REPLACED] = before, now()
        st.query_params.from_dict(wanted)
    state[_WRITTEN], state[_CAME_WHOLE] = wanted, None
    state[_DRAWN] = list(state[_SHOWN])
    state[_VALUES] = _values()


def forget(names: Sequence[str]) -> None:
    """Forget choices, as if they had never been made."""
    for name in names:
        st.session_state.get(_KEPT, {}).pop(name, None)
        st.session_state.pop(name, None)


def _in_url() -> Parameters:
    return {name: st.query_params.get_all(name) for name in st.query_params}


def _take_over(found: Parameters) -> None:
    forget(list(found))
    for name, values in found.items():
        remember(name, values)
    # Until the page is drawn whole, this is its URL, and nothing in it was changed.
    state = st.session_state
    state[_WRITTEN], state[_DRAWN], state[_VALUES] = found, [], {}


def _is_late(found: Parameters) -> bool:
    """Tell whether the browser had not yet been told the URL of the run before.

    So it is where a choice changed as well, or where somebody clicked at once.
    """
    replaced, at = st.session_state.get(_REPLACED, (None, now()))
    return _changed() or (found == replaced and now() - at < LATE_FOR)


def _values() -> dict[str, Any]:
    return {name: st.session_state.get(name) for name in st.session_state[_DRAWN]}


def _on_screen() -> list[str]:
    """Return the choices of the page before this run: of its last run and its last whole one."""
    state = st.session_state
    return list(dict.fromkeys([*state.get(_SHOWN, []), *state.get(_DRAWN, [])]))


def _changed() -> bool:
    return _values() != st.session_state.get(_VALUES)
