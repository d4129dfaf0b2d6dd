"""A copy counts once it is proved, and one can go back to it."""

from __future__ import annotations

import shutil
import sqlite3
import threading
from pathlib import Path

import pytest
from sqlalchemy import update

from lib.ledger import audit, backup, queries, rebuild
from lib.ledger.backup import BackupError, back_up, restore
from lib.ledger.database import Database
from lib.ledger.record import PAYMENT, record
from lib.operators import Operator
from tests.support import databases
from tests.support.events import webhook


def pay(database: Database, number: int) -> None:
    payment = f"pay_{number}"
    record(database, [webhook("payment_captured", number, number, payment, amount=100, action_id=f"act_{number}")])


@pytest.fixture
def ledger(tmp_path: Path) -> Database:
    database = Database(databases.sqlite(tmp_path / "here" / "ledger.db"))
    for number in range(3):
        pay(database, number)
    with database.write() as connection:
        audit.note(connection, Operator("Mina"), "payment.requested", "pay_1")
    return database


def test_a_copy_is_made_while_deliveries_go_on_and_leads_back(ledger: Database, tmp_path: Path) -> None:
    stop = threading.Event()
    written: list[int] = []

    def deliver() -> None:
        while not stop.is_set():
            written.append(100 + len(written))
            pay(ledger, written[-1])

    writer = threading.Thread(target=deliver)
    writer.start()
    try:
        while len(written) < 5:
            pass
        copy = back_up(ledger)
    finally:
        stop.set()
        writer.join()
    assert copy.parent == tmp_path / "here" / "backups"
    held = backup.prove(copy)
    assert 3 < held.payments <= 3 + len(written)
    assert backup.newest(ledger) is not None

    pay(ledger, 999)
    ledger.close()
    aside = restore(ledger, copy)
    assert aside
    with_copy = Database(ledger.url.render_as_string())
    assert rebuild.compare(with_copy) == held
    assert queries.find_payment(with_copy, "pay_999") is None
    pay(with_copy, 999)
    assert queries.find_payment(with_copy, "pay_999") is not None
    with_copy.close()
    assert backup.prove(aside).payments == 3 + len(written) + 1


def test_nothing_is_restored_over_a_ledger_in_use(ledger: Database) -> None:
    copy = back_up(ledger)
    pay(ledger, 7)
    with pytest.raises(BackupError, match=r"in use\. Stop the app"):
        restore(ledger, copy)
    assert queries.find_payment(ledger, "pay_7") is not None
    assert rebuild.compare(ledger).differing == 0


def test_a_damaged_copy_is_refused_and_the_ledger_stays(ledger: Database) -> None:
    copy = back_up(ledger)
    raw = bytearray(copy.read_bytes())
    raw[len(raw) // 2 :] = bytes(len(raw) - len(raw) // 2)
    copy.write_bytes(raw)
    ledger.close()
    with pytest.raises(BackupError):
        restore(ledger, copy)
    assert queries.find_payment(ledger, "pay_1") is not None
    copy.write_bytes(b"not a database at all" * 100)
    with pytest.raises(BackupError, match="not"):
        restore(ledger, copy)
    with pytest.raises(BackupError, match="There is no file"):
        restore(ledger, copy.with_name("nowhere.db"))


def test_a_copy_that_does_not_add_up_is_no_copy(ledger: Database) -> None:
    with ledger.write() as connection:
        connection.execute(update(PAYMENT).values(captured=1))
    with pytest.raises(BackupError, match="3 rows differ"):
        back_up(ledger)
    assert list((Path(str(ledger.url.database)).parent / "backups").iterdir()) == []
    assert backup.newest(ledger) is None


def test_only_the_newest_stay_and_none_is_overwritten(ledger: Database, tmp_path: Path) -> None:
    first = back_up(ledger)
    folder = first.parent
    for day in range(1, 5):
        shutil.copy(first, folder / f"ledger-2020010{day}T000000Z.db")
    with sqlite3.connect(ledger.url.database or "") as connection:
        assert connection.execute("SELECT count(*) FROM backup").fetchone() == (1,)
    second = back_up(ledger, tmp_path / "elsewhere.db")
    assert len(list(folder.iterdir())) == 5
    with pytest.raises(BackupError, match="never overwritten"):
        back_up(ledger, second)
    first.rename(folder / "ledger-20200105T000000Z.db")
    newest = back_up(ledger, keep=2)
    assert sorted(folder.iterdir()) == [folder / "ledger-20200105T000000Z.db", newest]


def test_the_command(
    ledger: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("DATABASE_URL", ledger.url.render_as_string())
    ledger.close()
    copy = str(tmp_path / "copy.db")
    assert backup.main(["--to", copy]) == 0
    assert backup.main(["--restore", copy]) == 0
    assert backup.main(["--restore", str(tmp_path / "nowhere.db")]) == 1
    monkeypatch.setenv("DATABASE_URL", "postgresql+psycopg://localhost/x")
    assert backup.main([]) == 1
    said = capsys.readouterr()
    assert said.out.startswith(f"Copied and proved: {copy}\nRestored from {copy}. The ledger as it was:")
    assert "pg_dump" in said.err
