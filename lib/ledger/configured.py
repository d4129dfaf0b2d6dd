"""The settings for those who may see them, and a note in the audit log when a start finds others than the last one."""

from __future__ import annotations

import msgspec
from sqlalchemy import Connection, select

from lib.disclosure import Shown, shown
from lib.ledger.audit import AUDIT, note, permit
from lib.ledger.database import Database
from lib.ledger.desk import Desk
from lib.operators import Operator
from lib.settings import Settings

ACTION = "settings.changed"
_AT_THE_START = Operator("Start of the server", frozenset())


def configured(desk: Desk, operator: Operator) -> list[Shown]:
    """Every setting with its value, secrets masked. Raises `NotAllowed`."""
    permit(desk.database, operator, "keys", "settings")
    return shown(desk.settings)


def note_changes(database: Database, settings: Settings) -> bool:
    """Note which settings differ from those last noted, secrets masked; whether any did. Raises `StoreUnavailable`."""
    now = {each.name: each.value for each in shown(settings) if each.value}
    with database.write() as connection:
        last = _last_noted(connection)
        changed = sorted(name for name in now.keys() | last.keys() if now.get(name) != last.get(name))
        if changed:
            before, after = ({name: which.get(name) for name in changed} for which in (last, now))
            note(connection, _AT_THE_START, ACTION, "settings", before if last else None, after)
    return bool(changed)


def _last_noted(connection: Connection) -> dict[str, str | None]:
    """The settings as all notes of their changes add up."""
    known: dict[str, str | None] = {}
    noted = select(AUDIT.c.after).where(AUDIT.c.action == ACTION).order_by(AUDIT.c.seq)
    for after in connection.execute(noted).scalars():
        known |= msgspec.json.decode(after, type=dict[str, str | None])
    return {name: value for name, value in known.items() if value is not None}
