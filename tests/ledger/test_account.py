"""What was captured, what each refund takes and what is left add up."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lib.ledger.account import account, read_refund, share, stranded
from lib.ledger.tables import Payment
from lib.money import BadAmount, Money

NOW = datetime(2026, 3, 2, tzinfo=UTC)


def payment(**values: Any) -> Payment:
    return Payment(
        **{
            "id": "pay_1",
            "currency": "HKD",
            "status": "Captured",
            "requested_at": NOW,
            "updated_at": NOW,
            "folded": "",
            **values,
        }
    )


def test_pending_and_reserved_are_both_on_their_way() -> None:
    held = account(payment(captured=10000, refunded=3000, refund_pending=1500, refund_reserved=500))
    assert (held.underway, held.remaining) == (Money(2000, "HKD"), Money(5000, "HKD"))


def test_nothing_remains_of_a_payment_refunded_beyond_its_capture() -> None:
    assert account(payment(captured=1000, refunded=1500)).remaining == Money(0, "HKD")


@given(minor=st.integers(0, 10**9), percent=st.integers(0, 100))
def test_a_share_and_the_rest_never_exceed_the_whole(minor: int, percent: int) -> None:
    whole = Money(minor, "KRW")
    assert share(whole, percent) + share(whole, 100 - percent) <= whole
    assert share(whole, 100) == whole


def test_what_is_left_may_be_refunded_to_the_cent_and_not_beyond() -> None:
    held = payment(captured=10000, refund_reserved=2500)
    assert read_refund("75.00", held) == Money(7500, "HKD")
    with pytest.raises(BadAmount, match=r"Only HKD\s75\.00 is left"):
        read_refund("75.01", held)


def test_kakaopay_refuses_refunds_under_fifty_won() -> None:
    held = payment(captured=10000, currency="KRW")
    assert read_refund("50", held) == Money(50, "KRW")
    with pytest.raises(BadAmount, match=r"under KRW\s50"):
        read_refund("49", held)


def test_a_rest_that_kakaopay_would_never_refund_is_named() -> None:
    held = payment(captured=10000, currency="KRW")
    assert stranded(Money(9960, "KRW"), held) == Money(40, "KRW")
    assert stranded(Money(9950, "KRW"), held) is None
    assert stranded(Money(10000, "KRW"), held) is None
    assert stranded(Money(9999, "HKD"), payment(captured=10000)) is None
