"""The double-entry journal of what moved: two postings an entry, which cancel out in their currency."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import date
from typing import NamedTuple

from lib.ledger.movements import Movement
from lib.money import Money

RECEIVABLE = "Receivable from Checkout.com"
SALES = "Sales"
REFUNDS = "Refunds"
FEES = "Fees of Checkout.com"


class Posting(NamedTuple):
    """One line of the journal. `money` is a debit above zero, a credit below."""

    day: date
    entry: str
    account: str
    money: Money
    payment_id: str = ""
    reference: str = ""


def journal(rows: Iterable[Movement]) -> Iterator[Posting]:
    """A capture is owed to us and earned; a refund is taken back from what is owed to us. Zero in every entry."""
    for row in rows:
        about = row.payment_id, row.reference or ""
        yield Posting(row.day, row.id, RECEIVABLE, row.money, *about)
        yield Posting(row.day, row.id, SALES if row.kind == "capture" else REFUNDS, -row.money, *about)


def fee_entries(fees: Mapping[tuple[date, str], Mapping[str, Money]]) -> Iterator[Posting]:
    """What a settlement day's payments in a currency cost, taken from what is owed to us. Shape as `fees_by_day` gives it."""
    for (day, currency), by_holding in sorted(fees.items()):
        for money in by_holding.values():
            entry = f"fees of {currency} payments, {day.isoformat()}"
            yield Posting(day, entry, FEES, money)
            yield Posting(day, entry, RECEIVABLE, -money)
