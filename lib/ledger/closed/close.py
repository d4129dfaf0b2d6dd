"""Closing a settlement month of a currency: its figures and rows are frozen, and what is heard later goes to the next.

Months of a currency are closed in order, and only the last closed one can be reopened, by two people. So there is
always one first open month, and the sum over all months is the sum over all rows.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Connection, func, select, update
from sqlalchemy.exc import IntegrityError

from lib.ledger import audit
from lib.ledger.batch import Batch
from lib.ledger.calendar import SettlementDays
from lib.ledger.closed.frozen import Frozen, rows_of_month
from lib.ledger.closed.late import closed, sheet
from lib.ledger.closed.months import Figures, months_in
from lib.ledger.closed.tables import PERIOD, Period
from lib.ledger.database import Database
from lib.ledger.record import EVENT, PAYMENT
from lib.ledger.rows import as_rows
from lib.ledger.tables import time_text
from lib.operators import Operator


class CannotClose(ValueError):
    """A period cannot be closed or reopened now. The message says why and what to do."""


def sheet_text(operator: Operator, database: Database, period_id: int) -> str:
    """The sheet of a closed period: the very text of which it keeps the SHA-256. Raises `NotAllowed`."""
    audit.permit(database, operator, "download", str(period_id))
    with database.write() as connection:
        period = _held(connection, period_id)
        kept = {"rows": period.rows, "sha256": period.sha256}
        audit.note(connection, operator, "period.downloaded", f"{period.currency} {period.month}", after=kept)
    with database.read() as connection:
        return "".join(sheet(connection, period_id))


def close_period(
    operator: Operator,
    database: Database,
    days: SettlementDays,
    currency: str,
    month: str,
    *,
    seen: Figures,
    now: datetime,
) -> Period:
    """Freeze a month: its figures, and the hash of its rows in the order of their times and names.

    `seen` are the figures that the person decided on. Raises `NotAllowed`; and `CannotClose`, after which nothing has
    changed, when the month is not over, an earlier one is open or was reopened meanwhile, somebody closed it meanwhile,
    or the figures moved.
    """
    audit.permit(database, operator, "close", f"{currency} {month}")
    with _still(database) as (connection, newest):
        known = months_in(connection, currency, days, now, thorough=True)
        found = next((each for each in known if each.month == month), None)
        if found is None:
            raise CannotClose(f"No money moved in {currency} in {month}, so there is nothing to close.")
        if found.period:
            raise CannotClose(f"{found.period.closed_by} closed {currency} {month} already. Load the page again.")
        if now < found.until:
            raise CannotClose(f"{month} is not over yet. It can be closed from {time_text(found.until)[:16]}Z on.")
        first = next(each for each in known if each.period is None)
        if first.month != month:
            raise CannotClose(f"Close {currency} {first.month} first: months are closed in order.")
        if seen != found.figures:
            raise CannotClose("The figures have moved since you saw them. Look at them again, then close the month.")
        frozen = Frozen()
        frozen.take(rows_of_month(connection, found, days))
    figures = found.figures
    row: dict[str, Any] = {
        "currency": currency,
        "month": month,
        "since": found.since,
        "until": found.until,
        "opening": figures.opening.minor,
        "gross": figures.gross.minor,
        "refunded": figures.refunded.minor,
        "fees": figures.fees.minor,
        "closing": figures.closing.minor,
        "captured_count": figures.captured_count,
        "refunded_count": figures.refunded_count,
        "rows": frozen.count,
        "sha256": frozen.digest.hexdigest(),
        "event_seq": newest,
        "closed_at": datetime.now(UTC),
        "closed_by": operator.name,
    }
    if frozen.figures() != (
        figures.gross.minor,
        figures.refunded.minor,
        figures.captured_count,
        figures.refunded_count,
    ):
        raise CannotClose(
            "The rows do not add up to the figures, so nothing was closed. Run `python -m lib.ledger.rebuild --check`."
        )
    before = max((each.period.id or 0 for each in known if each.period), default=None)
    try:
        with database.write() as connection:
            if _last_closed(connection, currency) != before:
                raise CannotClose("The month before was reopened meanwhile. Load the page again.")
            period_id = connection.execute(PERIOD.insert().values(**row).returning(PERIOD.c.id)).scalar_one()
            frozen.store(Batch(connection), period_id)
            kept = {name: row[name] for name in ("closing", "rows", "sha256", "event_seq")}
            audit.note(connection, operator, "period.closed", f"{currency} {month}", after=kept)
            return _held(connection, period_id)
    except IntegrityError:
        raise CannotClose(f"Somebody closed {currency} {month} just now. Load the page again.") from None


def ask_to_reopen(operator: Operator, database: Database, period_id: int, reason: str) -> Period:
    """Ask another person to reopen a closed month, the last one of its currency. Raises `NotAllowed`, `CannotClose`."""
    audit.permit(database, operator, "close", str(period_id))
    reason = " ".join(reason.split())[:1000]
    if len(reason) < 3:
        raise CannotClose("Say why it must be reopened, in a few words: the other person decides on it.")
    with database.write() as connection:
        period = _reopenable(connection, period_id)
        if period.reopen_asked_by:
            raise CannotClose(f"{period.reopen_asked_by} asked for this already. Another person has to agree.")
        asked = {"reopen_reason": reason, "reopen_asked_by": operator.name, "reopen_asked_at": datetime.now(UTC)}
        connection.execute(update(PERIOD).where(PERIOD.c.id == period_id).values(**asked))
        audit.note(connection, operator, "period.reopen_asked", f"{period.currency} {period.month}")
        return _held(connection, period_id)


def decide_reopening(operator: Operator, database: Database, period_id: int, *, agree: bool) -> Period:
    """Reopen a month for which another person asked, or turn the asking down; whoever asked may take it back.

    Raises `NotAllowed`, `CannotClose`. That nobody agrees to what they asked for themselves, the database keeps too.
    """
    audit.permit(database, operator, "close", str(period_id))
    with database.write() as connection:
        period = _reopenable(connection, period_id)
        if not period.reopen_asked_by:
            raise CannotClose("Nobody asks for this any more. Load the page again.")
        if agree and period.reopen_asked_by == operator.name:
            raise CannotClose("You asked for it, so another person with the role finance has to agree.")
        decided: dict[str, Any] = {"reopened_by": operator.name, "reopened_at": datetime.now(UTC)}
        if not agree:
            decided = {"reopen_reason": None, "reopen_asked_by": None, "reopen_asked_at": None}
        connection.execute(update(PERIOD).where(PERIOD.c.id == period_id).values(**decided))
        action = "period.reopened" if agree else "period.reopen_declined"
        asked = {"asked_by": period.reopen_asked_by, "sha256": period.sha256}
        audit.note(connection, operator, action, f"{period.currency} {period.month}", before=asked)
        return _held(connection, period_id)


@contextmanager
def _still(database: Database) -> Iterator[tuple[Connection, int]]:
    """One state of the ledger to read from for as long as it takes, and its newest fact; others go on writing.

    The turn to write is ours only until the state is fixed, so that every fact up to the newest is in it.
    """
    with ExitStack() as reading:
        with database.write() as turn:
            Batch(turn).hold_still(PAYMENT, EVENT)
            connection = reading.enter_context(database.read())
            newest = int(connection.execute(select(func.max(EVENT.c.seq))).scalar() or 0)
        yield connection, newest


def _last_closed(connection: Connection, currency: str) -> int | None:
    """The last closed period of a currency, which nobody reopens until the transaction ends."""
    last = select(PERIOD.c.id).where(closed(currency)).order_by(PERIOD.c.month.desc()).limit(1)
    return connection.execute(last.with_for_update()).scalar()


def _held(connection: Connection, period_id: int) -> Period:
    row = connection.execute(select(PERIOD).where(PERIOD.c.id == period_id)).mappings().one()
    return as_rows(Period, [row])[0]


def _reopenable(connection: Connection, period_id: int) -> Period:
    """The period, if it is the last closed one of its currency; on PostgreSQL nobody else can change it meanwhile."""
    mine = select(PERIOD).where(PERIOD.c.id == period_id).with_for_update()
    period = as_rows(Period, connection.execute(mine).mappings().all())[0]
    if period.reopened_at:
        raise CannotClose("This period is not closed any more. Load the page again.")
    later = select(PERIOD.c.month).where(closed(period.currency), PERIOD.c.month > period.month)
    after = connection.execute(later.order_by(PERIOD.c.month)).scalar()
    if after:
        raise CannotClose(f"{period.currency} {after} is closed after it, so that one has to be reopened first.")
    return period
