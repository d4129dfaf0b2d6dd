"""A large store for the benchmarks: payments of 180 days with all that is known of them, kept between runs.

What is in the rows comes from the project's own facts, fold and projection; only the way into the file is a shorter
one, and `python -m lib.ledger.rebuild --check` on the result must find nothing that differs.
"""

from __future__ import annotations

import hashlib
import heapq
import multiprocessing
import sqlite3
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec

from lib.ledger.database import Database
from lib.ledger.facts import Fact
from lib.ledger.fold import fold
from lib.ledger.project import Bucket, Measures, project
from lib.ledger.record import MEASURES
from lib.ledger.search import FIELDS, WHOLE, words_of
from lib.ledger.state import encode
from lib.ledger.tables import time_text
from lib.ledger.volumes import adopt_zone
from lib.settings import Settings
from tests.benchmarks.lives import Life, known_facts, life

DAYS = 180
_CHUNK = 2000


class Store(msgspec.Struct, frozen=True):
    """A built store. `end` is when its last payment was asked for; `seconds` is how long building took."""

    file: str
    payments: int
    events: int
    end: datetime
    seconds: float

    @property
    def url(self) -> str:
        return f"sqlite:///{self.file}"

    def life(self, index: int) -> Life:
        """Payment number `index` of this store, 0 being the oldest."""
        return life(index, _asked_at(index, self.payments, self.end))


class _Known(msgspec.Struct, array_like=True, order=True):
    """One fact and its delivery, if it had one, as rows that lack only the fact's `seq`."""

    at: str
    id: str
    event: dict[str, Any]
    delivery: dict[str, Any] | None


class _Chunk(msgspec.Struct):
    """The rows of some payments."""

    payments: list[dict[str, Any]] = []
    searched: list[dict[str, Any]] = []
    refunds: list[dict[str, Any]] = []
    known: list[_Known] = []
    volumes: dict[Bucket, Measures] = {}


def folder() -> Path:
    """Where stores are kept between runs."""
    found = Path(tempfile.gettempdir()) / "merchant-desk-benchmarks"
    found.mkdir(exist_ok=True)
    return found


def build(payments: int, say: Callable[[str], None]) -> Store:
    """The store of this many payments: a kept one if what is stored still looks the same, else a new one."""
    file = folder() / f"ledger-{payments}-{_form()}.db"
    about = file.with_suffix(".json")
    if not about.exists():
        say(f"Building {file} with {payments:,} payments; it is kept for the next run.")
        _build(file, payments, about, say)
    built = msgspec.json.decode(about.read_bytes(), type=Store)
    database = Database(built.url)
    database.prepare()
    adopt_zone(database, Settings().zone)
    database.close()
    return built


def _build(file: Path, payments: int, about: Path, say: Callable[[str], None]) -> None:
    began = time.perf_counter()
    end = datetime.now(UTC).replace(minute=0, second=0, microsecond=0)
    for left in file.parent.glob(f"{file.name}*"):
        left.unlink()
    database = Database(f"sqlite:///{file}")
    database.prepare()
    database.close()
    events = _fill(file, payments, end, say)
    about.write_bytes(msgspec.json.encode(Store(str(file), payments, events, end, time.perf_counter() - began)))


def _form() -> str:
    """Another text whenever what a payment's facts come to does. A mere change of schema is a matter of migration."""
    said = []
    for index in range(100):
        facts = list(known_facts(life(index, datetime(2026, 1, 1, tzinfo=UTC))))
        state = fold(facts)
        said += [repr(project("pay_1", state, encode(state))), *(fact.text for fact in facts)]
    return hashlib.sha256("".join(said).encode()).hexdigest()[:10]


def _asked_at(index: int, payments: int, end: datetime) -> datetime:
    return end - timedelta(days=DAYS) * (payments - 1 - index) / payments


