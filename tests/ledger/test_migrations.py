"""A schema that was upgraded is the one that is made anew."""

from __future__ import annotations

import importlib
import pkgutil
import sqlite3
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, closing
from datetime import datetime
from pathlib import Path

from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Engine, MetaData, create_engine, inspect, select, text

from lib import ledger
from lib.ledger import queries, rebuild
from lib.ledger.database import Database
from lib.ledger.migrations import HEAD, migrate, newest
from lib.ledger.queries import DeliveryFilter, PaymentFilter
from lib.ledger.record import record
from lib.ledger.tables import Table, time_text
from tests.support.events import asked, balances, webhook


def fresh(database: Database) -> Engine:
    """An engine of our own on the same database."""
    return create_engine(database.url)


def test_the_version_named_in_the_code_is_the_newest_file() -> None:
    assert newest() == HEAD


def test_the_tables_are_what_the_migrations_make(database: Database) -> None:
    for module in pkgutil.walk_packages(ledger.__path__, "lib.ledger."):  # tables are declared where they are used
        if not module.name.startswith("lib.ledger.migrations."):
            importlib.import_module(module.name)
    database.prepare()
    engine = fresh(database)
    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"include_object": _ours})
        assert compare_metadata(context, Table.metadata) == []
    engine.dispose()


def test_a_new_file_holds_what_the_versions_make(tmp_path: Path) -> None:
    """To the rows; `python -m lib.ledger.migrations.whole` after a new version."""
    at_once, by_versions = Database(f"sqlite:///{tmp_path}/once.db"), create_engine(f"sqlite:///{tmp_path}/versions.db")
    at_once.prepare()
    at_once.close()
    migrate(by_versions, to=HEAD)
    by_versions.dispose()
    assert dumped(tmp_path / "once.db") == dumped(tmp_path / "versions.db")


def dumped(file: Path) -> list[str]:
    """Schema and rows, in whatever order they were made, and however the lines of a statement are broken."""
    with closing(sqlite3.connect(file)) as store:
        return sorted(" ".join(statement.replace(";", " ; ").split()) for statement in store.iterdump())


def written(value: object) -> object:
    return time_text(value) if isinstance(value, datetime) else value


def _ours(_object: object, name: str | None, kind: str, *_: object) -> bool:
    # FTS5 keeps its index in tables of its own beside `search`.
    return not (kind == "table" and str(name).startswith("search"))


def test_a_store_of_the_first_release_comes_along_whole(
    unborn_database: Database, fresh_database: Callable[[], AbstractContextManager[Database]]
) -> None:
    """The first schema, filled as the first release filled it, then opened by this one."""
    facts = [
        webhook(
            "payment_captured", 1, 0, amount=1000, action_id="act_c", reference="ORD-1", balances=balances(1000, 0)
        ),
        asked("key-1", 300, 60),
        webhook("payment_refunded", 2, 61, amount=300, action_id="act_r", balances=balances(1000, 300)),
        webhook("payment_captured", 5, 3, "pay_3", amount=900, action_id="act_d", balances=balances(900, 200)),
        webhook("payment_expired", 3, 600, "pay_2", amount=500, currency="KRW", customer={"email": "min@example.com"}),
    ]
    database = unborn_database
    with fresh_database() as twin:
        record(twin, facts)
        _fill_first_release(database, twin)

    assert rebuild.compare(database).differing == 0
    assert [row.status for row in queries.refunds_of(database, "pay_1")] == ["refunded"]
    assert [row.id for row in queries.find_payments(database, PaymentFilter(text="n@exam")).rows] == ["pay_2"]
    assert len(queries.find_deliveries(database, DeliveryFilter(payment_id="pay_1")).rows) == 2
    assert len(queries.facts_of(database, "pay_1")) == 3
    again = webhook("payment_refunded", 4, 70, amount=200, action_id="act_s", balances=balances(1000, 500))
    assert record(database, [facts[0], again]) == [False, True]
    assert rebuild.compare(database).differing == 0


def test_two_processes_may_open_a_new_store_at_once(unborn_database: Database) -> None:
    others = [Database(unborn_database.url.render_as_string(hide_password=False)) for _ in range(4)]
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda other: other.prepare(), others))
    for other in others:
        with other.read() as connection:
            assert inspect(connection).has_table("payment")
        other.close()


def _fill_first_release(old_store: Database, now: Database) -> None:
    """Put into `old_store`, under the first schema, what `now` holds under the newest."""
    engine = fresh(old_store)
    migrate(engine, to="0001")
    old = MetaData()
    old.reflect(engine)
    with engine.begin() as connection, now.read() as source:
        for name in ("event", "payment", "refund", "volume"):
            columns = [Table.metadata.tables[name].c[column.name] for column in old.tables[name].columns]
            rows = [dict(row) for row in source.execute(select(*columns)).mappings()]
            if old_store.sqlite:
                rows = [{column: written(value) for column, value in row.items()} for row in rows]
            connection.execute(old.tables[name].insert(), rows)
        if not old_store.sqlite:  # rows that bring their numbers do not move PostgreSQL's counters
            for name in ("event", "payment"):
                connection.execute(text(f"SELECT setval('{name}_seq_seq', (SELECT max(seq) FROM {name}))"))
        connection.execute(
            text(
                "INSERT INTO delivery (received_at, verdict, reason, event_id, size, payment_id) "
                "SELECT recorded_at, 'accepted', 'Stored', id, 10, payment_id FROM event WHERE source = 'webhook'"
            )
        )
    engine.dispose()
