"""Deliveries a second: ours beside a receiver that does nothing and the one most people would write."""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import msgspec
from sqlalchemy import create_engine, text

from lib.ledger.database import Database
from lib.ledger.rebuild import compare
from tests.benchmarks import machine, postgres, servers, store, stream
from tests.benchmarks.load import Load
from tests.benchmarks.servers import Served
from tests.benchmarks.table import Line, milliseconds
from tests.support.server import ROOT

CONNECTIONS = 64
_NOOP_SECONDS = 3.0
_WARMUP = 2.0
_FASTEST = 16_000
"""More events a second than any receiver that stores them will take here; so many requests are prepared."""

Serve = Callable[[Path, str], AbstractContextManager[Served]]


@dataclass(frozen=True)
class Contender:
    """One way to receive. `ours` says whether the store is a ledger, whose state can be checked against its facts."""

    name: str
    serve: Serve
    ours: bool = True


NAIVE = Contender(
    "FastAPI, a SQLModel session a request",
    lambda f, url: servers.uvicorn("tests.benchmarks.naive:app", f, url),
    ours=False,
)
ALONE = Contender("ours alone", lambda f, url: servers.uvicorn("lib.front:app", f, url))
WHOLE = Contender("ours in the whole app", servers.whole_app)


class Course:
    """One run after another on one machine. Before each and after the last, what a receiver that does nothing reaches."""

    def __init__(self, section: str, folder: Path, seconds: float) -> None:
        self._section = section
        self._folder = folder
        self._seconds = seconds
        self._next_life = 10_000_000
        self._naive = 0.0
        self._noop, self._noop_cost = self._run_noop()

    def noop(self) -> Line:
        """The yardstick itself."""
        said = self._noop
        return Line(
            self._section,
            "no-op: reads the body, stores nothing",
            f"{said.rate:,.0f}/s",
            "1.00 of no-op",
            milliseconds(said.p50),
            milliseconds(said.p99),
            f"{self._noop_cost:,.0f} µs of processor an event; load busy {said.busy:.2f}{_errors(said)}",
        )

    def run(self, contender: Contender, url: str, old: store.Store | None = None) -> Line:
        """Measure one contender on the store at `url`, empty unless `old` says what is in it already."""
        where = f"{old.payments:,} payments, {old.events:,} events" if old else "empty store"
        requests = self._folder / "requests"
        captured = (
            [born for born in map(old.life, range(0, old.payments, 37)) if born.fate == "captured"] if old else []
        )
        self._next_life = stream.write(
            requests,
            first=self._next_life,
            events=int((self._seconds + _WARMUP) * _FASTEST),
            at=datetime.now(UTC),
            captured_before=captured,
        )
        before = _events(url)
        folder = Path(tempfile.mkdtemp(dir=self._folder))
        with contender.serve(folder, url) as served:
            said, cost = _measured(served, requests, self._seconds, warmup=_WARMUP)
        after, self._noop_cost = self._run_noop()
        yardstick = (self._noop.rate + after.rate) / 2
        self._noop = after
        if not contender.ours:
            self._naive = said.rate
        ratio = f"{said.rate / yardstick:.3f} of no-op"
        if url.startswith("sqlite"):  # else most of the work is another process's
            ratio += f" ({self._noop_cost / max(cost, 1e-9):.3f} by processor)"
        if contender.ours and self._naive:
            ratio += f", {said.rate / self._naive:.1f} x naive"
        stored = _events(url) - before
        agrees = "=" if stored == said.acknowledged else "BUT NOT"
        checked = f"; {_differing(url)} rows differ" if contender.ours and old is None else ""
        return Line(
            self._section,
            f"{contender.name}, {where}",
            f"{said.rate:,.0f}/s",
            ratio,
            milliseconds(said.p50),
            milliseconds(said.p99),
            f"{stored:,} stored {agrees} {said.acknowledged:,} acknowledged{checked}; "
            f"{cost:,.0f} µs of processor an event; load busy {said.busy:.2f}{_errors(said)}",
        )

    def _run_noop(self) -> tuple[Load, float]:
        requests = self._folder / "noop-requests"
        if not requests.exists():
            stream.write(requests, first=9_000_000, events=20_000, at=datetime.now(UTC))
        with servers.uvicorn("tests.benchmarks.noop:app", self._folder, "sqlite://") as served:
            return _measured(served, requests, _NOOP_SECONDS, warmup=0.5, again=True)


def on_sqlite(seconds: float, large: Callable[[], store.Store]) -> Iterator[Line]:
    """Empty files, then a copy of the large one."""
    with tempfile.TemporaryDirectory(dir=store.folder()) as name:
        folder = Path(name)
        course = Course("ingest, SQLite", folder, seconds)
        yield course.noop()
        for number, contender in enumerate((NAIVE, ALONE, WHOLE)):
            yield course.run(contender, f"sqlite:///{folder / f'{number}.db'}")
        copy = folder / "large.db"
        old = large()
        shutil.copyfile(old.file, copy)
        for contender in (ALONE, WHOLE):
            yield course.run(contender, f"sqlite:///{copy}", old)


def on_postgresql(seconds: float, large: Callable[[], store.Store], say: Callable[[str], None]) -> Iterator[Line]:
    """Empty databases, then a copy of the large one."""
    with tempfile.TemporaryDirectory(dir=store.folder()) as name, postgres.running() as server:
        course = Course("ingest, PostgreSQL", Path(name), seconds)
        yield course.noop()
        for contender in (NAIVE, ALONE, WHOLE):
            with server.database("run") as url:
                yield course.run(contender, url)
        old = large()
        with server.database("run", like=server.large(old, say)) as url:
            for contender in (ALONE, WHOLE):
                yield course.run(contender, url, old)


def _measured(
    served: Served, requests: Path, seconds: float, *, warmup: float, again: bool = False
) -> tuple[Load, float]:
    """What the load saw, and the server's processor time in microseconds an event."""
    before = machine.cpu_seconds(served.pid)
    said = _load(served.port, requests, seconds, warmup=warmup, again=again)
    return said, (machine.cpu_seconds(served.pid) - before) / max(1, said.acknowledged) * 1e6


def _load(port: int, requests: Path, seconds: float, *, warmup: float, again: bool = False) -> Load:
    command = [sys.executable, "-m", "tests.benchmarks.load", str(port), str(requests)]
    options = ["--seconds", str(seconds), "--warmup", str(warmup), "--connections", str(CONNECTIONS)]
    with machine.on_core(machine.LOAD):
        done = subprocess.run(
            [*command, *options, *(["--again"] if again else [])], cwd=ROOT, stdout=subprocess.PIPE, check=True
        )
    return msgspec.json.decode(done.stdout, type=Load)


def _events(url: str) -> int:
    """How many events are stored; 0 where there is no such table yet."""
    if url.startswith("sqlite:///") and not Path(url.removeprefix("sqlite:///")).exists():
        return 0
    engine = create_engine(url)
    try:
        with engine.connect() as connection:
            if not engine.dialect.has_table(connection, "event"):
                return 0
            return int(connection.execute(text("SELECT count(*) FROM event")).scalar_one())
    finally:
        engine.dispose()


def _differing(url: str) -> int:
    """How many rows of a small store are not what its facts say."""
    database = Database(url)
    try:
        return compare(database).differing
    finally:
        database.close()


def _errors(said: Load) -> str:
    listed = ", ".join(f"{number:,} x {status}" for status, number in said.errors.items())
    return (f"; ERRORS {listed}" if listed else "; no errors") + ("; ran out of requests" if said.ran_out else "")
