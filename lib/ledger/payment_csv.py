"""The filtered payments as a CSV file: each payment a row, each refund a row of its own day, and totals that tie to them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from zoneinfo import ZoneInfo

from sqlalchemy import Connection, select

from lib import csvfile
from lib.ledger import audit
from lib.ledger.database import Database
from lib.ledger.payment_filter import PaymentFilter, in_words
from lib.ledger.query_text import write
from lib.ledger.reading.payments import page_of_payments
from lib.ledger.record import REFUND
from lib.ledger.rows import as_rows
from lib.ledger.tables import Payment, Refund
from lib.money import Money
from lib.operators import Operator

MOST_ROWS = 100_000
"""Rows that one file holds, payments and refunds together: what a spreadsheet opens, and under 200 MB while it is made."""
_AT_ONCE = 1000
HEADER = (
    "Row",
    "Time",
    "Currency",
    "Captured or refunded",
    "Requested",
    "Status",
    "Reference",
    "Payment id",
    "Refund action id",
    "Customer e-mail",
    "Customer name",
    "Terminal",
    "Captured at",
    "Reason",
    "Requested by",
)


@dataclass(slots=True)
class Sheet:
    """The rows so far and what they add up to: captured and refunded by currency, in minor units, both positive."""

    zone: ZoneInfo
    rows: list[tuple[str, ...]] = field(default_factory=list)
    payments: int = 0
    captured: dict[str, int] = field(default_factory=lambda: defaultdict(int))
    refunded: dict[str, int] = field(default_factory=lambda: defaultdict(int))
    cut: bool = False

    def add(self, payment: Payment, refunds: Sequence[Refund]) -> bool:
        """A row for the payment and one for each refund that was paid out; False where they no longer fit."""
        paid_out = [self._refund_row(payment, refund) for refund in refunds]
        unnamed = payment.refunded - sum(each.amount for each in refunds if each.currency == payment.currency)
        if unnamed > 0:
            paid_out.append(self._unnamed_row(payment, unnamed))
        if len(self.rows) + 1 + len(paid_out) > MOST_ROWS:
            self.cut = True
            return False
        captured = Money(payment.captured, payment.money.currency)
        self.captured[captured.currency] += captured.minor
        for refund in refunds:
            self.refunded[refund.currency] += refund.amount
        if unnamed > 0:
            self.refunded[captured.currency] += unnamed
        self.payments += 1
        self.rows += [self._payment_row(payment, captured), *paid_out]
        return True

    def render(self, preamble: Sequence[Sequence[str]]) -> bytes:
        """The file, with row count and totals below `preamble`."""
        refunds = len(self.rows) - self.payments
        about = [*preamble, ("Rows", str(len(self.rows)), "payments", str(self.payments), "refunds", str(refunds))]
        if self.cut:
            more = f"There are more: this file ends at {MOST_ROWS:,} rows. Narrow the filter, by days for example."
            about.append(("Not all", more))
        about.append(("Totals", "Currency", "Captured", "Refunded", "Net"))
        for currency in sorted({*self.captured, *self.refunded}):
            captured, refunded = Money(self.captured[currency], currency), Money(self.refunded[currency], currency)
            about.append(("", currency, *(f"{each.major:f}" for each in (captured, refunded, captured - refunded))))
        return csvfile.render(about, HEADER, self.rows)

    def _payment_row(self, payment: Payment, captured: Money) -> tuple[str, ...]:
        return (
            "payment",
            self._time(payment.requested_at),
            captured.currency,
            f"{captured.major:f}",
            f"{payment.money.major:f}",
            payment.status,
            payment.reference or "",
            payment.id,
            "",
            payment.customer_email or "",
            payment.customer_name or "",
            payment.terminal_type or "",
            self._time(payment.captured_at),
            "",
            payment.requested_by or "",
        )

    def _refund_row(self, payment: Payment, refund: Refund) -> tuple[str, ...]:
        at = refund.decided_at or refund.answered_at or refund.requested_at
        given_back = f"{(-refund.money).major:f}"
        about = (refund.action_id or "", payment.customer_email or "", payment.customer_name or "", "", "")
        why = (refund.reason or "", refund.requested_by or "")
        named = (payment.reference or "", payment.id)
        return ("refund", self._time(at), refund.currency, given_back, "", "Refunded", *named, *about, *why)

    def _unnamed_row(self, payment: Payment, minor: int) -> tuple[str, ...]:
        """What Checkout.com's own totals say was given back, and no event has told of."""
        given_back = Money(-minor, payment.money.currency)
        about = (payment.reference or "", payment.id, "", payment.customer_email or "", payment.customer_name or "")
        why = "By Checkout.com's totals; no event has told of it yet"
        start = ("refund", self._time(payment.updated_at), given_back.currency, f"{given_back.major:f}", "", "Refunded")
        return (*start, *about, "", "", why, "")

    def _time(self, moment: datetime | None) -> str:
        return moment.astimezone(self.zone).isoformat(" ", "seconds") if moment else ""


def payments_csv(
    database: Database, operator: Operator, wanted: PaymentFilter, *, now: datetime, zone: ZoneInfo, world: str
) -> bytes:
    """The payments that `wanted` finds, newest first, as one state of the store has them; at most `MOST_ROWS` rows.

    `world` says in words which money it is. Raises `NotAllowed`. The download is in the audit log, without the words that were looked for.
    """
    audit.permit(database, operator, "download", "payments")
    sheet = Sheet(zone)
    with database.read() as connection:
        _fill(connection, sheet, wanted)
    content = sheet.render(
        [
            ("World", world),
            ("Payments", f"made {now.astimezone(zone).isoformat(' ', 'seconds')}", f"by {operator.name}"),
            ("Time zone", zone.key),
            ("Filter", in_words(wanted, zone)),
            ("To find them again", write(wanted, zone)),
        ]
    )
    with database.write() as connection:
        after = {"filter": write(wanted.impersonal(), zone), "rows": len(sheet.rows), "cut": sheet.cut}
        audit.note(connection, operator, "payments.downloaded", "payments", after=after)
    return content


def _fill(connection: Connection, sheet: Sheet, wanted: PaymentFilter) -> None:
    cursor = None
    while True:
        page = page_of_payments(connection, wanted, cursor=cursor, limit=_AT_ONCE)
        paid_out = select(REFUND).where(
            REFUND.c.payment_id.in_([payment.id for payment in page.rows]), REFUND.c.status == "refunded"
        )
        refunds = defaultdict(list)
        for refund in as_rows(Refund, connection.execute(paid_out.order_by(REFUND.c.requested_at)).mappings()):
            refunds[refund.payment_id].append(refund)
        for payment in page.rows:
            if not sheet.add(payment, refunds[payment.id]):
                return
        cursor = page.older
        if cursor is None:
            return