def _fill(file: Path, payments: int, end: datetime, say: Callable[[str], None]) -> int:
    connection = sqlite3.connect(file, isolation_level=None)
    for pragma in ("synchronous=OFF", "journal_mode=OFF", "locking_mode=EXCLUSIVE", "cache_size=-1500000"):
        connection.execute(f"PRAGMA {pragma}").close()
    # An index over rows that are there already is sorted once, instead of being searched for each of them.
    wanted = "SELECT name, sql FROM sqlite_master WHERE type = 'index' AND sql IS NOT NULL"
    indexes = connection.execute(wanted).fetchall()
    for name, _ in indexes:
        connection.execute(f'DROP INDEX "{name}"')
    connection.execute("BEGIN")
    events = done = 0
    volumes: dict[Bucket, Measures] = defaultdict(lambda: dict.fromkeys(MEASURES, 0))
    spans = [(first, min(first + _CHUNK, payments), payments, end) for first in range(0, payments, _CHUNK)]
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        for chunk in _in_order_of_arrival(pool.imap(_chunk, spans)):
            for seq, known in enumerate(chunk.known, events + 1):
                known.event["seq"] = seq
                if known.delivery:
                    known.delivery["event_seq"] = seq
            events += len(chunk.known)
            _insert(connection, "payment", chunk.payments)
            _insert(connection, "search", chunk.searched)
            _insert(connection, "refund", chunk.refunds)
            _insert(connection, "event", [known.event for known in chunk.known])
            _insert(connection, "delivery", [known.delivery for known in chunk.known if known.delivery])
            _add(volumes, chunk.volumes)
            done += len(chunk.payments)
            if chunk.payments and done % (25 * _CHUNK) == 0:
                say(f"{done:,} of {payments:,} payments")
    rows = [{"bucket": bucket, "currency": currency} | said for (bucket, currency), said in sorted(volumes.items())]
    _insert(connection, "volume", rows)
    words = (f"SELECT lower({name}), seq FROM payment WHERE {name} <> ''" for name in (*FIELDS, *WHOLE))
    connection.execute(f"INSERT INTO search_word (word, seq) {' UNION '.join(words)}")
    for _, statement in indexes:
        connection.execute(statement)
    connection.execute("COMMIT")
    connection.execute("PRAGMA journal_mode=WAL")
    connection.close()
    return events


def _in_order_of_arrival(chunks: Iterable[_Chunk]) -> Iterator[_Chunk]:
    """The same rows, each fact when it came: a refund stands among the payments of its own day, not beside its sale."""
    waiting: list[_Known] = []
    for chunk in chunks:
        newest = chunk.payments[-1]["requested_at"]
        for known in chunk.known:
            heapq.heappush(waiting, known)
        chunk.known = []
        while waiting and waiting[0].at < newest:
            chunk.known.append(heapq.heappop(waiting))
        yield chunk
    yield _Chunk(known=sorted(waiting))


def _chunk(span: tuple[int, int, int, datetime]) -> _Chunk:
    first, until, payments, end = span
    chunk = _Chunk()
    for index in range(first, until):
        born = life(index, _asked_at(index, payments, end))
        # What lies after the end of the store has not happened yet.
        facts = [fact for fact in known_facts(born) if fact.recorded_at <= end + timedelta(hours=1)]
        state = fold(facts)
        rows = project(born.payment_id, state, encode(state))
        chunk.payments.append({"seq": index + 1, "searched": 1} | rows.payment)
        chunk.searched.append({"rowid": index + 1, "words": words_of(rows.payment)})
        chunk.refunds += rows.refunds
        chunk.known += [_known(fact, index + 1) for fact in facts]
        _add(chunk.volumes, rows.volumes)
    return chunk


def _known(fact: Fact, payment_seq: int) -> _Known:
    at = time_text(fact.recorded_at)
    event = {
        "seq": None,
        "id": fact.id,
        "type": fact.type,
        "source": fact.source,
        "payment_id": fact.payment_id,
        "payment_seq": payment_seq,
        "action_id": fact.action_id,
        "occurred_at": time_text(fact.occurred_at),
        "recorded_at": at,
        "body": fact.text,
    }
    if fact.source != "webhook":
        return _Known(at, fact.id, event, None)
    delivery = {
        "received_at": at,
        "verdict": "accepted",
        "reason": "Stored",
        "event_id": fact.id,
        "event_seq": None,
        "key_index": 0,
        "event_type": fact.type,
        "payment_id": fact.payment_id,
        "signature": hashlib.sha256(fact.text.encode()).hexdigest(),
        "sender": "127.0.0.1",
        "size": len(fact.text),
    }
    return _Known(at, fact.id, event, delivery)


def _add(into: dict[Bucket, Measures], volumes: Mapping[Bucket, Measures]) -> None:
    for bucket, measures in volumes.items():
        held = into.setdefault(bucket, dict.fromkeys(MEASURES, 0))
        for name, value in measures.items():
            held[name] += value


def _insert(connection: sqlite3.Connection, table: str, rows: list[dict[str, Any]]) -> None:
    if rows:
        names = list(rows[0])
        statement = f"INSERT INTO {table} ({', '.join(names)}) VALUES ({', '.join('?' * len(names))})"
        connection.executemany(statement, [tuple(row.values()) for row in rows])
