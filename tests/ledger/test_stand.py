"""Approvals, rejections, cancellations, expiry and holds fold like everything else: in any order, however often."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lib.ledger import facts
from lib.ledger.facts import Decision, Fact
from lib.ledger.fold import fold
from lib.ledger.project import Projection, project
from lib.ledger.state import decode, encode
from tests.support.events import accepted, at, balances, stamp, webhook

CAPTURED = webhook("payment_captured", 1, 0, amount=10000, action_id="act_c", balances=balances(10000, 0))
APPROVAL = {"limit": 1000, "approve_by": stamp(at(9999))}


def asked(key: str = "k", seconds: float = 10, amount: int = 3000, by: str = "Ana", **terms: Any) -> Fact:
    how = {"amount": amount, "currency": "HKD", "reason": "damaged", "note": "", "by": by}
    return facts.refund_requested(key, "pay_1", at=at(seconds), terms=terms, **how)


def decided(decision: Decision, seconds: float, key: str = "k", by: str | None = "Ben", **said: Any) -> Fact:
    return facts.refund_decided(decision, key, "pay_1", at(seconds), by=by, **said)


def shown(*told: Fact) -> Projection:
    state = fold(told)
    return project("pay_1", state, encode(state))


def row(*told: Fact) -> dict[str, Any]:
    [refund] = shown(CAPTURED, *told).refunds
    return refund


REFUSED = facts.refund_refused("k", "pay_1", at(90), {"sentence": "No.", "status": 422, "error_codes": ["x"]})
HELD = {"held_until": stamp(at(60))}


@pytest.mark.parametrize(
    ("told", "status", "reserved"),
    [
        ([asked()], "submitting", 3000),
        ([asked(**APPROVAL)], "awaiting_approval", 3000),
        ([asked(**APPROVAL), decided("approved", 20)], "submitting", 3000),
        ([asked(**APPROVAL), decided("approved", 20, by="Ana")], "awaiting_approval", 3000),
        ([asked(**APPROVAL), decided("rejected", 20, why="No receipt")], "cancelled", 0),
        ([asked(**APPROVAL), decided("cancelled", 20, by="Ana")], "cancelled", 0),
        ([asked(**APPROVAL), decided("lapsed", 20, by=None)], "cancelled", 0),
        ([asked(**APPROVAL), decided("approved", 20, **HELD)], "submitting", 3000),
        ([asked(**APPROVAL), decided("approved", 20, **HELD), decided("cancelled", 30)], "cancelled", 0),
        ([asked(**HELD)], "submitting", 3000),
        ([asked(**HELD), decided("cancelled", 20)], "cancelled", 0),
        ([asked(**HELD), decided("released", 61, by=None)], "submitting", 3000),
        ([asked(**HELD), decided("released", 61, by=None), accepted("k", "act_r", 62)], "pending", 0),
        ([asked(**HELD), decided("released", 61, by=None), decided("cancelled", 60)], "submitting", 3000),
        ([asked(**HELD), decided("released", 61, by=None), REFUSED], "failed", 0),
    ],
)
def test_where_a_refund_stands(told: list[Fact], status: str, reserved: int) -> None:
    for order in (told, told[::-1]):
        projection = shown(CAPTURED, *order)
        assert (projection.refunds[0]["status"], projection.payment["refund_reserved"]) == (status, reserved)


def test_when_it_is_to_be_sent() -> None:
    assert row(asked())["send_at"] == row(asked())["requested_at"]
    assert row(asked(**APPROVAL))["send_at"] is None
    assert row(asked(**APPROVAL), decided("approved", 20))["send_at"][:19] == "2026-03-02T04:00:20"
    held = row(asked(**HELD))
    assert held["send_at"] == held["held_until"]
    released = row(asked(**HELD), decided("released", 61, by=None))
    assert (released["send_at"][:19], released["held_until"]) == ("2026-03-02T04:01:01", None)
    assert row(asked(), accepted("k", "act_r", 11))["send_at"] is None
    assert row(asked(**HELD), decided("cancelled", 20))["send_at"] is None


def test_what_was_settled_stays_with_the_row() -> None:
    lines = [{"line": 0, "name": "Cup", "quantity": 1, "amount": 3000}]
    told = row(asked(reason_label="Broken on arrival", retry_of="k0", lines=lines, **APPROVAL), decided("approved", 20))
    assert (told["reason_label"], told["retry_of"]) == ("Broken on arrival", "k0")
    assert '"name":"Cup"' in told["lines"]
    assert (told["approval_limit"], told["approved_by"]) == (1000, "Ben")
    ended = row(asked(**APPROVAL), decided("rejected", 20, why="No receipt"))
    assert (ended["ended_as"], ended["ended_by"], ended["ended_why"]) == ("rejected", "Ben", "No receipt")
    assert ended["decided_at"][:19] == "2026-03-02T04:00:20"


def test_a_refund_made_elsewhere_before_is_not_taken_for_ours() -> None:
    """An equal amount, given back elsewhere and known when ours was asked for, is another refund."""
    earlier = webhook("payment_refunded", 2, 5, amount=3000, action_id="act_e", balances=balances(10000, 3000))
    told = shown(CAPTURED, earlier, asked(told_before=["act_e"]))
    assert {each["key"]: each["status"] for each in told.refunds} == {"act_e": "refunded", "k": "submitting"}
    assert (told.payment["refunded"], told.payment["refund_reserved"]) == (3000, 3000)


@pytest.mark.parametrize("terms", [APPROVAL, HELD])
def test_nothing_elsewhere_is_taken_for_one_that_is_not_sent(terms: dict[str, Any]) -> None:
    other = webhook("payment_refunded", 2, 15, amount=3000, action_id="act_e", balances=balances(10000, 3000))
    told = shown(CAPTURED, asked(**terms), other)
    assert len(told.refunds) == 2
    assert (told.payment["refunded"], told.payment["refund_reserved"]) == (3000, 3000)


@st.composite
def stories(draw: st.DrawFn) -> list[Fact]:
    """Up to three refunds, each asked for on some terms and decided in any way at all, sensible or not."""
    told = [CAPTURED]
    for number in range(draw(st.integers(1, 3))):
        key, start = f"k{number}", 10.0 + number
        terms = {**draw(st.sampled_from([{}, APPROVAL])), **draw(st.sampled_from([{}, HELD]))}
        told.append(asked(key, start, draw(st.integers(1, 3000)), **terms))
        decisions: list[Decision] = ["approved", "rejected", "cancelled", "lapsed", "released"]
        for decision in draw(st.sets(st.sampled_from(decisions))):
            said = draw(st.sampled_from([{}, HELD])) if decision == "approved" else {}
            by = draw(st.sampled_from(["Ana", "Ben"])) if decision not in ("lapsed", "released") else None
            told.append(decided(decision, draw(st.integers(20, 80)), key, by, **said))
        if draw(st.booleans()):
            told.append(accepted(key, f"act_{number}", 90))
        if draw(st.booleans()):
            kind = draw(st.sampled_from(["payment_refund_pending", "payment_refunded", "payment_refund_declined"]))
            told.append(webhook(kind, 100 + number, 91, amount=100, action_id=f"act_{number}"))
    return told


@given(stories(), st.data())
def test_any_order_gives_the_same_rows(story: list[Fact], data: st.DataObject) -> None:
    order = data.draw(st.permutations(story))
    cut = data.draw(st.integers(0, len(order)))
    going_on = fold(order[cut:], start=decode(encode(fold(order[:cut]))))
    assert encode(going_on) == encode(fold(story))
    repeated = [*order, *data.draw(st.lists(st.sampled_from(story)))]
    assert project("pay_1", fold(repeated), "") == project("pay_1", fold(story), "")


@given(stories())
def test_nobody_approves_their_own_and_what_is_reserved_is_open(story: list[Fact]) -> None:
    told = shown(*story)
    for refund in told.refunds:
        assert refund["approved_by"] is None or refund["approved_by"] != refund["requested_by"]
        assert (refund["send_at"] is None) or refund["status"] not in ("awaiting_approval", "cancelled")
    still_open = [each for each in told.refunds if each["status"] in ("awaiting_approval", "submitting")]
    assert told.payment["refund_reserved"] == sum(each["amount"] for each in still_open)
