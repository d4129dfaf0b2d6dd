"""Closing a settlement month of a currency: its figures and rows are frozen, and what is heard later goes to the next.

Months of a currency are closed in order, and only the last closed one can be reopened, by two people. So there is
always one first open month, and the sum over all months is the sum over all rows.
"""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from itertools import groupby, islice, takewhile
from typing import Any

from sqlalchemy import Connection, func, select, update
from sqlalchemy.exc import IntegrityError

from lib.ledger import audit
from lib.ledger.batch import Batch
from lib.ledger.books.fees import fees_until
from lib.ledger.calendar import SettlementDays
from lib.ledger.closing.late import MEASURES, Row, add_row, closed, late_rows, month_of, read_line, row_of, sheet
from lib.ledger.closing.tables import PERIOD, QUARTER, SHEET, Period
from lib.ledger.database import Database
from lib.ledger.movements import every, sums
from lib.ledger.record import EVENT, PAYMENT, VOLUME
from lib.ledger.rows import as_rows
from lib.ledger.tables import time_text
from lib.money import Money
from lib.operators import Operator

_PART = 1000
_INSTANT = timedelta(microseconds=1)


class CannotClose(ValueError):
    """A period cannot be closed or reopened now. The message says why and what to do."""


@dataclass(frozen=True, slots=True)
class Figures:
    """What a month comes to. `opening + gross - refunded - fees = closing`; fees as far as reports have told."""

    opening: Money
    gross: Money
    refunded: Money
    fees: Money
    captured_count: int
    refunded_count: int

    @property
    def net(self) -> Money:
        return self.gross - self.refunded - self.fees

    @property
    def closing(self) -> Money:
        return self.opening + self.net


@dataclass(frozen=True, slots=True)
class Month:
    """A settlement month of a currency. `late` are rows that it took over from closed months, in `figures` too.

    `period` is the month as it was closed, None while it is open.
    """

    currency: str
    month: str
    since: datetime
    until: datetime
    figures: Figures
    period: Period | None
    late: list[Row]


def months(database: Database, currency: str, days: SettlementDays, now: datetime) -> list[Month]:
    """Every month of a currency from its first movement to `now`, latest first."""
    with database.read() as connection:
        return list(reversed(_months(connection, currency, days, now)))


def currencies_moved(database: Database) -> list[str]:
    """The currencies in which anything was ever asked for, in alphabetical order."""
    with database.read() as connection:
        return sorted(connection.execute(select(VOLUME.c.currency).distinct()).scalars())


def heard_late(month: Month, known: Iterable[Month]) -> list[tuple[str, Row]]:
    """What is dated in a closed month but was heard of later: the month that took each row over, and the row.

    `known` are the months of the same currency.
    """
    later = [each for each in known if each.since > month.since]
    return [(each.month, row) for each in reversed(later) for row in each.late if row.month == month.month]


