"""Finding payments by any part of what a customer says: id, reference, e-mail address or name.

The words go into an index of three-letter pieces: FTS5's trigrams on SQLite, an array under GIN on PostgreSQL, which
needs no extension. A payment is indexed a moment after it was written, because doing so at once would cost the
receiver more than everything else it does; until then it is found by reading the few that wait.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence
from typing import Any, NamedTuple

from sqlalchemy import (
    ARRAY,
    BigInteger,
    ColumnElement,
    Connection,
    any_,
    bindparam,
    case,
    delete,
    func,
    or_,
    select,
    text,
)

from lib.ledger.database import Database
from lib.ledger.tables import Table

PAYMENT = Table.metadata.tables["payment"]
WORD = Table.metadata.tables["search_word"]
FIELDS = ("id", "reference", "customer_email", "customer_name")
WHOLE = ("customer_id",)
"""What is looked up from its beginning only."""
MATCHES = 1000
"""How many matches a search looks at, newest first. What is looked for on the phone is not beyond them."""
_PIECE = 3
_WINDOW = 6
_LONG = 6
_LONGEST = 255
_BATCH = 25
"""Payments indexed in one transaction: some ten milliseconds on a large store, for which deliveries wait."""


def words_of(payment: Mapping[str, Any]) -> str:
    """What a payment can be found by, folded to lower case, one field a line."""
    return "\n".join(str(payment[name]) for name in FIELDS if payment.get(name)).lower()


def as_word(text: str) -> str:
    """A field as it stands among the whole words."""
    return text.lower()[:_LONGEST]


def among(connection: Connection, seqs: Sequence[int]) -> ColumnElement[bool]:
    """The condition that a payment is one of these, bound as one value however many there are."""
    if connection.dialect.name == "postgresql":
        return PAYMENT.c.seq == any_(bindparam("seqs", list(seqs), type_=ARRAY(BigInteger), unique=True))
    listed = func.json_each(json.dumps(list(seqs))).table_valued("value")
    return PAYMENT.c.seq.in_(select(listed.c.value))


def contains(column: ColumnElement[Any], sought: str) -> ColumnElement[bool]:
    """The condition that `sought` is a part of `column`, whatever the case."""
    return func.lower(column).contains(sought.lower(), autoescape=True)


def holds(sought: str) -> ColumnElement[bool]:
    """The condition that some field contains `sought`."""
    return or_(*(contains(PAYMENT.c[name], sought) for name in (*FIELDS, *WHOLE)))


def matching(connection: Connection, sought: str) -> list[int]:
    """The `seq` of the payments of which some field contains `sought`: the newest `MATCHES`, and all that wait to be indexed.

    A long text that begins some fields finds those alone: it was copied, or read out from its start. So does one that
    is a whole field of more payments than are looked at, such as a common name. A search of one or two letters looks
    through the newest payments only.
    """
    sought = sought.lower()
    held = holds(sought)
    if len(sought) < _PIECE:
        newest = select(PAYMENT.c.seq).order_by(PAYMENT.c.seq.desc()).limit(MATCHES).subquery()
        short = select(PAYMENT.c.seq).where(PAYMENT.c.seq.in_(select(newest.c.seq)), held)
        return list(connection.execute(short).scalars())
    waiting = list(connection.execute(select(PAYMENT.c.seq).where(PAYMENT.c.searched == 0, held)).scalars())
    if len(sought) >= _LONG:
        begun = select(WORD.c.seq).where(WORD.c.word >= sought, WORD.c.word < sought + "\U0010ffff")
        found = list(connection.execute(begun.limit(MATCHES + 1)).scalars())
        if 0 < len(found) <= MATCHES:
            return [*waiting, *found]
        if found:
            whole = select(WORD.c.seq).where(WORD.c.word == sought).order_by(WORD.c.seq.desc()).limit(MATCHES)
            found = list(connection.execute(whole).scalars())
            if len(found) == MATCHES:
                return [*waiting, *found]
    return [*waiting, *_anywhere(connection, sought)]


class Carriers(NamedTuple):
    """The payments that carry one reference: the `seq` of the newest, of a captured one where there is any, and how many
    of them are captured.
    """

    newest: int
    captured: int


def carriers(connection: Connection, references: Collection[str]) -> dict[str, Carriers]:
    """The payments that carry these references, letter by letter; references that none carries are absent.

    A few hundred references at most: they are bound one by one.
    """
    words = {reference.lower()[:_LONGEST] for reference in references}
    found = select(WORD.c.seq).where(WORD.c.word.in_(words))
    waiting = select(PAYMENT.c.seq).where(text("payment.searched = 0"), PAYMENT.c.reference.in_(references))
    captured = PAYMENT.c.captured > 0
    newest = func.coalesce(func.max(case((captured, PAYMENT.c.seq))), func.max(PAYMENT.c.seq))
    wanted = (
        select(PAYMENT.c.reference, newest, func.count(case((captured, 1))))
        .where(PAYMENT.c.seq.in_(found.union(waiting)), PAYMENT.c.reference.in_(references))
        .group_by(PAYMENT.c.reference)
    )
    return {reference: Carriers(*rest) for reference, *rest in connection.execute(wanted)}


def _anywhere(connection: Connection, sought: str) -> list[int]:
    window = _rarest(sought)
    if connection.dialect.name == "postgresql":
        statement = (
            "SELECT seq FROM search WHERE grams @> :window AND words LIKE :pattern ORDER BY seq DESC LIMIT :most"
        )
        asked: Any = sorted(_pieces(window))
    else:
        statement = (
            "SELECT rowid FROM search WHERE search MATCH :window AND words LIKE :pattern ESCAPE '\\' "
            "ORDER BY rowid DESC LIMIT :most"
        )
        asked = '"' + window.replace('"', '""') + '"'
    pattern = "%" + sought.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_") + "%"
    return list(connection.execute(text(statement), {"window": asked, "pattern": pattern, "most": MATCHES}).scalars())


def _rarest(sought: str) -> str:
    """The part of a text to ask the index for. Every piece costs a walk through all payments that have it, so a few that
    are likely to be rare do better than all: those with the most digits, and of equal ones the first.
    """
    windows = [sought[place : place + _WINDOW] for place in range(max(1, len(sought) - _WINDOW + 1))]
    return max(windows, key=lambda window: sum(letter.isdigit() for letter in window))


def index_waiting(database: Database, *, spare: int = 0) -> int:
    """Index some of the payments that wait for it, if more than `spare` do. How many were; call again while it is not 0."""
    wanted = select(PAYMENT.c.seq, *(PAYMENT.c[name] for name in (*FIELDS, *WHOLE))).where(PAYMENT.c.searched == 0)
    with database.read() as connection:
        if connection.execute(wanted.offset(spare).limit(1)).first() is None:
            return 0
    with database.write() as connection:
        newest_first = wanted.order_by(PAYMENT.c.seq.desc()).limit(_BATCH)
        if connection.dialect.name == "postgresql":
            newest_first = newest_first.with_for_update(skip_locked=True)
        rows = [dict(row) for row in connection.execute(newest_first).mappings()]
        if rows:
            _index(connection, rows)
            done = PAYMENT.update().where(PAYMENT.c.seq.in_([row["seq"] for row in rows]))
            connection.execute(done.values(searched=1))
    return len(rows)


def _index(connection: Connection, payments: list[dict[str, Any]]) -> None:
    rows = [{"seq": payment["seq"], "words": words_of(payment)} for payment in payments]
    connection.execute(delete(WORD).where(WORD.c.seq.in_([row["seq"] for row in rows])))
    words = {(row["seq"], word[:_LONGEST]) for row in rows for word in row["words"].split("\n")}
    words |= {(row["seq"], as_word(row[name])) for row in payments for name in WHOLE if row[name]}
    connection.execute(WORD.insert(), [{"word": word, "seq": seq} for seq, word in sorted(words)])
    if connection.dialect.name == "postgresql":
        pieces = [row | {"grams": sorted(_pieces(row["words"]))} for row in rows]
        connection.execute(
            text(
                "INSERT INTO search (seq, words, grams) VALUES (:seq, :words, :grams) "
                "ON CONFLICT (seq) DO UPDATE SET words = excluded.words, grams = excluded.grams"
            ),
            pieces,
        )
        return
    connection.execute(text("DELETE FROM search WHERE rowid = :seq"), rows)
    connection.execute(text("INSERT INTO search (rowid, words) VALUES (:seq, :words)"), rows)


def _pieces(words: str) -> set[str]:
    return {words[place : place + _PIECE] for place in range(len(words) - _PIECE + 1)}
