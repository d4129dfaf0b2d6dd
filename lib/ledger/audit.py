"""The audit log: every human action, append-only, each entry chained to the one before by a hash.

Entries name ids, amounts and statuses and nothing personal of a customer, so that erasing a customer leaves the chain
whole. The database itself refuses to change or delete an entry.
"""

from __future__ import annotations

import argparse
import hashlib
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import msgspec
from sqlalchemy import BigInteger, Column, Connection, Index, Text, select, text
from sqlmodel import Field

from lib.ledger.database import Database, StoreUnavailable
from lib.ledger.tables import Table, UtcTime, time_text
from lib.operators import NotAllowed, Operator, Right
from lib.settings import SettingsError, load

_CHAIN_LOCK = 7254004
"""PostgreSQL's advisory lock on the chain's end: each entry must know the one before."""
_BEGINNING = "0" * 64
_CHUNK = 1000


class Audit(Table, table=True):
    """One human action. `seq` counts from 1 without a gap; `before` and `after` are JSON objects."""

    seq: int = Field(sa_column=Column(BigInteger, primary_key=True, autoincrement=False))
    at: datetime = Field(sa_type=UtcTime)
    who: str = Field(max_length=255)
    roles: str
    """Comma-separated, in alphabetical order."""
    origin: str = Field(max_length=20)
    address: str | None = Field(default=None, max_length=64)
    action: str = Field(max_length=60)
    """What was done, such as `refund.requested`."""
    subject: str = Field(max_length=255)
    """The id of what it was done to."""
    before: str | None = Field(default=None, sa_type=Text)
    after: str | None = Field(default=None, sa_type=Text)
    previous: str = Field(max_length=64)
    """The hash of the entry before, zeros for the first."""
    hash: str = Field(max_length=64)
    """SHA-256, in hex, of all the other columns."""

    __table_args__ = (
        Index("audit_by_subject", "subject", "seq"),
        Index("audit_by_who", "who", "seq"),
        Index("audit_by_action", "action", "seq"),
    )


AUDIT = Table.metadata.tables["audit"]


def note(
    connection: Connection,
    operator: Operator,
    action: str,
    subject: str,
    before: Mapping[str, Any] | None = None,
    after: Mapping[str, Any] | None = None,
) -> None:
    """Add what `operator` did to the log, in the caller's transaction: the two happen together or not at all.

    `before` and `after` hold ids, amounts and statuses; never a customer's data, nor a text that somebody wrote.
    """
    if connection.dialect.name == "postgresql":
        connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _CHAIN_LOCK})
    last = connection.execute(select(AUDIT.c.seq, AUDIT.c.hash).order_by(AUDIT.c.seq.desc()).limit(1)).first()
    row: dict[str, Any] = {
        "seq": last.seq + 1 if last else 1,
        "at": datetime.now(UTC),
        "who": operator.name[:255],
        "roles": ",".join(sorted(operator.roles)),
        "origin": operator.origin,
        "address": operator.address,
        "action": action,
        "subject": subject[:255],
        "before": _json(before),
        "after": _json(after),
        "previous": last.hash if last else _BEGINNING,
    }
    connection.execute(AUDIT.insert().values(**row, hash=_hash(row)))


def permit(database: Database, operator: Operator, right: Right, subject: str = "") -> None:
    """Raise `NotAllowed`, and note the attempt, unless `operator` has `right`. Not inside a transaction of the caller's."""
    try:
        operator.require(right)
    except NotAllowed:
        with database.write() as connection:
            note(connection, operator, "refused", subject, None, {"right": right})
        raise


@dataclass(frozen=True, slots=True)
class Chain:
    """What following the chain came to: how many entries hold, and the `seq` of the first that does not, with why."""

    entries: int
    broken_at: int | None = None
    why: str = ""

    def __str__(self) -> str:
        if self.broken_at is None:
            return f"{self.entries} entries, the chain is whole"
        return f"{self.entries} entries hold, the chain is broken at entry {self.broken_at}: {self.why}"


def check(database: Database) -> Chain:
    """Follow the chain from its beginning to the first broken link. Raises `StoreUnavailable`."""
    count, previous = 0, _BEGINNING
    with database.read() as connection:
        for row in _entries(connection):
            why = ""
            if row["seq"] != count + 1:
                why = f"entry {count + 1} is missing"
            elif row["previous"] != previous:
                why = "it does not follow the entry before it"
            elif row["hash"] != _hash(row):
                why = "its content was changed"
            if why:
                return Chain(count, row["seq"], why)
            count, previous = count + 1, row["hash"]
    return Chain(count)


def _entries(connection: Connection) -> Iterator[dict[str, Any]]:
    seq = -1
    while True:
        some = select(AUDIT).where(AUDIT.c.seq > seq).order_by(AUDIT.c.seq).limit(_CHUNK)
        rows = connection.execute(some).mappings().all()
        yield from map(dict, rows)
        if len(rows) < _CHUNK:
            return
        seq = rows[-1]["seq"]


def _hash(row: Mapping[str, Any]) -> str:
    content = {name: value for name, value in row.items() if name != "hash"} | {"at": time_text(row["at"])}
    return hashlib.sha256(msgspec.json.encode(content, order="sorted")).hexdigest()


def _json(values: Mapping[str, Any] | None) -> str | None:
    return msgspec.json.encode(values, order="sorted").decode() if values is not None else None


def main() -> int:
    """`python -m lib.ledger.audit --check`: exits 1 when the chain is broken, 2 when it cannot be read."""
    parser = argparse.ArgumentParser(prog="python -m lib.ledger.audit", description="The audit log.")
    parser.add_argument("--check", action="store_true", required=True, help="follow the chain and name its first break")
    parser.parse_args()
    try:
        chain = check(Database(load().database_url))
    except (SettingsError, StoreUnavailable) as error:
        print(error, file=sys.stderr)
        return 2
    print(chain)
    return 1 if chain.broken_at is not None else 0


if __name__ == "__main__":
    sys.exit(main())
