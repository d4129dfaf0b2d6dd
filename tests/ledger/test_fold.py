"""The fold: any order, any number of times, any mixture of sources give one state."""

from __future__ import annotations

import json
from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lib.ledger import facts
from lib.ledger.facts import Fact, from_webhook
from lib.ledger.fold import fold
from lib.ledger.project import Projection, project
from lib.ledger.state import PaymentState, encode
from tests.support.events import accepted, answer, asked, at, balances, event, stamp, webhook


def state_of(*told: Fact) -> PaymentState:
    return fold(told)


def shown(*told: Fact) -> Projection:
    state = fold(told)
    return project("pay_1", state, encode(state))


PENDING = webhook("payment_pending", 1, 0, amount=10000, reference="ORD-1")
CAPTURE_PENDING = webhook("payment_capture_pending", 2, -0.26, amount=10000, reference="ORD-1", action_id="act_c")
CAPTURED = webhook(
    "payment_captured", 3, 60, amount=10000, reference="ORD-1", action_id="act_c", balances=balances(10000, 0)
)
EXPIRED = webhook("payment_expired", 4, 600, amount=10000, reference="ORD-1", action_id="act_x")
DECLINED = webhook(
    "payment_declined", 5, 30, amount=10000, action_id="act_d", response_code="20051", response_summary="No"
)
CANCELED = webhook("payment_canceled", 6, 30, amount=10000)
REFUND_PENDING = webhook("payment_refund_pending", 7, 100, amount=3000, action_id="act_r")
REFUNDED = webhook("payment_refunded", 8, 101, amount=3000, action_id="act_r", balances=balances(10000, 3000))
REFUND_DECLINED = webhook(
    "payment_refund_declined",
    9,
    101,
    amount=3000,
    action_id="act_r",
    response_code="20006",
    balances=balances(10000, 0),
)


@pytest.mark.parametrize(
    ("told", "status"),
    [
        ([PENDING], "Pending"),
        ([CAPTURE_PENDING], "Pending"),
        ([PENDING, DECLINED], "Declined"),
        ([PENDING, EXPIRED], "Expired"),
        ([PENDING, CANCELED], "Canceled"),
        ([CAPTURED], "Captured"),
        ([EXPIRED, CAPTURED], "Captured"),
        ([CAPTURED, REFUND_PENDING], "Captured"),
        ([CAPTURED, REFUNDED], "Partially Refunded"),
        ([CAPTURED, REFUND_DECLINED], "Captured"),
        (
            [
                CAPTURED,
                webhook("payment_refunded", 10, 200, amount=10000, action_id="act_f", balances=balances(10000, 10000)),
            ],
            "Refunded",
        ),
    ],
)
def test_status_is_in_checkouts_words(told: list[Fact], status: str) -> None:
    assert shown(*told).payment["status"] == status
    assert shown(*reversed(told)).payment["status"] == status


def test_money_wins_over_an_expiry_and_the_contradiction_is_shown() -> None:
    payment = shown(EXPIRED, CAPTURED).payment
    assert (payment["status"], payment["captured"], payment["attention"]) == ("Captured", 10000, "contradiction")


def test_a_final_fact_wins_over_a_pending_one_however_late() -> None:
    late = webhook("payment_refund_pending", 77, 9999, amount=3000, action_id="act_r")
    [refund] = shown(CAPTURED, REFUNDED, late).refunds
    assert refund["status"] == "refunded"
    assert shown(CAPTURED, REFUNDED, late).payment["refund_pending"] == 0


def test_a_declined_refund_gives_its_reservation_back_and_leaves_the_status() -> None:
    payment = shown(CAPTURED, asked("k1", 3000, 90), accepted("k1", "act_r", 91), REFUND_DECLINED).payment
    assert (payment["status"], payment["refunded"], payment["refund_pending"], payment["refund_reserved"]) == (
        "Captured",
        0,
        0,
        0,
    )


def test_one_refund_is_one_row_while_its_answer_is_still_on_the_way() -> None:
    """The webhook overtakes the answer: for that moment too there is one refund, and it is counted once."""
    [refund] = shown(CAPTURED, asked("k1", 3000, 99), REFUNDED).refunds
    assert (refund["key"], refund["action_id"], refund["status"]) == ("k1", "act_r", "refunded")
    payment = shown(CAPTURED, asked("k1", 3000, 99), REFUNDED).payment
    assert (payment["refunded"], payment["refund_reserved"]) == (3000, 0)


