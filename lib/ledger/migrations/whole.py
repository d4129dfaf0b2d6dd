"""The newest schema in one piece, `whole.sql`: what all versions make of an empty SQLite file, in a tenth of their time.

`python -m lib.ledger.migrations.whole` writes it from the versions, after one was added; a test holds them together.
"""

from __future__ import annotations

import sqlite3
import tempfile
from pathlib import Path

from sqlalchemy import Connection, NullPool, create_engine

from lib.ledger.migrations import HEAD, migrate

_FILE = Path(__file__).with_suffix(".sql")
_BETWEEN = ";\n\n"


def make(connection: Connection) -> None:
    """Make the schema in an empty store, inside the connection's transaction."""
    for statement in _FILE.read_text("utf-8").removesuffix(";\n").split(_BETWEEN):
        connection.exec_driver_sql(statement)


def written() -> str:
    """What the file must say: the schema that the versions make, with the rows that they put in."""
    with tempfile.TemporaryDirectory() as folder:
        engine = create_engine(f"sqlite:///{folder}/store.db", poolclass=NullPool)
        migrate(engine, to=HEAD)
        made = sqlite3.connect(f"{folder}/store.db")
        statements = [_tidy(sql) for sql in _schema(made)]
        statements += [sql.removesuffix(";") for sql in made.iterdump() if sql.startswith(_OURS)]
        made.close()
    return _BETWEEN.join(statements) + ";\n"


_OURS = ('INSERT INTO "alembic_version"', 'INSERT INTO "backfill"')
"""Rows that belong to a store without payments; the search index keeps some for itself."""


def _schema(made: sqlite3.Connection) -> list[str]:
    shadows = {row[1] for row in made.execute("PRAGMA table_list") if row[2] == "shadow"}
    # The versions rebuild tables, and put back their indexes in an order that changes.
    ordered = "SELECT name, sql FROM sqlite_master WHERE sql IS NOT NULL ORDER BY tbl_name, type = 'table' DESC, name"
    return [sql for name, sql in made.execute(ordered) if name not in shadows]


def _tidy(sql: str) -> str:
    lines = (line.rstrip().replace("\t", "    ") for line in sql.splitlines())
    return "\n".join(line for line in lines if line)


if __name__ == "__main__":
    _FILE.write_text(written(), "utf-8")
