"""A payment's link as a QR code, and why there is none when no phone could open it."""

from __future__ import annotations

import segno
import streamlit as st

from lib import phone
from lib.ledger.tables import Payment


def show(url: str, payment: Payment, *, width: int) -> None:
    """The code, dark on white in both modes."""
    picture = segno.make(url, error="m", micro=False).svg_data_uri(scale=6, border=4, light="white")
    st.image(
        picture, width=width, alt=f"QR code of the KakaoPay link for {payment.money}, reference {payment.reference}"
    )


def show_to_phones(url: str, payment: Payment, *, width: int) -> bool:
    """The code, unless a phone could not open it; then why. Whether it is shown."""
    problem = phone.refusal(url)
    if problem is None:
        show(url, payment, width=width)
        return True
    st.warning(f"No QR code: {problem}", icon=":material/mobile_off:")
    return False
