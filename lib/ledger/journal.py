"""The double-entry journal of what moved: two postings a movement, which cancel out in their currency."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from lib.ledger.movements import Movement

RECEIVABLE = "Receivable from Checkout.com"
SALES = "Sales"
REFUNDS = "Refunds"


class Posting(NamedTuple):
    """One line of the journal. `amount` is in minor units of the movement's currency: debits above zero, credits below."""

    movement: Movement
    account: str
    amount: int


def journal(rows: Iterable[Movement]) -> Iterator[Posting]:
    """A capture is owed to us and earned; a refund is taken back from what is owed to us. Zero in every entry."""
    for row in rows:
        yield Posting(row, RECEIVABLE, row.amount)
        yield Posting(row, SALES if row.kind == "capture" else REFUNDS, -row.amount)
