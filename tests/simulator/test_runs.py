"""One seed, one run: repeated byte for byte, kept in a file, lived again from it. And the one clock."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.simulator.house import House, house
from tests.support.waiting import until


def play(home: House) -> list[bytes]:
    """A run with something of everything; the answers it got."""
    answers = []

    def keep(answer: Any) -> Any:
        assert answer.status_code < 500
        answers.append(answer.content)
        return answer

    home.faults(payment_declined={"rate": 0.3}, refund_declined_late={"rate": 0.3}, duplicate={"rate": 0.5})
    for number in range(6):
        payment = home.create(key=f"create-{number}", reference=f"RUN-{number}", payment_type="Recurring")
        answers.append(repr(payment).encode())
        home.decide(payment, "cancel" if number == 5 else "pay")
        for amount in (100, 2000, None):
            keep(home.refund(payment, amount, key=f"refund-{number}-{amount}"))
        keep(home.http.get(f"/payments/{payment['id']}/actions"))
        keep(home.http.get(f"/payments/{payment['id']}"))
    home.create(reference="ABANDONED")
    home.advance(minutes=11)
    home.advance(days=2)
    keep(home.http.get("/reports"))
    until(lambda: all(each["state"] == "delivered" for each in home.deliveries()))
    return answers


def test_the_same_seed_gives_the_same_bytes_in_the_same_order(own: House) -> None:
    runs = []
    for seed in (42, 42, 43):
        own.begin(seed)
        own.receiver.deliveries.clear()
        answers = play(own)
        runs.append(
            (
                answers,
                [each.raw for each in own.receiver.deliveries],
                [d.headers["cko-signature"] for d in own.receiver.deliveries],
            )
        )

    assert runs[0] == runs[1]
    assert runs[0][1] != runs[2][1]
    assert len(runs[0][1]) > 30


def test_reading_in_between_changes_nothing(own: House) -> None:
    told = []
    for reads in (0, 7):
        own.begin("reading")
        own.receiver.deliveries.clear()
        payment = own.create()
        for _ in range(reads):
            own.details(payment)
            own.http.get("/payments/pay_unknown")
        own.decide(payment, "pay")
        own.told("payment_captured", payment)
        told.append([each.raw for each in own.receiver.deliveries])

    assert told[0] == told[1]


def test_a_run_with_a_standing_clock_is_lived_again_from_its_file(own: House) -> None:
    own.begin(7)
    play(own)
    saved = own.http.get("/_control/run").json()
    told = {each.raw for each in own.receiver.deliveries}
    own.begin(None)
    own.paid()
    own.receiver.deliveries.clear()

    outcome = own.body(own.post("/_control/run", saved))

    assert outcome["same"] is True
    assert (outcome["events"], outcome["inputs"]) == (saved["events"], len(saved["inputs"]))
    until(lambda: {each.raw for each in own.receiver.deliveries} >= told)
    assert own.http.get("/_control/run").json() == saved


def test_a_long_run_is_taken_whole(own: House) -> None:
    own.begin(7)
    own.paid()
    saved = own.http.get("/_control/run").content

    outcome = own.http.post("/_control/run", content=saved + b" " * 1_000_000)

    assert (outcome.status_code, outcome.json()["same"]) == (200, True)


def test_a_run_in_real_time_is_lived_again_elsewhere(own: House, tmp_path: Path) -> None:
    first = own.paid()
    own.refunded(first, 100)
    own.advance(hours=3)
    own.refunded(first, 200)
    own.create(reference="LEFT")
    own.advance(days=1)
    saved = own.http.get("/_control/run").json()
    details = own.details(first)

    with house(tmp_path / "elsewhere") as other:
        outcome = other.body(other.post("/_control/run", saved))
        again = other.details(first)
        now = datetime.fromisoformat(other.http.get("/_control/clock").json()["now"])
        other.paid()
        assert other.body(other.post("/_control/run", other.http.get("/_control/run").json()))["same"] is True

    assert outcome["same"] is True
    details.pop("_links")
    again.pop("_links")
    assert again == details
    assert timedelta() <= now - datetime.fromisoformat(saved["until"]) < timedelta(minutes=1)


def test_a_run_goes_on_after_a_restart(tmp_path: Path) -> None:
    with house(tmp_path) as home:
        home.begin(5)
        home.paid()
        home.advance(minutes=3)
        clock = home.http.get("/_control/clock").json()
    with house(tmp_path) as home:
        assert home.http.get("/_control/clock").json() == clock
        assert home.http.get("/_control/seed").json() == {"seed": "5", "standing": True}
        home.paid()
        saved = home.http.get("/_control/run").json()
        assert home.body(home.post("/_control/run", saved))["same"] is True


def test_a_run_that_was_tampered_with_is_told_apart(own: House) -> None:
    own.begin(9)
    own.paid()
    saved = own.http.get("/_control/run").json()
    saved["seed"] = "10"

    assert own.post("/_control/run", saved).status_code in (200, 422)
    saved["seed"], saved["digest"] = "9", "0"
    assert own.body(own.post("/_control/run", saved))["same"] is False


@pytest.mark.parametrize(
    "change",
    [
        {"format": "other"},
        {"options": {}},
        {"started": {}},
        {"until": "soon"},
        {"inputs": [{"kind": "explode", "arguments": {}, "at": "2026-01-01T00:00:00Z"}]},
        {"inputs": [{"kind": "create", "arguments": {"raw": "{}"}, "at": "2026-01-01T00:00:00Z"}]},
        {"inputs": [{"kind": "create", "arguments": {"colour": "red"}, "at": "2026-01-01T00:00:00Z"}]},
        {"inputs": "none"},
    ],
)
def test_a_file_that_is_no_run_is_explained(own: House, change: dict[str, Any]) -> None:
    saved = own.http.get("/_control/run").json()

    answer = own.post("/_control/run", saved | change)

    assert answer.status_code == 422
    assert answer.json()["error"].endswith(".")
    assert own.post("/payments", {}).status_code == 422


class TestClock:
    def test_a_link_ends_by_itself(self, tmp_path: Path) -> None:
        with house(tmp_path, link_minutes=0.005) as home:
            payment = home.create()
            home.told("payment_expired", payment)
            assert home.status(payment) == "Expired"

    def test_moving_it_lets_everything_happen_on_the_way(self, own: House) -> None:
        payment = own.create()
        before = datetime.fromisoformat(own.http.get("/_control/clock").json()["now"])

        clock = own.advance(days=1, hours=1, minutes=1, seconds=1)

        assert datetime.fromisoformat(clock["now"]) - before >= timedelta(days=1, hours=1, minutes=1, seconds=1)
        assert clock["ahead_seconds"] == 90_061
        event = own.told("payment_expired", payment)
        at = datetime.fromisoformat(event.get("created_on") or event["timestamp"])
        asked = datetime.fromisoformat(own.details(payment)["requested_on"])
        assert at - asked == timedelta(minutes=10)

    def test_it_stays_moved_after_a_restart(self, tmp_path: Path) -> None:
        with house(tmp_path) as home:
            home.advance(days=40)
        with house(tmp_path) as home:
            assert home.http.get("/_control/clock").json()["ahead_seconds"] == 40 * 86_400

    def test_standing_it_moves_for_nobody_but_us(self, own: House) -> None:
        own.begin(1, at="2027-03-01T09:00:00+09:00")
        payment = own.create()

        assert own.details(payment)["requested_on"] == "2027-03-01T00:00:00.0010000Z"
        assert own.http.get("/_control/clock").json()["now"] == "2027-03-01T00:00:00.0010000Z"
        own.post("/payments", {})
        assert own.http.get("/_control/clock").json()["now"] == "2027-03-01T00:00:00.0010000Z"

    @pytest.mark.parametrize("gap", [{}, {"seconds": 0}, {"seconds": -1}, {"weeks": 1}, {"days": "1"}, {"days": 4000}])
    def test_a_bad_move_is_explained(self, shared: House, gap: dict[str, Any]) -> None:
        answer = shared.http.post("/_control/clock/advance", json=gap)

        assert answer.status_code == 422
        assert "Say how far" in answer.json()["error"]
