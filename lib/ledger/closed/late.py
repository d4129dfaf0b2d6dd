"""The rows of closed periods, and what was heard late: rows that are dated in a closed period, but were not in it.

A closed period keeps its rows, as lines of text. What is dated before the end of the last closed one and differs from
what was frozen belongs to the first open period, with a pointer to the month it is dated in.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import BindParameter, ColumnElement, Connection, Select, and_, func, or_, select, union_all

from lib.ledger.calendar import SettlementDays
from lib.ledger.closed.tables import PERIOD, QUARTER, SHEET
from lib.ledger.movements import Movement, every
from lib.ledger.quarters import A_QUARTER
from lib.ledger.record import VOLUME
from lib.ledger.tables import time_text
from lib.ledger.volumes import BEGINNING, MONEY, money_in


@dataclass(frozen=True, slots=True)
class Row:
    """One row of a period, in minor units: captures above zero, refunds and fees below.

    `count` is 1; what was corrected late can also take a row back (-1) or change only its amount (0). `month` points
    to the month that a late row is dated in; None for a row of the period's own.
    """

    at: datetime
    id: str
    payment_id: str
    action_id: str | None
    amount: int
    count: int
    month: str | None = None

    @property
    def kind(self) -> str:
        return self.id.partition(":")[0]

    @property
    def line(self) -> str:
        """The row's one written form."""
        parts = time_text(self.at), self.id, self.payment_id, self.action_id or "-", str(self.amount), str(self.count)
        return "\t".join((*parts, self.month or "-"))


def read_line(line: str) -> Row:
    """The row that `Row.line` wrote."""
    at, identity, payment_id, action, amount, count, month = line.split("\t")
    return Row(
        datetime.fromisoformat(at),
        identity,
        payment_id,
        None if action == "-" else action,
        int(amount),
        int(count),
        None if month == "-" else month,
    )


def row_of(movement: Movement) -> Row:
    """A movement as a row of the period it is dated in."""
    return Row(movement.at, movement.id, movement.payment_id, movement.action_id, movement.amount, 1)


def sheet(connection: Connection, period_id: int) -> Iterator[str]:
    """The parts of a closed period's sheet in order: together the text whose hash the period keeps."""
    parts = select(SHEET.c.lines).where(SHEET.c.period_id == period_id).order_by(SHEET.c.part)
    yield from connection.execute(parts.execution_options(yield_per=20)).scalars()


def sheet_rows(connection: Connection, period_id: int) -> Iterator[Row]:
    """The rows of a closed period."""
    for part in sheet(connection, period_id):
        yield from map(read_line, part.splitlines())


def late_rows(
    connection: Connection, currency: str, until: datetime, days: SettlementDays, *, thorough: bool = False
) -> list[Row]:
    """What is dated before `until`, the end of the last closed period, and was not in it; earliest first.

    Nothing is looked for where the sums are what was frozen, unless it must be `thorough`: two rows may differ and
    come to the same together.
    """
    if not thorough and _sums_hold(connection, currency, until):
        return []
    deltas: dict[str, Row] = {}
    for start, end in _spans(_differing(connection, currency, until)):
        frozen = _frozen(connection, currency, start, end)
        current = {movement.id: row_of(movement) for movement in every(connection, currency, start, end, days)}
        for identity in frozen.keys() | current.keys():
            was, now = frozen.get(identity, []), current.get(identity)
            amount = (now.amount if now else 0) - sum(row.amount for row in was)
            count = (1 if now else 0) - sum(row.count for row in was)
            told = now or was[-1]
            held = deltas.get(identity)
            deltas[identity] = Row(
                max(told.at, held.at) if held else told.at,
                identity,
                told.payment_id,
                told.action_id,
                amount + (held.amount if held else 0),
                count + (held.count if held else 0),
                "",
            )
    rows = [row for row in deltas.values() if row.amount or row.count]
    pointed = [
        Row(row.at, row.id, row.payment_id, row.action_id, row.amount, row.count, month_of(row.at, days))
        for row in rows
    ]
    return sorted(pointed, key=lambda row: (row.at, row.id))


def month_of(moment: datetime, days: SettlementDays) -> str:
    """The settlement month of a moment, `2026-03`."""
    return days.day_of(moment).isoformat()[:7]


def closed(currency: str | BindParameter[str]) -> ColumnElement[bool]:
    """The condition that a period of this currency is closed, and stays so."""
    return and_(PERIOD.c.currency == currency, PERIOD.c.reopened_at.is_(None))


def _sums_hold(connection: Connection, currency: str, until: datetime) -> bool:
    """Whether all that is dated before `until` comes to what closed periods hold together."""
    columns = PERIOD.c.gross, PERIOD.c.captured_count, PERIOD.c.refunded, PERIOD.c.refunded_count  # as in `MONEY`
    frozen = connection.execute(select(*map(func.sum, columns)).where(closed(currency))).one()
    now = money_in(connection, BEGINNING, until, currency).get(currency, (0, 0, 0, 0))
    return tuple(map(int, frozen)) == now


def _differing(connection: Connection, currency: str, until: datetime) -> list[datetime]:
    """The quarters of an hour before `until` in which the ledger says something else than what was frozen."""
    now = select(VOLUME.c.bucket, *(VOLUME.c[name] for name in MONEY)).where(
        VOLUME.c.currency == currency, VOLUME.c.bucket < until
    )
    was: Select[tuple[datetime]] = (
        select(QUARTER.c.bucket, *((-QUARTER.c[name]).label(name) for name in MONEY))
        .join(PERIOD, PERIOD.c.id == QUARTER.c.period_id)
        .where(closed(currency))
    )
    both = union_all(now, was).subquery()
    differing = select(both.c.bucket).group_by(both.c.bucket)
    anything = or_(*(func.sum(both.c[name]) != 0 for name in MONEY))
    return list(connection.execute(differing.having(anything).order_by(both.c.bucket)).scalars())


def _spans(quarters: Iterable[datetime]) -> list[tuple[datetime, datetime]]:
    """Quarters in a row as one span."""
    spans: list[tuple[datetime, datetime]] = []
    for start in quarters:
        if spans and spans[-1][1] == start:
            spans[-1] = spans[-1][0], start + A_QUARTER
        else:
            spans.append((start, start + A_QUARTER))
    return spans


def _frozen(connection: Connection, currency: str, since: datetime, until: datetime) -> dict[str, list[Row]]:
    """What closed periods hold of a span, by row."""
    parts = (
        select(SHEET.c.lines)
        .join(PERIOD, PERIOD.c.id == SHEET.c.period_id)
        .where(closed(currency), SHEET.c.first_at < until, SHEET.c.last_at >= since)
        .order_by(SHEET.c.period_id, SHEET.c.part)
    )
    found: dict[str, list[Row]] = defaultdict(list)
    for lines in connection.execute(parts).scalars():
        for row in map(read_line, lines.splitlines()):
            if since <= row.at < until and row.kind != "fee":
                found[row.id].append(row)
    return found


def add_row(into: dict[str, int], row: Row) -> None:
    """Add a row to measures."""
    if row.kind == "capture":
        into["captured"] += row.amount
        into["captured_count"] += row.count
    elif row.kind != "fee":
        into["refunded"] -= row.amount
        if row.kind == "refund":
            into["refunded_count"] += row.count
