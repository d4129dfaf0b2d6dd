"""Rows: what one figure of money is made of, one by one, with the proof that they add up to it."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

import streamlit as st

from lib.ledger.closing import booked_elsewhere
from lib.ledger.export import Selection
from lib.ledger.movements import Movement, movements
from lib.ledger.queries import pulse
from pages.parts import frame, late_rows, live, period, rows_proof, tables, words
from pages.parts.downloads import downloads
from pages.parts.session import desk

LIMIT = 25
KINDS = {
    "capture": words.Sign("Captured", "check_circle", "green", "The customer paid."),
    "refund": words.Sign("Refunded", "undo", "violet", "Paid back to the customer."),
    "untold": words.Sign(
        "Refunded, by totals", "help", "orange", "Checkout.com's totals say so; which refund it was is being asked for."
    ),
}


def screen() -> None:
    database = desk().database
    drawn, minute = pulse(database), live.this_minute()
    frame.page("Rows", "What one figure is made of, row by row.")
    chosen = selection()
    if chosen is None:
        frame.empty(
            "bar_chart",
            "No figure is chosen",
            "Click a bar on the overview or a day in the settlement.",
            ("overview.py", "Overview"),
        )
        return
    show(chosen, drawn)
    live.redraw_on_change(lambda: pulse(database), drawn, minute)


def selection() -> Selection | None:
    """What the address asks for; None where it does not say, or says nonsense."""
    asked = st.query_params
    try:
        since, until = (datetime.fromisoformat(asked[name]) for name in ("since", "until"))
        zone = ZoneInfo(asked.get("tz") or desk().settings.timezone)
        if since.tzinfo and until.tzinfo and since < until and asked["currency"].isalnum():
            ends = since.astimezone(UTC), until.astimezone(UTC)
            return Selection((asked["currency"],), *ends, zone, desk().settlement_days)
    except (KeyError, ValueError, OSError, OverflowError):
        pass
    return None


def show(chosen: Selection, drawn: int) -> None:
    database, [currency] = desk().database, chosen.currencies
    st.subheader(f"{words.dot(currency)} {words.plain(currency)}, {span(chosen)}", anchor=False)
    proof = rows_proof.proof(pulse=drawn, currency=currency, since=chosen.since, until=chosen.until)
    with st.container(horizontal=True, horizontal_alignment="distribute", vertical_alignment="center"):
        rows_proof.show(proof)
        if proof.holds:
            downloads(chosen, key="rows")
    page = movements(
        database,
        currency,
        chosen.since,
        chosen.until,
        chosen.days,
        cursor=st.query_params.get("cursor"),
        limit=LIMIT,
    )
    if not page.rows:
        frame.empty("inbox", "No money moved", "Nothing was captured or refunded in this time.")
        show_elsewhere(chosen)
        return
    table(page.rows, chosen.zone)
    with st.container(horizontal=True, horizontal_alignment="distribute", vertical_alignment="center"):
        st.caption(
            f"Newest first, times in {chosen.until.astimezone(chosen.zone):%Z}; settlement days {chosen.days}",
            width="content",
        )
        tables.turn_pages(page.newer, page.older, key="rows_turn")
    show_elsewhere(chosen)


def show_elsewhere(chosen: Selection) -> None:
    """Why settlement shows other figures for the same days, where a closed month stays as it was frozen."""
    [currency] = chosen.currencies
    found = booked_elsewhere(desk().database, currency, chosen.since, chosen.until, chosen.days, datetime.now(UTC))
    for rows, where, why, key in (
        (found.away, "Booked later in settlement", "heard of after its month was closed", "away"),
        (found.taken, "Booked here in settlement as well", "of a closed month, heard of after the close", "taken"),
    ):
        if rows:
            st.markdown(f"**{where}**: {period.words_for(len(rows), 'row')}, {why}.")
            late_rows.show([(f"{day:%-d %b %Y}", row) for day, row in rows], "Booked on", currency, key)


def table(rows: list[Movement], zone: ZoneInfo) -> None:
    tables.payment_table(
        {
            "amount": [str(row.money) for row in rows],
            "kind": [[KINDS[row.kind].word] for row in rows],
            "when": [words.stamp(row.at, zone) for row in rows],
            "day": [f"{row.day:%-d %b %Y}" for row in rows],
            "reference": [row.reference or "" for row in rows],
        },
        [row.payment_id for row in rows],
        {
            "amount": tables.money_column(),
            "kind": tables.sign_column(KINDS, "What", 96),
            "when": st.column_config.TextColumn("When", width=142),
            "day": st.column_config.TextColumn("Settlement day", width=112),
            "reference": st.column_config.TextColumn("Reference", width=150),
        },
        key="money_rows",
        alt="Captures and refunds, newest first; the last column opens the payment",
    )


def span(chosen: Selection) -> str:
    """`Wed 14 Oct 2026, HKT` and `Wed 14 Oct – Tue 20 Oct 2026, HKT` where whole days are meant, else
    `Wed 14 Oct 2026 13:00 – Wed 14 Oct 2026 14:00 HKT`."""
    since, until = (edge.astimezone(chosen.zone) for edge in (chosen.since, chosen.until))
    if since.time() != time() or until.time() != time():
        return f"{since:%a %-d %b %Y %H:%M} – {until:%a %-d %b %Y %H:%M %Z}"
    last = until.date() - timedelta(days=1)
    if since.date() == last:
        return f"{since:%a %-d %b %Y, %Z}"
    return f"{since:%a %-d %b}{'' if since.year == last.year else f' {since.year}'} – {last:%a %-d %b %Y}, {since:%Z}"


screen()
