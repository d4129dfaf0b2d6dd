"""The real server, `streamlit run app.py`, in a process of its own: started, stopped, killed and started again.

Every server has a folder: its databases, its home and its log are in there, and nothing else of it is anywhere.
"""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
from sqlalchemy import NullPool, create_engine, text

ROOT = Path(__file__).parents[2]
SECRET_KEY = "sk_sbox_" + "server".ljust(26, "a") + "="
CHANNEL = "pc_" + "server".ljust(26, "a")
START_SECONDS = 60.0
STOP_SECONDS = 20.0


class ServerFailed(AssertionError):
    """The server did not come up, or did not stop; the message ends with its log."""


@dataclass
class Server:
    """One server on a free port of this machine. `settings` go before the defaults below, as environment variables."""

    folder: Path
    settings: Mapping[str, str] = field(default_factory=dict)
    port: int = 0
    _process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        """Where it answers, without a slash at the end. The same after a restart, as links to it are kept."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def pid(self) -> int:
        return self.process.pid

    @property
    def process(self) -> subprocess.Popen[bytes]:
        assert self._process, "the server is not running"
        return self._process

    @property
    def log(self) -> str:
        """All it has printed since its first start."""
        return self._log_file.read_text("utf-8", "replace") if self._log_file.exists() else ""

    @property
    def _log_file(self) -> Path:
        return self.folder / "server.log"

    def start(self, *, healthy: bool = True) -> None:
        """Start, and wait until `/healthz` says that all is well, or with `healthy` false until it says anything."""
        assert self._process is None, "the server is running already"
        given = self.port
        for _ in range(3):
            self.port = given
            self.launch()
            if self._came_up(healthy=healthy):
                return
            problem = "did not come up" if self._process.poll() is None else "ended at its start"
            self.kill()
            if given or "not available" not in self.log:  # else somebody took the port between us and the server
                break
        raise ServerFailed(f"The server {problem}:\n{self.log[-4000:]}")

    def launch(self) -> None:
        """Start, and wait for nothing."""
        self.port = self.port or free_port()
        self._process = self._spawn()

    def stop(self) -> None:
        """Ask it to end, as Ctrl-C does, and wait until it has."""
        if self._process is None:
            return
        self._process.send_signal(signal.SIGINT)
        try:
            self._process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self.kill()
            raise ServerFailed(f"The server did not end when asked:\n{self.log[-4000:]}") from None
        self._process = None

    def kill(self) -> None:
        """End it in the middle of whatever it is doing, as a power cut would."""
        if self._process is None:
            return
        self._process.kill()
        self._process.wait()
        self._process = None

    def rows(self, query: str, **values: Any) -> list[tuple[Any, ...]]:
        """What a query of the ledger's public tables finds, asked beside the server."""
        engine = create_engine(self.environment()["DATABASE_URL"], poolclass=NullPool)
        with engine.connect() as connection:
            return [tuple(row) for row in connection.execute(text(query), values)]

    def client(self) -> httpx.Client:
        """Plain HTTP to the server; the caller closes it."""
        return httpx.Client(base_url=self.url, trust_env=False, timeout=10)

    def checkout(self) -> httpx.Client:
        """HTTP to the simulator inside, with its key, as another shop system of the same merchant would call it."""
        return httpx.Client(
            base_url=f"{self.url}/simulator",
            headers={"Authorization": f"Bearer {SECRET_KEY}"},
            trust_env=False,
            timeout=10,
        )

    def _spawn(self) -> subprocess.Popen[bytes]:
        self.folder.mkdir(parents=True, exist_ok=True)
        command = [sys.executable, "-m", "streamlit", "run", "app.py"]
        options = ["--server.headless", "true", "--server.port", str(self.port), "--server.fileWatcherType", "none"]
        with self._log_file.open("ab") as log:
            return subprocess.Popen(
                command + options, cwd=ROOT, env=self.environment(), stdin=subprocess.DEVNULL, stdout=log, stderr=log
            )

    def environment(self) -> dict[str, str]:
        """What a process must have in its environment to work on the same stores."""
        # Everything is named, because a developer's `.env` may say otherwise and only the environment goes before it.
        kept = {name: value for name, value in os.environ.items() if not name.startswith("STREAMLIT_")}
        return {
            **kept,
            "HOME": str(self.folder),
            "NO_PROXY": "*",
            "CHECKOUT_BASE_URL": "",
            "CHECKOUT_SECRET_KEY": SECRET_KEY,
            "CHECKOUT_PROCESSING_CHANNEL_ID": CHANNEL,
            "CHECKOUT_WEBHOOK_KEYS": "server-signature-key",
            "CHECKOUT_TIMEOUT_SECONDS": "10",
            "DATABASE_URL": f"sqlite:///{self.folder / 'ledger.db'}",
            "SIMULATOR_DATABASE_URL": f"sqlite:///{self.folder / 'simulator.db'}",
            "PUBLIC_URL": "",
            "TIMEZONE": "Asia/Hong_Kong",
            "KAKAOPAY_CURRENCIES": "default",
            "OPERATOR_NAME": "Ana",
            **self.settings,
        }

    def _came_up(self, *, healthy: bool) -> bool:
        assert self._process
        wanted = (200,) if healthy else (200, 503)
        deadline = time.monotonic() + START_SECONDS
        with self.client() as client:
            while time.monotonic() < deadline and self._process.poll() is None:
                try:
                    said = client.get("/healthz")
                except httpx.TransportError:
                    pass
                else:
                    if said.status_code in wanted and _speaks_json(said):
                        return True
                time.sleep(0.05)
        return False


@contextmanager
def serving(folder: Path, *, healthy: bool = True, **settings: str) -> Iterator[Server]:
    """A server that runs while the block does; the block may stop, kill and start it as it likes.

    What fails in the block says in the end what the server had printed.
    """
    server = Server(folder, settings)
    server.start(healthy=healthy)
    try:
        yield server
    except BaseException as problem:
        problem.add_note(f"The server's log ends:\n{server.log[-4000:]}")
        raise
    finally:
        server.kill()


def free_port() -> int:
    """A port that nobody on this machine listens on at this moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _speaks_json(said: httpx.Response) -> bool:
    return said.headers.get("content-type", "").startswith("application/json")


def payment_request(reference: str, amount: int = 1100, currency: str = "HKD", **more: Any) -> dict[str, Any]:
    """The body of a KakaoPay payment from somewhere other than the dashboard."""
    return {
        "amount": amount,
        "currency": currency,
        "capture": True,
        "reference": reference,
        "processing_channel_id": CHANNEL,
        "payment_type": "Regular",
        "customer": {"email": "minji.kim@example.com", "name": "Kim Minji"},
        "processing": {"terminal_type": "WEB"},
        "source": {"type": "kakaopay"},
        "success_url": "https://shop.example/paid",
        "failure_url": "https://shop.example/failed",
        **more,
    }
