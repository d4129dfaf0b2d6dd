"""Payments that were made elsewhere and taken over: acted upon like any others, and no part of the run."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.simulator.house import House, house


def told(number: int, **changes: Any) -> dict[str, Any]:
    at = (datetime.now(UTC) - timedelta(days=3)).isoformat()
    capture = {
        "id": f"act_taken{number}",
        "type": "Capture",
        "amount": 5000,
        "status": "approved",
        "requested_on": at,
        "processed_on": at,
        "response_code": "10000",
        "acquirer_transaction_id": "1",
        "acquirer_reference_number": "2",
    }
    return {
        "id": f"pay_taken{number}",
        "code": f"taken{number}",
        "status": "Captured",
        "reference": f"OLD-{number}",
        "payment_type": "Regular",
        "currency": "HKD",
        "amount": 5000,
        "captured": 5000,
        "refunded": 0,
        "requested_on": at,
        "processed_on": at,
        "expires_on": at,
        "capture_id": f"act_taken{number}",
        "source_id": None,
        "customer": {"id": f"cus_taken{number % 2}", "name": "Sora", "email": f"sora{number % 2}@sample.example"},
        "details": {"processing": {"terminal_type": "WEB"}, "metadata": {}},
        "actions": [capture],
        **changes,
    }


def open_one(number: int) -> dict[str, Any]:
    soon = (datetime.now(UTC) + timedelta(minutes=5)).isoformat()
    return told(number, status="Pending", captured=0, processed_on=None, expires_on=soon, actions=[])


ONE, TWO, OPEN = ({"id": f"pay_taken{number}"} for number in (1, 2, 3))


def take(home: House, start: int, *payments: dict[str, Any], label: str = "lot") -> httpx.Response:
    return home.post("/_control/payments/taken", {"label": label, "start": start, "payments": list(payments)})


def test_one_taken_over_is_read_and_refunded_like_any_other(own: House) -> None:
    assert take(own, 0, told(1), told(2)).json() == {"label": "lot", "count": 2}
    assert own.details(ONE)["balances"]["available_to_refund"] == 5000
    assert own.actions(ONE)[0]["id"] == "act_taken1"
    own.refunded(ONE, 2000)
    own.told("payment_refunded", ONE)
    assert (own.status(ONE), own.status(TWO)) == ("Partially Refunded", "Captured")


def test_an_open_one_waits_for_its_customer_and_expires_without(own: House) -> None:
    take(own, 0, open_one(1), open_one(2))
    assert own.http.post("/wallet/taken1", data={"decision": "pay"}).status_code == 303
    own.advance(minutes=6)
    assert (own.status(ONE), own.status(TWO)) == ("Captured", "Expired")


def test_each_part_is_taken_once_and_only_one_lot_at_a_time(own: House) -> None:
    take(own, 0, told(1))
    assert take(own, 0, told(1)).json()["count"] == 1
    assert take(own, 5, told(6)).json()["count"] == 1
    refused = take(own, 0, told(1), label="another")
    assert (refused.status_code, "Forget them first" in refused.json()["error"]) == (422, True)
    assert take(own, 1, {"id": "pay_half"}).status_code == 422


def test_forgotten_nothing_is_left_and_what_was_made_here_is_untouched(own: House) -> None:
    mine = own.paid()
    take(own, 0, told(1), open_one(2))
    own.refunded(ONE, 2000)
    own.faults(delay={"seconds": 3600})
    own.refunded(ONE, 100)
    assert own.http.delete("/_control/payments/taken").status_code == 204
    assert own.http.get(f"/payments/{ONE['id']}").status_code == 404
    assert own.status(mine) == "Captured"
    assert {each["payment_id"] for each in own.deliveries()} == {mine["id"]}
    assert own.http.get("/_control/payments/taken").json() == {"label": None, "count": 0}
    assert take(own, 0, told(1), open_one(2)).json()["count"] == 2


@pytest.mark.parametrize("forgotten", [False, True])
def test_ids_are_never_given_out_twice(tmp_path: Path, forgotten: bool) -> None:
    """They are counted off the rows that bear them, of which some were never drawn, and some are gone."""
    with house(tmp_path) as home:
        before = [home.create()["id"] for _ in range(2)]
        take(home, 0, told(1), told(2), open_one(3))
        actions = {home.refunded(ONE, 2000), home.refunded(ONE, 1000)}
        if forgotten:
            home.http.delete("/_control/payments/taken")
    with house(tmp_path) as home:
        made = [home.paid() for _ in range(4)]
        assert not {each["id"] for each in made} & set(before)
        assert not {home.refunded(each, 100) for each in made} & actions


def test_a_run_in_which_something_happened_to_them_is_not_called_repeatable(own: House) -> None:
    take(own, 0, told(1))
    assert own.http.get("/_control/run").status_code == 200
    own.refunded(ONE, 2000)
    assert "cannot be lived again" in own.http.get("/_control/run").json()["error"]
