"""The audit log: a chain that shows every change, in a table that refuses them."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from lib.ledger import audit
from lib.ledger.database import Database
from lib.operators import Operator

MINA = Operator("Mina Park", roles=frozenset({"support"}), address="127.0.0.1")


def act(database: Database, subject: str) -> None:
    with database.write() as connection:
        audit.note(connection, MINA, "refund.requested", subject, None, {"amount": 1100, "currency": "HKD"})


def tamper(database: Database, statement: str) -> None:
    """Change the log behind the triggers' back, as somebody with the database in hand could."""
    with database.write() as connection:
        if database.sqlite:
            connection.execute(text("DROP TRIGGER audit_no_update"))
            connection.execute(text("DROP TRIGGER audit_no_delete"))
        else:
            connection.execute(text("DROP TRIGGER audit_stays ON audit"))
        connection.execute(text(statement))


def test_an_untouched_chain_is_whole(database: Database) -> None:
    assert str(audit.check(database)) == "0 entries, the chain is whole"
    for number in range(3):
        act(database, f"pay_{number}")
    assert audit.check(database) == audit.Chain(3)


def test_an_action_that_is_rolled_back_leaves_no_entry(database: Database) -> None:
    with suppress(ZeroDivisionError), database.write() as connection:
        audit.note(connection, MINA, "refund.requested", "pay_1")
        raise ZeroDivisionError
    assert audit.check(database) == audit.Chain(0)


def test_many_at_once_make_one_chain(database: Database) -> None:
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda number: act(database, f"pay_{number}"), range(40)))
    assert audit.check(database) == audit.Chain(40)


@pytest.mark.parametrize("change", ["UPDATE audit SET who = 'Nobody'", "DELETE FROM audit"])
def test_the_database_refuses_changes(database: Database, change: str) -> None:
    act(database, "pay_1")
    with pytest.raises(DBAPIError, match="append-only"), database.write() as connection:
        connection.execute(text(change))
    assert audit.check(database) == audit.Chain(1)


@pytest.mark.parametrize(
    ("change", "broken_at", "why"),
    [
        ("UPDATE audit SET after = '{}' WHERE seq = 2", 2, "its content was changed"),
        ("DELETE FROM audit WHERE seq = 2", 3, "entry 2 is missing"),
        ("UPDATE audit SET previous = hash WHERE seq = 3", 3, "it does not follow the entry before it"),
        ("DELETE FROM audit WHERE seq = 1", 2, "entry 1 is missing"),
    ],
)
def test_the_first_broken_link_is_named(database: Database, change: str, broken_at: int, why: str) -> None:
    for number in range(4):
        act(database, f"pay_{number}")
    tamper(database, change)
    chain = audit.check(database)
    assert (chain.broken_at, chain.why) == (broken_at, why)


def test_the_command_says_so_and_exits_with_1(
    database: Database, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    act(database, "pay_1")
    monkeypatch.setenv("DATABASE_URL", database.url.render_as_string(hide_password=False))
    monkeypatch.setattr("sys.argv", ["audit", "--check"])
    assert audit.main() == 0
    tamper(database, "UPDATE audit SET who = 'Nobody'")
    assert audit.main() == 1
    assert capsys.readouterr().out.splitlines() == [
        "1 entries, the chain is whole",
        "0 entries hold, the chain is broken at entry 1: its content was changed",
    ]
