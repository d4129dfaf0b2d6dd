"""What the overview's figures are made of: how far payments come, refunds, declines, terminals, and when people pay."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping
from decimal import Decimal

import streamlit as st

from lib import catalog
from lib.ledger.breakdown import Breakdown, rate
from lib.ledger.success import Outcomes
from lib.ledger.volumes import Volumes
from lib.money import NBSP
from pages.parts import charts, words
from pages.parts.kept import kept

MOST = 6
"""Bars of one chart; what is rarer is added up in the last."""
WEEK = 7
"""Days, below which a map of weekdays would mostly be empty."""
LABEL = 20
"""Characters of a line before a bar."""


@kept
def show_outcomes(seen: Outcomes) -> None:
    """How many payments came how far."""
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


def show_parts(found: Breakdown, now: Mapping[str, Volumes], zone: str) -> None:
    """The cards below the currencies."""
    rates = {currency: rate(volumes.refunded, volumes.captured) for currency, volumes in now.items()}
    _cards(found, rates, zone)


@kept
def _cards(found: Breakdown, rates: Mapping[str, Decimal | None], zone: str) -> None:
    st.subheader("What is behind the figures?", anchor=False)
    days = f"{found.first:%-d %b} – {found.last:%-d %b %Y} in {found.zone}, as the ledger keeps its days"
    elsewhere = "" if found.zone == zone else f" {days}."
    st.caption(f"Numbers of payments and refunds, all currencies.{elsewhere}")
    with st.grid(2, min_column_width=270, gap="small"):
        refunds(found, rates)
        # The two short ones share the height of the long one.
        with st.container(height="stretch", gap="small"):
            card(
                "Why were payments declined?",
                {words.response_name(code): count for code, count in found.declines.items()},
                "No payment was declined.",
                "declines",
            )
            names = catalog.kakaopay().terminal_types
            card(
                "Where do customers pay?",
                {names.get(name, name) or "Not told": count for name, count in found.terminals.items()},
                "Nobody paid.",
                "terminals",
            )
    when(found)


def refunds(found: Breakdown, rates: Mapping[str, Decimal | None]) -> None:
    """Refund rate by currency in percent, and the reasons."""
    with st.container(border=True, height="stretch", gap="xsmall"):
        st.subheader("How much is refunded, and why?", anchor=False)
        told = "\u2003".join(  # not with points between: one that ends a line looks lost
            f"{words.dot(name)}{NBSP}{words.plain(name)}{NBSP}{share}%"
            for name, share in rates.items()
            if share is not None
        )
        # Not a caption: that fades the dots as well, on dark until nobody sees them.
        st.markdown(f":small[Of what was captured: {told or 'nothing was captured'}]")
        bars(
            {words.reason(name): count for name, count in found.reasons.items()},
            "Nothing was refunded.",
            "reasons",
            "Refunds by reason",
        )
        if found.reasons:
            with st.expander("Amounts by reason", type="compact"):
                for name in list(found.reasons)[:MOST]:
                    money = [str(by_reason[name]) for by_reason in found.refunds.values() if name in by_reason]
                    st.caption(f"{words.reason(name)}: {', '.join(money)}")


def when(found: Breakdown) -> None:
    """Weekday by hour, and how long people take."""
    if not any(map(any, found.hours)) or (found.last - found.first).days < WEEK - 1:
        return
    with st.container(border=True, gap="xsmall"):
        st.subheader("When do customers pay?", anchor=False)
        median = found.median_seconds
        half = f" Half of them paid within {span(median)} of asking." if median else ""
        st.caption(f"Captured payments by weekday and hour, {found.zone}; the stronger the colour, the more.{half}")
        charts.heat_map(found.hours, key="hours")


def card(title: str, counts: Mapping[str, int], nothing: str, key: str) -> None:
    with st.container(border=True, height="stretch", gap="xsmall"):
        st.subheader(title, anchor=False)
        bars(counts, nothing, key, title)


def bars(counts: Mapping[str, int], nothing: str, key: str, title: str) -> None:
    if not counts:
        st.caption(nothing)
        return
    whole = sum(counts.values())
    shown = dict(list(counts.items())[:MOST])
    if len(counts) > MOST:
        shown["Others"] = whole - sum(shown.values())
    told = "; ".join(f"{name}: {count}" for name, count in shown.items())
    charts.step_bars({short(name): count for name, count in shown.items()}, key=key, alt=f"{title} {told}", whole=whole)


def short(text: str) -> str:
    """A label that leaves room for its bar: two lines at most."""
    return "<br>".join(textwrap.wrap(text, LABEL, max_lines=2, placeholder="…"))


def span(seconds: int) -> str:
    """`50 s`, `2 min 30 s`, `2 h`."""
    if seconds < 120:
        return f"{seconds} s"
    minutes, rest = divmod(seconds, 60)
    if minutes < 120:
        return f"{minutes} min {rest} s" if rest else f"{minutes} min"
    return f"{minutes // 60} h"
