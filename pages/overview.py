"""Overview: what came in and went back, by currency; where payments stop; what happened last."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

import streamlit as st

from lib.ledger import queries, volumes
from lib.ledger.breakdown import breakdown
from lib.ledger.periods import Period, change, edges, preceding
from lib.ledger.success import Outcomes, outcomes
from lib.ledger.tables import Payment
from lib.ledger.volumes import Volumes
from lib.ledger.watchdog import count_overdue
from lib.money import MINUS, Money
from pages.parts import charts, frame, live, overview_parts, overview_period, simulator, tables, words
from pages.parts.overview_period import View
from pages.parts.session import desk

COLUMNS = 3
LATEST = 8
MOST_OVERDUE = 100
BARS = "bars_"
CLICKED = "bar_clicked"


def screen() -> None:
    database = desk().database
    drawn, minute = queries.pulse(database), live.this_minute()
    frame.page("Overview", "What was captured and refunded, by currency. Currencies are never added up.")
    latest = queries.find_payments(database, queries.PaymentFilter(), limit=LATEST).rows
    if latest:
        show_overdue()
        figures(latest)
    else:
        welcome()
    live.redraw_on_change(lambda: queries.pulse(database), drawn, minute)


def show_overdue() -> None:
    late = count_overdue(desk().database, datetime.now(UTC), limit=MOST_OVERDUE)
    if not late:
        return
    count = f"{late}+" if late == MOST_OVERDUE else late
    waits = "1 payment waits" if late == 1 else f"{count} payments wait"
    st.page_link(
        "overdue.py",
        label=f"{waits} for news longer than expected",
        icon=":material/hourglass_bottom:",
        width="content",
    )


def welcome() -> None:
    with st.container(border=True, horizontal_alignment="center"):
        st.markdown("### Nothing here yet, and three steps show you everything", text_alignment="center")
        st.markdown(
            "1. **Create a payment.** You get a link and a QR code for the customer.\n"
            "2. **Pay it** on the KakaoPay page behind the link. This screen changes by itself.\n"
            "3. **Refund** part of it, and see what remains.",
            width="content",
        )
        if st.button(frame.primary("New payment", "add_card"), type="primary"):
            st.switch_page("new_payment.py")
        simulator.offer_sample_data()


def figures(latest: Sequence[Payment]) -> None:
    database = desk().database
    view = overview_period.choose()
    period, zone = view.period, view.zone
    borders = edges(period, zone, view.step)
    slots = volumes.by_slot(database, borders)
    earlier = preceding(period, zone)
    before = volumes.totals(database, earlier.since, earlier.until)
    now = volumes.added_up(slots)
    order = [*desk().settings.currencies, *sorted(now.keys() - set(desk().settings.currencies))]
    shown = [currency for currency in order if currency in now]
    if not shown:
        frame.empty("calendar_month", f"Nothing {of_days(period)}", "Choose another period above.")
        show_latest(latest)
        return
    # The last row is always full: what the currencies leave free goes to the outcomes, or to them and the newest payments.
    free = -len(shown) % COLUMNS
    wall = st.grid(COLUMNS, min_column_width=270, gap="small")
    with wall:
        for currency in shown:
            net_before = before[currency].net if currency in before else Money(0, currency)
            show_currency(now[currency], net_before, view, borders, slots)
        if free > 1:
            with wall.cell(column_span=free):
                show_outcomes(outcomes(now.values()))
        else:
            show_outcomes(outcomes(now.values()))
        if not free:
            with wall.cell(column_span=COLUMNS - 1):
                show_latest(latest)
    found = breakdown(database, period.since, period.until)
    if found:
        overview_parts.show_parts(found, now, zone.key)
    if free:
        show_latest(latest)
    open_chosen_bar(borders, zone)


def of_days(period: Period) -> str:
    days = len(period.days)
    return "today" if days == 1 and period.until < period.since + timedelta(days=1) else f"in these {days} days"


def open_chosen_bar(borders: Sequence[datetime], zone: ZoneInfo) -> None:
    """Go to the rows of the bar that was just clicked. Once: who comes back finds the overview."""
    key = st.session_state.pop(CLICKED, None)
    place = charts.chosen_bar(key) if key else None
    if place is not None and place + 1 < len(borders):
        tables.open_rows(key.removeprefix(BARS), borders[place], borders[place + 1], zone)


def clicked(key: str) -> None:
    st.session_state[CLICKED] = key


def show_currency(
    now: Volumes, before: Money, view: View, borders: Sequence[datetime], slots: Sequence[Mapping[str, Volumes]]
) -> None:
    currency, period = now.currency, view.period
    moved = change(now.net, before)
    with st.container(border=True, height="stretch", gap="xsmall"):
        with st.container(horizontal=True, horizontal_alignment="distribute", vertical_alignment="center"):
            st.markdown(f":small[{words.dot(currency)} **{words.plain(currency)}** net]", width="content")
            st.page_link(
                "payments.py",
                label=":small[Payments]",
                icon=":material/chevron_right:",
                icon_position="right",
                help=f"Payments in {currency} requested in these days",
                query_params={
                    "currency": currency,
                    "since": period.first.isoformat(),
                    "until": period.last.isoformat(),
                },
            )
        st.metric(
            f"{currency} net",
            str(now.net),
            label_visibility="collapsed",
            delta=percent(moved) if moved is not None else str(before) if before else "nothing",
            delta_color="green" if moved and moved > 0 else "red" if moved else "off",
            delta_arrow="up" if moved and moved > 0 else "down" if moved else "off",
            delta_description=compared(len(period.days), vs=moved is not None),
        )
        st.caption(
            f"Captured {now.captured} in {now.captured_count:,} · refunded {-now.refunded} in {now.refunded_count:,}"
        )
        if now.captured or now.refunded:
            begins = [edge.astimezone(view.zone) for edge in borders[:-1]]
            charts.slot_bars(currency, begins, slots, view.step, key=f"{BARS}{currency}", on_click=clicked)
        else:
            st.caption("Requested, but nothing captured in this time.")


def compared(days: int, *, vs: bool) -> str:
    """What follows the change, or what there was before where no change can be told."""
    if days == 1:
        return "vs the day before" if vs else "on the day before"
    return f"vs {days} days before" if vs else f"in the {days} days before"


def percent(moved: Decimal) -> str:
    return f"{moved:+,}%".replace("-", MINUS) if moved else "no change"


def show_outcomes(seen: Outcomes) -> None:
    with st.container(border=True, height="stretch", gap="xsmall"):
        st.subheader("Where do payments stop?", anchor=False)
        success = "None has ended yet." if seen.success is None else f"{seen.success}% of those that ended were paid."
        st.caption(f"Number of payments, all currencies. {success}")
        charts.step_bars(
            {
                "Requested": seen.requested,
                "Captured": seen.captured,
                "Declined": seen.declined,
                "Expired": seen.expired,
                "Canceled": seen.canceled,
                "Refunds": seen.refunds,
            },
            key="steps",
            alt=f"{seen.requested} payments requested, {seen.captured} captured, {seen.declined} declined, "
            f"{seen.expired} expired, {seen.canceled} canceled; {seen.refunds} refunds. {success}",
        )


def show_latest(payments: Sequence[Payment]) -> None:
    with st.container(gap="xsmall"):
        st.subheader("What happened last?", anchor=False)
        tables.payment_table(
            {
                "amount": [str(payment.money) for payment in payments],
                "status": [[words.status(payment.status).word] for payment in payments],
                "age": [words.ago(payment.requested_at) for payment in payments],
                "reference": [payment.reference or "" for payment in payments],
            },
            [payment.id for payment in payments],
            {
                "amount": tables.money_column(),
                "status": tables.sign_column(words.STATUSES),
                "age": st.column_config.TextColumn("Age", width=88),
                "reference": st.column_config.TextColumn("Reference", width=150),
            },
            key="latest",
            alt="The newest payments",
        )


screen()
