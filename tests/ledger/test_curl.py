"""A call as a command to copy, without its key."""

from __future__ import annotations

import json
import shlex

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lib.ledger import facts
from lib.ledger.curl import curl_of
from lib.ledger.facts import Fact
from lib.ledger.tables import Event
from tests.support.events import answer, asked, at, webhook

BASE = "https://prefix.api.sandbox.checkout.com"
SECRET = "sk_sbox_abcdefghijklmnopqrstuvwxyz="


def words(fact: Fact, secret: str = SECRET) -> list[str] | None:
    """The command as a shell splits it."""
    row = Event(
        id=fact.id,
        type=fact.type,
        source=fact.source,
        payment_id=fact.payment_id,
        occurred_at=fact.occurred_at,
        recorded_at=fact.recorded_at,
        body=fact.text,
    )
    command = curl_of(row, base_url=BASE, secret_key=secret)
    return shlex.split(command) if command else None


@given(
    st.dictionaries(st.text(), st.text() | st.integers() | st.none() | st.lists(st.text())),
    st.text(st.characters(min_codepoint=33, max_codepoint=126), min_size=1),
)
def test_a_shell_reads_the_body_and_the_key_as_they_were_sent(body: dict[str, object], key: str) -> None:
    sent = body | {"note": 'it\'s $(rm -rf ~) `x` \\ "!"\n'}
    found = words(facts.payment_accepted(key, "pay_1", answer({"id": "pay_1"}, sent=sent)))
    assert found == [
        *("curl", "-X", "POST", f"{BASE}/payments"),
        *("-H", "Authorization: Bearer sk_sbox_…", "-H", "Accept: application/json"),
        *("-H", f"Cko-Idempotency-Key: {key}", "-H", "Content-Type: application/json"),
        *("--data-raw", json.dumps(sent)),
    ]


@pytest.mark.parametrize(
    ("fact", "method", "path"),
    [
        (
            facts.refund_accepted("k", "pay_1", "act_1", answer({}, sent={"amount": 1})),
            "POST",
            "/payments/pay_1/refunds",
        ),
        (
            facts.refund_refused("k", "pay_1", at(0), {"sentence": "No.", "request": {"amount": 1}}),
            "POST",
            "/payments/pay_1/refunds",
        ),
        (facts.payment_read("pay_1", answer({"id": "pay_1"})), "GET", "/payments/pay_1"),
        (facts.actions_read("pay_1", answer([])), "GET", "/payments/pay_1/actions"),
        (
            facts.from_lookup(answer({"id": "evt_1", "type": "payment_captured", "data": {"id": "pay_1"}})),
            "GET",
            "/workflows/events/evt_1",
        ),
    ],
)
def test_every_call_of_ours_has_its_command(fact: Fact, method: str, path: str) -> None:
    found = words(fact)
    assert found is not None
    assert found[1:4] == ["-X", method, BASE + path]
    assert ("--data-raw" in found) == (method == "POST")


@pytest.mark.parametrize("fact", [webhook("payment_captured", 1, 0), asked("k", 1, 0)])
def test_what_was_no_call_has_none(fact: Fact) -> None:
    assert words(fact) is None


@pytest.mark.parametrize("secret", [SECRET, "sk_live-key-of-old", "nothing-like-a-key"])
def test_the_secret_stays_out(secret: str) -> None:
    found = words(facts.payment_read("pay_1", answer({"id": "pay_1"})), secret)
    assert found is not None
    assert secret not in " ".join(found)
    assert not any(secret[-8:] in word for word in found)
