"""The life of a payment: paying, declining, refunding, charging again, and what the idempotency key is worth."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from tests.simulator.house import House, house, order
from tests.support.waiting import until


def test_paying_captures_at_once(shared: House) -> None:
    payment = shared.create()
    assert shared.status(payment) == "Pending"

    shared.decide(payment, "pay")

    found = shared.details(payment)
    assert (found["status"], found["approved"], found["amount"]) == ("Captured", True, 1100)
    assert found["balances"] == {
        "total_authorized": 1100,
        "total_voided": 0,
        "available_to_void": 0,
        "total_captured": 1100,
        "available_to_capture": 0,
        "total_refunded": 0,
        "available_to_refund": 1100,
    }
    assert found["_links"]["refund"]["href"] == f"{shared.url}/payments/{payment['id']}/refunds"
    assert found["metadata"] == {"store": "Gangnam"}
    assert found["shipping"] == {"address": {"country": "KR"}}
    [capture] = shared.actions(payment)
    assert (capture["type"], capture["amount"], capture["approved"]) == ("Capture", 1100, True)
    assert (capture["response_code"], capture["response_summary"]) == ("10000", "Approved")


@pytest.mark.parametrize(("decision", "status"), [("decline", "Declined"), ("cancel", "Canceled")])
def test_not_paying_ends_the_payment(shared: House, decision: str, status: str) -> None:
    payment = shared.create()

    shared.decide(payment, decision)

    found = shared.details(payment)
    assert (found["status"], found["approved"]) == (status, False)
    assert "balances" not in found
    assert "refund" not in found["_links"]
    assert [(each["approved"], each["response_code"]) for each in shared.actions(payment)] == (
        [(False, "20005")] if decision == "decline" else []
    )


def test_partial_refunds_then_the_rest(shared: House) -> None:
    payment = shared.paid()

    first = shared.refunded(payment, 100, reference="RF-1")
    assert shared.status(payment) == "Partially Refunded"
    second = shared.refunded(payment)

    found = shared.details(payment)
    assert found["status"] == "Refunded"
    assert (found["balances"]["total_refunded"], found["balances"]["available_to_refund"]) == (1100, 0)
    assert "refund" not in found["_links"]
    newest, older, capture = shared.actions(payment)
    assert (newest["id"], newest["amount"], newest["reference"]) == (second, 1000, "ORDER-1")
    assert (older["id"], older["amount"], older["reference"]) == (first, 100, "RF-1")
    assert capture["type"] == "Capture"
    answer = shared.refund(payment)
    assert (answer.status_code, answer.json()["error_codes"]) == (422, ["refund_amount_exceeds_balance"])


def test_a_pending_refund_has_reserved_its_amount(tmp_path: Path) -> None:
    with house(tmp_path, refund_seconds=3600) as home:
        payment = home.paid()
        answer = home.refund(payment, 600, reference="RF-1")

        found = home.details(payment)
        assert answer.json().keys() == {"action_id", "reference", "_links"}
        assert found["status"] == "Captured"
        assert (found["balances"]["total_refunded"], found["balances"]["available_to_refund"]) == (0, 500)
        assert [each["type"] for each in home.actions(payment)] == ["Capture"]
        assert home.refund(payment, 501).status_code == 422
        home.advance(hours=1)
        assert home.status(payment) == "Partially Refunded"


def test_refunds_at_the_same_time_never_exceed_what_was_captured(shared: House) -> None:
    payment = shared.paid()

    with ThreadPoolExecutor(12) as pool:
        statuses = list(pool.map(lambda _: shared.refund(payment, 300).status_code, range(12)))

    assert sorted(statuses) == [202] * 3 + [422] * 9
    until(lambda: shared.details(payment)["balances"]["total_refunded"] == 900)


def test_a_payment_takes_at_most_150_refunds(tmp_path: Path) -> None:
    with house(tmp_path) as home:
        payment = home.paid()
        assert {home.refund(payment, 1).status_code for _ in range(150)} == {202}
        answer = home.refund(payment, 1)
        assert (answer.status_code, answer.content) == (403, b"")


def test_a_refund_after_the_window_is_accepted_and_then_declined(own: House) -> None:
    payment = own.paid()
    own.advance(days=364)
    own.refunded(payment, 100)
    own.advance(days=2)

    own.refunded(payment, 100)

    assert [each["approved"] for each in own.actions(payment)] == [False, True, True]
    assert own.details(payment)["balances"]["available_to_refund"] == 1000
    assert own.actions(payment)[0]["response_code"] == "20006"


def test_a_refund_of_less_than_50_won_is_accepted_and_then_declined(shared: House) -> None:
    payment = shared.paid(currency="KRW", amount=45_000)

    shared.refunded(payment, 49)
    shared.refunded(payment, 50)

    assert [each["approved"] for each in shared.actions(payment)] == [True, False, True]


def test_too_many_declined_refunds_and_the_payment_takes_no_more(tmp_path: Path) -> None:
    with house(tmp_path, failed_refund_limit=2) as home:
        payment = home.paid(currency="KRW", amount=45_000)
        for _ in range(2):
            home.refunded(payment, 1)
        answer = home.refund(payment, 100)
        assert (answer.status_code, answer.json()["error_codes"]) == (422, ["action_failure_limit_exceeded"])


def test_a_reversal_refunds_all_that_is_left_and_only_once(shared: House) -> None:
    payment = shared.paid()
    shared.refunded(payment, 100)

    first = shared.post(f"/payments/{payment['id']}/reversals", {"reference": "REV"})
    until(lambda: shared.status(payment) == "Refunded")
    second = shared.post(f"/payments/{payment['id']}/reversals")

    assert (first.status_code, second.status_code) == (202, 200)
    assert first.json()["action_id"] == second.json()["action_id"]
    assert shared.actions(payment)[0]["amount"] == 1000


def test_a_reversal_of_an_unpaid_payment_is_not_allowed(shared: House) -> None:
    assert shared.post(f"/payments/{shared.create()['id']}/reversals").status_code == 403


def test_a_key_gives_the_same_answer_again(shared: House) -> None:
    first = shared.post("/payments", order(), key="create-1")
    second = shared.post("/payments", order(amount=5), key="create-1")

    assert (second.status_code, second.content) == (first.status_code, first.content)
    payment = shared.paid()
    refunds = {shared.refund(payment, 100, key="refund-1").content for _ in range(3)}
    assert len(refunds) == 1
    until(lambda: shared.details(payment)["balances"]["total_refunded"] == 100)
    assert shared.refund(payment, 100, key="refund-2").status_code == 202


def test_a_refused_request_leaves_its_key_free(shared: House) -> None:
    assert shared.post("/payments", order(amount=0), key="mended").status_code == 422
    assert shared.post("/payments", order(), key="mended").status_code == 202
    payment = shared.paid()
    assert shared.refund(payment, 5000, key="mended-refund").status_code == 422
    assert shared.refund(payment, 50, key="mended-refund").status_code == 202


def test_a_key_dies_after_a_day(own: House) -> None:
    first = own.post("/payments", order(), key="old").json()
    own.advance(hours=23, minutes=59)
    assert own.post("/payments", order(), key="old").json() == first

    own.advance(minutes=2)

    assert own.post("/payments", order(), key="old").json()["id"] != first["id"]


def test_a_key_under_way_is_429_for_others(own: House) -> None:
    own.faults(slow_answer={"seconds": 0.5})

    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(lambda _: own.post("/payments", order(), key="same"), range(4)))

    assert sorted(each.status_code for each in answers) == [202, 429, 429, 429]
    assert {each.content for each in answers if each.status_code == 429} == {b""}
    own.faults()
    assert own.post("/payments", order(), key="same").status_code == 202
    assert own.http.get("/payments", params={"reference": "ORDER-1"}).json()["total_count"] == 1


def test_the_rate_limit_holds_reads_and_writes_apart(tmp_path: Path) -> None:
    with house(tmp_path, requests_per_second=5) as home:
        with ThreadPoolExecutor(10) as pool:
            reads = list(pool.map(lambda _: home.http.get("/payments?reference=a").status_code, range(10)))
        assert 429 in reads
        assert 200 in reads
        assert home.post("/payments", order()).status_code == 202


def test_a_customer_without_id_or_email_is_created(shared: House) -> None:
    made = shared.create(customer={"name": "Lee"})["customer"]
    again = shared.create(customer={"id": made["id"]})["customer"]

    assert again == made
    assert shared.create(customer=None)["customer"]["id"] != made["id"]
    known = shared.create(customer={"email": "known@example.com"})["customer"]
    assert shared.create(customer={"email": "known@example.com"})["customer"]["id"] == known["id"]


class TestRecurring:
    def first(self, home: House, **changes: Any) -> dict[str, Any]:
        return home.create(payment_type="Recurring", processing={"terminal_type": "WEB"}, **changes)

    def charge(self, home: House, source: str, **changes: Any) -> Any:
        body = order(source={"type": "id", "id": source}, payment_type="Recurring", amount=44, **changes)
        for name in ("processing", "success_url", "failure_url", "capture"):
            body.pop(name)
        return home.post("/payments", body)

    def test_the_first_payment_yields_a_source_that_can_be_charged_again(self, own: House) -> None:
        first = self.first(own)
        assert first["source"]["type"] == "kakaopay"
        source = first["source"]["id"]
        own.decide(first, "pay")
        own.advance(days=31)

        answer = self.charge(own, source, customer=None)

        assert answer.status_code == 202
        charged = answer.json()
        assert (charged["status"], charged["source"]) == ("Pending", {"id": source, "type": "kakaopay"})
        assert charged["_links"].keys() == {"self"}
        assert charged["customer"]["id"] == first["customer"]["id"]
        captured = own.told("payment_captured", charged)
        assert captured["data"]["amount"] == 44
        assert own.details(charged)["status"] == "Captured"

    def test_a_regular_payment_yields_none(self, shared: House) -> None:
        assert "source" not in shared.create()

    @pytest.mark.parametrize("end", [None, "decline", "cancel"])
    def test_a_source_nobody_agreed_to_is_refused(self, shared: House, end: str | None) -> None:
        first = self.first(shared)
        if end:
            shared.decide(first, end)

        answer = self.charge(shared, first["source"]["id"])

        assert (answer.status_code, answer.json()["error_codes"]) == (422, ["source_id_unknown"])

    def test_a_revoked_source_is_refused(self, shared: House) -> None:
        first = self.first(shared)
        shared.decide(first, "pay")
        source = first["source"]["id"]
        assert shared.http.post(f"/_control/sources/{source}/revoke").status_code == 204

        assert self.charge(shared, source).json()["error_codes"] == ["source_id_unknown"]

    def test_revoking_an_unknown_source_is_404(self, shared: House) -> None:
        assert shared.http.post("/_control/sources/src_unknown/revoke").status_code == 404
