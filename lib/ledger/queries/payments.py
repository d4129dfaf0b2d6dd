"""The list of payments: which of them, page by page, newest first, and how many.

At any number of payments a list costs what its page costs, because each wish is met in one of three ways: an index
gives the order and what is wanted together; what is wanted is so little that all of it is looked up first; or it is so
much that walking along from the newest meets it soon.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, Connection, Select, and_, exists, false, func, null, or_, select, true

from lib import catalog
from lib.ledger.database import Database
from lib.ledger.payment_filter import ANY, Bound, PaymentFilter
from lib.ledger.queries.keyset import Page, page_of
from lib.ledger.query_fields import number
from lib.ledger.record import PAYMENT, REFUND
from lib.ledger.rows import as_rows
from lib.ledger.search import among, contains, matching
from lib.ledger.tables import STATUSES, Payment

_LISTED = [column for column in PAYMENT.columns if column.name != "folded"]
COUNTED = 1000
"""Counting goes no further."""
_FEW = 2000
"""Up to so many payments that one wish is about are looked up one by one."""
_LOOKED_AT = 6000
"""So many payments are looked at for a count, where counting means walking."""
_GIVEN_BACK = ("Partially Refunded", "Refunded")
_REFUND_STATUSES = {
    "pending": ("submitting", "pending"),
    "declined": ("declined",),
    "unretried": ("declined",),
    "failed": ("failed",),
    "awaiting": ("awaiting_approval",),
}
_PARTS = {
    "id": PAYMENT.c.id,
    "reference": PAYMENT.c.reference,
    "email": PAYMENT.c.customer_email,
    "name": PAYMENT.c.customer_name,
}
_REFUNDED = select(PAYMENT.c.seq).select_from(REFUND).join(PAYMENT, REFUND.c.payment_id == PAYMENT.c.id)
_TRIED_AGAIN = ("awaiting_approval", "submitting", "pending", "refunded")


class Count(NamedTuple):
    """How many there are, or, where not `exact`, that there are at least so many."""

    number: int
    exact: bool


@dataclass(slots=True)
class _Narrowed:
    """`seqs`, all that can be meant, where that is few, and what else must hold row by row; both of them together."""

    seqs: set[int] | None = None
    checked: list[ColumnElement[bool]] = field(default_factory=list)

    def only(self, seqs: list[int]) -> None:
        """Nothing but these."""
        self.seqs = set(seqs) if self.seqs is None else self.seqs & set(seqs)

    def few_or(self, seqs: list[int] | None, otherwise: ColumnElement[bool]) -> None:
        """Nothing but these; where they are too many to be given, check `otherwise` row by row."""
        if seqs is None:
            self.checked.append(otherwise)
        else:
            self.only(seqs)


def find_payments(
    database: Database,
    wanted: PaymentFilter,
    *,
    cursor: str | None = None,
    limit: int = 25,
) -> Page[Payment]:
    """A page of payments by the time they were asked for; of those captured in a span, by the time of that.

    A cursor that cannot be read starts at the newest.
    """
    with database.read() as connection:
        return page_of_payments(connection, wanted, cursor=cursor, limit=limit)


def page_of_payments(connection: Connection, wanted: PaymentFilter, *, cursor: str | None, limit: int) -> Page[Payment]:
    """The same within a transaction of the caller's."""
    by = (_order(wanted), PAYMENT.c.seq)
    narrowed = _narrowed(connection, wanted)
    statements = [select(*_LISTED).where(*each, *narrowed.checked) for each in _stretches(connection, wanted, narrowed)]
    rows, newer, older = page_of(connection, statements, by, cursor, limit)
    return Page(as_rows(Payment, rows), newer, older)


