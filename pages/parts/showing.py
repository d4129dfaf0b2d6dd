"""What the screens for an audience share: asking for the payment that is shown, and what stands in its way."""

from __future__ import annotations

import streamlit as st

from lib.ledger.payments import find_creation, request_payment
from lib.ledger.queries import find_payment
from lib.ledger.showcase import demonstration
from lib.ledger.tables import Creation, Payment
from pages.parts import live, words
from pages.parts.session import desk, operator


def ask(key: str) -> None:
    """Ask for the payment under `key`, which makes one however often it is used."""
    request_payment(desk(), operator(), demonstration(desk()), key=key)


def asked(key: str | None) -> Creation | None:
    """What was asked for under a key from the address."""
    return find_creation(desk().database, key) if key else None


def payment_of(creation: Creation) -> Payment | None:
    """The payment that came of it; says why there is none yet, or never."""
    payment = find_payment(desk().database, creation.payment_id) if creation.payment_id else None
    if payment is None and creation.status == "refused":
        st.error(words.plain(creation.problem or "Checkout.com refused the request."), icon=":material/error:")
    elif payment is None:
        st.info(
            "Checkout.com has not answered yet. The same request is sent again by itself until it does, and can make "
            "one payment only.",
            icon=":material/hourglass_top:",
        )
        wait(creation.key)
    return payment


@live.every(1)
def wait(key: str) -> None:
    """Draw the screen again once the answer is there."""
    creation = asked(key)
    if creation is None or creation.status != "sending":
        st.rerun()
