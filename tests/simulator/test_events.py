"""What each event carries and lacks, when it comes, and how it can be looked up."""

from __future__ import annotations

import re
from typing import Any

import pytest

from tests.simulator.house import AUTHORIZATION, KEYS, House, house
from tests.support.waiting import until

COMMON = {"id", "amount", "currency", "processed_on"}
DECIDED = COMMON | {
    "action_id", "reference", "response_code", "response_summary", "balances", "metadata", "processing", "event_links",
}  # fmt: skip
FIELDS = {
    "payment_pending": COMMON | {"reference", "metadata"},
    "payment_capture_pending": COMMON | {"action_id", "reference", "metadata"},
    "payment_captured": DECIDED,
    "payment_declined": COMMON
    | {"action_id", "reference", "response_code", "response_summary", "payment_type", "customer", "metadata", "risk"}
    | {"source", "event_links"},
    "payment_expired": COMMON | {"action_id", "reference", "metadata"},
    "payment_canceled": COMMON | {"action_id", "reference"},
    "payment_refund_pending": COMMON | {"action_id"},
    "payment_refunded": DECIDED,
    "payment_refund_declined": DECIDED,
}


def bring_about(home: House, kind: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """A payment, and its event of this type."""
    won = {"currency": "KRW", "amount": 45_000} if kind == "payment_refund_declined" else {}
    payment = home.create(**won)
    if kind == "payment_declined":
        home.decide(payment, "decline")
    elif kind == "payment_canceled":
        home.decide(payment, "cancel")
    elif kind == "payment_expired":
        assert home.http.post(f"/_control/expire/{payment['id']}").status_code == 204
    elif kind != "payment_pending":
        home.decide(payment, "pay")
    if "refund" in kind:
        home.refunded(payment, 49, reference="RF-1")
    return payment, home.told(kind, payment)


@pytest.mark.parametrize("kind", FIELDS)
def test_each_type_has_its_fields_and_no_others(shared: House, kind: str) -> None:
    payment, event = bring_about(shared, kind)
    data = event["data"]

    assert data.keys() == FIELDS[kind]
    assert event.keys() - {"created_on", "timestamp"} == {"id", "type", "version", "source", "data", "_links"}
    assert len(event.keys() & {"created_on", "timestamp"}) == 1
    assert re.fullmatch(r"evt_[a-z2-7]{26}", event["id"])
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{7}Z", data["processed_on"])
    assert "status" not in data
    assert data["id"] == payment["id"]
    assert event["_links"]["self"]["href"] == f"{shared.url}/workflows/events/{event['id']}"
    assert event["_links"]["subject"]["href"] == f"{shared.url}/workflows/events/subject/{payment['id']}"


def test_both_forms_of_the_envelope_occur_even_for_one_type(shared: House) -> None:
    forms = {
        ("timestamp" if "timestamp" in shared.told("payment_pending", shared.create()) else "created_on")
        for _ in range(40)
    }

    assert forms == {"timestamp", "created_on"}


def test_a_refund_tells_its_own_amount_and_the_totals_after_it(shared: House) -> None:
    payment = shared.paid()
    shared.refunded(payment, 100, reference="RF-1", metadata={"why": "damaged"})
    first = shared.told("payment_refunded", payment)["data"]
    shared.refunded(payment)
    second = shared.told("payment_refunded", payment, count=2)["data"]

    assert (first["amount"], first["reference"], first["metadata"]) == (100, "RF-1", {"why": "damaged"})
    assert (first["balances"]["total_refunded"], first["balances"]["available_to_refund"]) == (100, 1000)
    assert (second["amount"], second["reference"], second["metadata"]) == (1000, "ORDER-1", {"store": "Gangnam"})
    assert (second["balances"]["total_refunded"], second["balances"]["available_to_refund"]) == (1100, 0)
    assert first["event_links"].keys() == {"payment", "payment_actions"}


def test_a_declined_refund_leaves_the_balances_as_they_were(shared: House) -> None:
    _, event = bring_about(shared, "payment_refund_declined")

    assert event["data"]["response_code"] == "20006"
    assert event["data"]["balances"]["total_refunded"] == 0
    assert event["data"]["balances"]["available_to_refund"] == 45_000


def test_a_captured_payment_links_to_its_refunds(shared: House) -> None:
    payment, event = bring_about(shared, "payment_captured")

    assert event["data"]["event_links"]["refund"] == f"{shared.url}/payments/{payment['id']}/refunds"
    assert event["_links"]["refund"]["href"] == f"{shared.url}/payments/{payment['id']}/refunds"


def test_each_transition_tells_once(shared: House) -> None:
    payment = shared.paid()
    for decision in ("pay", "decline", "cancel"):
        shared.decide(payment, decision)
    shared.refunded(payment)
    until(lambda: all(each["state"] == "delivered" for each in shared.deliveries(payment)))

    kinds = [each["type"] for each in shared.receiver.events() if each["data"]["id"] == payment["id"]]
    assert sorted(kinds) == [
        "payment_capture_pending",
        "payment_captured",
        "payment_pending",
        "payment_refund_pending",
        "payment_refunded",
    ]


def test_every_delivery_is_signed_over_its_raw_bytes(shared: House) -> None:
    payment = shared.paid(metadata={"shop": "카페 ©"})
    shared.told("payment_captured", payment)

    for delivery in shared.receiver.deliveries:
        assert delivery.signed_with(KEYS[0])
        assert delivery.headers["authorization"] == AUTHORIZATION
        assert delivery.headers["content-type"] == "application/json"
    assert any("카페 ©".encode() in delivery.raw for delivery in shared.receiver.deliveries)


def test_events_can_be_looked_up_and_sent_again(own: House) -> None:
    payment, event = bring_about(own, "payment_captured")
    until(lambda: all(each["state"] == "delivered" for each in own.deliveries()))

    found = own.http.get(f"/workflows/events/{event['id']}").json()
    [invocation] = found.pop("action_invocations")
    assert found == event
    assert (invocation["status"], invocation["response_status"]) == ("successful", 200)
    listed = own.http.get(f"/workflows/events/subject/{payment['id']}").json()["data"]
    assert [each["type"] for each in listed] == ["payment_captured", "payment_capture_pending", "payment_pending"]

    assert own.http.post(f"/workflows/events/{event['id']}/reflow").status_code == 202
    until(lambda: len(own.receiver.deliveries) == 4)
    assert own.receiver.events()[3] == event
    assert own.http.post(f"/workflows/events/subject/{payment['id']}/reflow").status_code == 202
    until(lambda: len(own.receiver.deliveries) == 7)
    assert own.post("/workflows/events/reflow", {"events": [event["id"]]}).status_code == 202
    assert own.post("/workflows/events/reflow", {"subjects": [payment["id"]]}).status_code == 202
    until(lambda: len(own.receiver.deliveries) == 11)
    raw = {each.raw for each in own.receiver.deliveries}
    assert len(raw) == 3


@pytest.mark.parametrize("body", [{}, {"events": []}, {"events": "evt"}, {"subjects": [1]}])
def test_a_reflow_of_nothing_is_refused(shared: House, body: dict[str, Any]) -> None:
    assert shared.post("/workflows/events/reflow", body).status_code == 422


def test_all_types_are_listed(shared: House) -> None:
    [gateway] = shared.http.get("/workflows/event-types").json()

    assert {each["id"] for each in gateway["events"]} == FIELDS.keys()


def test_without_a_receiver_events_are_kept(tmp_path: Any) -> None:
    with house(tmp_path, webhook_url="") as home:
        payment = home.paid()
        assert [each["state"] for each in home.deliveries(payment)] == ["kept"] * 3
        listed = home.http.get(f"/workflows/events/subject/{payment['id']}").json()["data"]
        assert len(listed) == 3
