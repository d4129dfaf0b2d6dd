"""What stands before everything else, and the receiver alone."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from lib.checkout.signature import sign
from lib.ledger import queries
from lib.ledger.database import Database
from tests.support.events import at, event

ROOT = Path(__file__).resolve().parent.parent


@pytest.fixture
def alone(tmp_path: Path) -> Iterator[tuple[str, Database]]:
    """The receiver alone, in a process of its own, started as the README says."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    url = f"sqlite:///{tmp_path / 'ledger.db'}"
    environment = os.environ | {"DATABASE_URL": url, "CHECKOUT_WEBHOOK_KEYS": "the-key"}
    command = [sys.executable, "-X", "importtime", "-m", "uvicorn", "lib.front:app", "--port", str(port)]
    with (tmp_path / "log").open("w") as log:
        server = subprocess.Popen(command, cwd=ROOT, env=environment, stderr=log, stdout=log)
    try:
        deadline = time.monotonic() + 30
        while time.monotonic() < deadline:
            try:
                httpx.get(f"http://127.0.0.1:{port}/healthz")
                break
            except httpx.TransportError:
                time.sleep(0.05)
        database = Database(url)
        yield f"http://127.0.0.1:{port}", database
        database.close()
    finally:
        server.terminate()
        server.wait(10)


def test_the_receiver_runs_alone_and_without_streamlit(alone: tuple[str, Database], tmp_path: Path) -> None:
    base, database = alone
    raw = event("payment_pending", 1, at(0), id="pay_1", amount=5, currency="HKD", reference="ORD-1")
    delivered = httpx.post(f"{base}/webhooks/checkout", content=raw, headers={"Cko-Signature": sign(raw, "the-key")})
    assert delivered.status_code == 200
    assert queries.find_payment(database, "pay_1") is not None
    health = httpx.get(f"{base}/healthz")
    assert (health.status_code, json.loads(health.text)["database"]) == (200, "ok")
    assert httpx.get(f"{base}/webhooks/checkout").status_code == 405
    assert httpx.get(f"{base}/").status_code == 404
    imported = (tmp_path / "log").read_text()
    assert "sqlalchemy" in imported
    assert "streamlit" not in imported


def test_wrong_settings_end_the_start_with_a_sentence() -> None:
    environment = os.environ | {"TIMEZONE": "Mars/Olympus"}
    command = [sys.executable, "-m", "uvicorn", "lib.front:app", "--port", "0"]
    ended = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=60, check=False)
    assert ended.returncode != 0
    assert "TIMEZONE: write an IANA time zone" in ended.stderr
    assert "Traceback" not in ended.stderr