def past_closings(database: Database, currency: str, month: str) -> list[Period]:
    """Every closing of a month, those that were reopened too, latest first."""
    wanted = select(PERIOD).where(PERIOD.c.currency == currency, PERIOD.c.month == month)
    with database.read() as connection:
        return as_rows(Period, connection.execute(wanted.order_by(PERIOD.c.id.desc())).mappings().all())


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
    changed, when the month is not over, an earlier one is open, somebody closed it meanwhile, or the figures moved.
    """
    audit.permit(database, operator, "close", f"{currency} {month}")
    with _still(database) as (connection, newest):
        known = _months(connection, currency, days, now, thorough=True)
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
        frozen = _Frozen()
        frozen.take(_own_and_late(connection, found, days))
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
    try:
        with database.write() as connection:
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


class _Frozen:
    """Rows in their order, as the text to keep, with its hash and what the rows come to."""

    def __init__(self) -> None:
        self.digest = hashlib.sha256()
        self.count = 0
        self._parts: list[tuple[datetime, datetime, str]] = []
        self._quarters: dict[datetime, dict[str, int]] = defaultdict(lambda: dict.fromkeys(MEASURES, 0))

    def take(self, rows: Iterator[Row]) -> None:
        while part := list(islice(rows, _PART)):
            self.count += len(part)
            lines = "".join(f"{row.line}\n" for row in part)
            self.digest.update(lines.encode())
            self._parts.append((min(row.at for row in part), max(row.at for row in part), lines))
            for row in part:
                add_row(self._quarters[row.at.replace(minute=row.at.minute // 15 * 15, second=0, microsecond=0)], row)

    def figures(self) -> tuple[int, ...]:
        gross, captures, refunded, refunds = (sum(each[name] for each in self._quarters.values()) for name in MEASURES)
        return gross, refunded, captures, refunds

    def store(self, batch: Batch, period_id: int) -> None:
        parts = [
            {
                "period_id": period_id,
                "part": number,
                "first_at": time_text(first),
                "last_at": time_text(last),
                "lines": lines,
            }
            for number, (first, last, lines) in enumerate(self._parts)
        ]
        batch.insert(SHEET, parts)
        quarters = [
            {"period_id": period_id, "bucket": time_text(bucket), **measures}
            for bucket, measures in sorted(self._quarters.items())
            if any(measures.values())
        ]
        batch.insert(QUARTER, quarters)


def _own_and_late(connection: Connection, month: Month, days: SettlementDays) -> Iterator[Row]:
    """All rows of a month: those it took over, its own, and last what it cost."""
    yield from month.late
    moved = every(connection, month.currency, month.since, month.until, days)
    yield from in_order(map(row_of, moved))
    if month.figures.fees:
        name = f"fee:{month.currency}:{month.month}"
        yield Row(month.until - _INSTANT, name, "-", None, -month.figures.fees.minor, 1)


def in_order(rows: Iterable[Row]) -> Iterator[Row]:
    """Rows that come by time, those of one moment by name: the order must not tell which arrived first."""
    for _, same in groupby(rows, key=lambda row: row.at):
        yield from sorted(same, key=lambda row: row.id)


def _months(
    connection: Connection, currency: str, days: SettlementDays, now: datetime, *, thorough: bool = False
) -> list[Month]:
    """Every month of a currency, earliest first."""
    periods = select(PERIOD).where(closed(currency)).order_by(PERIOD.c.month)
    held = {period.month: period for period in as_rows(Period, connection.execute(periods).mappings().all())}
    moved = (VOLUME.c.captured != 0) | (VOLUME.c.refunded != 0)
    earliest = select(VOLUME.c.bucket).where(VOLUME.c.currency == currency, moved).order_by(VOLUME.c.bucket).limit(1)
    begun = connection.execute(earliest).scalar()
    if held:
        first = min(held)  # what is dated before the first closed month came late
    elif begun:
        first = month_of(begun, days)
    else:
        return []
    last = max(held.values(), key=lambda period: period.until, default=None)
    late = late_rows(connection, currency, last.until, days, thorough=thorough) if last else []
    fees_before = Money(sum(period.fees for period in held.values()), currency)
    opening = Money(0, currency)
    found: list[Month] = []
    for name, since, until in _spans(first, days, now):
        if period := held.get(name):
            figures = _frozen_figures(period)
            found.append(Month(currency, name, since, until, figures, period, _taken_over(connection, period)))
        else:
            own = sums(connection, currency, since, until)
            taken = late if last and since == last.until else []
            into = dict.fromkeys(MEASURES, 0)
            for row in taken:
                add_row(into, row)
            fees = fees_until(connection, currency, until)
            figures = Figures(
                opening,
                own.captured + Money(into["captured"], currency),
                own.refunded + Money(into["refunded"], currency),
                fees - fees_before,
                own.captured_count + into["captured_count"],
                own.refunded_count + into["refunded_count"],
            )
            fees_before = fees
            found.append(Month(currency, name, since, until, figures, None, taken))
        opening = figures.closing
    return found


def _taken_over(connection: Connection, period: Period) -> list[Row]:
    """The rows that a closed period took over from earlier ones: they stand first in its sheet."""
    parts = select(SHEET.c.lines).where(SHEET.c.period_id == period.id, SHEET.c.first_at < period.since)
    lines = connection.execute(parts.order_by(SHEET.c.part)).scalars()
    rows = (read_line(line) for part in lines for line in part.splitlines())
    return list(takewhile(lambda row: row.month is not None, rows))


def _spans(first: str, days: SettlementDays, now: datetime) -> Iterator[tuple[str, datetime, datetime]]:
    day = date.fromisoformat(f"{first}-01")
    while days.start(day) <= now:
        following = (day + timedelta(days=32)).replace(day=1)
        yield day.isoformat()[:7], days.start(day), days.start(following)
        day = following


def _frozen_figures(period: Period) -> Figures:
    opening, gross, refunded, fees = (
        Money(minor, period.currency) for minor in (period.opening, period.gross, period.refunded, period.fees)
    )
    return Figures(opening, gross, refunded, fees, period.captured_count, period.refunded_count)


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
