"""Taking sample data out of the ledger again, with all that follows from it, and nothing else."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Connection, and_, delete, func, select, text, update

from lib.demo.filling import Progress, SampleProblem
from lib.ledger import audit
from lib.ledger.batch import Batch
from lib.ledger.calendar import SettlementDays
from lib.ledger.closed.tables import PERIOD
from lib.ledger.deliveries import DELIVERY
from lib.ledger.desk import Desk
from lib.ledger.project import project
from lib.ledger.record import BREAKDOWN, EVENT, MEASURES, PAYMENT, REFUND, VOLUME, VOLUME_DAY, lock_payments, subtract
from lib.ledger.samples import SAMPLE, is_sample
from lib.ledger.search import WORD
from lib.ledger.state import decode
from lib.ledger.statements.standing import BY_ITSELF, Books
from lib.ledger.statements.tables import COMPARED
from lib.ledger.tables import Table
from lib.ledger.watches import BACKFILL, WATCH
from lib.operators import Operator

_CREATION = Table.metadata.tables["creation"]
_AT_ONCE = 250


def begin_removal(desk: Desk, operator: Operator) -> None:
    """Decide that the sample data goes; `remove` takes it out. Raises `NotAllowed`, `SampleProblem` and `StoreUnavailable`."""
    audit.permit(desk.database, operator, "simulate", "sample data")
    with desk.database.write() as connection:
        sample = connection.execute(select(SAMPLE)).mappings().first()
        if sample is None or sample["state"] == "removed":
            raise SampleProblem("There is no sample data.")
        closed = select(PERIOD.c.currency, PERIOD.c.month).where(
            PERIOD.c.reopened_at.is_(None), PERIOD.c.event_seq > sample["after_event"]
        )
        found = connection.execute(closed.order_by(PERIOD.c.month.desc()).limit(1)).first()
        if found:
            raise SampleProblem(
                f"{found.currency} {found.month} was closed with sample data in the ledger, and what is closed does not "
                "change. Have the month reopened under Month close, which takes two people, then remove the sample data."
            )
        going = {"state": "removing", "holder": None, "beat_at": datetime.now(UTC)}
        connection.execute(update(SAMPLE).values(**going))
        audit.note(connection, operator, "sample.removed", "sample data", {"payments": sample["filled"]})


def remove(desk: Desk, progress: Callable[[Progress], None] = lambda _progress: None) -> bool:
    """Take out what is to go, some payments at a time. False when another process took over. Raises `StoreUnavailable`."""
    database, days = desk.database, desk.settlement_days
    me = secrets.token_hex(8)
    with database.write() as connection:
        mine = update(SAMPLE).where(SAMPLE.c.state == "removing").values(holder=me, beat_at=datetime.now(UTC))
        if not connection.execute(mine).rowcount:
            return False
        sample = connection.execute(select(SAMPLE)).mappings().one()
    gone, reached = 0, sample["after_payment"]
    held = update(SAMPLE).where(SAMPLE.c.holder == me)
    while True:
        with database.write() as connection:
            if not connection.execute(held.values(beat_at=datetime.now(UTC))).rowcount:
                return False
            wanted = select(PAYMENT.c.id, PAYMENT.c.seq, PAYMENT.c.folded).where(PAYMENT.c.seq > reached)
            rows = connection.execute(
                wanted.where(is_sample(PAYMENT.c.id)).order_by(PAYMENT.c.seq).limit(_AT_ONCE)
            ).all()
            if not rows:
                _leave_no_trace(connection)
                connection.execute(held.values(state="removed", filled=0))
                return True
            lock_payments(connection, [row.id for row in rows])
            _take_out(connection, days, rows)
            left = max(sample["filled"] - gone - len(rows), 0)
            connection.execute(held.values(filled=left))
        gone, reached = gone + len(rows), rows[-1].seq
        progress(Progress(gone, sample["filled"]))


def _take_out(connection: Connection, days: SettlementDays, rows: Sequence[Any]) -> None:
    ids, seqs = [row.id for row in rows], [row.seq for row in rows]
    # Read again, now that nobody else can change them.
    folded = select(PAYMENT.c.id, PAYMENT.c.folded).where(PAYMENT.c.seq.in_(seqs))
    held = [project(row.id, decode(row.folded), row.folded) for row in connection.execute(folded)]
    told = select(EVENT.c.seq).where(EVENT.c.payment_seq.in_(seqs))
    connection.execute(delete(DELIVERY).where(DELIVERY.c.event_seq.in_(told)))
    connection.execute(delete(EVENT).where(EVENT.c.payment_seq.in_(seqs)))
    connection.execute(delete(REFUND).where(REFUND.c.payment_id.in_(ids)))
    connection.execute(delete(WATCH).where(WATCH.c.payment_id.in_(ids)))
    connection.execute(delete(_CREATION).where(_CREATION.c.payment_id.in_(ids)))
    connection.execute(delete(WORD).where(WORD.c.seq.in_(seqs)))
    place = "seq" if connection.dialect.name == "postgresql" else "rowid"
    connection.execute(text(f"DELETE FROM search WHERE {place} = :seq"), [{"seq": seq} for seq in seqs])  # noqa: S608
    connection.execute(delete(PAYMENT).where(PAYMENT.c.seq.in_(seqs)))
    subtract(Batch(connection), held)
    if connection.execute(select(COMPARED.c.event_seq)).first():
        books = Books(connection, days, BY_ITSELF)
        books.judge(payment_ids=ids)  # what stood alone in a report's days is a row no more
        books.save()


def _leave_no_trace(connection: Connection) -> None:
    """What is left once the payments are gone. Numbers that point past the end go back to it: they are given out again."""
    for table, measures in ((VOLUME, MEASURES), (VOLUME_DAY, MEASURES), (BREAKDOWN, ("count", "amount"))):
        connection.execute(delete(table).where(and_(*(table.c[name] == 0 for name in measures))))
    newest_event = connection.execute(select(func.max(EVENT.c.seq))).scalar() or 0
    newest_payment = connection.execute(select(func.max(PAYMENT.c.seq))).scalar() or 0
    passed = BACKFILL.c.introduced_seq > newest_payment
    connection.execute(update(BACKFILL).where(passed).values(introduced_seq=newest_payment or None))
    connection.execute(update(COMPARED).where(COMPARED.c.event_seq > newest_event).values(event_seq=newest_event))
