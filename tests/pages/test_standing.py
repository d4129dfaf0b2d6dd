"""Where a payment stands, state by state, in words."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from lib.ledger.tables import REFUND_STATUSES, STATUSES, Payment, Refund
from pages.parts.standing import standing

ZONE = ZoneInfo("Asia/Hong_Kong")
NOW = datetime(2026, 3, 2, 4, 0, tzinfo=UTC)


def payment(status: str, **columns: Any) -> Payment:
    paid = {} if status in ("Pending", "Declined", "Expired", "Canceled") else {"captured": 10000, "captured_at": NOW}
    given = {"id": "pay_1", "status": status, "amount": 10000, "currency": "HKD", "requested_at": NOW}
    return Payment(**{**given, **paid, **columns})


def refund(status: str, **columns: Any) -> Refund:
    given = {
        "key": "k",
        "payment_id": "pay_1",
        "amount": 2500,
        "currency": "HKD",
        "status": status,
        "requested_at": NOW,
    }
    return Refund(**{**given, **columns})


@pytest.mark.parametrize(
    ("of", "refunds", "says", "who"),
    [
        (
            payment("Pending", expires_at=NOW + timedelta(minutes=6)),
            [],
            ["runs out in 6 min, 12:06"],
            "customer has to",
        ),
        (
            payment("Pending", expires_at=NOW - timedelta(minutes=6)),
            [],
            ["not heard", "asked again by itself"],
            "Support",
        ),
        (payment("Captured"), [], ["refunded until 2 Mar 2027"], "Nobody"),
        (payment("Captured", captured_at=NOW - timedelta(days=400)), [], ["could be refunded until 26 Jan"], "Nobody"),
        (payment("Declined"), [], ["No money moved", "takes a new payment"], "Nobody"),
        (
            payment("Captured", refund_pending=2500),
            [refund("pending", answered_at=NOW)],
            ["HKD 25.00 is on its way", "between 5 Mar and 16 Mar"],
            "KakaoPay has to",
        ),
        (payment("Captured", refund_reserved=2500), [refund("submitting")], ["do not refund again"], "Nobody"),
        (
            payment("Captured", refund_reserved=2500),
            [refund("submitting", held_until=NOW + timedelta(minutes=1))],
            ["kept back", "can be cancelled"],
            "Nobody",
        ),
        (
            payment("Captured", refund_reserved=2500),
            [refund("awaiting_approval", approve_by=NOW + timedelta(hours=3))],
            ["a second person agrees by 2 Mar 15:00 HKT"],
            "approver has to",
        ),
        (
            payment("Captured", refund_pending=5000),
            [refund("pending", key="a"), refund("pending", key="b"), refund("declined", key="c")],
            ["on its way", "So is 1 more"],
            "KakaoPay",
        ),
        (payment("Captured"), [refund("declined", decided_at=NOW)], ["did not happen", "tried again"], "Support"),
        (
            payment("Partially Refunded", refunded=2500),
            [refund("refunded", decided_at=NOW)],
            ["last HKD 25.00 arrives between 5 Mar and 16 Mar"],
            "Nobody",
        ),
        (
            payment("Refunded", refunded=10000),
            [refund("refunded", decided_at=NOW - timedelta(days=30))],
            ["should have arrived by 13 Feb"],
            "Nobody",
        ),
        (payment("Refunded", refunded=10000), [], ["all of it was given back"], "Nobody"),
    ],
)
def test_what_it_means_what_comes_next_and_who_acts(
    of: Payment, refunds: list[Refund], says: list[str], who: str
) -> None:
    found = standing(of, refunds, ZONE, NOW)
    said = f"{found.means} {found.next}".replace("\u00a0", " ")
    for part in says:
        assert part in said
    assert who in found.who


@pytest.mark.parametrize("status", STATUSES)
@pytest.mark.parametrize("of_refund", [None, *REFUND_STATUSES])
def test_every_state_is_explained(status: str, of_refund: str | None) -> None:
    found = standing(payment(status), [refund(of_refund)] if of_refund else [], ZONE, NOW)
    for sentence in (found.means, found.next):
        assert sentence.endswith(".")
        assert sentence[0].isupper()
