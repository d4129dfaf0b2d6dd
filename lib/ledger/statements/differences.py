"""What the imported reports and the ledger say of each other, and what finance makes of the differences."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Literal, get_args

from sqlalchemy import Select, select, update

from lib.csvfile import render
from lib.ledger import audit
from lib.ledger.database import Database
from lib.ledger.reading.keyset import Page, page_of
from lib.ledger.rows import as_rows
from lib.ledger.statements.tables import (
    DIFFERENCES,
    LINE,
    STANDINGS,
    STEP,
    SUM,
    Standing,
    StatementLine,
    StatementStep,
)
from lib.ledger.statements.units import written
from lib.ledger.tables import time_text
from lib.money import Money
from lib.operators import Operator

Resolution = Literal["open", "asked", "accepted", "corrected"]
RESOLUTIONS: tuple[Resolution, ...] = get_args(Resolution)
"""What a person makes of a difference; `open` while they have not said."""

MOST = 100_000
"""Differences that one file holds; a month with more has another problem."""
_CHUNK = 1000


@dataclass(frozen=True, slots=True)
class ClassSum:
    """How many lines, or ledger rows alone, are in a class, and what they come to. `theirs` in units (`written`)."""

    standing: Standing
    currency: str
    count: int
    theirs: int
    ours: Money


@dataclass(frozen=True)
class LineFilter:
    """Which lines of one settlement month."""

    month: str
    standing: Standing
    currency: str | None = None


def months_compared(database: Database) -> list[str]:
    """The settlement months of which anything was imported, latest first."""
    with database.read() as connection:
        return sorted(
            connection.execute(select(SUM.c.month).where(SUM.c.count != 0).distinct()).scalars(), reverse=True
        )


def summary(database: Database, month: str) -> list[ClassSum]:
    """Every class of a month by currency, in the order of `STANDINGS`; nothing is added across currencies."""
    with database.read() as connection:
        rows = connection.execute(select(SUM).where(SUM.c.month == month)).mappings().all()
    sums = [
        ClassSum(
            row["standing"], row["currency"], row["count"], int(row["theirs"]), Money(int(row["ours"]), row["currency"])
        )
        for row in rows
        if row["count"] or row["theirs"] != "0" or row["ours"] != "0"
    ]
    return sorted(sums, key=lambda each: (STANDINGS.index(each.standing), each.currency))


def find_lines(
    database: Database, wanted: LineFilter, *, cursor: str | None = None, limit: int = 25
) -> Page[StatementLine]:
    """A page of lines, the last imported first."""
    with database.read() as connection:
        rows, newer, older = page_of(connection, [_lines(wanted)], (LINE.c.id,), cursor, limit)
    return Page(as_rows(StatementLine, rows), newer, older)


def find_line(database: Database, line_id: int) -> StatementLine | None:
    """The line with this number."""
    with database.read() as connection:
        row = connection.execute(select(LINE).where(LINE.c.id == line_id)).mappings().one_or_none()
    return as_rows(StatementLine, [row])[0] if row else None


def steps_of(database: Database, line_id: int) -> list[StatementStep]:
    """What happened to a difference, latest first."""
    wanted = select(STEP).where(STEP.c.line_id == line_id).order_by(STEP.c.id.desc())
    with database.read() as connection:
        return as_rows(StatementStep, connection.execute(wanted).mappings().all())


def resolve(
    operator: Operator, database: Database, line_id: int, *, owner: str, resolution: Resolution, note: str
) -> StatementLine:
    """Say who looks after a difference, what became of it and why. What was said before stays in its history.

    Raises `NotAllowed`, and ValueError for a line that is no difference (any more).
    """
    audit.permit(database, operator, "reconcile", str(line_id))
    said = {"owner": owner.strip()[:255] or None, "resolution": resolution, "note": note.strip()[:2000] or None}
    with database.write() as connection:
        of_line = select(LINE).where(LINE.c.id == line_id).with_for_update()
        held = connection.execute(of_line).mappings().one_or_none()
        if held is None or held["standing"] not in DIFFERENCES:
            raise ValueError("The two agree meanwhile, so there is nothing to resolve. Load the page again.")
        connection.execute(update(LINE).where(LINE.c.id == line_id).values(**said))
        step = {"line_id": line_id, "at": datetime.now(UTC), "by": operator.name, "standing": held["standing"]}
        connection.execute(STEP.insert().values(**step, **said))
        about = {"standing": held["standing"], "payment": held["payment_id"]}
        before = {"owner": held["owner"], "resolution": held["resolution"]} | about
        after = {"owner": said["owner"], "resolution": resolution} | about
        audit.note(connection, operator, "difference.resolved", str(line_id), before, after)
        again = connection.execute(select(LINE).where(LINE.c.id == line_id)).mappings().one()
        return as_rows(StatementLine, [again])[0]


def csv_of_differences(operator: Operator, database: Database, month: str, zone: str, *, world: str) -> bytes:
    """The differences of a month as CSV, all currencies, each with what became of it. Times are UTC. Raises `NotAllowed`."""
    audit.permit(database, operator, "download", month)
    rows = list(_differences(database, month))
    sums = [each for each in summary(database, month) if each.standing in DIFFERENCES]
    preamble = [
        ("World", world),
        ("Differences between Checkout.com's reports and the ledger",),
        ("Settlement month", month, "days cut in", zone, "times in", "UTC"),
        ("Rows", str(len(rows))),
        *(
            (each.standing.replace("_", " "), each.currency, str(each.count), written(each.theirs, each.currency))
            for each in sums
        ),
    ]
    header = (
        "Class",
        "Found at",
        "Processed at",
        "Kind",
        "Breakdown",
        "Payment ID",
        "Action ID",
        "Reference",
        "Currency",
        "Amount in the report",
        "Ledger currency",
        "Amount in the ledger",
        "Payout ID",
        "Line in the file",
        "Owner",
        "Resolution",
        "Note",
    )
    with database.write() as connection:
        audit.note(connection, operator, "differences.downloaded", month, after={"rows": len(rows)})
    return render(preamble, header, rows)


def _differences(database: Database, month: str) -> Iterator[tuple[str, ...]]:
    for standing in DIFFERENCES:
        wanted = _lines(LineFilter(month, standing)).order_by(LINE.c.id).limit(MOST)
        with database.read() as connection:
            for row in connection.execute(wanted.execution_options(yield_per=_CHUNK)):
                ours = "" if row.ours is None else str(Money(row.ours, row.our_currency).major)
                cells = (
                    standing.replace("_", " "),
                    time_text(row.found_at),
                    time_text(row.at),
                    row.kind,
                    row.breakdown,
                    row.payment_id,
                    row.action_id,
                    row.reference,
                    row.currency,
                    "" if row.amount is None else written(row.amount, row.currency),
                    row.our_currency,
                    ours,
                    row.payout_id,
                    "" if row.number is None else str(row.number),
                    row.owner,
                    row.resolution or "open",
                    row.note,
                )
                yield tuple(cell or "" for cell in cells)


def _lines(wanted: LineFilter) -> Select[tuple[int]]:
    lines = select(LINE).where(LINE.c.month == wanted.month, LINE.c.standing == wanted.standing)
    return lines.where(LINE.c.currency == wanted.currency) if wanted.currency else lines