def count_payments(database: Database, wanted: PaymentFilter, *, cap: int = COUNTED) -> Count:
    """How many payments the filter finds: counted up to `cap`, and among the newest only where that means a walk."""
    count, exact = 0, True
    with database.read() as connection:
        narrowed = _narrowed(connection, wanted)
        stretches = list(_stretches(connection, wanted, narrowed))
        for stretch in stretches:
            found = select(PAYMENT.c.seq).where(*stretch, *narrowed.checked)
            if narrowed.checked and narrowed.seqs is None:
                most = _LOOKED_AT // len(stretches)
                newest = select(PAYMENT.c.seq).where(*stretch).order_by(_order(wanted).desc(), PAYMENT.c.seq.desc())
                walked = newest.limit(most).subquery()
                exact &= not _has(connection, newest.offset(most))
                found = select(PAYMENT.c.seq).where(PAYMENT.c.seq.in_(select(walked.c.seq)), *narrowed.checked)
            some = found.limit(cap - count).subquery()
            count += int(connection.execute(select(func.count()).select_from(some)).scalar_one())
    return Count(count, exact and count < cap)


def _order(wanted: PaymentFilter) -> ColumnElement[Any]:
    return PAYMENT.c.captured_at if wanted.captured_since or wanted.captured_until else PAYMENT.c.requested_at


def _narrowed(connection: Connection, wanted: PaymentFilter) -> _Narrowed:
    found = _Narrowed()
    text = wanted.text.strip()
    if text:
        _by_text(connection, text, found)
    for name, column in _PARTS.items():
        if part := getattr(wanted, name).strip():
            found.only(matching(connection, part))
            found.checked.append(contains(column, part))
    if wanted.action:
        found.only(_all(connection, _REFUNDED.where(REFUND.c.action_id == wanted.action)))
    for bounds, column in ((wanted.amounts, PAYMENT.c.amount), (wanted.refunded, PAYMENT.c.refunded)):
        if bounds:
            positive = column > 0 if column is PAYMENT.c.refunded else true()
            led = [select(PAYMENT.c.seq).where(each, positive) for each in _bounded(column, bounds)]
            found.few_or(_few(connection, led), or_(*_bounded(_unled(column), bounds)))
    if wanted.refund:
        _by_refund(connection, wanted.refund, found)
    if wanted.chain:
        source = PAYMENT.c.source_id
        chain = source.is_not(None) if wanted.chain == ANY else source == wanted.chain
        found.few_or(_few(connection, [select(PAYMENT.c.seq).where(chain)]), chain)
    if wanted.attention:
        marked = PAYMENT.c.attention.is_not(None)
        found.few_or(_few(connection, [select(PAYMENT.c.seq).where(marked)]), marked)
    return found


def _by_text(connection: Connection, text: str, found: _Narrowed) -> None:
    refunded = _all(connection, _REFUNDED.where(REFUND.c.action_id == text))
    if refunded:
        found.only(refunded)
        return
    seqs = matching(connection, text)
    if text.startswith("src_"):
        seqs += _all(connection, select(PAYMENT.c.seq).where(PAYMENT.c.source_id == text))
    amount = number(text)
    if amount is None:
        found.only(seqs)
        return
    exactly = (Bound("=", amount),)
    priced = _few(connection, [select(PAYMENT.c.seq).where(each) for each in _bounded(PAYMENT.c.amount, exactly)])
    found.few_or(
        None if priced is None else seqs + priced,
        or_(among(connection, seqs), *_bounded(_unled(PAYMENT.c.amount), exactly)),
    )


def _by_refund(connection: Connection, state: str, found: _Narrowed) -> None:
    if state == "none":
        found.checked.append(~exists().where(REFUND.c.payment_id == PAYMENT.c.id))
    elif state in _REFUND_STATUSES:
        wanted: ColumnElement[bool] = REFUND.c.status.in_(_REFUND_STATUSES[state])
        if state == "unretried":
            later = REFUND.alias("later")
            again = later.c.requested_at > REFUND.c.requested_at, later.c.status.in_(_TRIED_AGAIN)
            wanted &= ~exists().where(later.c.payment_id == REFUND.c.payment_id, *again)
        belongs = REFUND.c.payment_id == PAYMENT.c.id
        found.few_or(_few(connection, [_REFUNDED.where(wanted)]), exists().where(belongs, wanted))


def _few(connection: Connection, statements: list[Select[Any]]) -> list[int] | None:
    seqs: list[int] = []
    for statement in statements:
        seqs += connection.execute(statement.limit(_FEW + 1 - len(seqs))).scalars().all()
        if len(seqs) > _FEW:
            return None
    return seqs


