"""How to find the payments that somebody wants without reading the others.

At any number of payments a list costs what its page costs, because each wish is met in one of three ways: an index
gives the order and what is wanted together; what is wanted is so little that all of it is looked up first; or it is so
much that walking along from the newest meets it soon.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from itertools import product
from typing import Any

from sqlalchemy import ColumnElement, Connection, Select, and_, exists, false, func, null, or_, select, true

from lib import catalog
from lib.ledger.currencies import by_currency, currencies_in
from lib.ledger.payment_filter import ANY, Bound, PaymentFilter
from lib.ledger.query_fields import number
from lib.ledger.record import PAYMENT, REFUND
from lib.ledger.search import MATCHES, among, contains, holds, matching
from lib.ledger.tables import STATUSES

Conditions = list[ColumnElement[bool]]

_FEW = 2000
"""Up to so many payments that one wish is about are looked up one by one."""
_NEWEST_REFUNDS = 1000
"""So many refunds in one state are listed when nothing else is asked for; older ones are found with a day beside it."""
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


@dataclass(frozen=True, slots=True)
class Plan:
    """Payments that meet one of `stretches` and all that is `checked`, in the order of `by` and `seq`.

    Each stretch is led through in that order by one index, and none overlaps another. `walks`: checking may pass over
    many more payments than it finds. `known`: there are more than so many.
    """

    by: ColumnElement[Any]
    stretches: list[Conditions]
    checked: Conditions
    walks: bool
    known: int = 0


@dataclass(slots=True)
class _Narrowed:
    """`seqs`, all that can be meant, where that is few, and what else must hold row by row; both of them together."""

    seqs: set[int] | None = None
    checked: list[ColumnElement[bool]] = field(default_factory=list)
    many: bool = False
    """Whether some wish is about too many to be given."""

    def only(self, seqs: Sequence[int]) -> None:
        """Nothing but these."""
        self.seqs = set(seqs) if self.seqs is None else self.seqs & set(seqs)

    def few_or(self, seqs: list[int] | None, otherwise: ColumnElement[bool]) -> None:
        """Nothing but these; where they are too many to be given, check `otherwise` row by row."""
        if seqs is None:
            self.checked.append(otherwise)
            self.many = True
        else:
            self.only(seqs)


def plan(connection: Connection, wanted: PaymentFilter) -> Plan:
    """How to find what is wanted, newest first; what was captured in a span, by the time of that."""
    requested, captured = PAYMENT.c.requested_at, PAYMENT.c.captured_at
    by = captured if wanted.captured_since or wanted.captured_until else requested
    asked = _between(requested, wanted.since, wanted.until)
    taken = _between(captured, wanted.captured_since, wanted.captured_until)
    statuses, currencies = _statuses(wanted), wanted.currencies
    terminals = (wanted.terminal_type,) if wanted.terminal_type else ()
    if statuses == ():
        return Plan(by, [], [], walks=False)
    narrowed = _narrowed(connection, wanted)
    if narrowed.seqs is not None:
        few = [among(connection, sorted(narrowed.seqs)), *asked, *taken]
        kinds = _are(PAYMENT.c.status, statuses) + _are(PAYMENT.c.currency, currencies)
        return Plan(by, [few], [*narrowed.checked, *kinds, *_are(PAYMENT.c.terminal_type, terminals)], walks=False)
    if by is captured:
        stretches = [[PAYMENT.c.currency == code, *taken] for code in currencies or currencies_in(connection)]
        checked = [*asked, *_are(PAYMENT.c.status, statuses), *_are(PAYMENT.c.terminal_type, terminals)]
    else:
        if statuses or currencies:
            pairs = product(by_currency(connection, currencies), statuses or STATUSES)
            stretches = [[told, PAYMENT.c.status == status, *asked] for told, status in pairs]
        else:
            stretches = [[*(PAYMENT.c.terminal_type == kind for kind in terminals), *asked]]
            terminals = ()
        checked = _are(PAYMENT.c.terminal_type, terminals)
    checked += narrowed.checked
    alone = narrowed.many and len(checked) == 1 and stretches == [[]]
    return Plan(by, stretches, checked, walks=bool(checked), known=_FEW if alone else 0)


def _between(column: ColumnElement[Any], since: datetime | None, until: datetime | None) -> Conditions:
    return [*([column >= since] if since else []), *([column < until] if until else [])]


def _are(column: ColumnElement[Any], values: tuple[str, ...] | None) -> Conditions:
    return [_unled(column).in_(values)] if values else []


def _narrowed(connection: Connection, wanted: PaymentFilter) -> _Narrowed:
    found = _Narrowed()
    text = wanted.text.strip()
    if text:
        _by_text(connection, text, found, alone=wanted == PaymentFilter(text=wanted.text))
    for name, column in _PARTS.items():
        if part := getattr(wanted, name).strip():
            found.checked.append(contains(column, part))
            seqs = matching(connection, part)
            if len(seqs) < MATCHES or wanted == replace(PaymentFilter(), **{name: getattr(wanted, name)}):
                found.only(seqs)
    if wanted.action:
        found.only(connection.execute(_REFUNDED.where(REFUND.c.action_id == wanted.action)).scalars().all())
    for bounds, column in ((wanted.amounts, PAYMENT.c.amount), (wanted.refunded, PAYMENT.c.refunded)):
        if bounds:
            positive = column > 0 if column is PAYMENT.c.refunded else true()
            led = [select(PAYMENT.c.seq).where(each, positive) for each in _bounded(column, bounds)]
            found.few_or(_few(connection, led), or_(*_bounded(column, bounds, led=False)))
    if wanted.refund:
        _by_refund(connection, wanted.refund, found, alone=wanted == PaymentFilter(refund=wanted.refund))
    if wanted.chain:
        source = PAYMENT.c.source_id
        chain = source.is_not(None) if wanted.chain == ANY else source == wanted.chain
        found.few_or(_few(connection, [select(PAYMENT.c.seq).where(chain)]), chain)
    if wanted.attention:
        marked = PAYMENT.c.attention.is_not(None)
        found.few_or(_few(connection, [select(PAYMENT.c.seq).where(marked)]), marked)
    return found


def _by_text(connection: Connection, text: str, found: _Narrowed, *, alone: bool) -> None:
    """Narrow to what holds `text`. `alone`: nothing else is asked for, so that the newest matches are enough."""
    refunded = connection.execute(_REFUNDED.where(REFUND.c.action_id == text)).scalars().all()
    if refunded:
        found.only(refunded)
        return
    if text.startswith("src_"):
        chain = PAYMENT.c.source_id == text
        seqs = _few(connection, [select(PAYMENT.c.seq).where(chain)])
        if seqs != []:
            found.few_or(seqs, chain)
            return
    seqs = matching(connection, text)
    amount = number(text)
    if amount is None:
        found.few_or(seqs if alone or len(seqs) < MATCHES else None, holds(text))
        return
    exactly = (Bound("=", amount),)
    priced = _few(connection, [select(PAYMENT.c.seq).where(each) for each in _bounded(PAYMENT.c.amount, exactly)])
    found.few_or(
        None if priced is None else seqs + priced,
        or_(among(connection, seqs), *_bounded(PAYMENT.c.amount, exactly, led=False)),
    )


def _by_refund(connection: Connection, state: str, found: _Narrowed, *, alone: bool) -> None:
    """Narrow to the payments with a refund in `state`. `alone`: nothing else is asked for, and the newest refunds are enough.

    The newest payments are rarely those of the newest refunds, so that walking along payments would begin with a long way.
    """
    if state == "none":
        found.checked.append(~exists().where(REFUND.c.payment_id == PAYMENT.c.id))
    elif state in _REFUND_STATUSES:
        wanted: ColumnElement[bool] = REFUND.c.status.in_(_REFUND_STATUSES[state])
        if state == "unretried":
            later = REFUND.alias("later")
            again = later.c.requested_at > REFUND.c.requested_at, later.c.status.in_(_TRIED_AGAIN)
            wanted &= ~exists().where(later.c.payment_id == REFUND.c.payment_id, *again)
        if alone:
            newest = _REFUNDED.where(wanted).order_by(REFUND.c.requested_at.desc(), REFUND.c.key.desc())
            found.only(connection.execute(newest.limit(_NEWEST_REFUNDS)).scalars().all())
            return
        belongs = REFUND.c.payment_id == PAYMENT.c.id
        found.few_or(_few(connection, [_REFUNDED.where(wanted)]), exists().where(belongs, wanted))


def _few(connection: Connection, statements: list[Select[Any]]) -> list[int] | None:
    seqs: list[int] = []
    for statement in statements:
        seqs += connection.execute(statement.limit(_FEW + 1 - len(seqs))).scalars().all()
        if len(seqs) > _FEW:
            return None
    return seqs


def _unled(column: ColumnElement[Any]) -> ColumnElement[Any]:
    """The same value, but nothing that leads through the column's index."""
    return func.coalesce(column, null())


def _bounded(column: ColumnElement[Any], bounds: tuple[Bound, ...], *, led: bool = True) -> list[ColumnElement[bool]]:
    """Conditions of which one must hold, one a currency: `>=1000` means other minor units in KRW than in HKD.

    `led` by an index over currency and column, or to be checked row by row.
    """
    value, of = (column, PAYMENT.c.currency) if led else (_unled(column), _unled(PAYMENT.c.currency))
    return [
        and_(of == code, *(_compared(value, bound, currency.digits) for bound in bounds))
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
