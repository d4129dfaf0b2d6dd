"""What screens read. Lists go by keyset: a page starts where the one before ended, however many rows lie ahead of it."""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Generic, TypeVar

from sqlalchemy import ColumnElement, Connection, RowMapping, ScalarSelect, Select, func, or_, select, tuple_

from lib.ledger.arrivals import number_after, number_before
from lib.ledger.database import Database
from lib.ledger.deliveries import DELIVERY
from lib.ledger.record import EVENT, PAYMENT, REFUND
from lib.ledger.rows import as_rows
from lib.ledger.search import among, matching
from lib.ledger.tables import Delivery, Event, Payment, Refund, Table, UtcTime

Row = TypeVar("Row", bound=Table)
_LISTED = [column for column in PAYMENT.columns if column.name != "folded"]


@dataclass(frozen=True)
class Page(Generic[Row]):
    """A stretch of a list, newest first. `newer` and `older` are cursors to its neighbours, None at an end."""

    rows: list[Row]
    newer: str | None
    older: str | None


@dataclass(frozen=True)
class PaymentFilter:
    """Which payments. `text` finds any part of an id, a reference, an e-mail address or a name, and a refund's whole action id."""

    text: str = ""
    statuses: tuple[str, ...] = ()
    currencies: tuple[str, ...] = ()
    terminal_type: str | None = None
    since: datetime | None = None
    until: datetime | None = None


@dataclass(frozen=True)
class RefundFilter:
    """Which refunds. `text` finds a payment id, an action id, a key, or the payment's reference or e-mail address."""

    text: str = ""
    statuses: tuple[str, ...] = ()
    currencies: tuple[str, ...] = ()
    payment_id: str = ""


@dataclass(frozen=True)
class DeliveryFilter:
    """Which deliveries; `since` and `until` by when they came, the latter excluded."""

    verdicts: tuple[str, ...] = ()
    types: tuple[str, ...] = ()
    payment_id: str = ""
    since: datetime | None = None
    until: datetime | None = None


def find_payment(database: Database, payment_id: str) -> Payment | None:
    """The payment with this id."""
    with database.read() as connection:
        row = connection.execute(select(PAYMENT).where(PAYMENT.c.id == payment_id)).mappings().one_or_none()
    return as_rows(Payment, [row])[0] if row else None


def find_payment_by_reference(database: Database, reference: str) -> Payment | None:
    """The newest payment with this reference; references need not be unique."""
    with database.read() as connection:
        found = among(connection, matching(connection, reference))
        wanted = select(PAYMENT).where(found, PAYMENT.c.reference == reference)
        newest = wanted.order_by(PAYMENT.c.requested_at.desc(), PAYMENT.c.seq.desc()).limit(1)
        row = connection.execute(newest).mappings().one_or_none()
    return as_rows(Payment, [row])[0] if row else None


def find_payments(
    database: Database,
    wanted: PaymentFilter,
    *,
    cursor: str | None = None,
    limit: int = 25,
) -> Page[Payment]:
    """A page of payments by the time they were asked for. A cursor that cannot be read starts at the newest."""
    by = (PAYMENT.c.requested_at, PAYMENT.c.seq)
    with database.read() as connection:
        narrowed = [select(*_LISTED).where(*each) for each in _payment_conditions(connection, wanted)]
        rows, newer, older = _page(connection, narrowed, by, cursor, limit)
    return Page(as_rows(Payment, rows), newer, older)


def count_payments(database: Database, wanted: PaymentFilter, *, cap: int = 1000) -> int:
    """How many payments the filter finds, counted up to `cap` and no further."""
    count = 0
    with database.read() as connection:
        for conditions in _payment_conditions(connection, wanted):
            some = select(PAYMENT.c.seq).where(*conditions).limit(cap - count).subquery()
            count += int(connection.execute(select(func.count()).select_from(some)).scalar_one())
    return count


def charges_of_source(database: Database, source_id: str, *, limit: int = 50) -> list[Payment]:
    """The payments of one stored source, newest first."""
    wanted = select(PAYMENT).where(PAYMENT.c.source_id == source_id)
    with database.read() as connection:
        newest = wanted.order_by(PAYMENT.c.requested_at.desc(), PAYMENT.c.seq.desc()).limit(limit)
        return as_rows(Payment, connection.execute(newest).mappings().all())


def find_refund(database: Database, key: str) -> Refund | None:
    """The refund with this key."""
    with database.read() as connection:
        row = connection.execute(select(REFUND).where(REFUND.c.key == key)).mappings().one_or_none()
    return as_rows(Refund, [row])[0] if row else None


