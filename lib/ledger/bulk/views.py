"""What screens show of bulk files, and the result that a person takes home."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby
from typing import Any

from sqlalchemy import Connection, Row, RowMapping, Select, func, select

from lib import csvfile
from lib.ledger.audit import permit
from lib.ledger.bulk.file import COLUMNS
from lib.ledger.bulk.tables import BULK, LINE, SENDABLE, Bulk, BulkLine
from lib.ledger.database import Database
from lib.ledger.desk import Desk
from lib.ledger.record import REFUND
from lib.ledger.refund_rules import COMMITTED
from lib.ledger.rows import as_rows
from lib.money import Money
from lib.operators import Operator

_CHUNK = 500


@dataclass(frozen=True, slots=True)
class Tally:
    """How many rows have one status, and their amounts by currency, where those could be understood."""

    status: str
    count: int
    money: tuple[Money, ...]


@dataclass(frozen=True, slots=True)
class LineShown:
    """A row and, once it was sent, its refund's status, action and Checkout.com's answer in words."""

    line: BulkLine
    refund_status: str | None
    action_id: str | None
    response: str | None

    @property
    def why(self) -> str:
        """Why no money moved, in a sentence; empty while nothing speaks against it."""
        return self.line.said or (self.response or "" if self.refund_status not in COMMITTED else "")


@dataclass(frozen=True, slots=True)
class Lines:
    """A stretch of a file's rows in order; `before` and `after` are the rows to go on from, None at an end."""

    rows: list[LineShown]
    before: int | None
    after: int | None


def find_bulk(database: Database, bulk_id: str) -> Bulk | None:
    """The file with this digest."""
    with database.read() as connection:
        row = connection.execute(select(BULK).where(BULK.c.id == bulk_id)).mappings().one_or_none()
    return as_rows(Bulk, [row])[0] if row else None


def newest_bulks(database: Database, limit: int = 10) -> list[Bulk]:
    """The files uploaded last, newest first."""
    newest = select(BULK).order_by(BULK.c.uploaded_at.desc(), BULK.c.id.desc()).limit(limit)
    with database.read() as connection:
        return as_rows(Bulk, connection.execute(newest).mappings().all())


def tallies(database: Database, bulk_id: str) -> list[Tally]:
    """How many rows of a file stand where; statuses that no row has are absent. Read from one index."""
    with database.read() as connection:
        return tallies_in(connection, bulk_id)


def would_move(tallies: Sequence[Tally]) -> list[Tally]:
    """Those of the tallies whose rows would move money."""
    return [tally for tally in tallies if tally.status in SENDABLE]


def total(tallies: Sequence[Tally]) -> list[Money]:
    """The amounts of all of them, one a currency."""
    added: dict[str, Money] = {}
    for amount in (amount for tally in tallies for amount in tally.money):
        added[amount.currency] = added.get(amount.currency, Money(0, amount.currency)) + amount
    return [added[currency] for currency in sorted(added)]


def outcomes(database: Database, bulk_id: str) -> dict[str, int]:
    """How many of the rows that were sent have a refund of each status."""
    joined = LINE.join(REFUND, REFUND.c.key == LINE.c.refund_key)
    counted = select(REFUND.c.status, func.count()).select_from(joined).group_by(REFUND.c.status)
    with database.read() as connection:
        mine = counted.where(LINE.c.bulk_id == bulk_id, LINE.c.status == "sent")
        return dict(connection.execute(mine).all())


def lines_of(
    database: Database,
    bulk_id: str,
    statuses: Sequence[str] = (),
    *,
    after: int | None = None,
    before: int | None = None,
    limit: int = 50,
) -> Lines:
    """Some rows of a file in order, after or before a row, of these statuses or of any."""
    wanted = _shown().where(LINE.c.bulk_id == bulk_id)
    if statuses:
        wanted = wanted.where(LINE.c.status.in_(statuses))
    if before is not None:
        ordered = wanted.where(LINE.c.line < before).order_by(LINE.c.line.desc())
    else:
        ordered = wanted.where(LINE.c.line > (after if after is not None else -1)).order_by(LINE.c.line)
    with database.read() as connection:
        rows = [_line_shown(row) for row in connection.execute(ordered.limit(limit + 1)).mappings()]
    more, rows = len(rows) > limit, rows[:limit]
    if before is not None:
        rows.reverse()
    if not rows:
        return Lines([], None, None)
    first, last = rows[0].line.line, rows[-1].line.line
    has_before = more if before is not None else after is not None
    has_after = more if before is None else True
    return Lines(rows, first if has_before else None, last if has_after else None)


def result(desk: Desk, operator: Operator, bulk_id: str) -> bytes:
    """A CSV of every row of the file as it was typed, with where it stands, why, and its refund's key, action and status."""
    permit(desk.database, operator, "download", bulk_id)
    bulk = find_bulk(desk.database, bulk_id)
    assert bulk, "only a file that is shown can be taken home"
    zone = desk.settings.zone
    preamble = [
        ["World", desk.settings.world_words],
        ["Bulk refund", bulk.file_name],
        ["Uploaded", f"{bulk.uploaded_at.astimezone(zone):%Y-%m-%d %H:%M %Z}", bulk.uploaded_by],
        ["This file was made", f"{datetime.now(zone):%Y-%m-%d %H:%M %Z}"],
    ]
    header = ("row", *COLUMNS, "outcome", "why", "payment", "refund_key", "action_id", "refund_status")
    return csvfile.render(preamble, header, (_result_row(each) for each in _all_lines(desk.database, bulk_id)))


def tallies_in(connection: Connection, bulk_id: str) -> list[Tally]:
    """As `tallies`, in the caller's transaction."""
    kinds = (LINE.c.status, LINE.c.currency)
    counted = select(*kinds, func.count().label("lines"), func.sum(LINE.c.amount).label("minor"))
    rows = connection.execute(counted.where(LINE.c.bulk_id == bulk_id).group_by(*kinds).order_by(*kinds)).all()
    return [_tally(status, list(group)) for status, group in groupby(rows, lambda row: str(row.status))]


def _tally(status: str, rows: Sequence[Row[Any]]) -> Tally:
    money = tuple(Money(int(row.minor), row.currency) for row in rows if row.currency is not None)
    return Tally(status, sum(int(row.lines) for row in rows), money)


def _shown() -> Select[Any]:
    joined = LINE.outerjoin(REFUND, REFUND.c.key == LINE.c.refund_key)
    refund = (
        REFUND.c.status.label("refund_status"),
        REFUND.c.action_id,
        REFUND.c.response_summary.label("response"),
    )
    return select(LINE, *refund).select_from(joined)


def _line_shown(row: RowMapping) -> LineShown:
    return LineShown(as_rows(BulkLine, [row])[0], row["refund_status"], row["action_id"], row["response"])


def _all_lines(database: Database, bulk_id: str) -> Iterator[LineShown]:
    after: int | None = -1
    while after is not None:
        some = lines_of(database, bulk_id, after=after, limit=_CHUNK)
        yield from some.rows
        after = some.after


def _result_row(shown: LineShown) -> tuple[str | int, ...]:
    line = shown.line
    typed = (line.reference, line.given_payment, line.given_amount, line.given_currency, line.given_reason, line.note)
    key = line.refund_key if shown.refund_status else ""
    return (
        line.line,
        *typed,
        line.status,
        shown.why,
        line.payment_id or "",
        key,
        shown.action_id or "",
        shown.refund_status or "",
    )
