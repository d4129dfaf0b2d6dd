"""Who came and went: sign-ins, sign-outs, and people who were turned away, in the audit log."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import select

from lib.ledger.audit import AUDIT, note
from lib.ledger.database import Database
from lib.operators import Operator


def came(database: Database, operator: Operator, signed_in_at: datetime) -> None:
    """Note that somebody signed in; once, in however many tabs they are. Raises `StoreUnavailable`."""
    _once(database, operator, "sign_in.done", signed_in_at)


def turned_away(database: Database, name: str, address: str | None, signed_in_at: datetime) -> None:
    """Note that somebody signed in who has no role here; once a sign-in. Raises `StoreUnavailable`."""
    _once(database, Operator(name, frozenset(), "sign-in", address), "sign_in.turned_away", signed_in_at)


def went(database: Database, operator: Operator) -> None:
    """Note that somebody signed out. Raises `StoreUnavailable`."""
    with database.write() as connection:
        note(connection, operator, "sign_in.ended", operator.name)


def _once(database: Database, operator: Operator, action: str, moment: datetime) -> None:
    subject = f"{operator.name} {moment.isoformat()}"
    noted = select(AUDIT.c.seq).where(AUDIT.c.subject == subject[:255], AUDIT.c.action == action).limit(1)
    with database.read() as connection:
        if connection.execute(noted).first():
            return
    with database.write() as connection:
        note(connection, operator, action, subject)
