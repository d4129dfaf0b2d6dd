"""One file of bulk refunds: what it would do, the question before it does, how far it is, and what came of every row."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

import streamlit as st

from lib import catalog
from lib.ledger.bulk import batches
from lib.ledger.bulk.batches import CannotRun, Uploaded
from lib.ledger.bulk.tables import ENDED, HELD, SENDABLE, Bulk, BulkLine
from lib.ledger.bulk.views import Tally, find_bulk, lines_of, outcomes, result, tallies, total, would_move
from lib.ledger.desk import Desk
from lib.money import Money
from lib.operators import NotAllowed, Operator
from pages.parts import bulk_words, frame, live, tables, words
from pages.parts.session import desk, operator

GROUPS = {
    "To be refunded": SENDABLE,
    "Kept back": HELD,
    "Asked for": ("sending", "sent"),
    "Turned down": ("refused",),
}


def remember(uploaded: Uploaded) -> None:
    """Keep for the file's view what only its upload can tell."""
    said = []
    if not uploaded.new:
        said.append(
            "This file was uploaded before, so nothing of it is refunded a second time. Below is what became of it."
        )
    if uploaded.ignored:
        said.append(f"Columns that mean nothing here: {', '.join(uploaded.ignored[:10])}.")
    st.session_state["bulk_said"] = {"file": uploaded.bulk.id, "said": " ".join(said)}


def show(bulk: Bulk) -> None:
    found = tallies(desk().database, bulk.id)
    head(bulk)
    if bulk.state == "checked":
        with st.container():  # one place, as the fragment's is
            dry_run(bulk, found)
    else:
        live.fragment(progress, run_every=1 if bulk.state == "running" else 5)(bulk, outcomes(desk().database, bulk.id))
    live.fragment(lines, run_every=2 if bulk.state == "running" else None)(bulk)


def head(bulk: Bulk) -> None:
    zone = desk().settings.zone
    with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
        st.subheader(words.plain(bulk.file_name), anchor=False, width="content")
        with st.container(horizontal=True, width="content"):
            acting = operator()
            if acting.may("download"):
                st.download_button(
                    "Result",
                    partial(result, desk(), acting, bulk.id),
                    f"result-{bulk.id[:8]}.csv",
                    "text/csv",
                    icon=":material/download:",
                    on_click="ignore",
                    help="Every row with what became of it, its refund key, action id and status",
                    key="bulk_result",
                )
            st.button("Another file", icon=":material/upload_file:", on_click=leave, key="bulk_leave")
    st.markdown(
        f"{bulk_words.state(bulk.state).badge} :small[{bulk_words.rows(bulk.lines)}, uploaded by "
        f"{words.plain(bulk.uploaded_by)} {words.when(bulk.uploaded_at, zone)}]"
    )
    told = st.session_state.get("bulk_said")
    problem = st.session_state.pop("bulk_problem", None) or bulk.problem
    with frame.place():
        if told and told["file"] == bulk.id and told["said"]:
            st.info(words.plain(told["said"]), icon=":material/info:")
        if problem:
            st.error(words.plain(problem), icon=":material/error:")


def leave() -> None:
    for name in ("file", "rows", "cursor"):
        st.query_params.pop(name, None)


def dry_run(bulk: Bulk, found: Sequence[Tally]) -> None:
    """What would move, by currency, and the way to it."""
    moving = would_move(found)
    kept = [tally for tally in found if tally.status in HELD]
    amounts, count = total(moving), sum(tally.count for tally in moving)
    if moving:
        with st.grid(4, min_column_width=150, gap="small"):
            for amount in amounts:
                st.metric(f"{words.dot(amount.currency)} Would go back", str(amount), border=True)
    else:
        st.info("No row of this file can be refunded as it stands. Each says why below.", icon=":material/info:")
    waiting = sum(tally.count for tally in moving if tally.status == "needs_approval")
    after = f", {waiting:,} of them once a second person has agreed" if waiting else ""
    st.markdown(f"{bulk_words.refunds(count)} would be sent{after}. {told_of(kept)}")
    if not operator().may("refund"):
        return
    with st.container(horizontal=True):
        if moving:
            label = frame.primary(f"Send {bulk_words.refunds(count)}", "undo")
            if st.button(label, type="primary", key="bulk_ask"):
                confirm(bulk, moving, amounts, count, waiting)
        st.button(
            "Check again",
            icon=":material/refresh:",
            help="Judges every row anew by what is known now. No money moves.",
            on_click=act,
            args=(batches.check_again, bulk),
            key="bulk_again",
        )


def told_of(kept: Sequence[Tally]) -> str:
    """How many rows are kept back, and why."""
    if not kept:
        return "Every row is good."
    reasons = ", ".join(f"{tally.count:,} {bulk_words.LINES[tally.status].word.lower()}" for tally in kept)
    return f"{bulk_words.rows(sum(tally.count for tally in kept)).capitalize()} kept back: {reasons}."


def confirm(bulk: Bulk, moving: Sequence[Tally], amounts: Sequence[Money], count: int, waiting: int) -> None:
    """Ask once more, with the totals that were on the screen."""

    @st.dialog(f"Send {bulk_words.refunds(count)}?", icon=":material/undo:")
    def ask() -> None:
        st.markdown(
            f"{bulk_words.amounts(amounts)} go back to customers in **{bulk_words.refunds(count)}**, as the file "
            f"**{words.plain(bulk.file_name)}** says. A refund cannot be taken back."
        )
        if waiting:
            st.markdown(f"{waiting:,} of them will wait for a second person.")
        with st.container(horizontal=True, horizontal_alignment="right"):
            kept = st.button("Not yet", key="bulk_keep")
            sure = st.button(
                frame.primary(f"Send {bulk_words.refunds(count)}", "undo"), type="primary", key="bulk_sure"
            )
        if sure:
            act(partial(batches.start, confirmed=moving), bulk)
        if kept or sure:
            st.rerun()

    ask()