def refunds_of(database: Database, payment_id: str) -> list[Refund]:
    """The refunds of one payment, oldest first."""
    wanted = select(REFUND).where(REFUND.c.payment_id == payment_id).order_by(REFUND.c.requested_at, REFUND.c.key)
    with database.read() as connection:
        return as_rows(Refund, connection.execute(wanted).mappings().all())


def find_refunds(
    database: Database,
    wanted: RefundFilter,
    *,
    cursor: str | None = None,
    limit: int = 25,
) -> Page[Refund]:
    """A page of refunds by the time they were asked for."""
    conditions: list[ColumnElement[bool]] = []
    if wanted.statuses:
        conditions.append(REFUND.c.status.in_(wanted.statuses))
    if wanted.currencies:
        conditions.append(REFUND.c.currency.in_(wanted.currencies))
    if wanted.payment_id:
        conditions.append(REFUND.c.payment_id == wanted.payment_id)
    text = wanted.text.strip()
    with database.read() as connection:
        if text:
            payments = select(PAYMENT.c.id).where(among(connection, matching(connection, text)))
            own = REFUND.c.action_id == text, REFUND.c.key == text
            conditions.append(or_(*own, REFUND.c.payment_id.in_(payments)))
        statement = select(REFUND).where(*conditions)
        rows, newer, older = _page(connection, [statement], (REFUND.c.requested_at, REFUND.c.key), cursor, limit)
    return Page(as_rows(Refund, rows), newer, older)


def facts_of(database: Database, payment_id: str) -> list[Event]:
    """Everything known of one payment, latest first by the time it happened; of one moment, what ended above what began."""
    wanted = select(EVENT).where(EVENT.c.payment_seq == _seq_of(payment_id))
    with database.read() as connection:
        began = EVENT.c.type.like("%pending")
        latest = wanted.order_by(EVENT.c.occurred_at.desc(), began, EVENT.c.seq.desc())
        return as_rows(Event, connection.execute(latest).mappings().all())


def deliveries_of(database: Database, payment_id: str, limit: int = 100) -> list[Delivery]:
    """The deliveries that spoke of one payment, latest first."""
    return find_deliveries(database, DeliveryFilter(payment_id=payment_id), limit=limit).rows


def find_deliveries(
    database: Database,
    wanted: DeliveryFilter,
    *,
    cursor: str | None = None,
    limit: int = 25,
) -> Page[Delivery]:
    """A page of deliveries by arrival, without their bodies."""
    conditions: list[ColumnElement[bool]] = []
    if wanted.verdicts:
        conditions.append(DELIVERY.c.verdict.in_(wanted.verdicts))
    if wanted.types:
        conditions.append(DELIVERY.c.event_type.in_(wanted.types))
    if wanted.payment_id:
        told = select(EVENT.c.seq).where(EVENT.c.payment_seq == _seq_of(wanted.payment_id))
        conditions.append(DELIVERY.c.event_seq.in_(told))
    listed = select(*(column for column in DELIVERY.columns if column.name != "body"))
    with database.read() as connection:
        statement = listed.where(*conditions, *_arrived(connection, wanted.since, wanted.until))
        rows, newer, older = _page(connection, [statement], (DELIVERY.c.id,), cursor, limit)
    return Page(as_rows(Delivery, rows), newer, older)


def find_delivery(database: Database, delivery_id: int) -> Delivery | None:
    """One delivery with the body it holds itself, if any."""
    with database.read() as connection:
        row = connection.execute(select(DELIVERY).where(DELIVERY.c.id == delivery_id)).mappings().one_or_none()
    return as_rows(Delivery, [row])[0] if row else None


def body_of(database: Database, delivery: Delivery) -> str | None:
    """The body as it was received: the delivery's own, or that of the event it brought or repeated."""
    body = func.coalesce(DELIVERY.c.body, EVENT.c.body)
    joined = DELIVERY.outerjoin(EVENT, EVENT.c.seq == DELIVERY.c.event_seq)
    with database.read() as connection:
        return connection.execute(select(body).select_from(joined).where(DELIVERY.c.id == delivery.id)).scalar()


def delivery_counts(database: Database, *, since: datetime) -> dict[str, int]:
    """How many deliveries since then, by verdict; verdicts that did not occur are absent."""
    counted = select(DELIVERY.c.verdict, func.count()).group_by(DELIVERY.c.verdict)
    with database.read() as connection:
        return dict(connection.execute(counted.where(*_arrived(connection, since, None))).all())


def pulse(database: Database) -> int:
    """A number that grows whenever anything a screen shows has changed. Cheap enough to ask every second."""
    with database.read() as connection:
        events = connection.execute(select(func.max(EVENT.c.seq))).scalar() or 0
        deliveries = connection.execute(select(func.max(DELIVERY.c.id))).scalar() or 0
    return int(events + deliveries)


