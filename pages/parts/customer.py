"""The customer of a payment: what to tell them, what else they paid, and the chain of their recurring charges."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

import pandas as pd
import streamlit as st

from lib import catalog
from lib.ledger.customers import Chain, Others
from lib.ledger.letter import letter
from lib.ledger.tables import Payment, Refund
from lib.money import NBSP, Money
from pages.parts import erase, words
from pages.parts.session import desk, operator


def show(payment: Payment, refunds: Sequence[Refund], others: Others, chain: Chain | None) -> None:
    left, right = st.columns(2, gap="medium")
    with left:
        show_letters(payment, refunds)
    with right:
        show_others(payment, others)
    if chain:
        show_chain(payment, chain)
    if operator().may("erase"):
        erase.offer(payment, others)


def show_letters(payment: Payment, refunds: Sequence[Refund]) -> None:
    st.subheader("Tell the customer", anchor=False)
    st.caption("Ready to send as it stands: point at it, or tap it, to copy.")
    for code, language in catalog.customer_words().items():
        st.markdown(f":gray[:small[{language.name}]]")
        said = letter(payment, refunds, code, zone=desk().settings.zone, now=datetime.now(UTC))
        st.code(said, language=None, wrap_lines=True)


def show_others(payment: Payment, others: Others) -> None:
    st.subheader("Other payments of this customer", anchor=False)
    if not (payment.customer_id or payment.customer_email):
        st.markdown(":gray[Nothing is known of this customer by which to find others.]")
        return
    if not others.count:
        st.markdown(":gray[None: this is the only one under this customer's id or e-mail address.]")
        return
    st.caption(f"{counted(others)}, by customer id or e-mail address; the newest first.")
    show_table(others.newest, [link(other) for other in others.newest], "Other payments of this customer")
    if others.count > len(others.newest) and payment.customer_email:
        st.page_link(
            "payments.py",
            label="All of them in Payments",
            icon=":material/arrow_forward:",
            query_params={"q": payment.customer_email},
        )


def counted(others: Others) -> str:
    """`3 other payments`, `over 100 other payments`; empty when there are none."""
    if not others.count:
        return ""
    number = f"over {others.count}" if others.more else str(others.count)
    # In one piece: on a phone its last word stood alone in a line.
    return f"{number} other payment{'s' if others.count > 1 else ''}".replace(" ", NBSP)


def link(payment: Payment) -> str:
    """Its reference, or its id, as Markdown that opens it beside this one."""
    return f"[{words.plain(payment.reference or words.short_id(payment.id))}](payment?id={payment.id})"


def show_chain(payment: Payment, chain: Chain) -> None:
    """From the payment that the customer agreed to, through every charge since, to what they brought in each currency."""
    st.subheader("Recurring chain", anchor=False)
    st.caption(
        f"{chain.count} payment{'s' if chain.count > 1 else ''} of the stored source {payment.source_id}; "
        "net is captured less refunded."
    )
    with st.grid(3, min_column_width=200, gap="small"):
        for total in chain.totals:
            st.metric(
                f"{words.dot(total.captured.currency)} Net in {total.captured.currency}",
                str(total.net),
                border=True,
                help=f"Captured {total.captured}, refunded {total.refunded}.",
            )
    listed = list(chain.newest)
    left_out = chain.count - len(listed)
    if chain.first.id not in {each.id for each in listed}:
        listed.append(chain.first)
        left_out -= 1
    show_table(listed, [chain_name(each, payment, chain) for each in listed], "Payments of the recurring chain")
    if left_out > 0:
        st.caption(f"{left_out} between the oldest and the others are not listed; they count in the sums.")


def chain_name(one: Payment, shown: Payment, chain: Chain) -> str:
    """Its reference, as a link unless it is on the screen already, and its place in the chain."""
    place = "first payment" if one.id == chain.first.id else "charge"
    if one.id == shown.id:
        return f"**{words.plain(one.reference or words.short_id(one.id))}** :gray[:small[{place}, this one]]"
    return f"{link(one)} :gray[:small[{place}]]"


def show_table(payments: Sequence[Payment], names: Sequence[str], alt: str) -> None:
    """Payments with their names as Markdown; below each when it was asked for and what was refunded. Fits a phone."""
    zone = desk().settings.zone
    details = [
        f"{words.when(each.requested_at, zone)}{f' · refunded {back}' if (back := refunded(each)) else ''}"
        for each in payments
    ]
    table = pd.DataFrame(
        {
            "Payment": [f"{name}  \n:gray[:small[{more}]]" for name, more in zip(names, details, strict=True)],
            "Status": [words.status(each.status).badge for each in payments],
            "Amount": [each.amount or 0 for each in payments],
        }
    )
    style = table.style
    for number, each in enumerate(payments):  # whole numbers are what a table sets flush right
        style = style.format(
            lambda minor, currency=each.money.currency: str(Money(minor, currency)), subset=([number], ["Amount"])
        )
    st.table(style, border="horizontal", hide_index=True, alt=alt)


def refunded(payment: Payment) -> Money:
    return Money(payment.refunded, payment.money.currency)
