"""Many rows in one statement, in the words that SQLite and PostgreSQL share.

This is the way of the facts, thousands a second, and of sums that many screens read, so the statements are written
out and times are bound as the text that both databases read (`time_text`).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from hashlib import blake2b
from typing import Any

import msgspec
from sqlalchemy import Connection, Table
from sqlalchemy.exc import DBAPIError

ZONE_LOCK = 7254003
"""PostgreSQL's advisory lock on which zone days are cut in."""


class Batch:
    """Statements on one connection, inside its transaction. Raises SQLAlchemy's `DBAPIError`s, as the connection would."""

    def __init__(self, connection: Connection) -> None:
        self._postgresql = connection.dialect.name == "postgresql"
        # The driver itself: a dozen statements a batch, and what SQLAlchemy does around each costs more than most do.
        self._driver: Any = connection.connection.driver_connection
        self._errors = connection.dialect.loaded_dbapi.Error

    def rows_of(self, table: Table, columns: Sequence[str], key: str, values: Iterable[str]) -> list[Any]:
        """Rows whose `key` is among `values`: tuples of `columns`."""
        among, wanted = (
            ("= ANY(%s)", list(values))
            if self._postgresql
            else ("IN (SELECT value FROM json_each(?))", msgspec.json.encode(list(values)).decode())
        )
        statement = f"SELECT {', '.join(columns)} FROM {table.name} WHERE {key} {among}"  # noqa: S608 - our own names
        return self._rows(statement, (wanted,))

    def span(
        self, table: Table, columns: Sequence[str], slot: str, ends: tuple[str, str], rest: str, currency: str = ""
    ) -> list[tuple[Any, ...]]:
        """Rows whose time or day `slot` is between `ends`, the latter excluded, of one currency or, for "", of all.

        `rest` orders or groups them.
        """
        given = (*ends, currency) if currency else ends
        of = f" AND currency = {self._mark}" if currency else ""
        within = f"{slot} >= {self._mark} AND {slot} < {self._mark}{of}"
        named = [f"{column} AS c{number}" for number, column in enumerate(columns)]
        statement = f"SELECT {', '.join(named)} FROM {table.name} WHERE {within} {rest}"  # noqa: S608 - our own names
        if self._postgresql:
            return self._rows(statement, given)
        # SQLite's driver fetches thousands of values one by one; as one text they come in half the time.
        values = ", ".join(f"c{number}" for number in range(len(columns)))
        whole = f"SELECT json_group_array(json_array({values})) FROM ({statement})"  # noqa: S608
        return msgspec.json.decode(self._rows(whole, given)[0][0], type=list[tuple[Any, ...]])

    def next_numbers(self, table: Table, count: int, column: str = "seq") -> Iterable[int]:
        """`count` unused values of the table's `column`, above zero: below it sample data lies.

        On SQLite the writer lock keeps them ours until the commit.
        """
        if self._postgresql:
            wanted = "SELECT nextval(%s) FROM generate_series(1, %s)"
            return [row[0] for row in self._rows(wanted, (f"{table.name}_{column}_seq", count))]
        last = self._rows(f"SELECT max({column}) FROM {table.name}")[0][0] or 0  # noqa: S608 - our own names
        return range(max(0, last) + 1, max(0, last) + 1 + count)

    def insert(self, table: Table, rows: Sequence[Mapping[str, Any]]) -> None:
        """Insert rows that all have the same columns."""
        if rows:
            self._many(self._insertion(table, list(rows[0])), [tuple(row.values()) for row in rows])

    def insert_tuples(self, table: Table, columns: Sequence[str], rows: Sequence[tuple[Any, ...]]) -> None:
        """The same for rows that are tuples of `columns`."""
        if rows:
            self._many(self._insertion(table, columns), rows)

    def update(self, table: Table, columns: Sequence[str], rows: Sequence[Sequence[Any]], key: str = "seq") -> None:
        """Set `columns` of the rows whose `key` comes last in each of `rows`.

        Only what changed should be named: SQLite rewrites the entry in every index that a named column is part of.
        """
        sets = ", ".join(f"{column} = {self._mark}" for column in columns)
        self._many(f"UPDATE {table.name} SET {sets} WHERE {key} = {self._mark}", rows)  # noqa: S608 - our own names

    def upsert(
        self,
        table: Table,
        key: Sequence[str],
        rows: Sequence[Mapping[str, Any]],
        combine: Mapping[str, str] | None = None,
    ) -> None:
        """Insert rows, or overwrite those with the same key.

        `combine` names the operator by which a column's new value meets its old one, where it does not replace it.
        """
        if not rows:
            return
        columns = list(rows[0])
        met = {column: f"{table.name}.{column} {operator} " for column, operator in (combine or {}).items()}
        sets = [f"{c} = {met.get(c, '')}excluded.{c}" for c in columns if c not in key and c != "seq"]
        insertion = self._insertion(table, columns)
        overwrite = f"{insertion} ON CONFLICT ({', '.join(key)}) DO UPDATE SET {', '.join(sets)}"
        self._many(overwrite, [tuple(row.values()) for row in rows])

    def delete(self, table: Table, key: str, values: Sequence[str]) -> None:
        """Delete the rows with these keys."""
        if values:
            statement = f"DELETE FROM {table.name} WHERE {key} = {self._mark}"  # noqa: S608 - our own names
            self._many(statement, [(value,) for value in values])

    def lock(self, names: Iterable[str]) -> None:
        """Wait for, and keep until the transaction ends, the right to change what goes by these names.

        It need not exist yet. Taken in one order by everybody, so that nobody waits in a circle. SQLite needs
        nothing: its one writer lock is held already.
        """
        if self._postgresql:
            numbers = sorted({_number(name) for name in names})
            ordered = "SELECT pg_advisory_xact_lock(n) FROM unnest(%s::bigint[]) WITH ORDINALITY AS t(n, i) ORDER BY i"
            self._rows(ordered, (numbers,))

    def hold_still(self, *tables: Table) -> None:
        """Keep everybody else from writing to these tables until the transaction ends; name them in the order of writing."""
        if self._postgresql:
            names = ", ".join(table.name for table in tables)
            self._many(f"LOCK TABLE {names} IN SHARE ROW EXCLUSIVE MODE", [()])

    def zone(self) -> str | None:
        """The zone in which the ledger cuts its days; it stays so until the transaction ends."""
        if self._postgresql:
            self._rows("SELECT pg_advisory_xact_lock_shared(%s)", (ZONE_LOCK,))
        return next((row[0] for row in self._rows("SELECT zone FROM ledger_zone")), None)

    def adopt_zone(self, zone: str) -> None:
        """Cut days in `zone` from now on, once nobody else is adding to them."""
        if self._postgresql:
            self._rows("SELECT pg_advisory_xact_lock(%s)", (ZONE_LOCK,))
        self._many("DELETE FROM ledger_zone", [()])
        self._many(f"INSERT INTO ledger_zone (id, zone) VALUES (1, {self._mark})", [(zone,)])  # noqa: S608

    @property
    def _mark(self) -> str:
        return "%s" if self._postgresql else "?"

    def _insertion(self, table: Table, columns: Sequence[str]) -> str:
        marks = ", ".join([self._mark] * len(columns))
        return f"INSERT INTO {table.name} ({', '.join(columns)}) VALUES ({marks})"  # noqa: S608 - our own names

    def _rows(self, statement: str, parameters: Sequence[Any] = ()) -> list[Any]:
        try:
            return list(self._driver.execute(statement, parameters).fetchall())
        except self._errors as error:
            raise DBAPIError.instance(statement, None, error, self._errors) from error

    def _many(self, statement: str, rows: Sequence[Sequence[Any]]) -> None:
        try:
            self._driver.cursor().executemany(statement, rows)
        except self._errors as error:
            raise DBAPIError.instance(statement, None, error, self._errors) from error


def _number(name: str) -> int:
    return int.from_bytes(blake2b(name.encode(), digest_size=8).digest(), signed=True)
