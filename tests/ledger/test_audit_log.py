"""Looking through the audit log, for those who may."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import pytest
from sqlalchemy import select

from lib.ledger import audit, audit_log
from lib.ledger.audit import AUDIT
from lib.ledger.audit_log import AuditFilter, entries, names
from lib.ledger.configured import ACTION, configured, note_changes
from lib.ledger.database import Database
from lib.ledger.desk import Desk
from lib.operators import Operator
from lib.settings import Settings

ANA, BEN = Operator("Ana"), Operator("Ben")


def fill(database: Database, count: int = 8) -> None:
    with database.write() as connection:
        for number in range(count):
            who = ANA if number % 2 else BEN
            audit.note(connection, who, "refund.requested" if number % 3 else "note.added", f"pay_{number % 4}")


def found(database: Database, **wanted: Any) -> list[int]:
    return [row.seq for row in entries(database, ANA, AuditFilter(**wanted)).rows]


def test_the_log_is_read_page_by_page(database: Database) -> None:
    fill(database)
    first = entries(database, ANA, AuditFilter(), limit=3)
    assert ([row.seq for row in first.rows], first.newer) == ([8, 7, 6], None)
    second = entries(database, ANA, AuditFilter(), limit=3, cursor=first.older)
    assert [row.seq for row in second.rows] == [5, 4, 3]
    assert [row.seq for row in entries(database, ANA, AuditFilter(), limit=3, cursor=second.newer).rows] == [8, 7, 6]


def test_the_log_is_filtered(database: Database) -> None:
    fill(database)
    assert found(database, who="Ana") == [8, 6, 4, 2]
    assert found(database, action="note.added") == [7, 4, 1]
    assert found(database, subject="pay_1", who="Ana") == [6, 2]
    assert found(database, who="Nobody") == []
    assert names(database, ANA) == (["Ana", "Ben"], ["note.added", "refund.requested"])
    assert audit_log.size(database, ANA) == 8


def test_the_log_is_filtered_by_time(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    began = datetime(2026, 3, 2, tzinfo=UTC)

    class Clock:
        now = staticmethod(lambda _zone: began + timedelta(hours=number))

    monkeypatch.setattr(audit, "datetime", Clock)
    for number in range(6):
        with database.write() as connection:
            audit.note(connection, ANA, "note.added", f"pay_{number}")
    assert found(database, since=began + timedelta(hours=3)) == [6, 5, 4]
    assert found(database, until=began + timedelta(hours=3)) == [3, 2, 1]
    assert found(database, since=began + timedelta(minutes=1), until=began + timedelta(hours=1, minutes=1)) == [2]
    assert found(database, since=began + timedelta(days=9)) == []
    assert found(database, until=began) == []


def test_changed_settings_are_noted_once_with_secrets_masked(database: Database) -> None:
    old = Settings(_env_file=None, checkout_secret_key="sk_sbox_" + "o" * 27, roles="a@b.example=viewer")
    assert note_changes(database, old)
    assert not note_changes(database, old)
    new = Settings(_env_file=None, checkout_secret_key="sk_sbox_" + "n" * 27)
    assert note_changes(database, new)
    assert not note_changes(database, new)
    with database.read() as connection:
        rows = connection.execute(select(AUDIT.c.action, AUDIT.c.before, AUDIT.c.after).order_by(AUDIT.c.seq)).all()
    assert [row.action for row in rows] == [ACTION, ACTION]
    assert rows[0].before is None
    assert msgspec.json.decode(rows[1].before) == {
        "CHECKOUT_SECRET_KEY": "sk_sbox_…oooo",
        "ROLES": "a@b.example=viewer",
    }
    assert msgspec.json.decode(rows[1].after) == {"CHECKOUT_SECRET_KEY": "sk_sbox_…nnnn", "ROLES": None}
    assert note_changes(database, old)
    assert audit.check(database) == audit.Chain(3)


def test_the_settings_are_shown_to_those_who_may_see_them(database: Database) -> None:
    desk = Desk(Settings(_env_file=None), database, None, "")  # type: ignore[arg-type]
    assert {each.name for each in configured(desk, ANA)} == {name.upper() for name in Settings.model_fields}
