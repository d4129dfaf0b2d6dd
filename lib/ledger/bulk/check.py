"""The dry run: what each row of a file would do, before any money moves.

What a support lead expects of a file that was seen before, and what happens:

- *The same file again*, by mistake, by F5, or because nobody remembers whether it went through: it is the same batch
  (`Bulk.id` is a digest of what the rows say), and each row's refund has the same key. Nothing is sent again; what became
  of the first run is shown.
- *A corrected file*: some rows failed, somebody mends them and uploads all of it. The rows that are refunded already,
  or on their way, are kept back and name the file that did it; a row whose refund was declined, failed or was
  cancelled is sent, because that is what the corrected file is for. Rows are told apart by payment, amount, currency
  and reason, and by how many like it come before it in its file: of two equal rows after one, the first is the old
  one. The note does not count, since it is what people mend.
- *The same row twice in one file* is a slip and kept back, unless the notes differ: then two refunds are meant.
- *The same refund on purpose, from another file* cannot be told from a slip, so it is kept back too. One such refund is
  made on the payment's own screen, which shows the first.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Connection, or_, select

from lib import catalog, money
from lib.ledger.bulk.file import Given
from lib.ledger.bulk.tables import BULK, LINE
from lib.ledger.decisions import limit_exceeded
from lib.ledger.desk import Desk
from lib.ledger.record import PAYMENT, REFUND
from lib.ledger.refund_rules import COMMITTED, barred, too_small
from lib.ledger.rows import as_rows
from lib.ledger.search import carriers
from lib.ledger.tables import Payment, Refund
from lib.money import BadAmount, Money
from lib.operators import Operator

CHUNK = 500
_COLUMNS = [column for column in PAYMENT.columns if column.name != "folded"]

Alike = tuple[str, int, str, str, int]
"""Payment, minor units, currency, reason, and its number among the rows of its file that agree in these: what makes two rows the same."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a row was understood as, as far as it was, and where that puts it: one of `SENDABLE` or `HELD`, with a sentence."""

    status: str
    said: str = ""
    payment_id: str | None = None
    amount: int | None = None
    currency: str | None = None
    reason: str | None = None
    occurrence: int | None = None


class _Held(Exception):
    def __init__(self, status: str, said: str) -> None:
        super().__init__(said)
        self.status = status


class DryRun:
    """Judges the rows of one file in order, some at a time: rows before count for those after.

    Who needs a second person's approval is judged for `operator`. All of it is judged once more, for whoever confirms,
    when a row is sent.
    """

    def __init__(self, desk: Desk, operator: Operator, bulk_id: str) -> None:
        self._settings = desk.settings
        self._operator = operator
        self._bulk_id = bulk_id
        self._now = datetime.now(UTC)
        self._planned: dict[str, list[tuple[int, bool]]] = defaultdict(list)
        """What earlier rows will take from each payment, in minor units, and whether a second person must agree first."""
        self._alike: Counter[tuple[str, int, str, str]] = Counter()
        self._notes: dict[tuple[str, int, str, str, str], int] = {}

    def judge(self, connection: Connection, rows: Sequence[Given]) -> list[Verdict]:
        """A verdict for each row, read from the ledger with a few queries for all of them."""
        known = _Known(connection, self._bulk_id, rows)
        return [self._verdict(row, known) for row in rows]

    def count_sent(self, row: Any) -> None:
        """Take account of a row of this file that was sent before, or is being sent."""
        alike = (row.payment_id, row.amount, row.currency, row.reason)
        self._alike[alike] += 1
        self._notes.setdefault((*alike, row.note), row.line)
        if row.status == "sending":
            self._planned[row.payment_id].append((row.amount, False))

    def _verdict(self, row: Given, known: _Known) -> Verdict:
        understood: dict[str, Any] = {}
        try:
            status = self._understand(row, known, understood)
        except _Held as held:
            return Verdict(held.status, str(held), **understood)
        self._planned[understood["payment_id"]].append((understood["amount"], status == "needs_approval"))
        return Verdict(status, **understood)

    def _understand(self, row: Given, known: _Known, understood: dict[str, Any]) -> str:
        """Fill in what the row is understood as, step by step. The status; raises `_Held`."""
        if row.problem:
            raise _Held("bad_row", row.problem)
        payment = known.payment(row)
        understood["payment_id"] = payment.id
        amount = _amount(row, payment)
        understood |= {"amount": amount.minor, "currency": amount.currency}
        understood["reason"] = reason = _reason(row)
        alike = (payment.id, amount.minor, amount.currency, reason)
        first = self._notes.setdefault((*alike, row.note), row.line)
        if first != row.line:
            raise _Held("duplicate", f"The same as row {first}. If two refunds are meant, tell them apart in the note.")
        self._alike[alike] += 1
        understood["occurrence"] = self._alike[alike]
        earlier = known.earlier.get((*alike, self._alike[alike]))
        if earlier:
            raise _Held("already_refunded", earlier)
        planned = self._planned[payment.id]
        refunds = [*known.refunds[payment.id], *(self._as_refund(payment, *each) for each in planned)]
        problem = barred(payment, refunds, self._now, self._settings.zone) or too_small(amount)
        if problem:
            raise _Held("not_refundable", problem)
        left = payment.refundable - Money(sum(minor for minor, _ in planned), amount.currency)
        if amount > left:
            raise _Held("exceeds", f"Only {left} is left to refund{' after the rows above' if planned else ''}.")
        return "needs_approval" if limit_exceeded(self._settings.limits, self._operator, refunds, amount) else "ready"

    def _as_refund(self, payment: Payment, minor: int, waits: bool) -> Refund:
        """What an earlier row will have become when the next one is asked for."""
        return Refund(
            key="",
            payment_id=payment.id,
            amount=minor,
            currency=payment.refundable.currency,
            status="submitting",
            requested_by=self._operator.name,
            requested_at=self._now,
            approve_by=self._now if waits else None,
        )


