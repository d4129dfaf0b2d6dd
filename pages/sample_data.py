"""Sample data: months of a shop's life, made up on the spot, and gone again without a trace."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

import streamlit as st

from lib.demo import process
from lib.demo.filling import SampleProblem, at_work, begin, check_world, ends_at, go_on, stop
from lib.demo.lives import FEWEST, LONGEST, MOST
from lib.demo.removal import begin_removal
from lib.ledger.samples import Sample, find_sample
from lib.operators import NotAllowed
from pages.parts import frame, live, words
from pages.parts.session import desk, operator

_SAID = "sample_said"
_A_PAYMENT = 10
"""Kilobytes of the ledger, with all that is known of it."""


def screen() -> None:
    frame.page(
        "Sample data",
        "Months of a shop's payments, made up to see the screens at work, and taken out again when you like.",
    )
    if not frame.allowed("simulate"):
        return
    try:
        check_world(desk().settings)
    except SampleProblem as why:
        frame.empty("block", "Not here", str(why))
        return
    with frame.place():
        if problem := st.session_state.pop(_SAID, ""):
            st.error(words.plain(problem), icon=":material/error:")
    sample = find_sample(desk().database)
    if sample is None or sample.state == "removed":
        show_form()
    elif at_work(sample, datetime.now(UTC)):
        watch()
    else:
        show_sample(sample)


def show_form() -> None:
    now = datetime.now(UTC)
    end = ends_at(desk().database, now)
    with st.container(border=True):
        st.subheader("Fill with sample data", anchor=False)
        st.markdown(
            "Six currencies with their weights, rush hours and weekends, declines with codes, links that expire, refunds "
            "with reasons, recurring charges, webhooks that come late or twice, and a few payments that still wait for their "
            "customers. The simulator learns of every one, so they can be paid, refunded and read."
        )
        with st.form("sample", border=False):
            with st.grid(3, min_column_width=150, gap="small"):
                st.number_input(
                    "Payments", FEWEST, MOST, 10_000, step=1000, key="sample_payments", help="About 1,500 a second."
                )
                st.number_input(
                    "Seed", 0, 2_147_483_647, 7, key="sample_seed", help="The same seed gives the same payments."
                )
                st.number_input("Months back", 1, LONGEST, 3, key="sample_months")
            label = frame.primary("Fill with sample data", "auto_awesome")
            st.form_submit_button(label, type="primary", on_click=fill)
        really = "The newest are of a moment ago."
        if end < now.replace(microsecond=0):
            really = f"All lie before {words.when(end, desk().settings.zone)}, when the first delivery really came."
        st.caption(f"{really} A million take about {MOST * _A_PAYMENT // 1_000_000} GB of disk.")


@live.every(0.5)
def watch() -> None:
    sample = find_sample(desk().database)
    if sample is None or not at_work(sample, datetime.now(UTC)):
        st.rerun()
        return
    share = min(sample.filled / sample.payments, 1.0)
    with st.container(border=True):
        if sample.state == "removing":
            st.progress(share, text=f"Taking them out: {sample.filled:,} are left")
        else:
            st.progress(share, text=f"{sample.filled:,} of {sample.payments:,} payments")
            st.button("Cancel", icon=":material/close:", on_click=cancel, key="cancel_sample")
        st.caption("It goes on beside everything else; you need not stay on this screen.")


def show_sample(sample: Sample) -> None:
    with st.container(border=True):
        st.subheader(f"{sample.filled:,} sample payments", anchor=False)
        zone = desk().settings.zone
        by = "on the command line" if sample.asked_by == "Command line" else f"by {words.plain(sample.asked_by)}"
        months = "1 month" if sample.months == 1 else f"{sample.months} months"
        st.markdown(
            f"{months} up to {words.when(sample.until, zone)}, made from seed {sample.seed}; asked for {by}. "
            "Their ids begin with `pay_sample`."
        )
        if sample.state == "filled":
            st.success("All there.", icon=":material/check_circle:")
        else:
            st.warning(
                f"{sample.payments - sample.filled:,} of {sample.payments:,} are missing: it was "
                + ("cancelled." if sample.state == "stopped" else "interrupted."),
                icon=":material/info:",
            )
        with st.container(horizontal=True, vertical_alignment="center", gap="small"):
            if sample.state in ("filling", "stopped"):
                st.button(frame.primary("Go on", "play_arrow"), type="primary", on_click=resume, key="resume_sample")
            with st.popover("Remove", icon=":material/delete:", key="remove_popover"):
                st.markdown(
                    "Takes out the sample payments with their refunds, events, deliveries and notes. What is real stays."
                )
                st.button("Remove sample data", icon=":material/delete:", on_click=take_out, key="remove_sample")
            if sample.filled:
                st.page_link(
                    "overview.py", label="See them on the overview", icon=":material/arrow_forward:", width="content"
                )


def fill() -> None:
    said = st.session_state
    wanted = {"payments": said["sample_payments"], "seed": said["sample_seed"], "months": said["sample_months"]}
    attempt(lambda: begin(desk(), operator(), **wanted, now=datetime.now(UTC)))


def resume() -> None:
    attempt(lambda: go_on(desk(), operator()))


def take_out() -> None:
    attempt(lambda: begin_removal(desk(), operator()))


def cancel() -> None:
    stop(desk(), operator())


def attempt(act: Callable[[], object]) -> None:
    try:
        act()
        process.start()
    except (SampleProblem, NotAllowed) as error:
        st.session_state[_SAID] = str(error)


screen()
