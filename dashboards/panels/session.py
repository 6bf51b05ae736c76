"""Who is at the console: their key, for as long as the session lasts, and nowhere else."""

from typing import Final

import streamlit as st

from dashboards import format as written
from dashboards.api_client import ApiRefusal, Client, Json
from oms.settings import Settings

LOOPBACK: Final = frozenset({"127.0.0.1", "localhost", "::1"})
_KEY: Final = "api_key"
_ME: Final = "signed_in_as"
_SAID: Final = "console_said"


def client() -> Client | None:
    """Return the API under the key of who is signed in."""
    key = st.session_state.get(_KEY)
    return None if key is None else Client(address(), key)


def address() -> str:
    """Return where the API is."""
    return f"http://127.0.0.1:{Settings().api_port}"


def say(sentence: str, *, is_refusal: bool = False) -> None:
    """Keep a sentence for the next time a page is drawn."""
    st.session_state[_SAID] = (sentence, is_refusal)


def told() -> None:
    """Tell what was kept, once."""
    sentence, is_refusal = st.session_state.pop(_SAID, (None, False))
    if sentence is not None:
        (st.error if is_refusal else st.success)(sentence)


def sign_in(because: str | None = None) -> None:
    """Ask for a key."""
    if because:
        st.error(because)
    st.markdown(
        "Sign in with your personal API key: what you do here is done in your name. The key stays"
        " in this window's session and is forgotten when you sign out or reload."
    )
    with st.form("sign_in", width=520):
        key = st.text_input(
            "API key", type="password", placeholder="oms_…", autocomplete="off", key="typed_key"
        )
        if st.form_submit_button("Sign in", type="primary", icon=":material/login:"):
            _try(key.strip())
    offered = _offered()
    if offered is not None:
        st.caption("This system runs on this machine for one person.")
        if st.button("Go on as this machine's admin", key="as_admin", icon=":material/key:"):
            _try(offered)


def sign_out() -> None:
    """Forget the key, and with it everything this session has seen."""
    st.session_state.pop(_KEY, None)
    st.session_state.pop(_ME, None)


def me(current: Client) -> Json:
    """Return who is signed in, and what their key allows; asked once in a session."""
    if st.session_state.get(_ME, {}).get("key_id") != current.key_id:
        st.session_state[_ME] = current.get("/v1/me")
    found: Json = st.session_state[_ME]
    return found


def may(current: Client, scope: str) -> bool:
    """Tell whether who is signed in may do something."""
    return scope in me(current)["scopes"]


def badge(current: Client) -> None:
    """Say who is signed in, and let them out."""
    who = me(current)
    with st.sidebar:
        st.caption(written.plain(f"Signed in as {who['name']} ({who['role']})"))
        st.button("Sign out", key="sign_out", icon=":material/logout:", on_click=sign_out)


def _try(key: str) -> None:
    try:
        Client(address(), key).get("/v1/me")
    except ApiRefusal as refused:
        st.error(refused.sentence)
        return
    st.session_state[_KEY] = key
    st.rerun()


def _offered() -> str | None:
    """Return the admin key of this home, where a setting offers it to whoever sits here."""
    settings = Settings()
    is_local = st.get_option("server.address") in LOOPBACK
    if not (settings.offer_admin_key and is_local and settings.admin_key_path.is_file()):
        return None
    return settings.admin_key_path.read_text(encoding="utf-8").strip()
