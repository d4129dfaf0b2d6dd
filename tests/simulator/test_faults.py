"""The fault board: each fault does what it says, as often as it says, and bad settings are explained."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.simulator.house import KEYS, House, house, order
from tests.support.waiting import until


def settled(home: House, payment: dict[str, Any]) -> None:
    until(lambda: all(each["state"] == "delivered" for each in home.deliveries(payment)))


def test_duplicate(own: House) -> None:
    own.faults(duplicate={})
    payment = own.create()

    own.told("payment_pending", payment, count=2)

    assert len({each.raw for each in own.receiver.deliveries}) == 1
    until(lambda: len(own.deliveries(payment)[0]["attempts"]) == 2)
    assert own.deliveries(payment)[0]["attempts"][1]["faults"] == ["duplicate"]


def test_reorder(own: House) -> None:
    own.faults(reorder={"times": 1, "seconds": 1})
    payment = own.paid()

    own.advance(seconds=2)
    settled(own, payment)

    assert [each["type"] for each in own.receiver.events()][-1] == "payment_pending"


def test_delay(own: House) -> None:
    own.faults(delay={"seconds": 60})
    payment = own.create()
    own.faults()
    own.told("payment_pending", own.create())
    assert own.deliveries(payment)[0]["attempts"] == []

    own.advance(seconds=61)

    own.told("payment_pending", payment)


def test_drop_then_resend(own: House) -> None:
    own.faults(drop={"times": 1})
    payment = own.create()
    [lost] = until(lambda: own.deliveries(payment)[0]["attempts"])
    assert (lost["outcome"], lost["faults"]) == ("lost", ["drop"])
    assert not own.receiver.deliveries

    own.advance(minutes=5)

    own.told("payment_pending", payment)


@pytest.mark.parametrize("fault", ["bad_signature", "old_key"])
def test_a_wrong_signature(own: House, fault: str) -> None:
    own.receiver.answer = lambda delivery: 200 if delivery.signed_with(KEYS[0]) else 401
    own.faults(**{fault: {"times": 1}})
    payment = own.create()
    until(lambda: own.deliveries(payment)[0]["attempts"])

    own.advance(minutes=5)
    settled(own, payment)

    wrong, right = own.receiver.deliveries
    assert wrong.raw == right.raw
    assert wrong.signed_with(KEYS[1]) == (fault == "old_key")
    assert right.signed_with(KEYS[0])
    assert [each["status"] for each in own.deliveries(payment)[0]["attempts"]] == [401, 200]


def test_without_an_old_key_it_is_one_nobody_knows(tmp_path: Path) -> None:
    with house(tmp_path, webhook_keys=("only",)) as home:
        home.faults(old_key={})
        home.told("payment_pending", home.create())
        [delivery] = home.receiver.deliveries
        assert not delivery.signed_with("only")
        assert len(delivery.headers["cko-signature"]) == 64


def test_slow_acknowledgement(own: House) -> None:
    own.faults(slow_acknowledgement={"times": 1})
    payment = own.create()
    [first] = until(lambda: own.deliveries(payment)[0]["attempts"])
    assert (first["outcome"], first["status"]) == ("acknowledged too late", 200)

    own.advance(minutes=5)

    settled(own, payment)
    assert len(own.receiver.deliveries) == 2


@pytest.mark.parametrize(("fault", "status"), [("too_many_requests", 429), ("bad_gateway", 502)])
def test_a_request_that_fails_has_done_nothing(own: House, fault: str, status: int) -> None:
    own.faults(**{fault: {"times": 1}})

    first, second = (own.post("/payments", order(), key="k") for _ in range(2))

    assert (first.status_code, first.content) == (status, b"")
    assert second.status_code == 202
    assert own.http.get("/payments?reference=ORDER-1").json()["total_count"] == 1


@pytest.mark.parametrize(("fault", "done"), [("timeout_before", 0), ("timeout_after", 1)])
def test_a_time_out_before_and_after_acting(own: House, fault: str, done: int) -> None:
    own.faults(**{fault: {"times": 1, "seconds": 20}})

    with pytest.raises(httpx.ReadTimeout):
        own.http.post("/payments", json=order(), headers={"Cko-Idempotency-Key": "k"}, timeout=0.3)

    own.faults()
    assert own.http.get("/payments?reference=ORDER-1").json()["total_count"] == done
    assert own.post("/payments", order(), key="k").status_code == 202
    assert own.http.get("/payments?reference=ORDER-1").json()["total_count"] == 1


def test_a_time_out_ends_with_504_for_who_waits(own: House) -> None:
    own.faults(timeout_before={"times": 1, "seconds": 0.1})

    assert own.http.get("/payments?reference=a").status_code == 504


def test_a_refund_declined_late(own: House) -> None:
    payment = own.paid()
    own.faults(refund_declined_late={"seconds": 3600, "code": "20120"})
    answer = own.refund(payment, 100)
    assert answer.status_code == 202
    own.faults()
    assert own.details(payment)["balances"]["available_to_refund"] == 1000

    own.advance(hours=1, seconds=1)

    event = own.told("payment_refund_declined", payment)
    assert (event["data"]["response_code"], event["data"]["response_summary"]) == ("20120", "Invalid Customer/User")
    assert own.details(payment)["balances"]["available_to_refund"] == 1100
    assert own.status(payment) == "Captured"


def test_the_rate_is_kept(own: House) -> None:
    own.begin(1, clock="real")
    own.faults(too_many_requests={"rate": 0.25})

    seen = Counter(own.http.get("/payments?reference=a").status_code for _ in range(400))

    assert 60 <= seen[429] <= 140
    assert seen[200] + seen[429] == 400


def test_the_board_outlives_a_restart(tmp_path: Path) -> None:
    with house(tmp_path) as home:
        home.faults(drop={"rate": 0.5, "times": 7}, payment_declined={"code": "20005"})
        board = home.http.get("/_control/faults").json()
        assert home.http.put("/_control/account", json={"currencies": "2024-07", "kakaopay": False}).status_code == 200
        account = home.http.get("/_control/account").json()
    with house(tmp_path) as home:
        assert home.http.get("/_control/faults").json() == board
        assert home.http.get("/_control/account").json() == account


def test_every_fault_has_its_words(shared: House) -> None:
    board = shared.http.get("/_control/faults").json()["faults"]

    assert board.keys() == {
        "duplicate", "reorder", "delay", "drop", "bad_signature", "old_key", "slow_acknowledgement", "too_many_requests",
        "bad_gateway", "timeout_before", "timeout_after", "slow_answer", "payment_declined", "refund_declined_late",
        "late_capture",
    }  # fmt: skip
    for fault in board.values():
        assert fault["title"]
        assert fault["effect"].endswith(".")
        assert fault["on"] is False


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("faults", {"drop": {"rate": 2}}),
        ("faults", {"drop": {"rate": True}}),
        ("faults", {"drop": {"seconds": 1}}),
        ("faults", {"drop": {"times": -1}}),
        ("faults", {"drop": {"colour": "red"}}),
        ("faults", {"delay": {"seconds": -1}}),
        ("faults", {"delay": {"seconds": None}}),
        ("faults", {"payment_declined": {"code": "10000"}}),
        ("faults", {"payment_declined": {"code": None}}),
        ("faults", {"gremlins": {}}),
        ("faults", {"drop": True}),
        ("faults", []),
        ("account", {"currencies": "2023-01"}),
        ("account", {"currencies": []}),
        ("account", {"kakaopay": "no"}),
        ("seed", {"seed": 1.5}),
        ("seed", {"seed": 1, "clock": "cuckoo"}),
        ("seed", {"seed": 1, "at": "yesterday"}),
        ("seed", {"seed": 1, "at": "2026-01-01T00:00:00"}),
    ],
)
def test_bad_settings_are_explained_and_change_nothing(shared: House, path: str, body: Any) -> None:
    before = shared.http.get(f"/_control/{path}").json()

    answer = shared.http.put(f"/_control/{path}", json=body)

    assert answer.status_code == 422
    assert answer.json()["error"].endswith(".")
    assert shared.http.get(f"/_control/{path}").json() == before


def test_a_body_that_is_no_json_is_explained(shared: House) -> None:
    answer = shared.http.put("/_control/faults", content=b"{")

    assert (answer.status_code, answer.json()) == (422, {"error": "The body is not JSON."})
