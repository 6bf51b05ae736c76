"""Choosing one or several of some options, remembered by the address of the page."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

import streamlit as st

from dashboards.widgets import address

TYPED_MAX: Final = 50  # of one filter the API takes no more


def chosen_one(name: str, options: Sequence[str], default: str) -> str:
    """Return what is chosen, before its widget is drawn; the default if that is no option."""
    if name not in st.session_state:
        st.session_state[name] = next(iter(address.recall(name)), default)
    if st.session_state[name] not in options:
        st.session_state[name] = default
    value: str = st.session_state[name]
    address.keep(name, [] if value == default else [value])
    return value


def chosen_many(name: str, options: Sequence[str]) -> tuple[str, ...]:
    """Return what is chosen, before its widget is drawn; what is no option is left out."""
    if name not in st.session_state:
        st.session_state[name] = address.recall(name)
    known = set(options)
    st.session_state[name] = [value for value in st.session_state[name] if value in known]
    address.keep(name, st.session_state[name])
    return tuple(st.session_state[name])


def segments(label: str, name: str, options: Mapping[str, str], default: str) -> str:
    """Let one of a few options be chosen, all of them in sight."""
    value = chosen_one(name, list(options), default)
    st.segmented_control(
        label,
        list(options),
        default=value,
        format_func=options.__getitem__,
        key=name,
        required=True,
        label_visibility="collapsed",
    )
    return value


def select(label: str, name: str, options: Mapping[str, str], default: str) -> str:
    """Let one of several options be chosen."""
    value = chosen_one(name, list(options), default)
    codes = list(options)
    st.selectbox(label, codes, index=codes.index(value), format_func=options.__getitem__, key=name)
    return value


def several(label: str, name: str, options: Mapping[str, str], placeholder: str) -> None:
    """Let any number of options be chosen; none means all of them."""
    st.multiselect(
        label,
        list(options),
        default=st.session_state[name],
        format_func=options.__getitem__,
        key=name,
        placeholder=placeholder,
    )


def typed_many(label: str, name: str, placeholder: str) -> list[str]:
    """Let any number of texts be typed; none means all there is."""
    if name not in st.session_state:
        st.session_state[name] = address.recall(name)
    # A space is no text, and the same text twice is one.
    texts = list(dict.fromkeys(each.strip() for each in st.session_state[name] if each.strip()))
    st.session_state[name] = texts
    address.keep(name, texts)
    st.multiselect(
        label, [], key=name, accept_new_options=True, placeholder=placeholder,
        max_selections=TYPED_MAX,
    )  # fmt: skip
    return texts


def pills(label: str, name: str, options: Mapping[str, str], **more: Any) -> None:
    """Let one of a few options be chosen, in a filter."""
    st.pills(
        label,
        list(options),
        default=st.session_state[name],
        format_func=options.__getitem__,
        key=name,
        required=True,
        **more,
    )


def radio(
    label: str, name: str, options: Mapping[str, str], captions: Sequence[str] | None = None
) -> None:
    """Let one of a few options be chosen, each on its line."""
    codes = list(options)
    st.radio(
        label,
        codes,
        index=codes.index(st.session_state[name]),
        format_func=options.__getitem__,
        key=name,
        captions=captions,
    )
