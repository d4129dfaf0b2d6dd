"""What the ledger's tables are made of: their base, times as they are stored, and indexes on some of the rows.

Times are aware and in UTC; SQLite keeps them as text of one width (`2026-10-14T06:02:11.123456Z`), so that they sort,
and so that anybody who opens the file can read them.
"""

from __future__ import annotations

from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

from sqlalchemy import BigInteger, DateTime, Dialect, Index, Integer, MetaData, String, TypeDecorator, text
from sqlalchemy.orm import registry
from sqlmodel import SQLModel


@lru_cache(maxsize=4096)  # one fact writes each of its times several times
def time_text(moment: datetime) -> str:
    """The one written form of a time in the database."""
    if moment.tzinfo is not UTC:
        moment = moment.astimezone(UTC)
    return f"{moment.isoformat(timespec='microseconds')[:26]}Z"


class UtcTime(TypeDecorator[datetime]):
    """An aware time: `timestamptz` on PostgreSQL, sortable text on SQLite."""

    impl = String(27)
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> Any:
        if dialect.name == "postgresql":
            return dialect.type_descriptor(DateTime(timezone=True))
        return dialect.type_descriptor(String(27))

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> Any:
        if value is None or dialect.name == "postgresql":
            return value
        return time_text(value)

    def process_result_value(self, value: Any, dialect: Dialect) -> datetime | None:  # noqa: ARG002 - SQLAlchemy's signature
        if value is None:
            return None
        moment = datetime.fromisoformat(value) if isinstance(value, str) else value
        return moment.astimezone(UTC)


SERIAL = BigInteger().with_variant(Integer, "sqlite")


def where(condition: str, name: str, *columns: str, unique: bool = False) -> Index:
    """An index on the rows that meet a condition.

    PostgreSQL's are the same: the migrations say it there, because to say it here is to load its dialect at every start.
    """
    return Index(name, *columns, unique=unique, sqlite_where=text(condition))


class Table(SQLModel, registry=registry(metadata=MetaData())):
    """Base of the ledger's tables, with metadata of its own: another store in the same process may use the same names."""

    # Rows are made without validation, so what would validate them is not built at every start.
    model_config = {"defer_build": True}
