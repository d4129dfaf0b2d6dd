"""Pages by keyset: a page starts where the one before ended, however many rows lie ahead of it."""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Generic, TypeVar

from sqlalchemy import ColumnElement, Connection, RowMapping, Select, tuple_

from lib.ledger.tables import Table, UtcTime

Row = TypeVar("Row", bound=Table)


@dataclass(frozen=True)
class Page(Generic[Row]):
    """A stretch of a list, newest first. `newer` and `older` are cursors to its neighbours, None at an end."""

    rows: list[Row]
    newer: str | None
    older: str | None


def page_of(
    connection: Connection,
    statements: Sequence[Select[Any]],
    by: Sequence[ColumnElement[Any]],
    cursor: str | None,
    limit: int,
) -> tuple[list[RowMapping], str | None, str | None]:
    """Rows newest first from the cursor on, and the cursors to the pages beside them. `by` must be unique taken together."""
    direction, position = read_cursor(cursor, by)
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


def read_cursor(cursor: str | None, by: Sequence[ColumnElement[Any]]) -> tuple[str, tuple[Any, ...] | None]:
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