def progress(bulk: Bulk, drawn: dict[str, int]) -> None:
    """How far the file is, and what its refunds came to; draws the whole screen again when the file has moved on."""
    now = find_bulk(desk().database, bulk.id)
    found = {tally.status: tally for tally in tallies(desk().database, bulk.id)}
    came_to = outcomes(desk().database, bulk.id) if bulk.state != "running" else {}
    if now is None or now.state != bulk.state or (came_to and came_to != drawn):
        st.rerun()
    ended = sum(found[status].count for status in ENDED if status in found)
    left = sum(found[status].count for status in (*SENDABLE, "sending") if status in found)
    whole = ended + left
    moved = found["sent"].money if "sent" in found else ()
    sent = f"{ended:,} of {bulk_words.refunds(whole)} asked for" + (
        f", {bulk_words.amounts(moved)} in all" if moved else ""
    )
    st.progress(ended / whole if whole else 1.0, text=sent)
    signs = [f"{words.refund_status(status).badge} {count:,}" for status, count in sorted(came_to.items())]
    if "refused" in found:
        signs.append(f"{bulk_words.LINES['refused'].badge} {found['refused'].count:,}")
    kept = [found[status] for status in HELD if status in found]
    with frame.place():
        if signs:
            st.markdown(" \u2003 ".join(signs))
        if kept:
            st.markdown(told_of(kept))
    if operator().may("refund"):
        buttons(bulk)


def buttons(bulk: Bulk) -> None:
    """What can be done with a file that was started."""
    if bulk.state == "running":
        if st.button("Stop", icon=":material/pause_circle:", on_click=act, args=(batches.stop, bulk), key="bulk_stop"):
            st.rerun()
        return
    with st.container(horizontal=True):
        if bulk.state == "stopped":
            label = frame.primary("Resume", "play_circle")
            if st.button(label, type="primary", on_click=act, args=(batches.resume, bulk), key="bulk_resume"):
                st.rerun()
        if st.button(
            "Check again what was kept back",
            icon=":material/refresh:",
            help="Judges every row that was not sent anew. No money moves before you confirm.",
            on_click=act,
            args=(batches.check_again, bulk),
            key="bulk_again",
        ):
            st.rerun()


def act(do: Callable[[Desk, Operator, str], None], bulk: Bulk) -> None:
    """Do what a button says, and keep why it could not be done for the next drawing."""
    try:
        do(desk(), operator(), bulk.id)
    except (CannotRun, NotAllowed) as problem:
        st.session_state["bulk_problem"] = str(problem)


def lines(bulk: Bulk) -> None:
    """The rows, some at a time."""
    held = {tally.status for tally in tallies(desk().database, bulk.id)}
    st.subheader("Rows", anchor=False)
    chosen = st.pills(
        "Which rows",
        [name for name, statuses in GROUPS.items() if not held.isdisjoint(statuses)],
        key="rows",
        bind="query-params",
        on_change=first_page,
        label_visibility="collapsed",
    )
    page = lines_of(desk().database, bulk.id, GROUPS.get(chosen or "", ()), **place())
    reasons = catalog.kakaopay().refund_reasons
    tables.payment_table(
        {
            "line": [shown.line.line for shown in page.rows],
            "amount": [as_given(shown.line) for shown in page.rows],
            "status": [[bulk_words.line(shown).word] for shown in page.rows],
            "reference": [shown.line.reference or shown.line.given_payment for shown in page.rows],
            "why": (why := [shown.why for shown in page.rows]),
            "reason": [
                reasons.get(shown.line.reason or shown.line.given_reason, shown.line.given_reason)
                for shown in page.rows
            ],
            "note": [shown.line.note for shown in page.rows],
        },
        [shown.line.payment_id or "" for shown in page.rows],
        {
            "line": st.column_config.NumberColumn("Row", width=56, format="%d"),
            "amount": tables.money_column(),
            "status": tables.sign_column({**bulk_words.LINES, **words.REFUND_STATUSES}, width=150),
            "reference": st.column_config.TextColumn("Reference or id", width=130),
            "why": st.column_config.TextColumn("Why", width=330 if any(why) else 60),
            "reason": st.column_config.TextColumn("Reason", width=140),
            "note": st.column_config.TextColumn("Note", width=140),
        },
        key="bulk_lines",
        alt="Rows of the file in order, each with where it stands and why",
    )
    with st.container(horizontal=True, horizontal_alignment="distribute", vertical_alignment="center"):
        st.caption("In the order of the file; the header is row 1", width="content")
        before = f"b{page.before}" if page.before is not None else None
        after = f"a{page.after}" if page.after is not None else None
        tables.turn_pages(before, after, key="bulk_lines", names=("Previous", "Next"))


def as_given(line: BulkLine) -> str:
    """The amount, or what the file says where that is none that we can refund."""
    return str(line.money or f"{line.given_currency} {line.given_amount}".strip())


def place() -> dict[str, int]:
    """Where the page begins, from the address, in which anything may stand."""
    cursor = st.query_params.get("cursor", "")
    side = {"a": "after", "b": "before"}.get(cursor[:1])
    return {side: int(cursor[1:])} if side and cursor[1:].isdecimal() and len(cursor) < 9 else {}


def first_page() -> None:
    st.query_params.pop("cursor", None)
