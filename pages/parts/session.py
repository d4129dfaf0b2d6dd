"""What every screen needs: the desk (settings, ledger, Checkout.com) and the person who acts."""

from __future__ import annotations

import streamlit as st

from lib.ledger.desk import Desk, open_desk
from lib.operators import Operator


@st.cache_resource(show_spinner=False)
def desk() -> Desk:
    """The one desk of this process, for all sessions. Raises `SettingsError`."""
    return open_desk(port=int(st.get_option("server.port")))


def operator() -> Operator:
    """Who acts: without sign-in, the name from the settings."""
    return Operator(name=desk().settings.operator_name)
