"""Trying a delivery again that was refused or set apart, from the body that was kept of it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

from sqlalchemy import delete, func, select, update

from lib.checkout.signature import verify
from lib.ledger.audit import note, permit
from lib.ledger.database import Database
from lib.ledger.deliveries import DELIVERY, Incoming, Verdict, receive
from lib.ledger.tables import Delivery
from lib.ledger.xray import whole_body
from lib.operators import Operator

AGAIN = ("quarantined", "bad_signature", "not_json")
"""Verdicts after which trying again can end otherwise: the fault may be mended, and the key may be in the settings now."""
_TAKEN_OVER = ("verdict", "reason", "event_id", "event_seq", "event_type", "payment_id", "key_index", "body")


class CannotTryAgain(ValueError):
    """A delivery that trying again cannot help; the message says why."""


def try_again(database: Database, operator: Operator, delivery_id: int, keys: Sequence[str]) -> Verdict:
    """Put a kept delivery through the receiver once more, under today's `keys`. Its row takes over what becomes of it.

    Raises `CannotTryAgain`, `NotAllowed` and `StoreUnavailable`.
    """
    permit(database, operator, "deliveries", str(delivery_id))
    with database.read() as connection:
        row = connection.execute(select(DELIVERY).where(DELIVERY.c.id == delivery_id)).mappings().one_or_none()
        newest = connection.execute(select(func.max(DELIVERY.c.id))).scalar() or 0
    if row is None:
        raise CannotTryAgain("There is no such delivery. Refused ones are kept for a while only.")
    delivery = Delivery(**row)
    if delivery.verdict not in AGAIN:
        raise CannotTryAgain("Only deliveries that were refused for what may have changed since can be tried again.")
    raw = whole_body(delivery)
    if raw is None:
        raise CannotTryAgain("The body was not kept whole. Have Checkout.com send the event again instead.")
    verified = verify(raw, delivery.signature, keys)
    if verified.key_index is None:
        raise CannotTryAgain("No signature key of ours fits it. Add the right one to CHECKOUT_WEBHOOK_KEYS first.")
    now = datetime.now(UTC)
    incoming = Incoming(raw, now, delivery.signature, delivery.sender, delivery.size, key_index=verified.key_index)
    [verdict] = receive(database, [incoming])
    _take_over(database, delivery, newest, now)
    with database.write() as connection:
        tried = {"verdict": delivery.verdict}, {"verdict": verdict.word}
        note(connection, operator, "delivery.tried_again", str(delivery_id), *tried)
    return verdict


def _take_over(database: Database, delivery: Delivery, newest: int, at: datetime) -> None:
    """Let the first row say what became of the delivery, instead of a second row. A crash before this leaves both."""
    made = select(DELIVERY).where(
        DELIVERY.c.id > newest, DELIVERY.c.received_at == at, DELIVERY.c.size == delivery.size
    )
    with database.write() as connection:
        second = connection.execute(made.order_by(DELIVERY.c.id)).mappings().first()
        if second is None:
            return
        became = {name: second[name] for name in _TAKEN_OVER}
        became["reason"] = f"{second['reason']}, tried again; at first: {delivery.reason}"
        first = update(DELIVERY).where(DELIVERY.c.id == delivery.id, DELIVERY.c.verdict == delivery.verdict)
        if connection.execute(first.values(**became)).rowcount:
            connection.execute(delete(DELIVERY).where(DELIVERY.c.id == second["id"]))
