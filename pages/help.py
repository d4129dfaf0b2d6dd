"""Help: what the words mean, and how to test KakaoPay from end to end."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd
import streamlit as st

from lib import catalog
from lib.catalog import Term
from lib.money import NBSP
from pages.parts import frame, words
from pages.parts.kept import kept

RULES = catalog.kakaopay()


def screen() -> None:
    frame.page("Words and tests", "What the words mean, and how to test KakaoPay from end to end.")
    glossary, tests = st.tabs(["Words", "Testing KakaoPay"])
    with glossary:
        show_words()
    with tests:
        show_tests()


@kept
def show_tests() -> None:
    st.subheader("After following the payment's link", anchor=False)
    show_steps()
    st.subheader("What can be brought about", anchor=False)
    show_outcomes()
    st.subheader("What an account can take", anchor=False)
    show_offers()


def show_words() -> None:
    asked = st.text_input(
        "Find a word", live=True, icon=":material/search:", placeholder="For example refund", key="help_word", width=360
    )
    found = [term for term in catalog.glossary() if fits(term, asked or "")]
    if not found:
        frame.empty("search_off", "No such word here", "Try a shorter part of it, or empty the field to see all words.")
        return
    explain(found)


@kept
def explain(terms: Sequence[Term]) -> None:
    with st.grid(3, min_column_width=300, gap="small"):
        for term in terms:
            with st.container(border=True, height="stretch", gap="xxsmall"):
                st.markdown(f"**{term.word}**")
                st.markdown(term.meaning)


def fits(term: Term, asked: str) -> bool:
    return asked.strip().lower() in f"{term.word} {term.meaning}".lower()


def show_steps() -> None:
    """One card a device and terminal type, as the KakaoPay page has them."""
    with st.grid(2, min_column_width=300, gap="small"):
        for each in RULES.test_steps:
            with st.container(border=True, height="stretch", gap="xsmall"):
                st.markdown(f"**{each.device}**, terminal type `{each.terminal_type}`")
                if each.before:
                    st.markdown(f":small[{each.before}]")
                st.markdown("\n".join(f"{number}. {step}" for number, step in enumerate(each.steps, 1)))
                st.markdown(f":small[What to expect: {each.expect}]")
    others = ", ".join(f"{kind} is {word.lower()}" for kind, word in RULES.terminal_types.items())
    st.markdown(
        f":small[Terminal types: {others}; WAP is tested like APP. In the sandbox this takes KakaoPay activated on the "
        "account and a login for the Alipay+ Linker app, both from your Customer Success Manager. The simulator needs "
        "neither: its page has the customer's buttons.]"
    )


def show_outcomes() -> None:
    rows = [
        {
            "What to do, and what comes of it": f"{each.do}  \n{words.status(each.status).badge}",
            "Webhooks, in this order": " ".join(f"`{name}`" for name in each.webhooks),
        }
        for each in RULES.test_outcomes
    ]
    st.table(pd.DataFrame(rows), border="horizontal", hide_index=True, alt="What a test can bring about")


def show_offers() -> None:
    rows = [
        {
            "Account": words.plain(offer.source[:1].upper() + offer.source[1:]),
            "Currencies": ", ".join(map(currency, offer.currencies)),
        }
        for offer in catalog.offers().values()
    ]
    st.table(pd.DataFrame(rows), border="horizontal", hide_index=True, alt="Currencies by account")
    st.markdown(f"Countries: {', '.join(RULES.supported_places)}.")
    st.markdown(
        f"A link works for {RULES.link_minutes} minutes. Refunds are possible for {RULES.refund_window_days} days, at most "
        f"{RULES.maximum_partial_actions} of one payment."
    )


def currency(code: str) -> str:
    known = catalog.currencies()[code]
    return f"{words.dot(code)}{NBSP}{code} ({known.name})"


screen()