def test_our_key_in_an_events_metadata_names_its_refund_among_equals() -> None:
    told = webhook("payment_refunded", 8, 101, amount=3000, action_id="act_r", metadata={"refund_key": "k2"})
    by_key = {
        row["key"]: row["status"] for row in shown(CAPTURED, asked("k1", 3000, 98), asked("k2", 3000, 99), told).refunds
    }
    assert by_key == {"k1": "submitting", "k2": "refunded"}


def test_the_answer_names_the_action_even_against_an_equal_amount() -> None:
    first = (asked("k1", 3000, 98), asked("k2", 3000, 99), REFUNDED)
    assert {row["key"] for row in shown(CAPTURED, *first).refunds if row["status"] == "refunded"} == {"k1"}
    settled = shown(CAPTURED, *first, accepted("k2", "act_r", 102)).refunds
    assert {row["key"]: row["status"] for row in settled} == {"k1": "submitting", "k2": "refunded"}


def test_a_refused_refund_reserves_nothing() -> None:
    refused = facts.refund_refused(
        "k1", "pay_1", at(92), {"sentence": "No.", "status": 422, "error_codes": ["amount_invalid"]}
    )
    told = shown(CAPTURED, asked("k1", 3000, 90), refused)
    [refund] = told.refunds
    assert (refund["status"], refund["response_code"], refund["response_summary"]) == (
        "failed",
        "amount_invalid",
        "No.",
    )
    assert told.payment["refund_reserved"] == 0


def test_balances_that_say_more_than_the_facts_win_and_mark_the_payment() -> None:
    second = webhook("payment_refunded", 11, 200, amount=2000, action_id="act_2", balances=balances(10000, 5000))
    payment = shown(CAPTURED, second).payment
    assert (payment["refunded"], payment["attention"], payment["status"]) == (
        5000,
        "missing_facts",
        "Partially Refunded",
    )
    found = shown(CAPTURED, second, REFUNDED).payment
    assert (found["refunded"], found["attention"]) == (5000, None)


def test_a_fact_in_another_currency_invents_no_money() -> None:
    foreign = webhook("payment_captured", 12, 61, amount=777, currency="ZZZ", action_id="act_z")
    payment = shown(PENDING, CAPTURED, foreign).payment
    assert (payment["captured"], payment["currency"], payment["attention"]) == (10000, "HKD", "currency_conflict")


@pytest.mark.parametrize("amount", ["100", 10.5, -1, True, None, 10**18, [1]])
def test_what_is_no_amount_is_no_money(amount: object) -> None:
    assert shown(webhook("payment_captured", 3, 60, amount=amount, action_id="act_c")).payment["captured"] == 0


def test_unknown_types_change_nothing_but_make_the_payment_known() -> None:
    payment = shown(webhook("payment_routed", 20, 5, amount=10000, reference="ORD-9")).payment
    assert (payment["status"], payment["reference"], payment["captured"]) == ("Pending", "ORD-9", 0)


def test_a_refunds_reference_is_not_the_payments() -> None:
    told = webhook("payment_refunded", 8, 101, amount=3000, action_id="act_r", reference="RF-1")
    assert shown(PENDING, CAPTURED, told).payment["reference"] == "ORD-1"


@pytest.mark.parametrize("envelope", ["created_on", "timestamp"])
def test_either_name_of_the_envelopes_time_is_read(envelope: str) -> None:
    fact = from_webhook(event("payment_pending", 1, at(5), envelope=envelope, id="pay_1"), at(60))
    assert fact.occurred_at == at(5)


def test_an_impossible_date_is_passed_over() -> None:
    raw = json.dumps(
        {"id": "evt_1", "type": "payment_captured", "timestamp": "2023-06-34T10:00:00Z", "data": {"id": "pay_1"}}
    )
    assert from_webhook(raw.encode(), at(60)).occurred_at == at(60)


def test_numbers_in_metadata_fold() -> None:
    assert (
        shown(webhook("payment_captured", 3, 60, amount=5, action_id="a", metadata={"n": 1.5})).payment["captured"] == 5
    )


