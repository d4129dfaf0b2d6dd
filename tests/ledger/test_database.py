"""What the database says of itself in words, its log, and how many connections it takes."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path

import pytest
from sqlalchemy import text

from lib.ledger.checkpoint import Checkpoints
from lib.ledger.database import Database, StoreBusy, StoreUnavailable
from lib.ledger.record import record
from tests.support.events import webhook


@pytest.fixture
def sqlite(tmp_path: Path) -> Database:
    return Database(f"sqlite:///{tmp_path / 'ledger.db'}")


def test_a_column_that_is_not_there_is_another_version_and_nothing_to_wait_for(sqlite: Database) -> None:
    with sqlite.write() as connection:
        connection.execute(text("ALTER TABLE event RENAME COLUMN source TO origin"))
    with pytest.raises(StoreUnavailable, match="another version than this program") as told:
        record(sqlite, [webhook("payment_pending", 1, 0, amount=1)])
    assert "Wait" not in str(told.value)
    assert not isinstance(told.value, StoreBusy)


def test_the_log_is_carried_over_beside_the_commits_and_begins_anew(
    sqlite: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("lib.ledger.checkpoint._EVERY", 8)
    monkeypatch.setattr("lib.ledger.checkpoint._ANEW", 16)
    sqlite.prepare()
    log = Path(f"{sqlite.url.database}-wal")

    async def run() -> int:
        checkpoints = Checkpoints(sqlite)
        task = asyncio.create_task(checkpoints.go_on())
        for number in range(400):
            with sqlite.write(patient=False) as connection:
                connection.execute(text("UPDATE backfill SET asked = :n"), {"n": number})
            checkpoints.stored(1)
            await asyncio.sleep(0)
        await until(lambda: sqlite.checkpoint() == 0)
        task.cancel()
        return log.stat().st_size

    assert asyncio.run(run()) < 400 * 4096, "had it never begun anew, each commit would have added a page"
    with sqlite.read() as connection:
        assert connection.execute(text("SELECT asked FROM backfill")).scalar() == 399


@pytest.mark.parametrize("backend", ["postgresql"], indirect=True)
def test_deliveries_share_the_connections_of_all_other_writers(database: Database) -> None:
    with database.write(), database.read():
        pass
    with database.write(patient=False):
        pass
    mine = text("SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()")
    with database.read() as connection:
        assert connection.execute(mine).scalar() == 2


async def until(holds: Callable[[], bool]) -> None:
    async with asyncio.timeout(20):
        while not holds():
            await asyncio.sleep(0.01)


def test_who_writes_beside_deliveries_leaves_the_log_to_its_own_thread(tmp_path: Path) -> None:
    database = Database(f"sqlite:///{tmp_path / 'ledger.db'}")

    def pages_carried_over_within_a_commit() -> int:
        with database.write() as connection:
            return int(connection.exec_driver_sql("PRAGMA wal_autocheckpoint").scalar_one())

    alone = pages_carried_over_within_a_commit()
    with database.write(patient=False):
        pass
    assert pages_carried_over_within_a_commit() > 10 * alone
    database.close()
