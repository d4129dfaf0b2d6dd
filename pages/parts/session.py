"""What every screen needs: the desk (settings, ledger, Checkout.com) and the person who acts."""

from __future__ import annotations

from typing import Any

import streamlit as st

from lib.gate import caller
from lib.ledger.desk import Desk, open_desk
from lib.operators import ROLES, Operator
from lib.sign_in import NotIn, person

NAME, ROLE = "acting_name", "acting_role"
"""Of a session without sign-in: who acts, and with which role (empty: with every one)."""


def desk() -> Desk:
    """The one desk of this process, for all sessions. Raises `SettingsError`."""
    # Kept where it is opened: every screen asks a dozen times, and a cache of Streamlit's takes its time each time.
    return open_desk(port=int(st.get_option("server.port")))


def operator() -> Operator:
    """Who acts: whoever signed in, or without sign-in whoever was chosen in the menu. Raises `NotIn`."""
    settings = desk().settings
    if settings.sign_in:
        return person(
            claims(),
            rules=settings.role_rules,
            roles_claim=settings.roles_claim,
            lasts=settings.sign_in_lasts,
            address=address(),
        )
    name = st.session_state.get(NAME) or settings.operator_names[0]
    role = st.session_state.get(ROLE)
    return Operator(name, frozenset({role} if role in ROLES else ROLES), "local", address())


def claims() -> dict[str, Any]:
    """What the provider says of whoever signed in; empty when nobody did."""
    said = st.user.to_dict()
    return {**said} if said.get("is_logged_in") else {}


def let_in() -> bool:
    """Whether somebody acts who may be here."""
    try:
        operator()
    except NotIn:
        return False
    return True


def address() -> str | None:
    """From where this session's browser came, as far as it can be known."""
    sent = st.context.headers
    headers = {name.lower(): ", ".join(sent.get_all(name)) for name in sent}
    # Streamlit says None for this machine.
    found = caller(st.context.ip_address or "127.0.0.1", headers, desk().settings.proxies)
    return str(found) if found else None
