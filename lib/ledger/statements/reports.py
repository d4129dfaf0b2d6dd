"""Reading Checkout.com's two CSV reports, Financial Actions and Payouts, row by row.

Columns are found by name, in any order; those we do not know are kept. A file with anything wrong in it is refused
whole: `BadReport` names the line and the column, and says what was expected there.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import IO, Literal
from zoneinfo import ZoneInfo

from lib.ledger.statements.cells import BadReport, Lines, Record, records
from lib.ledger.tables import time_text

Kind = Literal["financial actions", "payouts"]

_ACTIONS = (
    "Action Type",
    "Breakdown Type",
    "Processing Currency",
    "Processing Currency Amount",
    "Holding Currency",
    "Holding Currency Amount",
)
_EITHER = (("Action ID", "Payment ID"), ("Processed On", "Processed On UTC"))
_PAYOUTS = ("Payout ID", "Holding Currency", "Payout Amount")
_KNOWN = frozenset(
    {
        *_ACTIONS,
        *_PAYOUTS,
        "Action ID",
        "Payment ID",
        "Reference",
        "Processed On",
        "Processed On UTC",
        "Timezone",
        "Payment Method",
        "Payout Date",
    }
)
_TAKEN = frozenset({"Capture", "Partial Capture"})
_GIVEN = frozenset({"Refund", "Partial Refund"})


@dataclass(frozen=True, slots=True)
class ActionRow:
    """One row of a Financial Actions report: one line of one action's breakdown. Amounts in `units`, signed."""

    line: int
    action_type: str
    breakdown: str
    action_id: str
    payment_id: str
    reference: str
    processed_at: datetime
    currency: str
    amount: int
    holding: str
    held: int
    """The only column that may be added up, and the one that payouts are made of."""
    payout_id: str
    method: str
    extra: dict[str, str]

    @property
    def kind(self) -> Literal["capture", "refund", "fee", "other"]:
        """Money that a ledger row stands for, what it cost, or anything else that touches the account."""
        if self.breakdown in _TAKEN:
            return "capture"
        if self.breakdown in _GIVEN:
            return "refund"
        return "fee" if self.breakdown.endswith(("Fee", "Tax")) else "other"

    @property
    def identity(self) -> str:
        """The same for the same row in whichever file. A payout's id is not part of it: it is known only after the cut."""
        parts = (self.action_id, self.payment_id, self.breakdown, self.currency, str(self.amount), self.holding)
        return "\x1f".join((*parts, str(self.held), time_text(self.processed_at)))


@dataclass(frozen=True, slots=True)
class PayoutRow:
    """One row of a Payouts report. `amount` in `units`."""

    line: int
    payout_id: str
    holding: str
    amount: int
    paid_on: date | None
    extra: dict[str, str]


@dataclass(frozen=True, slots=True)
class Report:
    """A file with its header read; `rows` reads on as it is asked, so that no file need fit in memory."""

    kind: Kind
    rows: Iterator[ActionRow] | Iterator[PayoutRow]


def read(stream: IO[bytes], zone: ZoneInfo) -> Report:
    """Begin to read a report. Raises `BadReport`, as do its rows.

    `zone` is that of local times where the file names none. Times come from the UTC column where there is one.
    """
    start = stream.read(4)
    stream.seek(0)
    if start[:2] == b"PK":
        raise BadReport("This is an Excel or zip file. Download the report as CSV, or unpack it, and choose that file.")
    if start[:2] in (b"\xff\xfe", b"\xfe\xff"):
        raise BadReport("The file is in UTF-16. Expected UTF-8, as it is downloaded; save it so, or download it again.")
    lines = Lines(stream)
    header = [name.strip() for name in next(lines, (1, []))[1]]
    if not any(header):
        raise BadReport("The file is empty. Expected a first line with the names of the columns.")
    columns = _columns(header)
    if columns.keys() >= set(_PAYOUTS):
        return Report("payouts", (_payout(row) for row in records(lines, columns)))
    if "Payout Amount" in columns:
        raise _without(header, [name for name in _PAYOUTS if name not in columns], "Payouts")
    missing = [name for name in _ACTIONS if name not in columns]
    missing += [" or ".join(either) for either in _EITHER if not columns.keys() & set(either)]
    if missing:
        raise _without(header, missing, "Financial Actions")
    return Report("financial actions", (_action(row, zone) for row in records(lines, columns)))


def _columns(header: Sequence[str]) -> dict[str, int]:
    if len(header) == 1 and ";" in header[0]:
        raise BadReport("Line 1: the columns are separated by semicolons. Expected commas, as in the file downloaded.")
    known = {name.lower(): name for name in _KNOWN}
    columns: dict[str, int] = {}
    for place, name in enumerate(header):
        column = known.get(name.lower(), name)
        if column in columns:
            raise BadReport(f"Line 1, column “{name}”: it is there twice. Expected every column once.")
        columns[column] = place
    return columns


def _without(header: Sequence[str], missing: Sequence[str], kind: str) -> BadReport:
    names = ", ".join(f"“{name}”" for name in missing)
    found = ", ".join(header[:4])
    return BadReport(
        f"Line 1: a {kind} report needs {names}; found {found[:120]}{' …' if len(header) > 4 else ''}. "
        "Expected the CSV of Checkout.com's Financial Actions or Payouts report with its first line."
    )


def _action(row: Record, zone: ZoneInfo) -> ActionRow:
    utc = row.text("Processed On UTC")
    processed = row.moment("Processed On UTC", ZoneInfo("UTC")) if utc else row.moment("Processed On", row.zone(zone))
    action = ActionRow(
        row.line,
        row.needed("Action Type"),
        row.needed("Breakdown Type"),
        row.text("Action ID"),
        row.text("Payment ID"),
        row.text("Reference"),
        processed,
        row.currency("Processing Currency"),
        row.units("Processing Currency Amount"),
        row.currency("Holding Currency"),
        row.units("Holding Currency Amount"),
        row.text("Payout ID"),
        row.text("Payment Method"),
        row.beyond(_KNOWN),
    )
    if action.kind in ("capture", "refund"):
        if not action.action_id and not action.payment_id:
            raise row.bad("Action ID" if row.has("Action ID") else "Payment ID", "the id of a payment or of its action")
        if (action.amount < 0) is (action.kind == "capture") and action.amount:
            sign = "above zero for a capture" if action.kind == "capture" else "below zero for a refund"
            raise row.bad("Processing Currency Amount", f"an amount {sign}")
    return action


def _payout(row: Record) -> PayoutRow:
    return PayoutRow(
        row.line,
        row.needed("Payout ID"),
        row.currency("Holding Currency"),
        row.units("Payout Amount"),
        row.day("Payout Date"),
        row.beyond(_KNOWN),
    )
