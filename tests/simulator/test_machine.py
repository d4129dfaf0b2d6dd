"""Whatever happens, in whatever order: the invariants of money, events and seeds hold."""

from __future__ import annotations

import tempfile
from collections import Counter
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, consumes, initialize, invariant, rule
from starlette.testclient import TestClient

from lib.simulator.app import create
from lib.simulator.options import SECRET_KEY
from tests.simulator.house import options, order

AMOUNTS = st.integers(min_value=1, max_value=120)
Call = tuple[str, str, dict[str, Any]]


class World:
    """A simulator in this process, with a standing clock, that remembers what it was asked."""

    def __init__(self, folder: Path, seed: str) -> None:
        self._stack = ExitStack()
        app = create(options(folder, "http://simulator.test"))
        self.http = self._stack.enter_context(TestClient(app, base_url="http://simulator.test", follow_redirects=False))
        self.http.headers["Authorization"] = f"Bearer {SECRET_KEY}"
        self.calls: list[Call] = []
        self.answers: list[bytes] = []
        self.begin(seed)

    def begin(self, seed: str) -> None:
        assert self.http.put("/_control/seed", json={"seed": seed}).status_code == 200

    def do(self, method: str, path: str, **given: Any) -> Any:
        """Ask for something, and remember both question and answer."""
        answer = self.http.request(method, path, **given)
        assert answer.status_code < 500, answer.text
        self.calls.append((method, path, given))
        self.answers.append(answer.content + answer.headers.get("location", "").encode())
        return answer

    def read(self, path: str) -> Any:
        answer = self.http.get(path)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def events(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self.read("/_control/deliveries?limit=500")["data"]
        return found

    def close(self) -> None:
        self._stack.close()


class Life(RuleBasedStateMachine):
    """A shop that does everything a shop can do, beside a model that knows what should come of it."""

    payments: Bundle[dict[str, Any]] = Bundle("payments")

    def __init__(self) -> None:
        super().__init__()
        self.folder = tempfile.TemporaryDirectory()
        self.world = World(Path(self.folder.name), "machine")
        self.expected: dict[str, Counter[str]] = {}
        self.made: list[dict[str, Any]] = []

    def told(self, payment: dict[str, Any], *kinds: str) -> None:
        self.expected.setdefault(payment["id"], Counter()).update(kinds)

    def captured(self, payment: dict[str, Any]) -> None:
        payment["state"], payment["captured"] = "paid", payment["amount"]
        self.told(payment, "payment_capture_pending", "payment_captured")

    def remember(self, body: dict[str, Any], amount: int) -> dict[str, Any]:
        payment = {**body, "amount": amount, "state": "open", "captured": 0, "refunded": 0}
        self.made.append(payment)
        self.told(payment, "payment_pending")
        return payment

    @initialize()
    def quiet(self) -> None:
        self.world.do("PUT", "/_control/faults?clear=true", json={})

    @rule(target=payments, amount=AMOUNTS, recurring=st.booleans())
    def create(self, amount: int, recurring: bool) -> dict[str, Any]:
        kind = "Recurring" if recurring else "Regular"
        answer = self.world.do("POST", "/payments", json=order(amount=amount, payment_type=kind))
        assert answer.status_code == 202
        return self.remember(answer.json(), amount)

    @rule(payment=payments, decision=st.sampled_from(["pay", "pay", "pay", "decline", "cancel"]))
    def decide(self, payment: dict[str, Any], decision: str) -> None:
        if "redirect" not in payment["_links"]:
            return
        path = payment["_links"]["redirect"]["href"].partition("?")[0]
        answer = self.world.do("POST", path, data={"decision": decision})
        if payment["state"] == "open":
            if decision == "pay":
                self.captured(payment)
            else:
                payment["state"] = "ended"
                self.told(payment, {"decline": "payment_declined", "cancel": "payment_canceled"}[decision])
        goes = "thanks" if payment["captured"] else "sorry"
        assert answer.headers["location"].startswith(f"https://shop.example/{goes}")

    @rule(payment=payments, amount=st.none() | AMOUNTS, key=st.sampled_from([None, "a", "b"]))
    def refund(self, payment: dict[str, Any], amount: int | None, key: str | None) -> None:
        headers = {"Cko-Idempotency-Key": key} if key else {}
        body = {} if amount is None else {"json": {"amount": amount}}
        answer = self.world.do("POST", f"/payments/{payment['id']}/refunds", headers=headers, **body)
        known = payment.setdefault("keys", {})
        if key in known:
            assert answer.json()["action_id"] == known[key]
            return
        left = payment["captured"] - payment["refunded"]
        wanted = left if amount is None else amount
        if not payment["captured"]:
            assert (answer.status_code, answer.content) == (403, b"")
        elif not 0 < wanted <= left:
            assert answer.json()["error_codes"] == ["refund_amount_exceeds_balance"]
        else:
            assert answer.status_code == 202
            if key:
                known[key] = answer.json()["action_id"]
            payment["refunded"] += wanted
            self.told(payment, "payment_refund_pending", "payment_refunded")

    @rule(target=payments, first=payments, amount=AMOUNTS)
    def charge_again(self, first: dict[str, Any], amount: int) -> dict[str, Any]:
        source = first.get("source", {}).get("id", "src_" + "a" * 26)
        body = order(source={"type": "id", "id": source}, amount=amount, payment_type="Recurring")
        answer = self.world.do("POST", "/payments", json=body)
        stored = next((each for each in self.made if each.get("source", {}).get("id") == source), first)
        if "source" not in first or not stored["captured"] or stored.get("revoked"):
            assert answer.json()["error_codes"] == ["source_id_unknown"]
            return first
        payment = self.remember(answer.json(), amount)
        self.captured(payment)
        return payment

    @rule(payment=payments)
    def revoke(self, payment: dict[str, Any]) -> None:
        if "source" in payment:
            self.world.do("POST", f"/_control/sources/{payment['source']['id']}/revoke")
            for each in self.made:
                if each.get("source") == payment["source"]:
                    each["revoked"] = True

    @rule(payment=payments)
    def resend(self, payment: dict[str, Any]) -> None:
        assert self.world.do("POST", f"/workflows/events/subject/{payment['id']}/reflow").status_code == 202

    @rule(minutes=st.sampled_from([1, 9, 60, 3000]))
    def wait(self, minutes: int) -> None:
        before = {each["id"] for each in self.made if each["state"] == "open"}
        self.world.do("POST", "/_control/clock/advance", json={"minutes": minutes})
        for payment in self.made:
            if minutes > 24 * 60:
                payment.pop("keys", None)  # an idempotency key lives a day
            if payment["id"] in before and self.status(payment) == "Expired":
                payment["state"] = "ended"
                self.told(payment, "payment_expired")
            assert payment["state"] != "open" or minutes < 10

    @rule(payment=consumes(payments))
    def expire(self, payment: dict[str, Any]) -> None:
        assert self.world.do("POST", f"/_control/expire/{payment['id']}").status_code == 204
        if payment["state"] == "open":
            payment["state"] = "ended"
            self.told(payment, "payment_expired")

    def status(self, payment: dict[str, Any]) -> str:
        return str(self.world.read(f"/payments/{payment['id']}")["status"])

    @invariant()
    def money_is_as_the_model_says(self) -> None:
        for payment in self.made:
            found = self.world.read(f"/payments/{payment['id']}")
            balances = found.get("balances", {"total_captured": 0, "total_refunded": 0, "available_to_refund": 0})
            captured, refunded = balances["total_captured"], balances["total_refunded"]
            pending = captured - refunded - balances["available_to_refund"]
            assert 0 <= refunded + pending <= captured
            assert (captured, refunded) == (payment["captured"], payment["refunded"])
            actions = self.world.read(f"/payments/{payment['id']}/actions")
            for kind, total in (("Capture", captured), ("Refund", refunded)):
                assert sum(each["amount"] for each in actions if each["type"] == kind and each["approved"]) == total

    @invariant()
    def every_transition_was_told_exactly_once(self) -> None:
        told: dict[str, Counter[str]] = {}
        for event in self.world.events():
            told.setdefault(event["payment_id"], Counter())[event["type"]] += 1
        assert told == self.expected

    def teardown(self) -> None:
        """The same seed and the same calls give the same bytes."""
        try:
            answers, events = self.world.answers, [each["body"] for each in self.world.events()]
            calls, self.world.calls, self.world.answers = self.world.calls, [], []
            self.world.begin("machine")
            for method, path, given in calls:
                self.world.do(method, path, **given)
            assert self.world.answers == answers
            assert [each["body"] for each in self.world.events()] == events
        finally:
            self.world.close()
            self.folder.cleanup()


# Without shrinking: the steps are few and told in full, and shrinking would outlast the suite.
SHORT = settings(
    max_examples=8,
    stateful_step_count=15,
    deadline=None,
    suppress_health_check=list(HealthCheck),
    phases=[Phase.generate],
)


class TestLife(Life.TestCase):
    settings = SHORT


@pytest.mark.soak
@pytest.mark.timeout(900)
class TestLongLife(Life.TestCase):
    settings = settings(SHORT, max_examples=150, stateful_step_count=40)
