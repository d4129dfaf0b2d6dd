"""Payouts, each with its proof: what was paid, what its lines come to, and the lines themselves."""

from __future__ import annotations

import streamlit as st

from lib.ledger.books import PayoutProof, find_payouts, payout_lines
from pages.parts import frame, report_words, tables, words
from pages.parts.session import desk

PROOFS = {
    "proved": words.Sign("Proved", "verified", "green", "Its lines come to what was paid."),
    "off": words.Sign("Differs", "difference", "red", "Its lines come to something else."),
    "unknown": words.Sign("No lines yet", "help", "gray", "No report with its lines was imported."),
}


def show() -> None:
    """The list, and below it the lines of the payout chosen."""
    chosen = st.session_state.get("payout")
    page, proofs = find_payouts(desk().database, cursor=None if chosen else st.query_params.get("cursor"))
    if not proofs:
        frame.empty("payments", "No payout yet", "Fetch the reports, or import a Payouts CSV.")
        return
    labels = {proof.payout.id: proof for proof in proofs}
    tables.show_list(
        {
            "payout": list(labels),
            "proof": [[PROOFS[proved(proof)].word] for proof in proofs],
            "paid": [report_words.amount(proof.payout.amount, proof.payout.holding) for proof in proofs],
            "sum": [
                report_words.amount(proof.summed, proof.payout.holding) if proof.lines else "—" for proof in proofs
            ],
            "off": [
                report_words.amount(proof.off_by, proof.payout.holding) if proved(proof) == "off" else "—"
                for proof in proofs
            ],
            "lines": [proof.lines for proof in proofs],
            "on": [proof.payout.paid_on or "—" for proof in proofs],
        },
        {
            "payout": st.column_config.ButtonColumn(
                "Payout", type="tertiary", alignment="left", width=140, key="payout_open"
            ),
            "proof": tables.sign_column(PROOFS, "Proof", 116),
            "paid": tables.money_column("Paid"),
            "sum": tables.money_column("Sum of lines"),
            "off": tables.money_column("Lines less paid"),
            "lines": st.column_config.NumberColumn("Lines", width=70),
            "on": st.column_config.TextColumn("Paid on", width=110),
        },
        key="payouts",
        alt="Payouts, latest first, each with the sum of its lines; a payout shows its lines below",
    )
    if not chosen:
        tables.turn_pages(page.newer, page.older, key="payouts")
    click = st.session_state.get("payout_open")
    if click and click["label"] in labels:
        st.session_state["payout"] = chosen = click["label"]
        st.query_params.pop("cursor", None)
    if chosen:
        show_lines(chosen)


def proved(proof: PayoutProof) -> str:
    if not proof.lines:
        return "unknown"
    return "off" if proof.off_by else "proved"


def show_lines(payout_id: str) -> None:
    page = payout_lines(desk().database, payout_id, cursor=st.query_params.get("cursor"))
    with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
        st.markdown(f"**Lines of {words.plain(payout_id)}**", width="content")
        st.button("All payouts", icon=":material/close:", type="tertiary", on_click=leave, key="payout_leave")
    tables.payment_table(
        {
            "held": [report_words.amount(row.held, row.holding) for row in page.rows],
            "class": [[report_words.CLASSES[row.standing].word] for row in page.rows],
            "what": [row.breakdown or "" for row in page.rows],
            "number": [row.number for row in page.rows],
            "reference": [row.reference or "" for row in page.rows],
        },
        [row.payment_id or "" for row in page.rows],
        {
            "held": tables.money_column("Held"),
            "class": tables.sign_column(report_words.CLASSES, "Class", 150),
            "what": st.column_config.TextColumn("Breakdown", width=170),
            "number": st.column_config.NumberColumn("Line", width=70),
            "reference": st.column_config.TextColumn("Reference", width=130),
        },
        key="payout_lines",
        alt="Lines of the payout; a payment opens from its row",
    )
    tables.turn_pages(page.newer, page.older, key="payout_lines")


def leave() -> None:
    st.session_state.pop("payout", None)
    st.query_params.pop("cursor", None)
