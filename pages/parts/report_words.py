"""The words of reconciliation: classes of lines, what became of a difference, and amounts as precise as the reports."""

from __future__ import annotations

from lib.ledger.books import StatementLine, written
from lib.money import Money
from pages.parts.words import Sign

CLASSES = {
    "matched": Sign("Matched", "check_circle", "green", "The report and the ledger say the same."),
    "amount_differs": Sign("Amount differs", "difference", "red", "Same action, other amount."),
    "currency_differs": Sign("Currency differs", "currency_exchange", "red", "Same action, other currency."),
    "missing_here": Sign("Missing here", "help", "orange", "In the report, and not in our ledger."),
    "missing_there": Sign("Missing there", "search_off", "orange", "In our ledger, and in no report of those days."),
    "duplicate": Sign("Duplicate", "content_copy", "violet", "Another line says it already."),
    "fee_only": Sign(
        "Fee only", "toll", "gray", "Fees, taxes, reserves and other methods: no ledger row is due for them."
    ),
    "other_period": Sign("Other period", "date_range", "blue", "It agrees, but in another settlement month."),
}
OUTCOMES = {"open": "Open", "asked": "Asked Checkout.com", "accepted": "Accepted as it is", "corrected": "Corrected"}
KINDS = {"capture": "Capture", "refund": "Refund", "untold": "Refund, by totals", "fee": "Fee", "other": "Other"}


def theirs(line: StatementLine) -> str:
    """What the report says, or nothing."""
    return amount(line.amount, line.currency)


def ours(line: StatementLine) -> str:
    """What the ledger says, or nothing."""
    return "" if line.ours is None else str(Money(line.ours, line.our_currency or ""))


def amount(units: int | None, currency: str | None) -> str:
    """`−HKD 24.20`, with as many decimals as it takes."""
    if units is None or not currency:
        return ""
    sign = "−" if units < 0 else ""
    return f"{sign}{currency}\u00a0{grouped(abs(units), currency)}"


def grouped(units: int, currency: str) -> str:
    """`−1,100.00`."""
    major, point, decimals = written(abs(units), currency).partition(".")
    return f"{'−' if units < 0 else ''}{int(major):,}{point}{decimals}"
