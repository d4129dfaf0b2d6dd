"""The ledger's database: one file of SQLite in WAL mode, or PostgreSQL when one machine is not enough."""

from __future__ import annotations

import os
import re
import shutil
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event, make_url, text
from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError, SQLAlchemyError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from lib.ledger.migrations import migrate

_BUSY_SECONDS = 15
_ROOM = 512 * 1024
"""Bytes that the largest delivery and its indexes take on disk."""
_HASTE_SECONDS = 1.0
_OTHER_SCHEMA = re.compile(r"no such (table|column)|table \S+ has no column")
"""How SQLite says so; for PostgreSQL that is a defect of the statement, and it is treated as one."""
_POOL: dict[str, int] = {"pool_size": 4, "max_overflow": 4, "pool_timeout": _BUSY_SECONDS}
"""Connections to PostgreSQL, once for reading and once for writing: many processes share what it allows, by default 100."""


class StoreUnavailable(RuntimeError):
    """The database cannot be opened or brought up to date; the message says what to do."""


class StoreBusy(StoreUnavailable):
    """Somebody else is writing just now."""


class Database:
    """Connections to the ledger. The schema is created or migrated at the first use, whoever comes first.

    SQLite has one writer: `write()` takes its lock at BEGIN, so that what a transaction has read stays true until it
    commits. On PostgreSQL the same promise comes from row locks, which the callers take.
    """

    def __init__(self, url: str) -> None:
        self.url = make_url(url)
        self.sqlite = self.url.get_backend_name() == "sqlite"
        self._writer_turn = threading.Lock()
        self._opening = threading.Lock()
        self._ready = threading.Event()
        self._hasty_at = -_HASTE_SECONDS

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """A connection that sees one state of the store throughout. Raises `StoreUnavailable`."""
        self.prepare()
        with _answering(), self._reader.connect() as connection, connection.begin():
            yield connection

    @contextmanager
    def write(self, *, patient: bool = True) -> Iterator[Connection]:
        """A durable transaction: committed when the block ends, rolled back when it raises. Raises `StoreUnavailable`.

        Not `patient`, it raises `StoreBusy` rather than wait for another writer of the same SQLite file.
        """
        self.prepare()
        if not patient:
            self._hasty_at = time.monotonic()
        with _answering(), self._turn(patient=patient), self._engine_for(patient=patient).begin() as connection:
            yield connection

    @property
    def in_haste(self) -> bool:
        """Whether somebody wrote within the last second who does not want to wait, and is likely to again."""
        return time.monotonic() - self._hasty_at < _HASTE_SECONDS

    def prepare(self) -> None:
        """Bring the schema up to date, once. Raises `StoreUnavailable`."""
        if self._ready.is_set():
            return
        with self._opening:
            if self._ready.is_set():
                return
            try:
                if self.sqlite and self.url.database:
                    Path(self.url.database).parent.mkdir(parents=True, exist_ok=True)
                migrate(self._writer)
            except (SQLAlchemyError, OSError) as error:
                reason = str(getattr(error, "orig", None) or error).splitlines()[0]
                raise StoreUnavailable(
                    f"The database {self.url.render_as_string()} cannot be used: {reason}. "
                    "Check DATABASE_URL, that its folder can be written to, and that the disk has room."
                ) from error
            self._ready.set()

    def check(self) -> None:
        """Prove that the store can be written to, leaving nothing behind. Raises `StoreUnavailable`."""
        self.prepare()
        if not self.sqlite:
            with _answering(), self._writer.connect() as connection, connection.begin() as transaction:
                connection.execute(text("CREATE TEMPORARY TABLE IF NOT EXISTS health (x INTEGER)"))
                transaction.rollback()
            return
        # What is rolled back never reaches a file's disk, so a row is written as it is; and one page fits where a
        # delivery does not.
        with self.write() as connection:
            connection.execute(text("UPDATE backfill SET asked = asked"))
        if self.url.database and shutil.disk_usage(Path(self.url.database).parent).free < _ROOM:
            raise StoreUnavailable(f"The disk of {self.url.database} is full. Make room; deliveries are turned away.")

    def checkpoint(self) -> int:
        """Carry SQLite's log over into its file, as far as readers and writers allow. How many pages are left.

        Raises `StoreUnavailable`.
        """
        self.prepare()
        with _answering(), self._reader.connect() as connection:
            driver: Any = connection.connection.driver_connection
            _, log, done = driver.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchone()
            return int(log) - int(done)

    def settle(self) -> None:
        """Wait until what was carried over is on the disk, so that nobody has to who is waited for. Raises `OSError`."""
        os.fsync(self._file)

    @cached_property
    def _file(self) -> int:
        # Never closed: closing any handle of a file gives up this process's locks on it, on which SQLite relies.
        return os.open(str(self.url.database), os.O_RDONLY)

    def close(self) -> None:
        """Give all connections back."""
        for name in ("_reader", "_writer", "_hasty", "_beside"):
            engine = self.__dict__.pop(name, None)
            if engine is not None:
                engine.dispose()

    @contextmanager
    def _turn(self, *, patient: bool) -> Iterator[None]:
        # Threads of this process queue here in order; SQLite's own busy wait polls, and lets late ones overtake.
        if not self.sqlite:
            yield
            return
        if not self._writer_turn.acquire(blocking=patient):
            raise StoreBusy("Somebody else is writing.")
        try:
            yield
        finally:
            self._writer_turn.release()

    @cached_property
    def _reader(self) -> Engine:
        return self._engine("BEGIN")

    @cached_property
    def _writer(self) -> Engine:
        return self._engine("BEGIN IMMEDIATE")

    @cached_property
    def _hasty(self) -> Engine:
        engine = self._engine("BEGIN IMMEDIATE", busy_seconds=0)
        event.listen(engine, "connect", _for_deliveries)
        return engine

    @cached_property
    def _beside(self) -> Engine:
        engine = self._engine("BEGIN IMMEDIATE")
        event.listen(engine, "connect", _with_long_log)
        return engine

    def _engine_for(self, *, patient: bool) -> Engine:
        if not self.sqlite:
            return self._writer  # there is no one lock to wait for, and connections are few
        if not patient:
            return self._hasty
        return self._beside if self.in_haste else self._writer

    def _engine(self, begin: str, busy_seconds: float | None = None) -> Engine:
        if not self.sqlite:
            # Readers keep the promise of `read()`; writers must see what others committed once they hold its locks.
            isolation = "REPEATABLE READ" if begin == "BEGIN" else "READ COMMITTED"
            return create_engine(self.url, pool_pre_ping=True, isolation_level=isolation, **_POOL)
        engine = create_engine(
            self.url,
            connect_args={"timeout": _BUSY_SECONDS if busy_seconds is None else busy_seconds},
            pool_size=5,
            max_overflow=45,
        )
        event.listen(engine, "connect", _configure_sqlite)
        event.listen(engine, "begin", _begin_with(begin))
        return engine


