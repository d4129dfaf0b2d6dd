"""Reading the audit log: page by page, filtered, and its chain followed."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, Select, bindparam, func, select

from lib.ledger.audit import AUDIT, Audit, Chain, check, permit
from lib.ledger.database import Database
from lib.ledger.reading.keyset import Page, page_of
from lib.ledger.rows import as_rows
from lib.operators import Operator

_MOST_NAMES = 200
# Put together once: to put a statement into words takes longer than to run it.
_ALL = select(AUDIT)
_SIZE = select(func.max(AUDIT.c.seq))
_NEXT_WHO, _NEXT_ACTION = (
    select(func.min(column)).where(column > bindparam("after")) for column in (AUDIT.c.who, AUDIT.c.action)
)


@dataclass(frozen=True, slots=True)
class AuditFilter:
    """Which entries; an empty part means any. `since` and `until` (excluded) by when they were written."""

    who: str = ""
    action: str = ""
    subject: str = ""
    since: datetime | None = None
    until: datetime | None = None


def entries(
    database: Database, operator: Operator, wanted: AuditFilter, *, cursor: str | None = None, limit: int = 25
) -> Page[Audit]:
    """A page of the log, newest first, found through indexes. Raises `NotAllowed`."""
    permit(database, operator, "audit", "audit")
    found = _ALL
    for column, value in (
        (AUDIT.c.who, wanted.who),
        (AUDIT.c.action, wanted.action),
        (AUDIT.c.subject, wanted.subject),
    ):
        if value:
            found = found.where(column == value)
    with database.read() as connection:
        if wanted.since:
            found = found.where(AUDIT.c.seq >= _first_since(connection, wanted.since))
        if wanted.until:
            found = found.where(AUDIT.c.seq < _first_since(connection, wanted.until))
        rows, newer, older = page_of(connection, [found], [AUDIT.c.seq], cursor, limit)
    return Page(as_rows(Audit, rows), newer, older)


def names(database: Database, operator: Operator) -> tuple[list[str], list[str]]:
    """Who is in the log, and which actions, to choose from. Raises `NotAllowed`."""
    permit(database, operator, "audit", "audit")
    with database.read() as connection:
        return _distinct(connection, _NEXT_WHO), _distinct(connection, _NEXT_ACTION)


def size(database: Database, operator: Operator) -> int:
    """How many entries there are. Raises `NotAllowed`."""
    permit(database, operator, "audit", "audit")
    with database.read() as connection:
        return connection.execute(_SIZE).scalar() or 0


def follow(database: Database, operator: Operator) -> Chain:
    """Follow the chain from its beginning, which reads the whole log. Raises `NotAllowed`."""
    permit(database, operator, "audit", "audit")
    return check(database)


def _distinct(connection: Connection, following: Select[str]) -> list[str]:
    """The different values of an indexed column, each found by one step in the index."""
    found: list[str] = []
    after = ""
    while len(found) < _MOST_NAMES:
        value = connection.execute(following, {"after": after}).scalar()
        if value is None:
            break
        found.append(value)
        after = value
    return found


def _first_since(connection: Connection, moment: datetime) -> int:
    """The number of the first entry written at `moment` or later: entries are in the order of their times."""
    low, high = 1, (connection.execute(select(func.max(AUDIT.c.seq))).scalar() or 0) + 1
    while low < high:
        middle = (low + high) // 2
        at = connection.execute(select(AUDIT.c.at).where(AUDIT.c.seq >= middle).order_by(AUDIT.c.seq).limit(1)).scalar()
        if at is not None and at < moment:
            low = middle + 1
        else:
            high = middle
    return low
