"""The servers that are measured, each in a process of its own on the servers' core."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.benchmarks import machine, stream
from tests.support.server import ROOT, Server, free_port

_PATIENCE = 60.0
_KEEPING_BYTECODE = {"PYTHONDONTWRITEBYTECODE": ""}
"""As Python does where nobody forbids it. Else each start would compile all that is ours, and nothing of others."""


@dataclass(frozen=True)
class Served:
    """A server that answers. `pid` is the process whose processor time counts as the server's."""

    port: int
    pid: int


@contextmanager
def uvicorn(app: str, folder: Path, database_url: str) -> Iterator[Served]:
    """An ASGI app under uvicorn with uvloop and httptools, as Streamlit's own server has them."""
    port = free_port()
    command = [sys.executable, "-m", "uvicorn", app, "--port", str(port), "--loop", "uvloop", "--http", "httptools"]
    settings = {"DATABASE_URL": database_url, "CHECKOUT_WEBHOOK_KEYS": stream.KEY, "CHECKOUT_BASE_URL": ""}
    with (folder / "server.log").open("wb") as log, machine.on_core(machine.SERVER):
        process = subprocess.Popen(
            [*command, "--no-access-log", "--log-level", "warning"],
            cwd=ROOT,
            env={**os.environ, **settings},
            stdout=log,
            stderr=log,
        )
    try:
        _wait_for(port, process, folder / "server.log")
        yield Served(port, process.pid)
    finally:
        process.terminate()
        try:
            process.wait(_PATIENCE)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


@contextmanager
def whole_app(folder: Path, database_url: str, *, all_of_it: bool = True) -> Iterator[Served]:
    """`streamlit run app.py`: screens, simulator, workers and receiver in one process.

    As soon as it takes connections, and so deliveries; with `all_of_it`, once the rest has started too.
    """
    settings = {"DATABASE_URL": database_url, "CHECKOUT_WEBHOOK_KEYS": stream.KEY, **_KEEPING_BYTECODE}
    server = Server(folder, settings)
    with machine.on_core(machine.SERVER):
        server.launch()
    try:
        _wait_for(server.port, server.process, folder / "server.log")
        if all_of_it:
            with server.client() as client:
                while client.get("/healthz").json()["workers"]["status"] == "starting":
                    time.sleep(0.05)
        yield Served(server.port, server.pid)
        server.stop()
    finally:
        server.kill()


@contextmanager
def streamlit(script: Path, folder: Path) -> Iterator[Served]:
    """Any Streamlit script, with this project's settings of Streamlit."""
    port = free_port()
    command = [sys.executable, "-m", "streamlit", "run", str(script), "--server.headless", "true"]
    log = folder / "streamlit.log"
    with log.open("wb") as said, machine.on_core(machine.SERVER):
        process = subprocess.Popen(
            [*command, "--server.port", str(port), "--server.fileWatcherType", "none"],
            cwd=ROOT,
            env={**os.environ, **_KEEPING_BYTECODE},
            stdout=said,
            stderr=said,
        )
    try:
        _wait_for(port, process, log)
        yield Served(port, process.pid)
    finally:
        process.kill()
        process.wait()


def _wait_for(port: int, process: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + _PATIENCE
    while time.monotonic() < deadline and process.poll() is None:
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
        except OSError:
            time.sleep(0.005)  # part of what is measured: a start
        else:
            return
    raise RuntimeError(f"The server did not come up:\n{log.read_text('utf-8', 'replace')[-4000:]}")
