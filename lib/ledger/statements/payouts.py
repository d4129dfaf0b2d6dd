"""Payouts proved: what was paid is the sum of the lines that make it up, to the last decimal, or one sees which lines."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import func, select

from lib.ledger.database import Database
from lib.ledger.reading.keyset import Page, page_of
from lib.ledger.rows import as_rows
from lib.ledger.statements.tables import LINE, PAYOUT, Payout, StatementLine
from lib.ledger.statements.units import PLACES

_WHOLE = 10**PLACES
_CUT = ("Payout",)
"""Breakdowns that tell of the payout itself, which is not part of what it is made of."""


@dataclass(frozen=True, slots=True)
class PayoutProof:
    """A payout and its lines. Amounts in units; `lines` is 0 while no report with its lines is here."""

    payout: Payout
    lines: int
    summed: int

    @property
    def off_by(self) -> int:
        """By how much the lines come to more than was paid."""
        return self.summed - self.payout.amount


def find_payouts(
    database: Database, *, cursor: str | None = None, limit: int = 25
) -> tuple[Page[Payout], list[PayoutProof]]:
    """A page of payouts, latest first, and each with its proof."""
    # The whole and the rest apart, so that no sum outgrows the database's integers.
    parts = func.sum(LINE.c.held // _WHOLE), func.sum(LINE.c.held % _WHOLE), func.count()
    with database.read() as connection:
        rows, newer, older = page_of(connection, [select(PAYOUT)], (PAYOUT.c.paid_on, PAYOUT.c.id), cursor, limit)
        page = Page(as_rows(Payout, rows), newer, older)
        proofs = []
        for payout in page.rows:
            summed = select(*parts).where(
                LINE.c.payout_id == payout.id, LINE.c.holding == payout.holding, LINE.c.breakdown.not_in(_CUT)
            )
            whole, rest, count = connection.execute(summed).one()
            proofs.append(PayoutProof(payout, count, int(whole or 0) * _WHOLE + int(rest or 0)))
    return page, proofs


def payout_lines(
    database: Database, payout_id: str, *, cursor: str | None = None, limit: int = 25
) -> Page[StatementLine]:
    """A page of the lines that make up a payout."""
    lines = select(LINE).where(LINE.c.payout_id == payout_id, LINE.c.breakdown.not_in(_CUT))
    with database.read() as connection:
        rows, newer, older = page_of(connection, [lines], (LINE.c.id,), cursor, limit)
    return Page(as_rows(StatementLine, rows), newer, older)
