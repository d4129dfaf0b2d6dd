"""Words of bulk refunds: where a file stands, and where each of its rows does."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from lib.ledger.bulk.views import LineShown
from lib.money import Money
from pages.parts import words
from pages.parts.words import Sign

_STATES: Mapping[str, Sign] = {
    "reading": Sign("Unfinished", "upload_file", "orange", "It was not read to its end."),
    "checked": Sign("Checked", "fact_check", "blue", "Every row has a verdict. No money has moved since."),
    "running": Sign("Running", "sync", "orange", "Its refunds are being sent."),
    "stopped": Sign("Stopped", "pause_circle", "gray", "No more of its refunds are sent until somebody resumes it."),
    "done": Sign("Done", "check_circle", "green", "All that could be sent was sent."),
}

LINES: Mapping[str, Sign] = {
    "ready": Sign("Ready", "check", "green", "It would be refunded."),
    "needs_approval": Sign("Needs approval", "approval", "violet", "It would wait for a second person."),
    "sending": Sign("Sending", "sync", "blue", "It is being sent."),
    "sent": Sign("Sent", "send", "blue", "It was sent."),
    "refused": Sign("Turned down", "block", "red", "It was turned down when it was about to be sent."),
    "bad_row": Sign("Unreadable", "data_alert", "red", "Its cells cannot be trusted."),
    "unknown_payment": Sign("Unknown payment", "search_off", "red", "No payment here is meant by it."),
    "ambiguous": Sign("Ambiguous", "call_split", "orange", "More than one payment may be meant."),
    "wrong_currency": Sign("Wrong currency", "currency_exchange", "red", "The payment was made in another currency."),
    "bad_amount": Sign("Bad amount", "money_off", "red", "The amount cannot be sent."),
    "unknown_reason": Sign("Unknown reason", "help", "orange", "The reason is not on the list."),
    "not_refundable": Sign("Not refundable", "block", "red", "The payment cannot be refunded."),
    "duplicate": Sign("Duplicate row", "content_copy", "gray", "It stands in the file twice."),
    "already_refunded": Sign("Already refunded", "history", "gray", "Another file has refunded it."),
    "exceeds": Sign("More than is left", "vertical_align_top", "red", "The payment has less left."),
}
"""Every status of a row; a row that was sent shows its refund's own word instead, see `line`."""


def state(value: str) -> Sign:
    """How to show where a file stands."""
    return _STATES[value]


def line(shown: LineShown) -> Sign:
    """How to show where a row stands."""
    return words.refund_status(shown.refund_status) if shown.refund_status else LINES[shown.line.status]


def rows(count: int) -> str:
    """`1 row`, `1,200 rows`."""
    return f"{count:,} row{'' if count == 1 else 's'}"


def refunds(count: int) -> str:
    """`1 refund`, `1,200 refunds`."""
    return f"{count:,} refund{'' if count == 1 else 's'}"


def amounts(money: Sequence[Money]) -> str:
    """`**HKD 10.00** and **KRW 100**`, as Markdown."""
    bold = [f"**{amount}**" for amount in money]
    return " and ".join([", ".join(bold[:-1]), bold[-1]]) if len(bold) > 1 else "".join(bold)
