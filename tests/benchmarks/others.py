"""Our pages beside Datasette's on the same file: what a person waits for who looks at the newest payments, or filters them.

Datasette is not among the requirements, because it is needed for nothing else. Where it is not installed the section
says so; it may live in an environment of its own, if its command is found on PATH.
"""

from __future__ import annotations

import shutil
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx

from tests.benchmarks import machine, servers, store
from tests.benchmarks.screens import visitor
from tests.benchmarks.store import Store
from tests.benchmarks.table import Line, milliseconds
from tests.support.server import free_port

_TIMES = 20
_PATIENCE = 60.0
_PAGES = {
    "newest 25": ("", "_sort_desc=requested_at"),
    "one currency and status": ("currency=HKD&status=Captured", "currency=HKD&status=Captured&_sort_desc=requested_at"),
}


def lines(build: Callable[[int], Store], size: int) -> Iterator[Line]:
    """Whole page against whole page."""
    large = build(size)
    theirs = _datasette(large)
    with tempfile.TemporaryDirectory(dir=store.folder()) as name, servers.whole_app(Path(name), large.url) as served:
        for title, (ours, _) in _PAGES.items():
            took, bytes_sent = _ours(served.port, ours)
            waited = theirs.get(title)
            yield Line(
                "whole page",
                f"ours, {title}",
                milliseconds(_middle(took)),
                f"{waited / _middle(took):.1f} x as fast as Datasette" if waited else "",
                milliseconds(_middle(took)),
                milliseconds(max(took)),
                f"Payments at {size:,}, from asking until its script has ended; {bytes_sent // 1024:,} KiB; "
                f"p99 is the longest of {len(took)}",
            )
    for title, waited in theirs.items():
        yield Line(
            "whole page", f"Datasette, {title}", milliseconds(waited), remarks="the table's page over HTTP, 25 rows"
        )
    if not theirs:
        yield Line("whole page", "Datasette", "not installed", remarks="pip install datasette==0.65.5")


def _ours(port: int, query: str) -> tuple[list[float], int]:
    took = []
    with visitor(port) as tab:
        tab.open("payments", query)
        for _ in range(_TIMES):
            seconds, size = tab.open("payments", query)
            took.append(seconds)
    return took, size


def _datasette(large: Store) -> dict[str, float]:
    """Median seconds by page."""
    if not (command := shutil.which("datasette")):
        return {}
    found = {}
    with _serving(command, large.file) as url, httpx.Client(trust_env=False, timeout=_PATIENCE) as client:
        for title, (_, query) in _PAGES.items():
            took = []
            for _ in range(_TIMES):
                began = time.perf_counter()
                client.get(f"{url}/{Path(large.file).stem}/payment?{query}&_size=25").raise_for_status()
                took.append(time.perf_counter() - began)
            found[title] = _middle(took)
    return found


@contextmanager
def _serving(command: str, file: str) -> Iterator[str]:
    port = free_port()
    with machine.on_core(machine.SERVER):
        process = subprocess.Popen(
            [command, "serve", file, "--port", str(port)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
    url = f"http://127.0.0.1:{port}"
    try:
        deadline = time.monotonic() + _PATIENCE
        while True:
            try:
                httpx.get(f"{url}/-/versions.json", trust_env=False)
                break
            except httpx.TransportError:
                if time.monotonic() > deadline or process.poll() is not None:
                    raise
                time.sleep(0.1)
        yield url
    finally:
        process.terminate()
        process.wait()


def _middle(took: list[float]) -> float:
    return sorted(took)[len(took) // 2]