class _Known:
    """What the ledger knows of the payments that some rows speak of."""

    def __init__(self, connection: Connection, bulk_id: str, rows: Sequence[Given]) -> None:
        self._carriers = carriers(connection, {row.reference for row in rows if row.reference})
        named = {given for row in rows for given in (row.payment_id, row.reference) if given}
        chosen = {each.newest for each in self._carriers.values()}
        wanted = select(*_COLUMNS).where(or_(PAYMENT.c.id.in_(named), PAYMENT.c.seq.in_(chosen)))
        payments = as_rows(Payment, connection.execute(wanted).mappings())
        self._by_id = {payment.id: payment for payment in payments}
        self._by_seq = {payment.seq: payment for payment in payments}
        self.refunds: dict[str, list[Refund]] = defaultdict(list)
        of_these = select(REFUND).where(REFUND.c.payment_id.in_(self._by_id))
        for refund in as_rows(Refund, connection.execute(of_these).mappings()):
            self.refunds[refund.payment_id].append(refund)
        self.earlier = refunded_already(connection, bulk_id, self._by_id)

    def payment(self, row: Given) -> Payment:
        """The one payment that a row means. Raises `_Held`."""
        if row.payment_id:
            payment = self._by_id.get(row.payment_id)
            if payment is None:
                raise _Held("unknown_payment", f"There is no payment with the id {row.payment_id[:60]} here.")
            if row.reference not in ("", payment.reference):
                raise _Held(
                    "ambiguous",
                    f"The payment id is that of {payment.reference or 'a payment without reference'}, "
                    f"the reference is {row.reference[:60]}. Keep the right one.",
                )
            return _captured(payment)
        if not row.reference:
            raise _Held("unknown_payment", "This row names no payment. Put in its reference or its id.")
        if row.reference in self._by_id:
            return _captured(self._by_id[row.reference])
        found = self._carriers.get(row.reference)
        if found is None:
            raise _Held("unknown_payment", f"There is no payment with the reference {row.reference[:60]} here.")
        if found.captured > 1:
            raise _Held(
                "ambiguous",
                f"{found.captured} captured payments have the reference {row.reference[:60]}. Use the payment id instead.",
            )
        return _captured(self._by_seq[found.newest])


def _captured(payment: Payment) -> Payment:
    if not payment.captured:
        raise _Held("not_refundable", f"Only a captured payment can be refunded, and this one is {payment.status}.")
    return payment


def _amount(row: Given, payment: Payment) -> Money:
    currency = payment.refundable.currency
    if row.currency.upper() != currency:
        given = f"not in {row.currency[:10]}" if row.currency else "and the row names no currency"
        raise _Held("wrong_currency", f"This payment was made in {currency}, {given}.")
    try:
        return money.parse(row.amount, currency)
    except BadAmount as error:
        raise _Held("bad_amount", str(error)) from None


def _reason(row: Given) -> str:
    reasons = catalog.kakaopay().refund_reasons
    for code, words in reasons.items():
        if row.reason.lower() in (code.lower(), words.lower()):
            return code
    named = f"“{row.reason[:40]}” is not one of the reasons" if row.reason else "The row gives no reason"
    raise _Held("unknown_reason", f"{named}. Use one of: {', '.join(reasons)}.")


def refunded_already(connection: Connection, bulk_id: str, payment_ids: Iterable[str]) -> dict[Alike, str]:
    """What other files have refunded, or are about to, of these payments; for each kind of row a sentence that says who did."""
    joined = LINE.join(BULK, BULK.c.id == LINE.c.bulk_id).outerjoin(REFUND, REFUND.c.key == LINE.c.refund_key)
    wanted = (
        select(LINE, BULK.c.file_name, BULK.c.confirmed_by, BULK.c.confirmed_at)
        .select_from(joined)
        .where(
            LINE.c.payment_id.in_(list(payment_ids)),
            LINE.c.bulk_id != bulk_id,
            or_(LINE.c.status == "sending", REFUND.c.status.in_(COMMITTED)),
        )
    )
    return {
        (row.payment_id, row.amount, row.currency, row.reason, row.occurrence): (
            f"Row {row.line} of the file {row.file_name}, which {row.confirmed_by} confirmed on "
            f"{row.confirmed_at:%Y-%m-%d}, has refunded it. Refund once more on the payment's own screen."
        )
        for row in connection.execute(wanted)
    }
