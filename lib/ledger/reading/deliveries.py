"""The list of deliveries by arrival, and single ones with their bodies."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, Connection, bindparam, func, select

from lib.ledger.arrivals import number_after, number_before
from lib.ledger.database import Database
from lib.ledger.deliveries import DELIVERY, UNSIGNED, VERDICTS
from lib.ledger.reading.keyset import Page, page_of
from lib.ledger.reading.rows import seq_of
from lib.ledger.record import EVENT, PAYMENT
from lib.ledger.rows import as_rows
from lib.ledger.tables import Delivery

_SEQ = select(PAYMENT.c.seq).where(PAYMENT.c.id == bindparam("payment_id")).scalar_subquery()
_LISTED = [column for column in DELIVERY.columns if column.name != "body"]
_ALL = select(*_LISTED)
# By verdict, so that the index is counted and no delivery is looked at, but the few that may lie before the moment.
_COUNTED = select(DELIVERY.c.verdict, func.count()).where(DELIVERY.c.verdict.in_(VERDICTS)).group_by(DELIVERY.c.verdict)
_COUNTED_SURELY = _COUNTED.where(DELIVERY.c.id >= bindparam("surely"))
_COUNTED_NEAR = _COUNTED.where(
    DELIVERY.c.id >= bindparam("first"),
    DELIVERY.c.id < bindparam("surely"),
    DELIVERY.c.received_at >= bindparam("since"),
)
# Put together once, as each showing of a payment asks them.
_OF_PAYMENT = (
    select(*_LISTED)
    .where(DELIVERY.c.event_seq.in_(select(EVENT.c.seq).where(EVENT.c.payment_seq == _SEQ)))
    .order_by(DELIVERY.c.id.desc())
    .limit(bindparam("limit"))
)
_REFUSED_ABOUT = (
    select(DELIVERY)
    .where(
        DELIVERY.c.verdict.in_((*UNSIGNED, "not_json", "quarantined")),
        DELIVERY.c.body.contains(bindparam("part"), escape="/"),
    )
    .order_by(DELIVERY.c.id.desc())
    .limit(bindparam("limit"))
)


@dataclass(frozen=True)
class DeliveryFilter:
    """Which deliveries; `since` and `until` by when they came, the latter excluded."""

    verdicts: tuple[str, ...] = ()
    types: tuple[str, ...] = ()
    payment_id: str = ""
    since: datetime | None = None
    until: datetime | None = None


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
        told = select(EVENT.c.seq).where(EVENT.c.payment_seq == seq_of(wanted.payment_id))
        conditions.append(DELIVERY.c.event_seq.in_(told))
    with database.read() as connection:
        conditions += _arrived(connection, wanted.since, wanted.until)
        statement = _ALL.where(*conditions) if conditions else _ALL
        rows, newer, older = page_of(connection, [statement], (DELIVERY.c.id,), cursor, limit)
    return Page(as_rows(Delivery, rows), newer, older)


def deliveries_of(database: Database, payment_id: str, limit: int = 100) -> list[Delivery]:
    """The deliveries that spoke of one payment, latest first and without their bodies."""
    with database.read() as connection:
        rows = connection.execute(_OF_PAYMENT, {"payment_id": payment_id, "limit": limit}).mappings().all()
    return as_rows(Delivery, rows)


def refused_about(database: Database, payment_id: str, limit: int = 20) -> list[Delivery]:
    """Refused deliveries, with their bodies, in which this payment's id stands; latest first.

    Anybody can send such. Only so many of each kind are kept, so that looking through them is bearable.
    """
    part = re.sub("[/%_]", r"/\g<0>", payment_id)
    with database.read() as connection:
        rows = connection.execute(_REFUSED_ABOUT, {"part": part, "limit": limit}).mappings().all()
    return as_rows(Delivery, rows)


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
    with database.read() as connection:
        surely = number_after(connection, since)
        near = {"first": number_before(connection, since), "surely": surely, "since": since}
        found: Counter[str] = Counter(dict(connection.execute(_COUNTED_SURELY, {"surely": surely}).all()))
        found.update(dict(connection.execute(_COUNTED_NEAR, near).all()))
    return dict(found)


def _arrived(connection: Connection, since: datetime | None, until: datetime | None) -> list[ColumnElement[bool]]:
    came, conditions = DELIVERY.c.received_at, []
    if since:
        conditions += [came >= since, DELIVERY.c.id >= number_before(connection, since)]
    if until:
        conditions += [came < until, DELIVERY.c.id < number_after(connection, until)]
    return conditions
