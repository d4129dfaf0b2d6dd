"""Notes on a payment: kept once, by those who may."""

from __future__ import annotations

import pytest
from sqlalchemy import select

from lib.ledger import audit, queries
from lib.ledger.database import Database
from lib.ledger.erasure import erase_customer
from lib.ledger.notes import LONGEST, BadNote, add_note, notes_in
from lib.ledger.record import record
from lib.operators import NotAllowed, Operator
from tests.support.events import webhook

BEN = Operator("Ben", roles=frozenset({"support"}))


@pytest.fixture
def paid(database: Database) -> Database:
    record(database, [webhook("payment_captured", 1, 0, amount=1000, action_id="act_c")])
    return database


def notes(database: Database) -> list[tuple[str, str]]:
    return [(note.by, note.text) for note in notes_in(queries.facts_of(database, "pay_1"))]


def test_a_note_is_kept_once_with_its_author_and_changes_no_money(paid: Database) -> None:
    before = queries.find_payment(paid, "pay_1")
    for text in ("  He calls back on Monday.\n", "another text under the same key"):
        add_note(paid, BEN, "pay_1", text, key="key-1")
    add_note(paid, Operator("Ana"), "pay_1", "우편번호 확인", key="key-2")
    assert notes(paid) == [("Ana", "우편번호 확인"), ("Ben", "He calls back on Monday.")]
    after = queries.find_payment(paid, "pay_1")
    assert before is not None
    assert after is not None
    assert (before.status, before.refundable, before.version + 2) == (after.status, after.refundable, after.version)


def test_the_audit_log_knows_who_but_not_what(paid: Database) -> None:
    add_note(paid, BEN, "pay_1", "minji@example.com asked twice", key="key-1")
    add_note(paid, BEN, "pay_1", "minji@example.com asked twice", key="key-1")
    with paid.read() as connection:
        [row] = connection.execute(select(audit.AUDIT)).mappings()
    assert (row["who"], row["action"], row["subject"]) == ("Ben", "note.added", "pay_1")
    assert "minji" not in str(dict(row))


def test_a_note_that_was_erased_says_so(paid: Database) -> None:
    add_note(paid, BEN, "pay_1", "minji@example.com asked twice", key="key-1")
    erase_customer(paid, Operator("Admin"), "pay_1")
    assert notes(paid) == [("Ben", "(erased with the customer's data)")]


@pytest.mark.parametrize(
    ("text", "payment_id", "sentence"),
    [
        (" \n\x00", "pay_1", "Write something"),
        ("x" * (LONGEST + 1), "pay_1", "2,000 characters, this has 2,001"),
        ("x", "pay_9", "no such payment"),
    ],
)
def test_what_cannot_be_kept_is_said(paid: Database, text: str, payment_id: str, sentence: str) -> None:
    with pytest.raises(BadNote, match=sentence):
        add_note(paid, BEN, payment_id, text, key="key-1")
    assert notes(paid) == []


def test_who_may_only_read_writes_no_notes(paid: Database) -> None:
    with pytest.raises(NotAllowed):
        add_note(paid, Operator("Vic", roles=frozenset({"viewer"})), "pay_1", "x", key="key-1")
    assert notes(paid) == []
