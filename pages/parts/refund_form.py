"""Giving money back: one opened form is one intent, whatever is clicked, reloaded or lost on the way."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import streamlit as st

from lib import catalog
from lib.ledger.account import account, fitting, read_refund, share, stranded
from lib.ledger.decisions import limit_exceeded
from lib.ledger.order_lines import OrderLine, cost, order_lines
from lib.ledger.payments import new_key
from lib.ledger.refund_rules import KeyReused, RefundProblem, barred
from lib.ledger.refunds import request_refund
from lib.ledger.tables import Payment, Refund
from lib.money import BadAmount, Money
from lib.operators import NotAllowed
from pages.parts import frame, live, refund_open, simulator, words
from pages.parts.refund_open import BY_AMOUNT, BY_LINE, key_name, retry_of
from pages.parts.session import desk, operator

SHARES = {"25%": 25, "50%": 50, "75%": 75, "All that is left": 100}


@dataclass(frozen=True, slots=True)
class Asked:
    """What stood on the screen when the person asked: it stays the same until they confirm, whatever else changes."""

    amount: Money
    drawn_with: Money
    reason: str
    note: str
    lines: Mapping[int, int] = field(default_factory=dict)
    limit: Money | None = None


def show(payment: Payment, refunds: Sequence[Refund]) -> None:
    """The form, or what became of it once it was answered."""
    key = st.session_state.setdefault(key_name(payment), new_key())
    done = next((refund for refund in refunds if refund.key == key), None)
    problem = barred(payment, refunds, simulator.now(), desk().settings.zone)
    with st.container(border=True, height="stretch"):
        st.subheader("Refund", anchor=False)
        if done:
            if not done.cancellable:  # else its card says it all
                refund_open.show_done(done)
            if payment.refundable and not problem:
                st.button(
                    "Another refund",
                    icon=":material/add:",
                    width="stretch",
                    key=f"another_{done.key}",
                    on_click=open_another,
                    args=(payment,),
                )
        elif not payment.refundable:
            st.markdown(f"Nothing is left to refund. {held_back(payment, refunds)}")
        elif problem:
            st.warning(words.plain(problem), icon=":material/event_busy:")
        else:
            form(payment, refunds, key)


def open_another(payment: Payment) -> None:
    st.session_state[key_name(payment)] = new_key()


def held_back(payment: Payment, refunds: Sequence[Refund]) -> str:
    """Why less is left than was captured, when refunds are still on their way."""
    underway = [refund for refund in refunds if refund.status in ("submitting", "pending", "awaiting_approval")]
    if not underway:
        return ""
    many = "a refund that is" if len(underway) == 1 else f"{len(underway)} refunds that are"
    return f"{account(payment).underway} is held back for {many} not decided yet."


@live.fragment
def form(payment: Payment, refunds: Sequence[Refund], key: str) -> None:
    """A fragment, so that typing redraws nothing else."""
    st.markdown(f":small[:gray[Up to] **{payment.refundable}**:gray[. {held_back(payment, refunds)}]]")
    tried = next((refund for refund in refunds if refund.key == retry_of(key)), None)
    problem = st.session_state.get(f"problem_{key}")
    with frame.place():
        if tried:
            when = words.when(tried.decided_at or tried.requested_at, desk().settings.zone)
            st.info(f"Tries again the {tried.money} that came to nothing {when}.", icon=":material/replay:")
        if problem:
            st.error(words.plain(problem), icon=":material/error:")
    lines = order_lines(desk().database, payment, refunds)
    by_line = False
    if lines:
        st.session_state.setdefault(f"mode_{key}", BY_AMOUNT)
        mode = st.segmented_control(
            "Refund by", (BY_AMOUNT, BY_LINE), key=f"mode_{key}", required=True, label_visibility="collapsed"
        )
        by_line = mode == BY_LINE
    chosen = choose_lines(lines, key) if by_line else {}
    amount = show_cost(lines, chosen, payment) if by_line else type_amount(payment, key)
    limit = limit_exceeded(desk().settings.limits, operator(), refunds, amount) if amount else None
    with frame.place():
        if amount:
            show_consequences(amount, payment, limit)
    reasons = catalog.kakaopay().refund_reasons
    reason = st.selectbox("Reason", list(reasons), format_func=reasons.__getitem__, key=f"reason_{key}")
    note = st.text_area(
        "Note for colleagues", key=f"note_{key}", max_chars=1000, height=80, placeholder="What the customer said"
    )
    label = frame.primary(f"Refund {amount}", "undo") if amount else "Refund"
    asked = st.button(label, type="primary", width="stretch", key=f"ask_{key}", disabled=amount is None)
    if asked and amount:
        st.session_state[f"confirming_{key}"] = Asked(amount, payment.refundable, reason, note or "", chosen, limit)
        st.session_state.pop(f"problem_{key}", None)
    asked_for = st.session_state.get(f"confirming_{key}")
    if asked_for:
        confirm(payment, key, asked_for)


def type_amount(payment: Payment, key: str) -> Money | None:
    """The amount as typed or as a share of what is left.

    Typing lets go of the share by drawing another choice, of which nothing is chosen. A browser that has not heard of
    that sends the old one once more with the next letters, and it must not be taken for a new one: the share would be
    written over what is being typed.
    """
    amount_key, choice = f"amount_{key}", f"shares_{key}"
    number = st.session_state.get(choice, 0)
    share_key = f"share_{key}_{number}"

    def take_share() -> None:
        if number == st.session_state.get(choice, 0) and (part := st.session_state[share_key]):
            st.session_state[amount_key] = share(payment.refundable, SHARES[part]).figure

    def leave_share() -> None:
        if st.session_state.get(share_key):
            st.session_state[choice] = number + 1

    st.segmented_control(
        "Share of what is left",
        list(SHARES),
        key=share_key,
        on_change=take_share,
        label_visibility="collapsed",
        width="stretch",
    )
    with st.container(gap="xxsmall"):
        text = st.text_input(
            f"Amount in {payment.refundable.currency}",
            key=amount_key,
            live=True,
            on_change=leave_share,
            placeholder=payment.refundable.figure,
        )
        if not (text or "").strip():
            st.markdown(":gray[:small[Type an amount or choose a share.]]")
            return None
        return echo(lambda: read_refund(text or "", payment))


def choose_lines(lines: Sequence[OrderLine], key: str) -> dict[int, int]:
    """How many pieces of which order lines come back. What came back already is not offered again."""
    chosen: dict[int, int] = {}
    with st.container(gap="xsmall"):
        for line in lines:
            name = words.plain(line.name)
            gone = f", {line.returned} given back" if line.returned else ""
            if line.left:
                pieces = st.number_input(
                    f"{name} · {line.quantity} for {line.total}{gone}",
                    min_value=0,
                    max_value=line.left,
                    step=1,
                    key=f"line_{line.number}_{key}",
                )
                if pieces:
                    chosen[line.number] = int(pieces)
            else:
                st.markdown(f":gray[:small[{name} · all {line.quantity} given back]]")
    return chosen


def show_cost(lines: Sequence[OrderLine], chosen: Mapping[int, int], payment: Payment) -> Money | None:
    """What the chosen pieces come to."""
    amount = cost(lines, chosen)
    if amount is None:
        st.markdown(":gray[:small[Say how many of each come back; the amount follows.]]")
        return None
    return echo(lambda: fitting(amount, payment))


def echo(read: Callable[[], Money]) -> Money | None:
    """The amount as it will be sent, or why it cannot be."""
    try:
        amount = read()
    except BadAmount as error:
        st.markdown(f":red[:material/error: :small[{words.plain(str(error))}]]")
        return None
    st.markdown(f":gray[:small[Sends {amount.minor} = {amount}]]")
    return amount


def show_consequences(amount: Money, payment: Payment, limit: Money | None) -> None:
    """What the person should know before they ask."""
    rest = stranded(amount, payment)
    if rest:
        st.markdown(
            f":orange[:material/warning: :small[{rest} would be left, which KakaoPay never refunds: it is under the "
            "minimum. Refund all that is left instead.]]"
        )
    if limit:
        st.markdown(
            f":orange[:material/approval: :small[With your other refunds of this payment above {limit}: a second "
            "person has to approve it before it is sent.]]"
        )


def confirm(payment: Payment, key: str, asked: Asked) -> None:
    """Ask once more, with everything that cannot be taken back. Drawn again in every run until it is answered."""

    def leave() -> None:
        st.session_state.pop(f"confirming_{key}", None)

    @st.dialog(f"Refund {asked.amount}?", icon=":material/undo:", on_dismiss=leave)
    def ask() -> None:
        who = payment.customer_email or payment.customer_name
        because = catalog.kakaopay().refund_reasons[asked.reason]
        # The order on a line of its own: within a sentence a reference breaks at its hyphen.
        st.markdown(
            f"**{asked.amount}** goes back to {f'**{words.plain(who)}**' if who else 'the customer'}.  \n"
            f"Order: **{words.plain(payment.reference or payment.id)}**  \n"
            f"Reason: {words.plain(because.lower())}"
        )
        st.markdown(what_then(asked))
        with st.container(horizontal=True, horizontal_alignment="right"):
            kept = st.button("Keep it", key=f"keep_{key}")
            sure = st.button(frame.primary(f"Refund {asked.amount}", "undo"), type="primary", key=f"sure_{key}")
        if sure:
            send(payment, key, asked)
        if kept or sure:
            leave()
            st.rerun()

    ask()


def what_then(asked: Asked) -> str:
    """What happens after the person has confirmed."""
    if asked.limit:
        return "It is sent once a second person has approved it; until then it can be withdrawn."
    seconds = desk().settings.refund_hold_seconds
    if seconds:
        return f"It is kept back for {seconds} s, in which it can be cancelled; after that it cannot be taken back."
    return "A refund cannot be taken back."


def send(payment: Payment, key: str, asked: Asked) -> None:
    try:
        with st.spinner("Asking Checkout.com…"):
            request_refund(
                desk(),
                operator(),
                payment.id,
                asked.amount,
                key=key,
                drawn_with=asked.drawn_with,
                reason=asked.reason,
                note=asked.note,
                lines=asked.lines,
                retry_of=retry_of(key),
            )
    except KeyReused as error:
        st.session_state[key_name(payment)] = fresh = new_key()
        st.session_state[f"problem_{fresh}"] = str(error)
    except (RefundProblem, NotAllowed) as error:
        st.session_state[f"problem_{key}"] = str(error)
