"""Taking in Checkout.com's reports: a file whole or not at all, and the same file, or the same line, only once."""

from __future__ import annotations

import hashlib
import json
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import IO, Any, cast

from sqlalchemy import Connection, func, select, update

from lib.chunks import chunks
from lib.ledger import audit
from lib.ledger.batch import Batch
from lib.ledger.calendar import SettlementDays
from lib.ledger.database import Database
from lib.ledger.periods import start_of_day
from lib.ledger.record import EVENT, PAYMENT
from lib.ledger.rows import as_rows
from lib.ledger.statements.cells import BadReport
from lib.ledger.statements.fees import add_fees
from lib.ledger.statements.matching import Line, resolve_payments
from lib.ledger.statements.reports import ActionRow, PayoutRow, read
from lib.ledger.statements.standing import Books
from lib.ledger.statements.tables import COMPARED, LINE, PAYOUT, REPORT_FILE, ReportFile
from lib.ledger.statements.units import written
from lib.operators import Operator

_CHUNK = 1000
_DATED = re.compile(r"_(\d{8})_(\d{8})_\d+\.csv$", re.IGNORECASE)
"""The days that a Financial Actions report by date range names; one by payout names a day and the payout."""
_OF_PAYOUT = re.compile(r"_(\d{8})_([A-Z0-9]{12})_\d+\.csv$", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Imported:
    """What became of a file. `again` when it had been imported before, and nothing was done."""

    file: ReportFile
    again: bool


def import_report(
    operator: Operator,
    database: Database,
    days: SettlementDays,
    name: str,
    stream: IO[bytes],
    *,
    report_id: str | None = None,
) -> Imported:
    """Import a Financial Actions or Payouts report in one transaction, and compare it with the ledger.

    `stream` can be read twice from its beginning; `report_id` is its id at Checkout.com, if it comes from there.
    Raises `NotAllowed`, `BadReport` and `StoreUnavailable`; after any of them nothing of the file is there.
    """
    audit.permit(database, operator, "reconcile", name)
    digest, scope = _digest(stream), "payout" if _OF_PAYOUT.search(name) else "days"
    with database.read() as connection:
        known = _known(connection, digest, scope)
    if known:
        return Imported(known, again=True)
    for _ in read(stream, days.zone).rows:  # to the end, so that nobody's writing waits for a file that is no good
        pass
    stream.seek(0)
    newest = _newest_fact(database)
    with database.write() as connection:
        books = Books(connection, days, operator.name)
        known = _known(connection, digest, scope)
        if known:
            return Imported(known, again=True)
        report = read(stream, days.zone)
        file: dict[str, Any] = {
            "sha256": digest,
            "scope": scope,
            "name": name[:255],
            "kind": report.kind,
            "report_id": report_id,
            "imported_at": datetime.now(UTC),
            "imported_by": operator.name,
            "lines": 0,
            "known": 0,
        }
        made = connection.execute(REPORT_FILE.insert().values(**file).returning(REPORT_FILE.c.id))
        file_id = made.scalar_one()
        taker = _Taker(connection, books, file_id)
        if report.kind == "payouts":
            taker.payouts(cast(Iterator[PayoutRow], report.rows))
        else:
            taker.actions(cast(Iterator[ActionRow], report.rows))
        span = _coverage(name, taker, days) if report.kind == "financial actions" and scope == "days" else None
        counted: dict[str, Any] = {"lines": taker.lines, "known": taker.known}
        if span:
            counted |= {"covers_from": span[0], "covers_until": span[1]}
        connection.execute(update(REPORT_FILE).where(REPORT_FILE.c.id == file_id).values(**counted))
        if span:
            books.cover(*span)
        books.save()
        if connection.execute(select(COMPARED.c.id)).first() is None:
            connection.execute(COMPARED.insert().values(id=1, event_seq=newest))
        told = {"kind": report.kind, "sha256": digest, "lines": taker.lines, "known": taker.known}
        audit.note(connection, operator, "report.imported", str(file_id), after=told)
        return Imported(_file(connection, file_id), again=False)


def report_files(database: Database, limit: int = 50) -> list[ReportFile]:
    """What was imported, newest first."""
    with database.read() as connection:
        newest = select(REPORT_FILE).order_by(REPORT_FILE.c.id.desc()).limit(limit)
        return as_rows(ReportFile, connection.execute(newest).mappings().all())


class _Taker:
    """Stores the rows of one file, a thousand at a time."""

    def __init__(self, connection: Connection, books: Books, file_id: int) -> None:
        self._connection = connection
        self._batch = Batch(connection)
        self._books = books
        self._file_id = file_id
        self._seen: Counter[bytes] = Counter()
        self.lines = self.known = 0
        self.first: datetime | None = None
        self.last: datetime | None = None
        self.payout_ids: set[str] = set()

    def actions(self, rows: Iterator[ActionRow]) -> None:
        for chunk in chunks(rows, _CHUNK):
            self.lines += len(chunk)
            moments = [row.processed_at for row in chunk]
            self.first = min([*moments, *([self.first] if self.first else [])])
            self.last = max([*moments, *([self.last] if self.last else [])])
            self.payout_ids |= {row.payout_id for row in chunk}
            lines = self._unknown([self._line(row) for row in chunk])
            money = [line for line in lines if line["kind"] in ("capture", "refund")]
            known = resolve_payments(self._connection, money)
            for line in money:
                if line["foreign"] and line["payment_id"] not in known:  # a payment by another method
                    line["kind"] = "other"
            self._books.judge([line for line in money if line["kind"] != "other"])
            rest = [line for line in lines if line["kind"] in ("fee", "other")]
            for line in rest:
                line["standing"] = "duplicate" if line["repeated"] else "fee_only"
            self._books.add(rest)
            add_fees(self._batch, rest)

    def payouts(self, rows: Iterator[PayoutRow]) -> None:
        for chunk in chunks(rows, _CHUNK):
            self.lines += len(chunk)
            ids = [row.payout_id for row in chunk]
            held = {row.id: row for row in self._connection.execute(select(PAYOUT).where(PAYOUT.c.id.in_(ids)))}
            for row in chunk:
                known = held.get(row.payout_id)
                if known is None:
                    made = {
                        "id": row.payout_id,
                        "holding": row.holding,
                        "amount": row.amount,
                        "paid_on": row.paid_on.isoformat() if row.paid_on else "",
                        "file_id": self._file_id,
                        "number": row.line,
                        "extra": json.dumps(row.extra) if row.extra else None,
                    }
                    held[row.payout_id] = self._connection.execute(
                        PAYOUT.insert().values(**made).returning(PAYOUT)
                    ).one()
                elif (known.holding, known.amount) == (row.holding, row.amount):
                    self.known += 1
                else:
                    before = f"{known.holding} {written(known.amount, known.holding)}"
                    raise BadReport(
                        f"Line {row.line}, column “Payout Amount”: payout {row.payout_id} was imported before with "
                        f"{before}; found {row.holding} {written(row.amount, row.holding)}. Nothing was imported. "
                        "Ask Checkout.com which of the two was paid."
                    )

    def _line(self, row: ActionRow) -> Line:
        digest = hashlib.blake2b(row.identity.encode(), digest_size=16).digest()
        self._seen[digest] += 1
        return {
            "standing": "",
            "month": self._books.month_of(row.processed_at),
            "currency": row.currency,
            "kind": row.kind,
            "at": row.processed_at,
            "file_id": self._file_id,
            "number": row.line,
            "identity": f"{digest.hex()}-{self._seen[digest]}",
            "repeated": self._seen[digest] > 1,
            "foreign": bool(row.method) and "KAKAO" not in row.method.upper(),
            "breakdown": row.breakdown,
            "action_id": row.action_id or None,
            "payment_id": row.payment_id or None,
            "reference": row.reference or None,
            "amount": row.amount,
            "holding": row.holding,
            "held": row.held,
            "payout_id": row.payout_id or None,
            "extra": json.dumps(row.extra) if row.extra else None,
        }

    def _unknown(self, lines: Sequence[Line]) -> list[Line]:
        """Those that no earlier file has brought. Of the others only the payout may be news."""
        known = {
            identity: (number, payout)
            for identity, number, payout in self._batch.rows_of(
                LINE, ("identity", "id", "payout_id"), "identity", [line["identity"] for line in lines]
            )
        }
        self.known += len(known)
        cut = [
            (line["payout_id"], known[line["identity"]][0])
            for line in lines
            if line["identity"] in known and line["payout_id"] and not known[line["identity"]][1]
        ]
        for payout_id, number in cut:
            self._connection.execute(update(LINE).where(LINE.c.id == number).values(payout_id=payout_id))
        return [line for line in lines if line["identity"] not in known]


def _coverage(name: str, taker: _Taker, days: SettlementDays) -> tuple[datetime, datetime] | None:
    """From when until when a report holds everything: the days its name tells, else those from its first line to its last.

    A report by payout holds that payout only. Checkout.com cuts its days at midnight.
    """
    dated = _DATED.search(name)
    if dated:
        first, last = (_day(text) for text in dated.groups())
        if first and last and first <= last:
            return start_of_day(first, days.zone), start_of_day(last + timedelta(days=1), days.zone)
    one_payout = len(taker.payout_ids) == 1 and taker.payout_ids != {""}
    if one_payout or taker.first is None or taker.last is None:
        return None
    first, last = (moment.astimezone(days.zone).date() for moment in (taker.first, taker.last))
    return start_of_day(first, days.zone), start_of_day(last + timedelta(days=1), days.zone)


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None


def _digest(stream: IO[bytes]) -> str:
    stream.seek(0)
    digest = hashlib.sha256()
    while part := stream.read(1 << 20):
        digest.update(part)
    stream.seek(0)
    return digest.hexdigest()


def _known(connection: Connection, digest: str, scope: str) -> ReportFile | None:
    same = select(REPORT_FILE).where(REPORT_FILE.c.sha256 == digest, REPORT_FILE.c.scope == scope)
    row = connection.execute(same).mappings().one_or_none()
    return as_rows(ReportFile, [row])[0] if row else None


def _file(connection: Connection, file_id: int) -> ReportFile:
    row = connection.execute(select(REPORT_FILE).where(REPORT_FILE.c.id == file_id)).mappings().one()
    return as_rows(ReportFile, [row])[0]


def _newest_fact(database: Database) -> int:
    """The number of the newest fact up to which nobody is still writing an earlier one."""
    with database.write() as connection:
        Batch(connection).hold_still(PAYMENT, EVENT)
        return int(connection.execute(select(func.max(EVENT.c.seq))).scalar() or 0)
