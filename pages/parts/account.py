"""The refund account of a payment: captured, refunded, on its way, remaining, and every entry behind the figures."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pandas as pd
import pyarrow as pa
import streamlit as st

from lib import catalog
from lib.ledger.account import Account, account, earlier
from lib.ledger.order_lines import lines_of
from lib.ledger.refunds import expected_between
from lib.ledger.tables import Payment, Refund
from lib.money import NBSP, Money
from pages.parts import charts, frame, words
from pages.parts.kept import kept
from pages.parts.session import desk

REFUNDED, UNDERWAY, REMAINING = "#8B6CD9", "#D97706", "#0E9F6E"
LISTED = 12
"""Refunds that are listed one by one; what was paid out before them stands in one line, unless somebody asks for all."""
MOVED = ("refunded", "pending", "submitting", "awaiting_approval")


def show(payment: Payment, refunds: Sequence[Refund]) -> None:
    """The card on the left of the payment screen."""
    with st.container(border=True, height="stretch"):
        with frame.place():
            if payment.captured or refunds:
                show_account(payment, account(payment), refunds)
            else:
                show_uncaptured(payment)
        show_facts(payment)


def show_account(payment: Payment, held: Account, refunds: Sequence[Refund]) -> None:
    show_figures(held)
    show_entries(payment, held, refunds)


@kept
def show_figures(held: Account) -> None:
    st.subheader(f"Refund account, {words.plain(held.captured.currency)}", anchor=False)
    with st.grid(4, min_column_width=120):
        st.metric("Captured", held.captured.figure)
        st.metric(f"{square(REFUNDED)} Refunded", held.refunded.figure)
        st.metric(
            f"{square(UNDERWAY)} On its way",
            held.underway.figure,
            help="Held back for refunds that are not decided yet.",
        )
        st.metric(f"{square(REMAINING)} Remaining", held.remaining.figure)
    show_bar(held)


def square(colour: str) -> str:
    return f':color[■]{{foreground="{colour}"}}'


def show_bar(held: Account) -> None:
    parts = (
        ("Refunded", held.refunded, REFUNDED),
        ("On its way", held.underway, UNDERWAY),
        ("Remaining", held.remaining, REMAINING),
    )
    bars = [
        {
            "type": "bar",
            "orientation": "h",
            "x": [amount.minor],
            "y": [""],
            "marker": {"color": colour},
            "hovertemplate": f"{name} {amount}<extra></extra>",
        }
        for name, amount, colour in parts
        if amount
    ]
    layout = {
        "barmode": "stack",
        "height": 20,
        "margin": {"l": 0, "r": 0, "t": 0, "b": 0},
        "showlegend": False,
        "bargap": 0,
        "dragmode": False,
        "xaxis": {"visible": False, "fixedrange": True, "range": [0, held.captured.minor]},
        "yaxis": {"visible": False, "fixedrange": True},
    }
    said = ", ".join(f"{amount} {name.lower()}" for name, amount, _ in parts)
    st.plotly_chart(
        charts.Figure(bars, layout),
        config={"displayModeBar": False},
        key="account_bar",
        alt=f"Of {held.captured} captured: {said}",
    )


def show_entries(payment: Payment, held: Account, refunds: Sequence[Refund]) -> None:
    """Signed entries that add up to what remains: paid out, then on their way. What gave its amount back comes last."""
    zone = desk().settings.zone
    currency = held.captured.currency
    captured_at = words.when(payment.captured_at or payment.updated_at, zone)
    rows = [("", captured_at, words.status("Captured").badge, held.captured)]
    moved = sorted((refund for refund in refunds if refund.status in MOVED), key=lambda one: one.status != "refunded")
    unmoved = [refund for refund in refunds if refund.status not in MOVED]
    before, came_to = earlier(moved, currency, listed=LISTED)
    with frame.place():
        summed = bool(before) and not st.toggle(f"List {len(before)} earlier refunds", key=f"all_entries_{payment.id}")
    if summed:
        since, until = (words.stamp(before[end].requested_at, zone) for end in (0, -1))
        sign = words.refund_status("refunded")
        rows.append((f"{len(before)} earlier refunds", f"asked for {since} to {until}", sign.badge, -came_to))
        gone = {refund.key for refund in before}
        moved = [refund for refund in moved if refund.key not in gone]
    for refund in moved + unmoved:
        who = f", by {whole(words.plain(refund.requested_by))}" if refund.requested_by else ""
        what = f"{words.refund_reason(refund)}{who}"
        rows.append((what, details(refund, refunds), words.refund_sign(refund).badge, -refund.money))
    shown = len(rows) - len(unmoved)
    rows.insert(shown, ("**Remaining**", "", "", held.remaining))
    # The badge stands before the words: a column of its own would leave them no room on a phone.
    entries = [
        (f"{badge} {what}  \n:gray[:small[{more}]]" if more else what, amount.minor)
        for what, more, badge, amount in rows
    ]
    draw_entries(entries, currency, bracketed=len(unmoved))
    if unmoved:
        st.caption("Amounts in brackets were given back to what remains and do not count.")


@kept
def draw_entries(entries: Sequence[tuple[str, int]], currency: str, *, bracketed: int) -> None:
    """Entry and minor units of `currency`; the last `bracketed` ones do not count."""
    style = pd.DataFrame(entries, columns=["Entry", "Amount"]).style
    style = style.format({"Amount": lambda minor: str(Money(minor, currency))})
    if bracketed:
        last = list(range(len(entries) - bracketed, len(entries)))
        style = style.format({"Amount": lambda minor: f"({Money(-minor, currency)})"}, subset=(last, ["Amount"]))
    st.table(style, border="horizontal", hide_index=True, alt="Entries of the refund account")


def whole(text: str) -> str:
    """Words that a phone does not part: its lines would break within a name or a date."""
    return text.replace(" ", NBSP)


def details(refund: Refund, refunds: Sequence[Refund]) -> str:
    """When it was asked for and what has become of it since, in one line."""
    zone = desk().settings.zone
    parts = [words.when(refund.requested_at, zone)]
    if refund.approved_by:
        parts.append(f"approved by {words.plain(refund.approved_by)}")
    if refund.status in ("pending", "refunded"):
        first, last = expected_between(refund)
        parts.append(f"with the customer {whole(f'{words.day(first)} to {words.day(last)}')}")
    elif refund.status == "awaiting_approval" and refund.approve_by:
        parts.append(f"waits for approval until {whole(words.stamp(refund.approve_by, zone))}")
    elif refund.decided_at and refund.status not in MOVED:
        parts += [words.refund_ending(refund), f"given back {words.when(refund.decided_at, zone)}"]
    pieces = [f"{line['quantity']} × {words.plain(line['name'])}" for line in lines_of(refund)]
    parts += pieces
    first_try = next((each for each in refunds if each.key == refund.retry_of), None)
    if first_try:
        parts.append(f"tries again what was asked for {words.when(first_try.requested_at, zone)}")
    again = next((each for each in reversed(refunds) if each.retry_of == refund.key), None)
    if again:
        parts.append(f"tried again {words.when(again.requested_at, zone)}")
    return " · ".join(part for part in parts if part)


def show_uncaptured(payment: Payment) -> None:
    """Its link, or how it ended; what that means stands above."""
    if payment.status == "Pending" and payment.redirect_url:
        st.subheader("The customer's link", anchor=False)
        st.code(payment.redirect_url, language=None, wrap_lines=True)
        st.link_button("Open KakaoPay page", payment.redirect_url, icon=":material/open_in_new:")
        return
    sign = words.status(payment.status)
    st.subheader(f":material/{sign.icon}: {sign.word}", anchor=False)
    said = words.response(payment.response_code, payment.response_summary)
    if said:
        st.markdown(said)
    if payment.closed_at:
        st.caption(f"Ended {words.when(payment.closed_at, desk().settings.zone)}")


def show_facts(payment: Payment) -> None:
    rules = catalog.kakaopay()
    kind = rules.payment_types.get(payment.payment_type or "", payment.payment_type)
    place = rules.terminal_types.get(payment.terminal_type or "", payment.terminal_type)
    rows = {
        "Kind": " · ".join(words.plain(part) for part in (kind, place) if part) or "Of an unknown type",
        "Asked for by": words.plain(payment.requested_by or "Someone outside this dashboard"),
    }
    if payment.source_id:
        rows["Stored source"] = f"`{payment.source_id}`"
    draw_facts(rows, payment.id)


@kept
def draw_facts(rows: Mapping[str, str], payment_id: str) -> None:
    table = pa.table({"What": [f":gray[{name}]" for name in rows], "Value": list(rows.values())})
    st.table(
        table,
        border="horizontal",
        hide_index=True,
        hide_header=True,
        alt="What kind of payment it is, and who asked for it",
    )
    st.code(payment_id, language=None, wrap_lines=True)