@contextmanager
def _answering() -> Iterator[None]:
    """Turn what the database says of itself (locked, full, gone) into words; what it says of our statements is a defect."""
    try:
        yield
    except (OperationalError, InterfaceError, PoolTimeout) as error:
        reason = str(getattr(error, "orig", None) or error).splitlines()[0]
        if _OTHER_SCHEMA.match(reason):
            raise StoreUnavailable(
                f"The database is of another version than this program ({reason}). Nothing was stored. End every process "
                "that uses it, and start them again with the newest version that any of them had."
            ) from error
        kind = StoreBusy if "database is locked" in reason else StoreUnavailable
        raise kind(
            f"The database did not answer ({reason}). What was not confirmed was not stored. Wait a moment and try again; "
            "if it stays, check that the disk has room and that nothing else holds the database."
        ) from error


def _configure_sqlite(connection: Any, _record: object) -> None:
    # The driver must not begin transactions by itself: it would begin them deferred, and a deferred one that turns
    # to writing late fails at once when another has written meanwhile.
    connection.isolation_level = None
    for pragma in (
        "journal_mode=WAL",
        "synchronous=FULL",
        "foreign_keys=ON",
        "wal_autocheckpoint=8000",
        "cache_size=-32000",
        "temp_store=MEMORY",
    ):
        connection.execute(f"PRAGMA {pragma}").close()


def _for_deliveries(connection: Any, record: object) -> None:
    connection.execute("PRAGMA cache_size=-128000").close()  # on a large store they touch pages anywhere
    _with_long_log(connection, record)


def _with_long_log(connection: Any, _record: object) -> None:
    # While deliveries come in, the log is carried over by `checkpoint`, and in a commit, for which all writers wait,
    # only when that cannot keep up.
    connection.execute("PRAGMA wal_autocheckpoint=100000").close()


def _begin_with(statement: str) -> Callable[[Connection], None]:
    def begin(connection: Connection) -> None:
        # The driver itself, as in `Batch`: a screen begins half a dozen times, and what SQLAlchemy does around a statement
        # takes longer than to begin.
        driver: Any = connection.connection.driver_connection
        errors = connection.dialect.loaded_dbapi.Error
        try:
            driver.execute(statement).close()
        except errors as error:
            raise DBAPIError.instance(statement, None, error, errors) from error

    return begin