def payment_version(database: Database, payment_id: str) -> int:
    """How many facts of this payment are folded: a screen that shows it redraws when this grows. 0 for an unknown one."""
    with database.read() as connection:
        return int(connection.execute(select(PAYMENT.c.version).where(PAYMENT.c.id == payment_id)).scalar() or 0)


def _arrived(connection: Connection, since: datetime | None, until: datetime | None) -> list[ColumnElement[bool]]:
    came, conditions = DELIVERY.c.received_at, []
    if since:
        conditions += [came >= since, DELIVERY.c.id >= number_before(connection, since)]
    if until:
        conditions += [came < until, DELIVERY.c.id < number_after(connection, until)]
    return conditions


def _seq_of(payment_id: str) -> ScalarSelect[Any]:
    return select(PAYMENT.c.seq).where(PAYMENT.c.id == payment_id).scalar_subquery()


def _payment_conditions(connection: Connection, wanted: PaymentFilter) -> list[list[ColumnElement[bool]]]:
    """Conditions that together give what is wanted, each set answered in order by one index, none overlapping another."""
    common: list[ColumnElement[bool]] = []
    if wanted.terminal_type:
        common.append(PAYMENT.c.terminal_type == wanted.terminal_type)
    if wanted.since:
        common.append(PAYMENT.c.requested_at >= wanted.since)
    if wanted.until:
        common.append(PAYMENT.c.requested_at < wanted.until)
    text = wanted.text.strip()
    if text:
        refunded = connection.execute(select(REFUND.c.payment_id).where(REFUND.c.action_id == text)).scalar()
        matched = among(connection, matching(connection, text)) if refunded is None else PAYMENT.c.id == refunded
        common.append(matched)
    return [
        [*common, *([PAYMENT.c.status == status] if status else []), *([PAYMENT.c.currency == code] if code else [])]
        for status in wanted.statuses or (None,)
        for code in wanted.currencies or (None,)
    ]


def _page(
    connection: Connection,
    statements: Sequence[Select[Any]],
    by: Sequence[ColumnElement[Any]],
    cursor: str | None,
    limit: int,
) -> tuple[list[RowMapping], str | None, str | None]:
    """Rows newest first from the cursor on, and the cursors to the pages beside them. `by` must be unique taken together."""
    direction, position = _read_cursor(cursor, by)
    keys = tuple_(*by)
    order = [column.asc() if direction == "newer" else column.desc() for column in by]
    rows: list[RowMapping] = []
    for statement in statements:
        onward = statement
        if position:
            onward = statement.where(keys < position if direction == "older" else keys > position)
        rows += connection.execute(onward.order_by(*order).limit(limit + 1)).mappings().all()
    rows.sort(key=lambda row: tuple(row[str(column.key)] for column in by), reverse=direction == "older")
    more = len(rows) > limit
    rows = rows[:limit]
    if direction == "newer":
        rows.reverse()
    if not rows:
        return [], None, None
    newer = _cursor("newer", rows[0], by) if (more if direction == "newer" else position) else None
    older = _cursor("older", rows[-1], by) if (more if direction == "older" else position) else None
    return rows, newer, older


def _cursor(direction: str, row: RowMapping, by: Sequence[ColumnElement[Any]]) -> str:
    values = [row[str(column.key)] for column in by]
    plain = [value.isoformat() if isinstance(value, datetime) else value for value in values]
    return base64.urlsafe_b64encode(json.dumps([direction, *plain]).encode()).decode().rstrip("=")


def _read_cursor(cursor: str | None, by: Sequence[ColumnElement[Any]]) -> tuple[str, tuple[Any, ...] | None]:
    """Direction and position. Cursors come back through the address bar, so anything may be in them."""
    try:
        direction, *plain = json.loads(base64.urlsafe_b64decode((cursor or "") + "=" * (-len(cursor or "") % 4)))
        values = tuple(_value(value, column) for value, column in zip(plain, by, strict=True))
        if direction in ("newer", "older"):
            return direction, values
    except (ValueError, TypeError, binascii.Error):
        pass
    return "older", None


def _value(plain: Any, column: ColumnElement[Any]) -> Any:
    if isinstance(column.type, UtcTime):
        moment = datetime.fromisoformat(plain)
        if moment.tzinfo is None:
            raise ValueError("a time without zone")
        return moment
    kind = column.type.python_type
    if not isinstance(plain, kind) or isinstance(plain, bool):
        raise TypeError(f"{plain!r} is no {kind.__name__}")
    return plain
