"""Copies of a ledger in SQLite, taken while it is written to and proved before they count, and the way back.

`python -m lib.ledger.backup` makes one, `--restore FILE` goes back to one. Not for PostgreSQL, whose own tools do this.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import sqlite3
import sys
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path

from sqlalchemy import BigInteger, Column, Integer, func, select
from sqlalchemy.engine import URL
from sqlmodel import Field

from lib.ledger import audit, rebuild
from lib.ledger.database import Database, StoreUnavailable
from lib.ledger.tables import Table, UtcTime
from lib.settings import SettingsError, load

KEPT = 7
_WHOLE = -1  # pages a step: one step sees one state of the store and holds up no writer


class BackupError(RuntimeError):
    """No copy was made, or nothing was restored; the message says why and what to do."""


class Backup(Table, table=True):
    """A copy that was made and proved."""

    id: int | None = Field(
        default=None,
        sa_column=Column(BigInteger().with_variant(Integer, "sqlite"), primary_key=True, autoincrement=True),
    )
    at: datetime = Field(sa_type=UtcTime)
    """When the state that it holds was the ledger's."""
    file: str
    """The file's name, without its folder."""
    size: int = Field(sa_type=BigInteger)
    """Bytes."""
    events: int = Field(sa_type=BigInteger)
    payments: int = Field(sa_type=BigInteger)


BACKUP = Table.metadata.tables["backup"]


def back_up(database: Database, target: Path | None = None, *, keep: int = KEPT) -> Path:
    """Copy the ledger to `target` and prove the copy: its pages whole, its state what its facts say, its audit log unbroken.

    Receivers and screens go on meanwhile. Without a target the copy goes to `backups/` beside the ledger, and of those
    only the newest `keep` stay. Returns the copy. Raises `BackupError` or `StoreUnavailable`; then there is no new file.
    """
    source = _file_of(database)
    database.prepare()
    at = datetime.now(UTC)
    folder = source.parent / "backups"
    copy = target or folder / f"{source.stem}-{at:%Y%m%dT%H%M%SZ}.db"
    if copy.exists():
        raise BackupError(f"{copy} is there already. Name another file; copies are never overwritten.")
    copy.parent.mkdir(parents=True, exist_ok=True)
    unproved = copy.with_name(f"{copy.name}.unproved")
    try:
        _copy(source, unproved)
        said = prove(unproved)
        os.replace(unproved, copy)
    except (sqlite3.Error, OSError) as error:
        raise BackupError(f"No copy was made: {error}. Check that the disk of {copy.parent} has room.") from error
    finally:
        unproved.unlink(missing_ok=True)
    with database.write() as connection:
        connection.execute(
            BACKUP.insert().values(
                at=at, file=copy.name, size=copy.stat().st_size, events=said.events, payments=said.payments
            )
        )
    if target is None:
        for old in sorted(folder.glob(f"{source.stem}-*Z.db"))[:-keep]:
            old.unlink()
    return copy


def prove(copy: Path) -> rebuild.Comparison:
    """What the copy holds. Raises `BackupError` unless it is whole, adds up, and its audit log is unbroken."""
    with contextlib.closing(sqlite3.connect(copy)) as connection:
        try:
            found = connection.execute("PRAGMA integrity_check").fetchone()[0]
        except sqlite3.DatabaseError as error:
            found = str(error)
    if found != "ok":
        raise BackupError(f"{copy.name} is not a whole database ({found}). Use another copy.")
    with _opened(copy) as database:
        said, chain = rebuild.compare(database), audit.check(database)
    if said.differing:
        raise BackupError(f"{copy.name} does not add up ({said}). Run python -m lib.ledger.rebuild and try again.")
    if chain.broken_at is not None:
        raise BackupError(
            f"In {copy.name} the audit log is broken ({chain}). Find out who changed it before you go on."
        )
    return said


def restore(database: Database, copy: Path) -> Path | None:
    """Put a proved copy in the ledger's place, with nothing running on it. Where the ledger as it was now lies.

    The ledger as it was is kept beside it. Raises `BackupError`; then the ledger is untouched.
    """
    target = _file_of(database)
    if not copy.is_file():
        raise BackupError(f"There is no file {copy}.")
    target.parent.mkdir(parents=True, exist_ok=True)
    unproved = target.with_name(f"{target.name}.unproved")
    try:
        _copy(copy, unproved)
        prove(unproved)
        aside = None
        if target.exists():
            _settle(target)
            aside = target.with_name(f"{target.stem}-before-{datetime.now(UTC):%Y%m%dT%H%M%SZ}.db")
            os.replace(target, aside)
        os.replace(unproved, target)
    except (sqlite3.Error, OSError) as error:
        raise BackupError(f"Nothing was restored: {error}.") from error
    finally:
        unproved.unlink(missing_ok=True)
    return aside


def newest(database: Database) -> datetime | None:
    """When the last copy was made; None where there is none. Raises `StoreUnavailable`."""
    with database.read() as connection:
        return connection.execute(select(func.max(BACKUP.c.at))).scalar()


def _file_of(database: Database) -> Path:
    if not database.sqlite or not database.url.database:
        raise BackupError("This is for SQLite. Back PostgreSQL up with its own pg_dump and pg_restore.")
    return Path(database.url.database)


def _copy(source: Path, target: Path) -> None:
    """The state of one moment, in one file without a log beside it."""
    target.unlink(missing_ok=True)
    with (
        contextlib.closing(sqlite3.connect(f"{source.resolve().as_uri()}?mode=ro", uri=True)) as old,
        contextlib.closing(sqlite3.connect(target)) as new,
    ):
        old.backup(new, pages=_WHOLE)
        new.execute("PRAGMA journal_mode=DELETE")
    with target.open("rb") as written:
        os.fsync(written.fileno())


@contextlib.contextmanager
def _opened(copy: Path) -> Iterator[Database]:
    database = Database(URL.create("sqlite", database=str(copy)).render_as_string())
    try:
        yield database
    finally:
        database.close()
        with contextlib.closing(sqlite3.connect(copy, isolation_level=None)) as connection:
            connection.execute("PRAGMA journal_mode=DELETE")  # back to one file


def _settle(file: Path) -> None:
    """Make one file of the ledger and its log. Raises `BackupError` while anybody has it open."""
    with contextlib.closing(sqlite3.connect(file, timeout=1, isolation_level=None)) as connection:
        try:
            connection.execute("PRAGMA journal_mode=DELETE").fetchone()
        except sqlite3.OperationalError as error:
            raise BackupError("The ledger is in use. Stop the app and every receiver first, then try again.") from error


def main(arguments: Sequence[str] | None = None) -> int:
    """The command line; returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m lib.ledger.backup", description="Copy the ledger, or go back.")
    either = parser.add_mutually_exclusive_group()
    either.add_argument(
        "--to", type=Path, metavar="FILE", help="where the copy goes, instead of backups/ beside the ledger"
    )
    either.add_argument("--restore", type=Path, metavar="FILE", help="put this copy in the ledger's place")
    parser.add_argument("--keep", type=int, default=KEPT, help=f"how many copies stay in backups/; {KEPT} if not said")
    options = parser.parse_args(arguments)
    if options.keep < 1:
        parser.error("keep at least 1")
    try:
        with contextlib.closing(Database(load().database_url)) as database:
            if options.restore:
                aside = restore(database, options.restore)
                print(f"Restored from {options.restore}." + (f" The ledger as it was: {aside}" if aside else ""))
            else:
                print(f"Copied and proved: {back_up(database, options.to, keep=options.keep)}")
    except (SettingsError, StoreUnavailable, BackupError) as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
