"""Deliveries one by one: what each brought, and what it changed."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import httpx2
import pytest

from lib.checkout.signature import sign
from lib.ledger import facts, queries
from lib.ledger.database import Database
from lib.ledger.deliveries import KEPT_BODY
from lib.ledger.queries import DeliveryFilter
from lib.ledger.record import record
from lib.ledger.retry import CannotTryAgain, try_again
from lib.ledger.tables import Delivery
from lib.ledger.xray import Place, XRay, xray
from lib.operators import Operator
from lib.receiver import BODY_LIMIT, Receiver
from tests.support.events import accepted, answer, asked, at, balances, event

KEYS = ("new-key", "old-key")
ANA = Operator("Ana")
SECRET = "sk_sbox_secret"
CAPTURED = event(
    "payment_captured",
    2,
    at(20),
    id="pay_1",
    currency="HKD",
    amount=1000,
    action_id="act_c",
    balances=balances(1000, 0),
)
PENDING = event("payment_pending", 1, at(0), id="pay_1", currency="HKD", amount=1000)
REFUND_PENDING = event("payment_refund_pending", 3, at(60), id="pay_1", currency="HKD", amount=300, action_id="act_r")
REFUNDED = event(
    "payment_refunded",
    4,
    at(61),
    id="pay_1",
    currency="HKD",
    amount=300,
    action_id="act_r",
    balances=balances(1000, 300),
)


def deliver(database: Database, *raws: bytes, signature: str | None = "", keys: tuple[str, ...] = KEYS) -> None:
    """Deliver one after another, each signed with the first key unless told a signature."""

    async def run() -> None:
        receiver = Receiver(database, keys)
        transport = httpx2.ASGITransport(app=receiver)
        async with receiver.running(), httpx2.AsyncClient(transport=transport, base_url="http://desk") as client:
            for raw in raws:
                value = sign(raw, KEYS[0]) if signature == "" else signature
                headers = {"Cko-Signature": value} if value is not None else {}
                await client.post("/webhooks/checkout", content=raw, headers=headers)

    asyncio.run(run())


def deliveries(database: Database) -> list[Delivery]:
    return list(reversed(queries.find_deliveries(database, DeliveryFilter(), limit=100).rows))


def seen(database: Database, keys: tuple[str, ...] = KEYS) -> list[XRay]:
    """The X-rays of all deliveries, in the order in which they came."""
    found = [xray(database, row.id or 0, keys, secret_key=SECRET) for row in deliveries(database)]
    return [each for each in found if each]


def effects(database: Database) -> list[str]:
    return [each.effect.replace("\u00a0", " ") for each in seen(database)]


def test_a_life_in_order(database: Database) -> None:
    deliver(database, PENDING, CAPTURED, REFUND_PENDING, REFUNDED)
    assert effects(database) == [
        "a new payment of HKD 10.00, Pending",
        "captured HKD 10.00; status Pending → Captured",
        "HKD 3.00 now on its way",
        "refunded HKD 3.00; status Captured → Partially Refunded",
    ]
    assert [each.place for each in seen(database)] == [Place(n, n, 4) for n in (1, 2, 3, 4)]
    assert {(each.copy, each.copies) for each in seen(database)} == {(1, 1)}


def test_what_comes_late_says_what_it_found(database: Database) -> None:
    deliver(database, REFUNDED, REFUND_PENDING, CAPTURED, PENDING)
    assert effects(database) == [
        (
            "a new payment, Partially Refunded; captured HKD 10.00; refunded HKD 3.00; "
            "marked: Checkout.com's totals say more than the events we hold"
        ),
        "none: already refunded",
        "none: already captured, now Partially Refunded",
        "none: already Partially Refunded",
    ]
    assert [(each.place.arrived, each.place.happened) for each in seen(database) if each.place] == [
        (1, 4),
        (2, 3),
        (3, 2),
        (4, 1),
    ]


def test_copies_are_numbered_and_change_nothing(database: Database) -> None:
    deliver(database, CAPTURED, CAPTURED, CAPTURED)
    assert [(each.copy, each.copies) for each in seen(database)] == [(1, 3), (2, 3), (3, 3)]
    assert effects(database)[1:] == ["none: already captured"] * 2


def test_another_body_under_the_same_id_changes_nothing(database: Database) -> None:
    deliver(database, CAPTURED, CAPTURED.replace(b"1000", b"9000"))
    assert [row.verdict for row in deliveries(database)] == ["accepted", "conflicting"]
    assert effects(database)[1] == "none: already captured"


def test_a_decline_after_the_money_is_marked(database: Database) -> None:
    deliver(database, CAPTURED, event("payment_declined", 9, at(30), id="pay_1", currency="HKD", amount=1000))
    assert effects(database)[1] == "marked: money was taken although the payment had ended"


def test_a_webhook_after_our_own_answer_and_after_a_poll(database: Database) -> None:
    deliver(database, CAPTURED)
    record(database, [asked("key-1", 300, 50), accepted("key-1", "act_r", 51)])
    deliver(database, REFUND_PENDING)
    read = [{"id": "act_r", "type": "Refund", "amount": 300, "approved": True, "processed_on": at(61).isoformat()}]
    record(database, [facts.actions_read("pay_1", answer(read, status=200, method="GET", seconds=70))])
    deliver(database, REFUNDED)
    assert effects(database)[1:] == ["none: already pending", "none: already refunded"]


def test_what_is_not_about_a_payment_or_was_refused(database: Database) -> None:
    deliver(database, event("report_generated", 5, at(0), id="rpt_1"), b"{", b"x" * (BODY_LIMIT + 1))
    found = seen(database)
    assert [each.effect for each in found] == ["none: it is not about a payment"] + ["none: it was not taken in"] * 2
    assert [each.place for each in found] == [None] * 3
    assert [each.signature.word for each in found] == ["fits", "fits", "unknown"]


def test_no_such_delivery(database: Database) -> None:
    assert xray(database, 7, KEYS) is None


def reordered(raw: bytes) -> bytes:
    return json.dumps(json.loads(raw), separators=(",", ":")).encode()


@pytest.mark.parametrize(
    ("signature", "word", "words"),
    [
        (sign(CAPTURED, "new-key"), "fits", "first signature key"),
        (sign(CAPTURED, "old-key"), "fits_older_key", "number 2"),
        (None, "none", "without a Cko-Signature"),
        ("nonsense", "not_hex", "hexadecimal"),
        (sign(CAPTURED, "another"), "wrong_key", "CHECKOUT_WEBHOOK_KEYS"),
        (sign(CAPTURED, SECRET), "wrong_key", "API's secret key"),
        (sign(CAPTURED, f"Bearer {SECRET}"), "wrong_key", "API's secret key"),
        (sign(reordered(CAPTURED), "new-key"), "body_changed", "without spaces"),
        (sign(CAPTURED + b"\n", "old-key"), "body_changed", "white space"),
    ],
)
def test_what_a_signature_proves(database: Database, signature: str | None, word: str, words: str) -> None:
    deliver(database, CAPTURED, signature=signature)
    [found] = seen(database)
    assert found.signature.word == word
    assert words in found.signature.sentence


def test_a_body_that_was_changed_is_told_from_the_one_we_hold(database: Database) -> None:
    deliver(database, CAPTURED)
    deliver(database, CAPTURED.replace(b"1000", b"9000"), signature=sign(CAPTURED, "new-key"))
    assert seen(database)[1].signature.word == "body_changed"
    assert "that we hold" in seen(database)[1].signature.sentence


def test_a_body_too_long_to_keep_cannot_be_judged_again(database: Database) -> None:
    deliver(database, b"y" * (KEPT_BODY + 1), signature=sign(b"", "new-key"))
    assert seen(database)[0].signature.word == "unknown"


def test_a_delivery_under_a_key_that_was_missing_is_taken_in_once_the_key_is_there(database: Database) -> None:
    deliver(database, CAPTURED, signature=sign(CAPTURED, "forgotten"))
    [row] = deliveries(database)
    with pytest.raises(CannotTryAgain, match="CHECKOUT_WEBHOOK_KEYS"):
        try_again(database, ANA, row.id or 0, KEYS)
    assert deliveries(database) == [row]
    keys = (*KEYS, "forgotten")
    assert seen(database, keys)[0].signature.sentence.endswith("Try it again.")
    assert try_again(database, ANA, row.id or 0, keys).word == "accepted"
    [after] = deliveries(database)
    assert (after.id, after.received_at, after.verdict, after.key_index) == (row.id, row.received_at, "accepted", 2)
    assert "at first: No signature key matches" in after.reason
    payment = queries.find_payment(database, "pay_1")
    assert payment is not None
    assert payment.captured == 1000
    assert effects(database) == ["a new payment of HKD 10.00, Captured; captured HKD 10.00"]
    with pytest.raises(CannotTryAgain, match="Only deliveries that were refused"):
        try_again(database, ANA, row.id or 0, keys)


def test_a_delivery_set_apart_is_taken_in_once_the_fault_is_mended(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: Any, **__: Any) -> Any:
        raise KeyError("a fault of ours")

    with monkeypatch.context() as faulty:
        faulty.setattr("lib.ledger.deliveries.store", fail)
        deliver(database, CAPTURED)
        [row] = deliveries(database)
        assert row.verdict == "quarantined"
        assert try_again(database, ANA, row.id or 0, KEYS).word == "quarantined"
        assert [each.id for each in deliveries(database)] == [row.id]
    assert try_again(database, ANA, row.id or 0, KEYS).word == "accepted"
    [after] = deliveries(database)
    assert (after.id, after.verdict, after.event_id) == (row.id, "accepted", json.loads(CAPTURED)["id"])
    assert queries.body_of(database, after) == CAPTURED.decode()


@pytest.mark.parametrize("signature", [None, "nonsense"])
def test_what_nobody_signed_cannot_be_tried_again(database: Database, signature: str | None) -> None:
    deliver(database, CAPTURED, signature=signature)
    with pytest.raises(CannotTryAgain):
        try_again(database, ANA, deliveries(database)[0].id or 0, KEYS)


def test_what_was_not_kept_whole_cannot_be_tried_again(database: Database) -> None:
    raw = b'{"id": "' + b"y" * KEPT_BODY + b'"}'
    deliver(database, raw, signature=sign(raw, "forgotten"))
    with pytest.raises(CannotTryAgain, match="not kept whole"):
        try_again(database, ANA, deliveries(database)[0].id or 0, ("forgotten",))
    with pytest.raises(CannotTryAgain, match="no such delivery"):
        try_again(database, ANA, 99, KEYS)


def test_what_was_refused_is_found_by_the_payment_it_speaks_of(database: Database) -> None:
    deliver(database, CAPTURED)
    deliver(database, CAPTURED, signature="00" * 32)
    deliver(database, REFUNDED, signature=None)
    deliver(database, event("payment_captured", 9, at(0), id="pay_x", currency="HKD"), signature=None)
    refused = queries.refused_about(database, "pay_1")
    assert [row.verdict for row in refused] == ["no_signature", "bad_signature"]
    assert queries.refused_about(database, "pay_1", limit=1)[0].verdict == "no_signature"
    assert queries.refused_about(database, "pay__") == []
