"""What else a customer has paid: their other payments, and the chain of charges of a stored source."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import bindparam, func, or_, select

from lib.ledger.database import Database
from lib.ledger.record import PAYMENT
from lib.ledger.rows import as_rows
from lib.ledger.search import WORD, as_word
from lib.ledger.sums import Net
from lib.ledger.tables import Payment
from lib.money import Money

_SHOWN = [
    PAYMENT.c[name]
    for name in (
        *("id", "seq", "reference", "currency", "amount", "status", "captured", "refunded", "requested_at"),
        *("customer_id", "customer_email"),
    )
]
# Put together once, as each showing of a payment asks them.
_NOT_INDEXED_YET = (
    select(*_SHOWN)
    .where(
        PAYMENT.c.searched == 0,
        or_(PAYMENT.c.customer_id == bindparam("customer"), func.lower(PAYMENT.c.customer_email) == bindparam("email")),
    )
    .order_by(PAYMENT.c.seq.desc())
    .limit(bindparam("limit"))
)
_INDEXED = (
    select(*_SHOWN)
    .join(WORD, WORD.c.seq == PAYMENT.c.seq)
    .where(WORD.c.word == bindparam("word"))
    .order_by(WORD.c.seq.desc())
    .limit(bindparam("limit"))
)


@dataclass(frozen=True, slots=True)
class Others:
    """Other payments of the same customer: the newest, and how many there are, counted to a limit."""

    newest: list[Payment]
    count: int
    more: bool
    """Whether there are more than were counted."""


@dataclass(frozen=True, slots=True)
class Chain:
    """The payments of one stored source: the first, which the customer agreed to, the newest, how many, and their sums."""

    first: Payment
    newest: list[Payment]
    count: int
    totals: list[Net]


def others_of(database: Database, payment: Payment, *, limit: int = 5, most: int = 100) -> Others:
    """Payments with the same customer id, or the same e-mail address whatever its case; newest first, counted up to `most`."""
    customer, email = payment.customer_id, (payment.customer_email or "").lower()
    words = {as_word(each) for each in (customer, email) if each}
    if not words:
        return Others([], 0, False)
    found: dict[int, Payment] = {}
    with database.read() as connection:
        asked = {"customer": customer, "email": email, "limit": most + 2}
        for statement, more in ((_NOT_INDEXED_YET, {}), *((_INDEXED, {"word": word}) for word in words)):
            # Itself is among them, and one more tells whether the count goes on.
            rows = connection.execute(statement, asked | more).mappings().all()
            found |= {row.seq or 0: row for row in as_rows(Payment, rows)}
    theirs = [
        each
        for each in found.values()
        if each.id != payment.id
        and ((customer and each.customer_id == customer) or (email and (each.customer_email or "").lower() == email))
    ]
    theirs.sort(key=lambda each: (each.requested_at, each.seq or 0), reverse=True)
    return Others(theirs[:limit], min(len(theirs), most), len(theirs) > most)


def chain_of(database: Database, payment: Payment, *, limit: int = 10) -> Chain | None:
    """The chain that a payment belongs to; None for one without a stored source."""
    if not payment.source_id:
        return None
    of_source = PAYMENT.c.source_id == payment.source_id
    sums = select(PAYMENT.c.currency, func.count(), func.sum(PAYMENT.c.captured), func.sum(PAYMENT.c.refunded)).where(
        of_source
    )
    with database.read() as connection:
        totals = connection.execute(sums.group_by(PAYMENT.c.currency).order_by(PAYMENT.c.currency)).all()
        oldest = select(*_SHOWN).where(of_source).order_by(PAYMENT.c.requested_at, PAYMENT.c.seq).limit(1)
        newest = select(*_SHOWN).where(of_source).order_by(PAYMENT.c.requested_at.desc(), PAYMENT.c.seq.desc())
        first = as_rows(Payment, connection.execute(oldest).mappings().all())
        latest = as_rows(Payment, connection.execute(newest.limit(limit)).mappings().all())
    nets = [
        Net(Money(int(captured), currency or "???"), Money(int(refunded), currency or "???"))
        for currency, _, captured, refunded in totals
    ]
    return Chain(first[0], latest, sum(int(count) for _, count, _, _ in totals), nets) if first else None