def _all(connection: Connection, statement: Select[Any]) -> list[int]:
    return list(connection.execute(statement.limit(_FEW)).scalars().all())


def _has(connection: Connection, statement: Select[Any]) -> bool:
    return connection.execute(statement.limit(1)).first() is not None


def _unled(column: ColumnElement[Any]) -> ColumnElement[Any]:
    """The same value, but nothing that leads through the column's index."""
    return func.coalesce(column, null())


def _bounded(column: ColumnElement[Any], bounds: tuple[Bound, ...]) -> list[ColumnElement[bool]]:
    """Conditions of which one must hold, one a currency: `>=1000` means other minor units in KRW than in HKD."""
    return [
        and_(PAYMENT.c.currency == code, *(_compared(column, bound, currency.digits) for bound in bounds))
        for code, currency in catalog.currencies().items()
        if all(bound.currency in (None, code) for bound in bounds)
    ] or [false()]


def _compared(column: ColumnElement[Any], bound: Bound, digits: int) -> ColumnElement[bool]:
    minor = bound.major.scaleb(digits)
    whole = int(minor)
    between = minor != whole  # such as half a cent, or KRW 0.5
    match bound.sign:
        case "=":
            return false() if between else column == whole
        case ">=":
            return column > whole if between else column >= whole
        case "<=":
            return column <= whole
        case ">":
            return column > whole
        case "<":
            return column <= whole if between else column < whole


def _stretches(
    connection: Connection, wanted: PaymentFilter, narrowed: _Narrowed
) -> Iterator[list[ColumnElement[bool]]]:
    """Conditions that together give what is wanted, each set answered in order by one index, none overlapping another."""
    span = [
        *([PAYMENT.c.requested_at >= wanted.since] if wanted.since else []),
        *([PAYMENT.c.requested_at < wanted.until] if wanted.until else []),
        *([PAYMENT.c.captured_at >= wanted.captured_since] if wanted.captured_since else []),
        *([PAYMENT.c.captured_at < wanted.captured_until] if wanted.captured_until else []),
    ]
    statuses = _statuses(wanted)
    if statuses == ():
        return
    if narrowed.seqs is not None:
        chosen = [(PAYMENT.c.status, statuses or ()), (PAYMENT.c.currency, wanted.currencies)]
        if wanted.terminal_type:
            chosen.append((PAYMENT.c.terminal_type, (wanted.terminal_type,)))
        held = [_unled(column).in_(values) for column, values in chosen if values]
        yield [among(connection, sorted(narrowed.seqs)), *span, *held]
        return
    if wanted.terminal_type:
        span.append(PAYMENT.c.terminal_type == wanted.terminal_type)
    if PAYMENT.c.captured_at is _order(wanted):
        held = [_unled(PAYMENT.c.status).in_(statuses)] if statuses else []
        for code in wanted.currencies or _currencies(connection):
            yield [PAYMENT.c.currency == code, *span, *held]
        return
    for status in statuses or (None,):
        for code in wanted.currencies or (None,):
            kind = [*([PAYMENT.c.status == status] if status else []), *([PAYMENT.c.currency == code] if code else [])]
            yield [*span, *kind]


def _currencies(connection: Connection) -> Iterator[str]:
    """Every currency that payments are in, by one look into the index for each."""
    code = ""
    while code := connection.execute(select(func.min(PAYMENT.c.currency)).where(PAYMENT.c.currency > code)).scalar() or "":
        yield code


def _statuses(wanted: PaymentFilter) -> tuple[str, ...] | None:
    """The statuses in question, None for all: how it stands with refunds says something about the status too."""
    chosen = wanted.statuses or STATUSES
    match wanted.refund:
        case "part":
            return tuple(status for status in chosen if status == "Partially Refunded")
        case "whole":
            return tuple(status for status in chosen if status == "Refunded")
        case "none":
            return tuple(status for status in chosen if status not in _GIVEN_BACK)
    return wanted.statuses or None
