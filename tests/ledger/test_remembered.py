"""What is remembered of payments is what is stored of them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lib.ledger import remembered
from lib.ledger.fold import extend
from lib.ledger.project import project
from lib.ledger.remembered import Remembered
from lib.ledger.state import PaymentState, decode, encode
from tests.support.events import balances, webhook

TOLD = [
    webhook("payment_pending", 1, 0, amount=1000, reference="ORD-1"),
    webhook("payment_captured", 2, 60, amount=1000, action_id="act_c", balances=balances(1000, 0)),
    webhook("payment_refund_pending", 3, 90, amount=300, action_id="act_r"),
    webhook("payment_refunded", 4, 99, amount=300, action_id="act_r", balances=balances(1000, 300)),
]


@given(st.lists(st.tuples(st.sampled_from("abc"), st.integers(0, 2), st.sampled_from(TOLD), st.booleans())))
def test_what_is_remembered_is_what_the_stored_text_says(steps: list[tuple[str, int, object, bool]]) -> None:
    """Several stores, of which nobody told it, and transactions that are rolled back after the state was changed."""
    held = Remembered()
    stores: dict[tuple[int, str], str] = {}
    for payment_id, store, fact, commits in steps:
        text = stores.get((store, payment_id), encode(PaymentState()))
        [(state, projection)] = held.take([(payment_id, text)])
        assert encode(state) == text
        assert projection == project(payment_id, decode(text), text)
        extend(state, [fact])  # type: ignore[list-item]
        new = encode(state)
        held.keep([(payment_id, (state, project(payment_id, state, new)))])
        if commits:
            stores[(store, payment_id)] = new


def test_the_longest_unused_are_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(remembered, "_KEPT", 2)
    held = Remembered()
    text = encode(PaymentState())
    for payment_id in ("pay_1", "pay_2", "pay_1", "pay_3"):
        held.keep([(payment_id, held.take([(payment_id, text)])[0])])
    assert list(held._entries) == ["pay_1", "pay_3"]
