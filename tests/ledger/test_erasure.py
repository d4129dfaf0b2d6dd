"""A customer's data goes; amounts, ids and the audit log stay and add up."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select, text

from lib.ledger import audit, customers, facts, queries, rebuild, views
from lib.ledger.database import Database
from lib.ledger.deliveries import Incoming, receive
from lib.ledger.erasure import erase_customer, erase_old
from lib.ledger.facts import from_webhook
from lib.ledger.fold import fold
from lib.ledger.notes import ERASED, add_note, notes_in
from lib.ledger.project import project
from lib.ledger.record import PAYMENT, record
from lib.ledger.redaction import is_redacted, redacted
from lib.ledger.search import index_waiting
from lib.ledger.state import encode
from lib.operators import NotAllowed, Operator
from tests.support.events import accepted, answer, asked, at, balances, event, webhook

ADMIN = Operator("Root")
MINJI = {"id": "cus_1", "email": "Minji.Kim@example.com", "name": "Kim Minji", "phone": {"number": "10-1234"}}
PERSONAL = ("minji", "10-1234", "gangnam", "called about the cup")


def everything(database: Database) -> str:
    """All text that the store holds, in lower case."""
    with database.read() as connection:
        tables = ("event", "payment", "refund", "delivery", "search_word", "search", "creation", "saved_view", "audit")
        return "".join(str(row) for name in tables for row in connection.execute(text(f"SELECT * FROM {name}"))).lower()


def life(payment: str = "pay_1", number: int = 0) -> list[facts.Fact]:
    request = {"amount": 1000, "currency": "HKD", "reference": f"ORD-{number}", "customer": MINJI}
    request["shipping"] = {"address": {"city": "Gangnam"}}
    body = {"id": payment, "status": "Pending", "customer": MINJI}
    return [
        facts.payment_requested(f"key-{number}", payment, "Ana", request, at(0)),
        facts.payment_accepted(f"key-{number}", payment, answer(body, sent=request, seconds=1)),
        webhook("payment_pending", f"{number}a", 2, payment, amount=1000, customer=MINJI),
        webhook(
            "payment_captured",
            f"{number}b",
            9,
            payment,
            amount=1000,
            action_id=f"act_{number}",
            metadata={"a": "Minji"},
        ),
        asked(f"refund-{number}", 300, 60, payment),
        accepted(f"refund-{number}", f"act_r{number}", 61, payment),
        webhook(
            "payment_refunded",
            f"{number}c",
            70,
            payment,
            amount=300,
            action_id=f"act_r{number}",
            balances=balances(1000, 300),
        ),
    ]


def shown(database: Database, payment: str = "pay_1") -> tuple[object, ...]:
    """What must not change."""
    found = queries.find_payment(database, payment)
    assert found
    refunds = [(row.key, row.action_id, row.amount, row.status) for row in queries.refunds_of(database, payment)]
    return found.reference, found.status, found.captured, found.refunded, found.customer_id, found.requested_at, refunds


def test_a_customer_is_erased_everywhere_and_the_money_stays(database: Database) -> None:
    record(database, [*life(), *life("pay_2", 1)])
    raw = event("payment_expired", "bad", at(5), id="pay_1", customer=MINJI)
    receive(database, [Incoming(raw, at(5), "x", None, len(raw), ("bad_signature", "No key"))])
    other = event("payment_captured", "0b", at(9), id="pay_1", note="Minji again")
    receive(database, [Incoming(other, at(6), "x", None, len(other), None, 0)])
    add_note(database, ADMIN, "pay_1", "Minji called about the cup", key="note-1")
    views.save_view(database, ADMIN, "Regular", {"q": "minji.kim@example.com"})
    while index_waiting(database):
        pass
    payment = queries.find_payment(database, "pay_1")
    assert payment
    before = shown(database), shown(database, "pay_2")
    assert any(word in everything(database) for word in PERSONAL)

    assert erase_customer(database, ADMIN, payment.id).payments == 2
    held = everything(database)
    assert [word for word in PERSONAL if word in held] == []
    assert (shown(database), shown(database, "pay_2")) == before
    assert rebuild.compare(database).differing == 0
    assert audit.check(database).broken_at is None
    assert [note.text for note in notes_in(queries.facts_of(database, "pay_1"))] == [ERASED]
    assert queries.find_payments(database, queries.PaymentFilter(text="minji")).rows == []
    after = queries.find_payment(database, "pay_1")
    assert after
    assert customers.others_of(database, after).count == 1


def test_what_is_told_later_is_redacted_as_it_comes(database: Database) -> None:
    record(database, life())
    payment = queries.find_payment(database, "pay_1")
    assert payment
    erase_customer(database, ADMIN, payment.id)
    details = {"id": "pay_1", "status": "Partially Refunded", "amount": 1000, "currency": "HKD", "customer": MINJI}
    record(database, [facts.payment_read("pay_1", answer(details, status=200, method="GET", seconds=90))])
    again = event("payment_pending", "0a", at(2), id="pay_1", currency="HKD", amount=1000, customer=MINJI)
    [verdict] = receive(database, [Incoming(again, at(95), "x", None, len(again), None, 0)])
    assert verdict.word == "duplicate"
    held = everything(database)
    assert [word for word in PERSONAL if word in held] == []
    assert rebuild.compare(database).differing == 0


def test_a_namesake_is_somebody_else(database: Database) -> None:
    record(database, life())
    namesake = {"id": "cus_2", "email": "another@example.com", "name": "Kim Minji"}
    record(database, [webhook("payment_pending", "z", 2, "pay_9", amount=1000, customer=namesake)])
    payment = queries.find_payment(database, "pay_1")
    assert payment
    assert erase_customer(database, ADMIN, payment.id).payments == 1
    left = queries.find_payment(database, "pay_9")
    assert left is not None
    assert left.customer_email == "another@example.com"


def test_only_an_admin_may(database: Database) -> None:
    record(database, life())
    payment = queries.find_payment(database, "pay_1")
    assert payment
    with pytest.raises(NotAllowed):
        erase_customer(database, Operator("Ana", roles=frozenset({"support"})), payment.id)
    assert "minji" in everything(database)


def test_old_payments_are_erased_by_themselves_in_steps(database: Database) -> None:
    now = datetime.now(UTC)
    for number in range(60):
        when = now - timedelta(days=800 - number * 10)
        raw = event("payment_pending", number, when, id=f"pay_{number}", amount=1, currency="HKD", customer=MINJI)
        record(database, [from_webhook(raw, when)])
    assert [erase_old(database, timedelta(days=400)) for _ in range(3)] == [41, 0, 0]
    with database.read() as connection:
        left = connection.execute(select(PAYMENT.c.id).where(PAYMENT.c.customer_email.is_not(None))).scalars().all()
    assert sorted(left) == sorted(f"pay_{number}" for number in range(41, 60))
    assert rebuild.compare(database).differing == 0


texts = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00"), max_size=12)
people = st.fixed_dictionaries({"email": texts, "name": texts, "id": st.just("cus_1")})


@st.composite
def told(draw: st.DrawFn) -> list[facts.Fact]:
    """Some facts of one payment, with a person in any of them."""
    kinds = ["payment_pending", "payment_captured", "payment_refund_pending", "payment_refunded", "payment_declined"]
    found = [
        webhook(
            draw(st.sampled_from(kinds)),
            number,
            draw(st.integers(0, 500)),
            amount=draw(st.integers(0, 900)),
            action_id=draw(st.sampled_from(["act_1", "act_2"])),
            customer=draw(people),
            metadata={"refund_key": draw(st.sampled_from(["key-1", "key-2"])), "note": draw(texts)},
        )
        for number in range(draw(st.integers(0, 5)))
    ]
    if draw(st.booleans()):
        found += [asked("key-1", 100, draw(st.integers(0, 500))), accepted("key-1", "act_1", 400)]
    return found


def personless(known: list[facts.Fact]) -> tuple[object, ...]:
    state = fold(known)
    rows = project("pay_1", state, encode(state))
    hidden = {"customer_email", "customer_name", "folded", "version", "updated_at"}
    payment = {name: value for name, value in rows.payment.items() if name not in hidden}
    return payment, [{**row, "note": None} for row in rows.refunds], rows.volumes


@given(told(), st.randoms())
@settings(suppress_health_check=[HealthCheck.too_slow])
def test_redacting_changes_nothing_but_the_person_in_any_order(known: list[facts.Fact], chance: st.Random) -> None:
    erasing = facts.customer_erased("pay_1", by="Root", at=at(0))
    told_less = [
        facts.from_row(
            {name: getattr(fact, name) for name in fact.__struct_fields__ if name not in ("text", "body")}
            | {"body": redacted(fact.text)}
        )
        for fact in known
    ]
    for fact, less in zip(known, told_less, strict=True):
        assert is_redacted(less.text)
        assert redacted(less.text) == less.text
        assert json.loads(less.text)["erased"] is True
        assert fact.id == less.id
    if known:
        assert personless([*known, asked("key-3", 1, 0)]) == personless([*told_less, asked("key-3", 1, 0)])
    states = set()
    for mixture in (known, told_less):
        for _ in range(3):
            order = [*mixture, erasing]
            chance.shuffle(order)
            states.add(encode(fold(order)))
    assert len(states) == 1
