"""The lines of an order, as its payment request named them, and how many of each were given back."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, bindparam, select

from lib.ledger.database import Database
from lib.ledger.record import EVENT
from lib.ledger.refund_rules import COMMITTED, NotRefundable
from lib.ledger.tables import Payment, Refund
from lib.money import Money

_MOST_LINES = 200
_WHERE = {"payment_accepted": "request", "payment_requested": "request", "payment_read": "payment"}
"""The kinds of facts that name a payment's items, the best first, and the part that does."""
# Put together once: to put a statement into words takes longer than to run it.
_TOLD = (
    select(EVENT.c.type, EVENT.c.body)
    .where(EVENT.c.payment_seq == bindparam("payment_seq"), EVENT.c.type.in_(_WHERE))
    .order_by(EVENT.c.seq)
    .limit(50)
)


@dataclass(frozen=True, slots=True)
class OrderLine:
    """One line: `quantity` pieces for `total`, of which `returned` are refunded or on their way. `number` counts from 0."""

    number: int
    name: str
    quantity: int
    total: Money
    returned: int = 0

    @property
    def left(self) -> int:
        """How many pieces can still be given back."""
        return max(0, self.quantity - self.returned)

    def price(self, pieces: int) -> Money:
        """What the next `pieces` to be given back cost.

        A total that the pieces do not divide evenly is shared out in whole minor units; all of them together always
        come to the total.
        """
        until = self.returned + pieces
        share = self.total.minor * until // self.quantity - self.total.minor * self.returned // self.quantity
        return Money(share, self.total.currency)


def order_lines(database: Database, payment: Payment, refunds: Iterable[Refund]) -> list[OrderLine]:
    """The payment's order lines, as far as we know them; none when nobody told us."""
    with database.read() as connection:
        return read_lines(connection, payment, refunds)


def read_lines(connection: Connection, payment: Payment, refunds: Iterable[Refund]) -> list[OrderLine]:
    """As `order_lines`, in the caller's transaction."""
    bodies = connection.execute(_TOLD, {"payment_seq": payment.seq}).all()
    by_kind = {row.type: row.body for row in bodies}
    items: list[Any] = []
    for kind, part in _WHERE.items():
        body = json.loads(by_kind.get(kind, "{}"))
        inner = body.get(part) if isinstance(body, dict) else None
        found = inner.get("items") if isinstance(inner, dict) else None
        if isinstance(found, list) and found:
            items = found
            break
    returned = pieces_returned(refunds)
    currency = payment.refundable.currency
    lines = (_line(number, item, currency, returned[number]) for number, item in enumerate(items[:_MOST_LINES]))
    return [line for line in lines if line]


def pieces_returned(refunds: Iterable[Refund]) -> Counter[int]:
    """Pieces that refunds took back or are about to, by the line's number."""
    counted: Counter[int] = Counter()
    for refund in refunds:
        if refund.status in COMMITTED:
            for line in lines_of(refund):
                counted[line["line"]] += line["quantity"]
    return counted


def lines_of(refund: Refund) -> list[dict[str, Any]]:
    """What a refund gives back: `{line, name, quantity, amount}` each; none when it was not asked for by line."""
    return list(json.loads(refund.lines)) if refund.lines else []


def cost(lines: Sequence[OrderLine], chosen: Mapping[int, int]) -> Money | None:
    """What the pieces chosen, `{number: pieces}`, come to; None when none are."""
    prices = [line.price(chosen[line.number]) for line in lines if chosen.get(line.number)]
    return Money(sum(price.minor for price in prices), prices[0].currency) if prices else None


def choose(lines: Sequence[OrderLine], chosen: Mapping[int, int]) -> list[dict[str, Any]]:
    """The pieces chosen, `{number: pieces}`, as they are recorded. Raises `NotRefundable` when they are not there."""
    by_number = {line.number: line for line in lines}
    found = []
    for number, pieces in sorted(chosen.items()):
        line = by_number.get(number)
        if line is None:
            raise NotRefundable("This payment has no such order line. Load the page again.")
        if not 0 < pieces <= line.left:
            raise NotRefundable(
                f"Of “{line.name}” {line.left} of {line.quantity} can still be given back, not {pieces}. Choose again."
            )
        found.append({"line": number, "name": line.name, "quantity": pieces, "amount": line.price(pieces).minor})
    return found


def _line(number: int, item: object, currency: str, returned: int) -> OrderLine | None:
    if not isinstance(item, dict):
        return None
    name, price = item.get("name"), _whole(item.get("unit_price"))
    quantity = _whole(item.get("quantity", 1)) or 1
    total = _whole(item.get("total_amount"))
    if total is None and price is not None:
        total = price * quantity
    if total is None:
        return None
    return OrderLine(
        number, str(name or item.get("reference") or "Item")[:120], quantity, Money(total, currency), returned
    )


def _whole(value: object) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 10**12 else None
