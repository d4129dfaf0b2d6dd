"""Keeping the class of every imported line and of every ledger row up to date, and the sums of each class with them."""

from __future__ import annotations

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Connection, bindparam, delete, func, select, text, update

from lib.chunks import chunks
from lib.ledger.batch import Batch
from lib.ledger.calendar import SettlementDays
from lib.ledger.database import Database
from lib.ledger.movements import every
from lib.ledger.quarters import quarter_of
from lib.ledger.record import EVENT, PAYMENT, VOLUME
from lib.ledger.statements.matching import LedgerRow, Line, assign, ledger_rows
from lib.ledger.statements.tables import COMPARED, LINE, REPORT_FILE, STEP, SUM
from lib.ledger.tables import time_text

BY_ITSELF = "Comparison"
"""Who it was when no person was."""

_LOCK = 7254005
"""PostgreSQL's advisory lock on what is imported and compared: one at a time."""
_CHUNK = 500
_COLUMNS = [column.name for column in LINE.columns if column.name != "id"]


class Books:
    """What is imported and where it stands, inside one transaction of the caller's. `save` ends it."""

    def __init__(self, connection: Connection, days: SettlementDays, by: str) -> None:
        if connection.dialect.name == "postgresql":
            connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _LOCK})
        self._connection = connection
        self._batch = Batch(connection)
        self._days = days
        self._by = by
        self._now = datetime.now(UTC)
        self._moved: dict[tuple[str, str, str], list[int]] = defaultdict(lambda: [0, 0, 0])
        self._months: dict[datetime, str] = {}

    def month_of(self, moment: datetime) -> str:
        """The settlement month of a moment, `2026-03`."""
        quarter = quarter_of(moment)
        if quarter not in self._months:
            self._months[quarter] = self._days.day_of(moment).isoformat()[:7]
        return self._months[quarter]

    def add(self, lines: Sequence[Line]) -> None:
        """Store lines whose class is settled already: those that no ledger row is due for."""
        for line in lines:
            self._count(line, +1)
        self._insert(lines)

    def judge(self, new: Sequence[Line] = (), payment_ids: Iterable[str] = ()) -> None:
        """Put `new` lines into their classes, with all others of their payments and those of `payment_ids`."""
        ids = sorted({*payment_ids, *(line["payment_id"] or "" for line in new)})
        rows = ledger_rows(self._connection, ids)
        stored = select(LINE).where(LINE.c.payment_id.in_(ids), LINE.c.kind.in_(("capture", "refund", "untold")))
        by_payment: dict[str, list[Line]] = defaultdict(list)
        before: dict[Any, Line] = {}
        for found in self._connection.execute(stored.order_by(LINE.c.id)).mappings():
            line = dict(found)
            before[line["id"]] = dict(line)
            by_payment[line["payment_id"]].append(line)
        for line in new:
            by_payment[line["payment_id"] or ""].append(line)
        covered = self._coverage()
        born: list[Line] = []
        kept: list[Line] = []
        for payment_id in ids:
            lines = [line for line in by_payment[payment_id] if line["identity"]]
            alone = {line["ledger_key"]: line for line in by_payment[payment_id] if not line["identity"]}
            for row in assign(lines, rows[payment_id], self.month_of):
                if row.key in alone:
                    lines.append(alone.pop(row.key) | self._lone(row))
                elif covered(row.at):
                    lines.append(self._lone(row))
            for line in alone.values():
                self._merge(line, next((each for each in lines if each["ledger_key"] == line["ledger_key"]), None))
            for line in lines:
                (kept if line.get("id") in before else born).append(line)
        self._change([line for line in kept if line != before[line["id"]]], before)
        for line in born:
            self._count(line, +1)
        self._insert([line for line in born if "id" not in line])
        for line in born:
            if "id" in line:  # a lone row's, whose place it takes
                self._insert([line])
                self.step(line)

    def cover(self, since: datetime, until: datetime) -> None:
        """See that every ledger row from `since` to before `until` has its class."""
        moved = select(VOLUME.c.currency).where(VOLUME.c.bucket >= since, VOLUME.c.bucket < until).distinct()
        for currency in self._connection.execute(moved).scalars().all():
            for chunk in chunks(every(self._connection, currency, since, until, self._days), _CHUNK):
                keys = {row.id: row.payment_id for row in chunk}
                owned = select(LINE.c.ledger_key).where(LINE.c.ledger_key.in_(keys), LINE.c.standing != "duplicate")
                known = set(self._connection.execute(owned).scalars())
                self.judge(payment_ids={payment for key, payment in keys.items() if key not in known})

    def save(self) -> None:
        """Write the sums that moved."""
        for (month, standing, currency), moved in sorted(self._moved.items()):
            if not any(moved):
                continue
            key = (SUM.c.month == month, SUM.c.standing == standing, SUM.c.currency == currency)
            held = self._connection.execute(select(SUM.c.count, SUM.c.theirs, SUM.c.ours).where(*key)).first()
            count, theirs, ours = (int(had) + more for had, more in zip(held or (0, 0, 0), moved, strict=True))
            values = {"count": count, "theirs": str(theirs), "ours": str(ours)}
            if held:
                self._connection.execute(update(SUM).where(*key).values(**values))
            else:
                self._connection.execute(
                    SUM.insert().values(month=month, standing=standing, currency=currency, **values)
                )
        self._moved.clear()

    def step(self, line: Mapping[str, Any], by: str | None = None) -> None:
        """Keep for ever how a line stands from now on."""
        kept = {name: line.get(name) for name in ("standing", "owner", "resolution", "note")}
        self._connection.execute(STEP.insert().values(line_id=line["id"], at=self._now, by=by or self._by, **kept))

    def _coverage(self) -> Any:
        spans = select(REPORT_FILE.c.covers_from, REPORT_FILE.c.covers_until).where(
            REPORT_FILE.c.covers_from.is_not(None)
        )
        merged: list[tuple[datetime, datetime]] = []
        for start, end in self._connection.execute(spans.order_by(REPORT_FILE.c.covers_from)):
            if merged and start <= merged[-1][1]:
                merged[-1] = merged[-1][0], max(merged[-1][1], end)
            else:
                merged.append((start, end))

        def covered(moment: datetime) -> bool:
            place = bisect_right(merged, moment, key=lambda span: span[0]) - 1
            return place >= 0 and moment < merged[place][1]

        return covered

    def _lone(self, row: LedgerRow) -> Line:
        """A ledger row that no line speaks of."""
        return {
            "standing": "missing_there",
            "month": self.month_of(row.at),
            "currency": row.currency,
            "kind": row.kind,
            "at": row.at,
            "identity": None,
            "action_id": row.action_id,
            "payment_id": row.payment_id,
            "reference": row.reference,
            "ledger_key": row.key,
            "ours": row.amount,
            "our_currency": row.currency,
        }

    def _merge(self, alone: Line, line: Line | None) -> None:
        """A lone row has found its line, or is no row any more. Its history goes on with the line."""
        self._count(alone, -1)
        self._connection.execute(delete(LINE).where(LINE.c.id == alone["id"]))
        if line is None:
            return
        for name in ("owner", "resolution", "note"):
            line[name] = line.get(name) or alone[name]
        if "id" in line:
            self._connection.execute(update(STEP).where(STEP.c.line_id == alone["id"]).values(line_id=line["id"]))
        else:
            line["id"] = alone["id"]

    def _change(self, lines: Sequence[Line], before: Mapping[Any, Line]) -> None:
        # In two strides: a row may pass from one line to another, and for no moment may two have it.
        moved = [{"line": line["id"]} for line in lines if line["ledger_key"] != before[line["id"]]["ledger_key"]]
        if moved:
            free = update(LINE).where(LINE.c.id == bindparam("line")).values(ledger_key=None)
            self._connection.execute(free, moved)
        for line in lines:
            old = before[line["id"]]
            self._count(old, -1)
            if line["standing"] != old["standing"]:
                line["found_at"] = self._now
                self.step(line)
            self._count(line, +1)
            values = {name: line[name] for name in _COLUMNS if line[name] != old[name]} | {
                "ledger_key": line["ledger_key"]
            }
            self._connection.execute(update(LINE).where(LINE.c.id == line["id"]).values(**values))

    def _insert(self, lines: Sequence[Line]) -> None:
        rows = [
            {name: line.get(name) for name in _COLUMNS}
            | {"at": time_text(line["at"]), "found_at": time_text(self._now)}
            | ({"id": line["id"]} if "id" in line else {})
            for line in lines
        ]
        self._batch.insert(LINE, rows)

    def _count(self, line: Mapping[str, Any], sign: int) -> None:
        """Both amounts count in their own currency, and the line itself in the one that it names."""
        into = self._moved[(line["month"], line["standing"], line["currency"])]
        into[0] += sign
        into[1] += sign * (line.get("amount") or 0)
        if line.get("ours") is not None:
            self._moved[(line["month"], line["standing"], line["our_currency"])][2] += sign * line["ours"]


def compare_again(database: Database, days: SettlementDays) -> int:
    """Look again at the payments of which something was heard since the last time: at some of them, and how many.

    Call again while it is not 0. Does nothing before the first import.
    """
    with database.read() as connection:
        newest = select(func.max(EVENT.c.seq)).scalar_subquery()
        behind = connection.execute(select(newest > COMPARED.c.event_seq)).scalar()
    if not behind:
        return 0
    with database.write() as connection:
        # In this order: while an import is at work nobody may wait for its end with deliveries waiting behind them.
        books = Books(connection, days, BY_ITSELF)
        Batch(connection).hold_still(PAYMENT, EVENT)
        since = connection.execute(select(COMPARED.c.event_seq)).scalar_one()
        news = select(EVENT.c.seq, EVENT.c.payment_id).where(EVENT.c.seq > since).order_by(EVENT.c.seq)
        heard = connection.execute(news.limit(_CHUNK)).all()
        books.judge(payment_ids={row.payment_id for row in heard if row.payment_id})
        books.save()
        if heard:
            connection.execute(update(COMPARED).values(event_seq=heard[-1].seq))
        return len(heard)
