"""Finding payments by any part of what a customer says: id, reference, e-mail address or name.

The words go into an index of three-letter pieces: FTS5's trigrams on SQLite, an array under GIN on PostgreSQL, which
needs no extension. A payment is indexed a moment after it was written, because doing so at once would cost the
receiver more than everything else it does; until then it is found by reading the few that wait.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import Connection, Select, bindparam, func, or_, select, text, union_all

from lib.ledger.database import Database
from lib.ledger.tables import Table

PAYMENT = Table.metadata.tables["payment"]
FIELDS = ("id", "reference", "customer_email", "customer_name")
MATCHES = 5000
"""How many matches a search looks at, newest first. What is looked for on the phone is not beyond them."""
_PIECE = 3
_BATCH = 500


def words_of(payment: Mapping[str, Any]) -> str:
    """What a payment can be found by, folded to lower case, one field a line."""
    return "\n".join(str(payment[name]) for name in FIELDS if payment.get(name)).lower()


def matching(connection: Connection, sought: str) -> Select[Any]:
    """The `seq` of the payments of which some field contains `sought`: the newest `MATCHES`, and all that wait to be indexed.

    A search of one or two letters looks through the newest payments only.
    """
    pattern = f"%{_escaped(sought.lower())}%"
    contains = or_(*(func.lower(PAYMENT.c[name]).like(pattern, escape="\\") for name in FIELDS))
    if len(sought) < _PIECE:
        newest = select(PAYMENT.c.seq).order_by(PAYMENT.c.seq.desc()).limit(MATCHES).subquery()
        return select(PAYMENT.c.seq).where(PAYMENT.c.seq.in_(select(newest.c.seq)), contains)
    waiting = select(PAYMENT.c.seq).where(PAYMENT.c.searched == 0, contains)
    if connection.dialect.name == "postgresql":
        found = text(
            "SELECT seq FROM search WHERE grams @> :grams AND words LIKE :pattern ORDER BY seq DESC LIMIT :most"
        ).bindparams(bindparam("grams", sorted(_pieces(sought))), pattern=pattern, most=MATCHES)
    else:
        phrase = '"' + sought.replace('"', '""') + '"'
        found = text(
            "SELECT rowid AS seq FROM search WHERE search MATCH :phrase ORDER BY rowid DESC LIMIT :most"
        ).bindparams(phrase=phrase, most=MATCHES)
    indexed = found.columns(PAYMENT.c.seq).subquery("indexed")
    both = union_all(select(indexed.c.seq), waiting).subquery()
    return select(both.c.seq)


def index_waiting(database: Database) -> int:
    """Index some of the payments that wait for it. How many were; call again while it is not 0."""
    wanted = select(PAYMENT.c.seq, *(PAYMENT.c[name] for name in FIELDS)).where(PAYMENT.c.searched == 0)
    with database.read() as connection:
        if connection.execute(wanted.limit(1)).first() is None:
            return 0
    with database.write() as connection:
        newest_first = wanted.order_by(PAYMENT.c.seq.desc()).limit(_BATCH)
        if connection.dialect.name == "postgresql":
            newest_first = newest_first.with_for_update(skip_locked=True)
        rows = [dict(row) for row in connection.execute(newest_first).mappings()]
        if rows:
            _index(connection, [{"seq": row["seq"], "words": words_of(row)} for row in rows])
            done = PAYMENT.update().where(PAYMENT.c.seq.in_([row["seq"] for row in rows]))
            connection.execute(done.values(searched=1))
    return len(rows)


def _index(connection: Connection, rows: list[dict[str, Any]]) -> None:
    if connection.dialect.name == "postgresql":
        rows = [row | {"grams": sorted(_pieces(row["words"]))} for row in rows]
        connection.execute(
            text(
                "INSERT INTO search (seq, words, grams) VALUES (:seq, :words, :grams) "
                "ON CONFLICT (seq) DO UPDATE SET words = excluded.words, grams = excluded.grams"
            ),
            rows,
        )
        return
    connection.execute(text("DELETE FROM search WHERE rowid = :seq"), rows)
    connection.execute(text("INSERT INTO search (rowid, words) VALUES (:seq, :words)"), rows)


def _pieces(words: str) -> set[str]:
    lowered = words.lower()
    return {lowered[place : place + _PIECE] for place in range(len(lowered) - _PIECE + 1)}


def _escaped(sought: str) -> str:
    return sought.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
