"""One delivery seen through: what its signature proves, which copy it is, where it belongs, what it did; and trying it again."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence

import streamlit as st

from lib.ledger.queries import body_of, find_payment
from lib.ledger.retry import AGAIN, CannotTryAgain, try_again
from lib.ledger.tables import Delivery
from lib.ledger.xray import Place, XRay, whole_body, xray
from lib.money import NBSP
from pages.parts import frame, words
from pages.parts.session import desk, operator

_SIGNS = {"fits": "verified_user", "fits_older_key": "key", "unknown": "help"}
_TRIED = "tried_again"


def _close() -> None:
    st.query_params.pop("delivery", None)


@st.dialog("Delivery", icon=":material/webhook:", position="right", width="medium", on_dismiss=_close)
def detail(number: str) -> None:
    """The drawer of the delivery with this number, as it stands in the address."""
    settings = desk().settings
    seen = None
    if number.removeprefix("-").isdecimal() and len(number) < 17:  # sample deliveries count downwards
        seen = xray(desk().database, int(number), settings.webhook_keys, secret_key=settings.secret_key)
    if seen is None:
        st.markdown(f"There is no delivery {words.plain(number[:20])}. Refused ones are kept for a while only.")
        return
    sign = words.verdict(seen.delivery.verdict)
    st.markdown(f"{sign.badge} {sign.meaning}")
    _what_became_of_it(seen.delivery.id or 0)
    st.table(_through(seen) | _facts(seen.delivery), border="horizontal", alt=f"Delivery {seen.delivery.id}")
    with frame.place():
        _offer_again(seen.delivery)
    payment = find_payment(desk().database, seen.delivery.payment_id) if seen.delivery.payment_id else None
    if payment:
        st.page_link(
            "payment.py",
            label=f"Open payment {payment.reference or words.short_id(payment.id)}",
            icon=":material/receipt:",
            query_params={"id": payment.id},
        )
    _body(body_of(desk().database, seen.delivery))


def try_page_again(deliveries: Sequence[Delivery]) -> None:
    """A button that tries all of these again for which it can help, and what became of them."""
    hopeful = [each.id for each in deliveries if each.id is not None and each.verdict in AGAIN]
    tried = st.session_state.pop("tried_page", "")
    with frame.place():
        if hopeful and operator().may("deliveries"):
            label = "Try it again" if len(hopeful) == 1 else f"Try all {len(hopeful)} on this page again"
            st.button(label, icon=":material/replay:", on_click=_try_all, args=(hopeful,), key="try_page")
        if tried:
            st.info(tried, icon=":material/replay:")


def copy(seen: XRay) -> str:
    """`2nd of 3 copies`."""
    if not seen.copies:
        return "It brought no event"
    if seen.copies == 1:
        return "The only copy"
    return f"{'First' if seen.copy == 1 else nth(seen.copy)} of {seen.copies} copies"


def place(found: Place | None) -> str:
    """Where it stands among the facts of its payment: as they came, and as they happened."""
    if found is None:
        return "—"
    if found.arrived == found.happened:
        return f"In order: {nth(found.arrived)} of {found.of} facts of its payment"
    return f"Came {nth(found.arrived)}, happened {nth(found.happened)} of {found.of} facts of its payment"


def nth(number: int) -> str:
    """`1st`, `12th`, `23rd`."""
    ending = "th" if 10 <= number % 100 <= 20 else {1: "st", 2: "nd", 3: "rd"}.get(number % 10, "th")
    return f"{number}{ending}"


def _through(seen: XRay) -> dict[str, str]:
    icon = _SIGNS.get(seen.signature.word, "gpp_bad")
    return {
        "Signature": f":material/{icon}: {words.plain(seen.signature.sentence)}",
        "Copy": copy(seen),
        "Place": place(seen.place),
        "Effect": NBSP.join(map(words.plain, (seen.effect[:1].upper() + seen.effect[1:]).split(NBSP))),
    }


def _facts(row: Delivery) -> dict[str, str]:
    local = row.received_at.astimezone(desk().settings.zone)
    return {
        # Of an accepted one the head says it already.
        **({} if row.verdict == "accepted" else {"Reason": words.plain(row.reason)}),
        "Received": f"{local:%-d %b %Y %H:%M:%S %Z}, {words.ago(row.received_at)}",
        "Type": words.plain(row.event_type or "—"),
        "Event": words.plain(row.event_id or "—"),
        "Payment": words.plain(row.payment_id or "—"),
        "Sender": f"{words.plain(row.sender or 'unknown')}, {row.size:,} bytes",
    }


def _offer_again(row: Delivery) -> None:
    if row.verdict not in AGAIN or not operator().may("deliveries"):
        return
    if whole_body(row) is None:
        st.caption("Its body was not kept whole. Have Checkout.com send the event again instead.")
        return
    st.button("Try again", icon=":material/replay:", on_click=_try_one, args=(row.id,), key="try_again")


def _what_became_of_it(number: int) -> None:
    tried, well, sentence = st.session_state.get(_TRIED, (0, True, ""))
    with frame.place():
        if tried == number:
            if well:
                st.success(sentence, icon=":material/check_circle:")
            else:
                st.error(sentence, icon=":material/error:")


def _try_one(number: int) -> None:
    try:
        verdict = try_again(desk().database, operator(), number, desk().settings.webhook_keys)
    except CannotTryAgain as problem:
        st.session_state[_TRIED] = (number, False, words.plain(str(problem)))
        return
    sign = words.verdict(verdict.word)
    st.session_state[_TRIED] = (number, verdict.word in ("accepted", "duplicate"), f"Tried again: {sign.word}.")


def _try_all(numbers: Sequence[int]) -> None:
    became: Counter[str] = Counter()
    refused: Counter[str] = Counter()
    for number in numbers:
        try:
            became[
                words.verdict(try_again(desk().database, operator(), number, desk().settings.webhook_keys).word).word
            ] += 1
        except CannotTryAgain as problem:
            refused[str(problem)] += 1
    done = ", ".join(f"{count} {word.lower()}" for word, count in became.most_common())
    not_done = " ".join(f"{count} not: {words.plain(why)}" for why, count in refused.most_common())
    st.session_state["tried_page"] = " ".join(part for part in (done and f"Tried again: {done}.", not_done) if part)


def _body(body: str | None) -> None:
    if not body:
        st.caption("It had no body, or the body was not kept.")
        return
    readable, raw = st.tabs(["Readable", "As received"])
    with raw:
        st.code(body, language=None, wrap_lines=True)
    with readable:
        try:
            st.json(json.loads(body), expanded=3)
        except (ValueError, RecursionError):
            st.markdown("This cannot be read as JSON. See it as it was received.")
