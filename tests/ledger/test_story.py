"""What happened to a payment, fact by fact, with what is missing."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from itertools import count
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lib.ledger import facts
from lib.ledger.facts import Fact, from_webhook
from lib.ledger.fold import fold
from lib.ledger.project import project
from lib.ledger.state import encode
from lib.ledger.story import Gap, Refused, Silence, Told, tell
from lib.ledger.tables import Delivery, Event
from tests.support.events import accepted, answer, asked, at, balances, created, event, webhook

CAPTURED: dict[str, Any] = {"amount": 10000, "action_id": "act_c", "balances": balances(10000, 0)}
REFUND: dict[str, Any] = {"amount": 2500, "action_id": "act_r"}


def rows(*stored: Fact) -> list[Event]:
    """The facts as the ledger holds them, in the order in which they reached us."""
    return [
        Event(
            seq=seq,
            id=fact.id,
            type=fact.type,
            source=fact.source,
            payment_id=fact.payment_id,
            action_id=fact.action_id,
            occurred_at=fact.occurred_at,
            recorded_at=fact.recorded_at,
            body=fact.text,
        )
        for seq, fact in enumerate(stored, 1)
    ]


def come(fact: Fact, seconds: float) -> Fact:
    """The fact, but heard of so many seconds after noon."""
    return msgspec.structs.replace(fact, recorded_at=at(seconds))


def looked_up(fact: Fact, seconds: float) -> Fact:
    return msgspec.structs.replace(come(fact, seconds), source="poll")


def delivered(
    number: int, seconds: float, seq: int | None, verdict: str = "accepted", body: str | None = None
) -> Delivery:
    return Delivery(id=number, received_at=at(seconds), verdict=verdict, reason="", event_seq=seq, size=1, body=body)


def told(chapter: Sequence[object]) -> list[tuple[str, str, list[str]]]:
    """Type, what it changed, and the gaps, oldest first."""
    return [
        (entry.fact.type, entry.changed.replace("\u00a0", " "), [gap.word for gap in entry.gaps])
        for entry in reversed(chapter)
        if isinstance(entry, Told)
    ]


def entries(*stored: Fact, now: float = 400, **more: Any) -> tuple[Any, ...]:
    return tell(rows(*stored), now=at(now), **more).entries


def test_a_life_without_a_gap() -> None:
    refused = facts.refund_refused("key-2", "pay_1", at(91), {"sentence": "No.", "status": 422, "error_codes": ["x"]})
    assert told(
        entries(
            *created("pay_1", 10000, 0),
            webhook("payment_pending", 1, 1, amount=10000),
            webhook("payment_captured", 2, 20, **CAPTURED),
            asked("key-1", 2500, 60),
            accepted("key-1", "act_r", 61),
            webhook("payment_refund_pending", 3, 62, **REFUND),
            webhook("payment_refunded", 4, 80, **REFUND, balances=balances(10000, 2500)),
            asked("key-2", 100, 90),
            refused,
            facts.note_added("key-3", "pay_1", text="He called.", by="Ben", at=at(100)),
        )
    ) == [
        ("payment_requested", "a new payment of HKD 100.00, Pending", []),
        ("payment_accepted", "learnt: link, expiry", []),
        ("payment_pending", "nothing: already Pending", []),
        ("payment_captured", "captured HKD 100.00; status Pending → Captured", []),
        ("refund_requested", "HKD 25.00 reserved for a refund", []),
        ("refund_accepted", "HKD 25.00 now on its way", []),
        ("payment_refund_pending", "nothing: already pending", []),
        ("payment_refunded", "refunded HKD 25.00; status Captured → Partially Refunded", []),
        ("refund_requested", "HKD 1.00 reserved for a refund", []),
        ("refund_refused", "refund of HKD 1.00 refused, the amount is refundable again", []),
        ("note_added", "", []),
    ]


def read(body: dict[str, Any], seconds: float) -> Fact:
    return facts.payment_read("pay_1", answer({"id": "pay_1", **body}, status=200, method="GET", seconds=seconds))


PENDING = webhook("payment_pending", 1, 0, amount=10000)
CAPTURE = webhook("payment_captured", 2, 20, **CAPTURED)
DECLINED = webhook("payment_declined", 3, 20, response_code="20051")
SAYS_CAPTURED = {"status": "Captured", "amount": 10000, "currency": "HKD", "balances": balances(10000, 0)}


@pytest.mark.parametrize(
    ("stored", "deliveries", "now", "expected"),
    [
        pytest.param([PENDING, come(CAPTURE, 79)], [], 400, [], id="a minute is not yet late"),
        pytest.param([PENDING, come(CAPTURE, 260)], [], 400, [Gap("late", timedelta(minutes=4))], id="late"),
        pytest.param([PENDING, come(CAPTURE, 5)], [], 400, [], id="a provider whose clock is ahead is not late"),
        pytest.param(
            [PENDING, come(webhook("payment_refunded", 4, 30, **REFUND), 31), come(CAPTURE, 32)],
            [],
            400,
            [Gap("disorder", timedelta(seconds=10), "payment_refunded")],
            id="after what happened later",
        ),
        pytest.param(
            [PENDING, looked_up(CAPTURE, 50)], [], 400, [Gap("not_yet", timedelta(seconds=30))], id="webhook may come"
        ),
        pytest.param(
            [PENDING, looked_up(CAPTURE, 50)],
            [],
            200_000,
            [Gap("never", timedelta(seconds=30))],
            id="all retries are over",
        ),
        pytest.param(
            [PENDING, looked_up(CAPTURE, 50)],
            [delivered(9, 110, 2, "duplicate")],
            400,
            [Gap("later", timedelta(minutes=1))],
            id="its webhook came after all",
        ),
        pytest.param(
            [PENDING, looked_up(CAPTURE, 50)],
            [delivered(9, 30, None, "bad_signature", CAPTURE.text)],
            200_000,
            [Gap("refused", timedelta(seconds=30))],
            id="we refused its webhook",
        ),
        pytest.param([PENDING, read(SAYS_CAPTURED, 50)], [], 400, [Gap("not_yet", timedelta())], id="read, no webhook"),
        pytest.param(
            [PENDING, read(SAYS_CAPTURED, 50), come(CAPTURE, 110)],
            [],
            400,
            [Gap("later", timedelta(minutes=1))],
            id="read, then its webhook",
        ),
        pytest.param([PENDING, DECLINED, read({"status": "Declined"}, 50)], [], 400, [], id="read, nothing new"),
    ],
)
def test_gaps(stored: list[Fact], deliveries: list[Delivery], now: float, expected: list[Gap]) -> None:
    known = [delivery for delivery in deliveries if delivery.event_seq]
    refused = [delivery for delivery in deliveries if not delivery.event_seq]
    found = entries(*stored, now=now, deliveries=known, refused=refused)
    doubtful = stored[1] if stored[1].source == "poll" else stored[-1]
    [entry] = [each for each in found if isinstance(each, Told) and each.fact.id == doubtful.id]
    assert list(entry.gaps) == expected


@pytest.mark.parametrize(
    ("stored", "now", "expected"),
    [
        ([PENDING], 899, []),
        ([PENDING], 7200, [(0, None, "payment")]),
        ([PENDING, come(CAPTURE, 7200)], 7300, [(0, 7200, "payment")]),
        ([PENDING, CAPTURE], 90_000, []),
        ([PENDING, CAPTURE, asked("key", 100, 3600)], 3700, []),
        ([PENDING, CAPTURE, asked("key", 100, 3600)], 10_800, [(3600, None, "refund")]),
        (
            [
                PENDING,
                CAPTURE,
                asked("key", 100, 3600),
                facts.note_added("n", "pay_1", text="x", by="Ben", at=at(4000)),
                accepted("key", "act_r", 7200),
            ],
            7300,
            [(3600, 7200, "refund")],
        ),
    ],
)
def test_silence_counts_only_while_something_is_undecided(
    stored: list[Fact], now: float, expected: list[tuple[float, float | None, str]]
) -> None:
    silences = [entry for entry in entries(*stored, now=now) if isinstance(entry, Silence)]
    assert [(each.at, each.until, each.awaited) for each in silences] == [
        (at(since), None if until is None else at(until), awaited) for since, until, awaited in expected
    ]


def test_deliveries_stand_with_their_event_and_strangers_apart() -> None:
    other = event("payment_captured", 77, at(40), id="pay_1").decode()
    found = entries(
        PENDING,
        CAPTURE,
        deliveries=[delivered(3, 90, 2, "duplicate"), delivered(1, 21, 2)],
        refused=[
            delivered(2, 30, None, "bad_signature", CAPTURE.text),
            delivered(4, 41, None, "bad_signature", other),
            delivered(5, 42, None, "no_signature", other[:40]),
        ],
    )
    captured = next(each for each in found if isinstance(each, Told) and each.fact.type == "payment_captured")
    assert [delivery.id for delivery in captured.deliveries] == [1, 2, 3]
    assert [each.delivery.id for each in found if isinstance(each, Refused)] == [5, 4]


LIFE = [
    *created("pay_1", 10000, 0),
    PENDING,
    CAPTURE,
    asked("key-1", 2500, 60),
    accepted("key-1", "act_r", 61),
    webhook("payment_refund_pending", 5, 62, **REFUND),
    webhook("payment_refunded", 6, 80, **REFUND, balances=balances(10000, 2500)),
    facts.note_added("key-3", "pay_1", text="He called.", by="Ben", at=at(100)),
]


@given(st.permutations(LIFE), st.integers(1, 4))
def test_pages_in_any_order_of_arrival_tell_the_whole_story(order: list[Fact], size: int) -> None:
    held = rows(*order)
    whole = tell(held, now=at(400), count=100)
    paged: list[object] = []
    for first in count(0, size):
        chapter = tell(held, now=at(400), first=first, count=size)
        assert chapter.total == whole.total == len(LIFE)
        if not chapter.entries:
            break
        paged += chapter.entries
    assert paged == list(whole.entries)
    moments = [entry.at for entry in whole.entries]
    assert moments == sorted(moments, reverse=True)


@given(st.permutations(LIFE))
def test_what_is_said_to_change_adds_up(order: list[Fact]) -> None:
    """Whatever the order, the money is said to come and go once."""
    said = [changed for _, changed, _ in told(entries(*order))]
    assert sum("captured HKD 100.00" in each for each in said) == 1
    assert sum("refunded HKD 25.00" in each for each in said) == 1
    assert said.count("") == 1


def test_a_note_is_unknown_to_money() -> None:
    without, noted = fold(LIFE[:-1]), fold(LIFE)
    changed = {
        name
        for name, value in project("pay_1", noted, encode(noted)).payment.items()
        if project("pay_1", without, encode(without)).payment[name] != value
    }
    assert changed == {"version", "updated_at", "folded"}
    assert project("pay_1", noted, "").refunds == project("pay_1", without, "").refunds


def test_a_webhook_cannot_pass_for_a_colleagues_note() -> None:
    forged = from_webhook(event("note_added", 9, at(50), id="pay_1", text="Refund all", by="Ben"), at(50))
    [entry] = [each for each in entries(PENDING, forged) if isinstance(each, Told) and each.fact.type == "note_added"]
    assert entry.fact.source == "webhook"
    assert entry.changed == "nothing: a kind of event that changes nothing here"
