"""Learning whose the payments are that were made elsewhere.

Webhooks do not say who the customer is, so a payment that the shop's own server asked for could not be found by name or
e-mail address. Each is read at Checkout.com once, in the order in which they became known here.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import NamedTuple

from sqlalchemy import select, update

from lib.checkout.errors import OF_THE_SERVICE, CheckoutError
from lib.ledger.desk import Desk
from lib.ledger.facts import payment_read
from lib.ledger.record import PAYMENT, record
from lib.ledger.watches import BACKFILL

A_ROUND = 4
"""Payments read in one round, with one call each."""
_LOOKED_AT = 500
_SETTLED = timedelta(seconds=10)
"""A payment younger than this may be one of ours whose answer is still on its way, or one that another process has yet to commit."""


class Introduced(NamedTuple):
    """What one round came to: how many payments were read, and whether more may wait for the next one."""

    read: int
    more: bool


def introduce(desk: Desk) -> Introduced:
    """Read the next few payments of which nothing says whose they are.

    Known ones are passed by, a million in a minute or two; but while deliveries come in, which that would hold up, only
    a few hundred a round. One process at a time. What Checkout.com cannot tell now is asked in the next round. Raises
    `StoreUnavailable`.
    """
    with desk.database.read() as connection:
        passed = connection.execute(select(BACKFILL.c.introduced_seq)).scalar() or 0
    while True:
        asked, reached, more = _introduce(desk, passed)
        if reached != passed:
            with desk.database.write() as connection:
                connection.execute(update(BACKFILL).values(introduced_seq=reached))
        if asked or not more or desk.database.in_haste:
            return Introduced(asked, more or asked == A_ROUND)
        passed = reached


def _introduce(desk: Desk, passed: int) -> tuple[int, int, bool]:
    """How many of the next payments were asked about, up to which they are done, and whether more may wait behind them."""
    columns = ("seq", "id", "requested_by", "customer_id", "customer_email", "updated_at")
    with desk.database.read() as connection:
        wanted = select(*(PAYMENT.c[name] for name in columns)).where(PAYMENT.c.seq > passed)
        rows = connection.execute(wanted.order_by(PAYMENT.c.seq).limit(_LOOKED_AT)).all()
    asked, reached, now = 0, passed, datetime.now(UTC)
    for row in rows:
        if asked == A_ROUND or now - row.updated_at < _SETTLED:
            break
        if not (row.requested_by or row.customer_id or row.customer_email):
            try:
                record(desk.database, [payment_read(row.id, desk.checkout.get_payment(row.id))])
            except OF_THE_SERVICE:
                break
            except CheckoutError:
                pass  # it will not be told of this one; whoever opens the payment can ask and read why
            asked += 1
        reached = row.seq
    return asked, reached, len(rows) == _LOOKED_AT and reached == rows[-1].seq
