"""Who acts: shown in the menu with their role, chosen there without sign-in; and the screen that asks to sign in."""

from __future__ import annotations

from urllib.parse import urlsplit

import streamlit as st

from lib.operators import ROLES, Operator
from lib.sign_in import NoRole, NotIn, signed_in_at
from pages.parts import frame, words
from pages.parts.session import NAME, ROLE, address, claims, desk

_NOTED = "sign_in_noted"


def show_in_menu(operator: Operator) -> None:
    """The person at the foot of the menu."""
    with st.sidebar, st.container(gap="xsmall"):
        if operator.origin == "sign-in":
            st.caption(f"{words.plain(operator.name)}  \n{words.roles(operator.roles)}")
            if st.button("Sign out", icon=":material/logout:", type="tertiary", key="sign_out"):
                from lib.ledger.visits import went  # noqa: PLC0415 - as below

                went(desk().database, operator)
                st.logout()
                st.rerun()  # nothing more is drawn for whoever just left
        else:
            _choose()


def _choose() -> None:
    names = desk().settings.operator_names
    if len(names) > 1:
        st.selectbox("Acting person", names, key=NAME, persist_state="session")
    else:
        st.caption(f"Acting person: {words.plain(names[0])}")
    st.selectbox(
        "Acting role",
        ["", *ROLES],
        key=ROLE,
        persist_state="session",
        format_func=lambda role: role.capitalize() if role else "Every role",
        help="Without sign-in, whoever sits at this machine may try every role. The audit log says who acted and how.",
    )


def remember(operator: Operator) -> None:
    """Have a sign-in noted, once in this session."""
    if operator.origin != "sign-in":
        return
    moment = signed_in_at(claims())
    if moment and _NOTED not in st.session_state:
        from lib.ledger.visits import came  # noqa: PLC0415 - without sign-in nobody needs the audit log for a first screen

        came(desk().database, operator, moment)
        st.session_state[_NOTED] = True


def show_sign_in(why: NotIn) -> None:
    """The screen in place of every other one, for whoever is not let in."""
    st.set_page_config(page_title=frame.tab_title("Sign in", desk().settings.world))
    frame.page("Sign in", "Payments, refunds and settlement are for people who are known here.")
    moment = signed_in_at(claims())
    if isinstance(why, NoRole) and moment and _NOTED not in st.session_state:
        from lib.ledger.visits import turned_away  # noqa: PLC0415 - as above

        turned_away(desk().database, why.name, address(), moment)
        st.session_state[_NOTED] = True
    provider = urlsplit(desk().settings.sign_in_metadata_url or "").hostname or ""
    icon, title = ("block", "No role here") if isinstance(why, NoRole) else ("lock", "Please sign in")
    with frame.empty(icon, title, words.plain(str(why))):
        if st.button(frame.primary(f"Sign in at {provider}", "login"), type="primary", key="sign_in"):
            st.login()
        if isinstance(why, NoRole) and st.button("Sign out", icon=":material/logout:", key="sign_out"):
            st.logout()