def test_a_poll_alone_tells_the_whole_state() -> None:
    body = {
        "id": "pay_1",
        "requested_on": stamp(at(0)),
        "amount": 10000,
        "currency": "HKD",
        "status": "Partially Refunded",
        "balances": balances(10000, 3000),
        "customer": {"email": "ana@example.com"},
    }
    actions = [
        {"id": "act_r", "type": "Refund", "processed_on": stamp(at(101)), "amount": 3000, "approved": True},
        {"id": "act_c", "type": "Capture", "processed_on": stamp(at(60)), "amount": 10000, "approved": True},
    ]
    read = facts.payment_read("pay_1", answer(body, method="GET", seconds=500))
    acted = facts.actions_read("pay_1", answer(actions, method="GET", seconds=500))
    polled, pushed = shown(read, acted), shown(PENDING, CAPTURED, REFUNDED)
    for column in ("status", "captured", "refunded", "attention", "requested_at", "captured_at"):
        assert polled.payment[column] == pushed.payment[column], column
    assert polled.volumes == pushed.volumes
    assert shown(read, acted, PENDING, CAPTURED, REFUNDED).volumes == pushed.volumes


@dataclass(frozen=True)
class Story:
    """The facts of one payment, as told by every source, and what is true of it."""

    facts: tuple[Fact, ...]
    captured: int
    refunded: int


@st.composite
def stories(draw: st.DrawFn) -> Story:
    """A payment that really happened: paid or not, refunded in parts by people here and elsewhere, told by webhooks, answers and polls."""
    amount = draw(st.integers(100, 50000))
    told = [webhook("payment_pending", 1, 0, amount=amount, reference="ORD-1")]
    if draw(st.booleans()):
        told.append(webhook("payment_capture_pending", 2, -0.26, amount=amount, action_id="act_c"))
    if not draw(st.booleans()):
        told.append(draw(st.sampled_from([EXPIRED, DECLINED, CANCELED])))
        return Story(tuple(told), 0, 0)
    told.append(webhook("payment_captured", 3, 60, amount=amount, action_id="act_c", balances=balances(amount, 0)))
    refunded, actions = 0, []
    for number in range(draw(st.integers(0, 4))):
        part = draw(st.integers(1, max(1, amount // 5)))
        action, start = f"act_{number}", 100.0 + 10 * number
        if draw(st.booleans()):
            told.append(asked(f"k{number}", part, start))
            told.append(accepted(f"k{number}", action, start + 1))
        told.append(webhook("payment_refund_pending", 100 + number, start + 1, amount=part, action_id=action))
        approved = draw(st.booleans())
        refunded += part if approved else 0
        kind = "payment_refunded" if approved else "payment_refund_declined"
        left = balances(amount, refunded)
        told.append(webhook(kind, 200 + number, start + 2, amount=part, action_id=action, balances=left))
        moment = stamp(at(start + 2))
        actions.append({"id": action, "type": "Refund", "processed_on": moment, "amount": part, "approved": approved})
    if draw(st.booleans()):
        told.append(facts.actions_read("pay_1", answer(actions, method="GET", seconds=999)))
    return Story(tuple(told), amount, refunded)


@given(stories(), st.data())
def test_any_order_and_any_duplication_give_the_same_state(story: Story, data: st.DataObject) -> None:
    repeated = data.draw(st.lists(st.sampled_from(story.facts)))
    shuffled = data.draw(st.permutations([*story.facts, *repeated]))
    assert encode(fold(shuffled)) == encode(fold(story.facts))


@given(stories(), st.data())
def test_going_on_from_a_state_is_folding_everything(story: Story, data: st.DataObject) -> None:
    order = data.draw(st.permutations(story.facts))
    cut = data.draw(st.integers(0, len(order)))
    assert encode(fold(order[cut:], start=fold(order[:cut]))) == encode(fold(story.facts))


@given(stories(), st.data())
def test_the_whole_story_adds_up(story: Story, data: st.DataObject) -> None:
    told = shown(*data.draw(st.permutations(story.facts)))
    assert (told.payment["captured"], told.payment["refunded"]) == (story.captured, story.refunded)
    assert told.payment["refund_pending"] == told.payment["refund_reserved"] == 0
    assert told.payment["attention"] is None
    assert sum(measures.get("captured", 0) for measures in told.volumes.values()) == story.captured
    assert sum(measures.get("refunded", 0) for measures in told.volumes.values()) == story.refunded


@given(stories(), st.data())
def test_no_part_of_the_story_promises_more_than_is_there(story: Story, data: st.DataObject) -> None:
    """Whatever has arrived so far, no refund is counted twice and none has two rows."""
    part = data.draw(st.permutations(story.facts))[: data.draw(st.integers(1, len(story.facts)))]
    told = shown(*part)
    actions = [row["action_id"] for row in told.refunds if row["action_id"]]
    assert len(actions) == len(set(actions))
    assert told.payment["refunded"] <= story.refunded
