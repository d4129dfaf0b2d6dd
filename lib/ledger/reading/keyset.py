"""Pages by keyset: a page starts where the one before ended, however many rows lie ahead of it."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Any, Generic, TypeVar

from sqlalchemy import ColumnElement, Connection, RowMapping, Select, bindparam, tuple_

from lib.ledger.tables import Table, UtcTime

Row = TypeVar("Row", bound=Table)
_LARGEST = 2**63 - 1
"""The largest number that a database holds."""


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
    rows: list[RowMapping] = []
    for statement in statements:
        onward = statement
        if position:
            onward = statement.where(keys < position if direction == "older" else keys > position)
        ordered = _ordered(onward, tuple(by), direction)
        rows += connection.execute(ordered, {"most": limit + 1}).mappings().all()

    def place(row: RowMapping) -> tuple[Any, ...]:
        return tuple(row[str(column.key)] for column in by)

    rows.sort(key=place, reverse=direction == "older")
    more = len(rows) > limit
    rows = rows[:limit]
    if direction == "newer":
        rows.reverse()
    if not rows:
        return [], None, None
    newer = write_cursor("newer", place(rows[0])) if (more if direction == "newer" else position) else None
    older = write_cursor("older", place(rows[-1])) if (more if direction == "older" else position) else None
    return rows, newer, older


@lru_cache(maxsize=64)
def _ordered(statement: Select[Any], by: tuple[ColumnElement[Any], ...], direction: str) -> Select[Any]:
    """Kept for those who always ask with the same statement, which they mostly do: with the first page of all rows."""
    order = (column.asc() if direction == "newer" else column.desc() for column in by)
    return statement.order_by(*order).limit(bindparam("most"))


def write_cursor(direction: str, position: Iterable[Any]) -> str:
    """A cursor to the page on one side of a position."""
    plain = [value.isoformat() if isinstance(value, datetime) else value for value in position]
    return base64.urlsafe_b64encode(json.dumps([direction, *plain]).encode()).decode().rstrip("=")


def open_cursor(cursor: str | None) -> tuple[str, list[Any]]:
    """What `write_cursor` was given, times as text. Raises ValueError or TypeError for what it did not write."""
    direction, *plain = json.loads(base64.urlsafe_b64decode((cursor or "") + "=" * (-len(cursor or "") % 4)))
    if direction not in ("newer", "older"):
        raise ValueError("a cursor leads to what is newer or to what is older")
    if any(abs(value) > _LARGEST if isinstance(value, int) else "\0" in value for value in plain):
        raise ValueError("no row is there")
    return direction, plain


def read_cursor(cursor: str | None, by: Sequence[ColumnElement[Any]]) -> tuple[str, tuple[Any, ...] | None]:
    """Direction and position. Cursors come back through the address bar, so anything may be in them."""
    try:
        direction, plain = open_cursor(cursor)
        return direction, tuple(_value(value, column) for value, column in zip(plain, by, strict=True))
    except (ValueError, TypeError):
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
