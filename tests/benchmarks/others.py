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
from contextlib import ExitStack, contextmanager
from pathlib import Path

import httpx

from tests.benchmarks import machine, servers, store
from tests.benchmarks.screens import visitor
from tests.benchmarks.servers import Served
from tests.benchmarks.store import Store
from tests.benchmarks.table import Line, milliseconds
from tests.support.server import free_port

_TIMES = 30
_PATIENCE = 60.0
_PAGES = {
    "newest 25": ("", "_sort_desc=requested_at"),
    "one currency and status": ("currency=HKD&status=Captured", "currency=HKD&status=Captured&_sort_desc=requested_at"),
}

Show = Callable[[], int]
"""One showing of a page; the bytes that came."""


def lines(build: Callable[[int], Store], size: int) -> Iterator[Line]:
    """Whole page against whole page, in turns, so that what else the machine does meets both."""
    large = build(size)
    with ExitStack() as stack:
        folder = stack.enter_context(tempfile.TemporaryDirectory(dir=store.folder()))
        app = stack.enter_context(servers.whole_app(Path(folder), large.url))
        tab = stack.enter_context(visitor(app.port))
        command = shutil.which("datasette")
        datasette = stack.enter_context(_serving(command, large.file)) if command else None
        client = stack.enter_context(httpx.Client(trust_env=False, timeout=_PATIENCE))

        def ours(query: str) -> Show:
            return lambda: tab.open("payments", query)

        def theirs(served: Served, query: str) -> Show:
            address = f"http://127.0.0.1:{served.port}/{Path(large.file).stem}/payment?{query}&_size=25"
            return lambda: len(client.get(address).raise_for_status().content)

        for title, (query, their_query) in _PAGES.items():
            shown = [ours(query)]
            if datasette:
                shown.append(theirs(datasette, their_query))
            yield from _compared(title, large.payments, shown)
    if not command:
        yield Line("whole page", "Datasette", "not installed", remarks="pip install datasette==0.65.5")


def _compared(title: str, payments: int, shown: list[Show]) -> Iterator[Line]:
    sizes = [show() for show in shown]
    took: list[list[float]] = [[] for _ in shown]
    for _ in range(_TIMES):
        for show, times in zip(shown, took, strict=True):
            began = time.perf_counter()
            show()
            times.append(time.perf_counter() - began)
    middles = []
    for place, (name, how) in enumerate(
        (("ours", "from asking until its script has ended"), ("Datasette", "the table's page over HTTP"))[: len(shown)]
    ):
        times = sorted(took[place])
        middles.append(times[_TIMES // 2])
        yield Line(
            "whole page",
            f"{name}, {title}",
            milliseconds(middles[place]),
            f"{middles[place] / middles[0]:.2f} x ours",
            milliseconds(middles[place]),
            milliseconds(times[-1]),
            f"{how}, at {payments:,}; {sizes[place] // 1024:,} KiB; p99 is the longest of {_TIMES}",
        )


@contextmanager
def _serving(command: str, file: str) -> Iterator[Served]:
    port = free_port()
    with machine.on_core(machine.SERVER):
        process = subprocess.Popen(
            [command, "serve", file, "--port", str(port)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
    try:
        deadline = time.monotonic() + _PATIENCE
        while True:
            try:
                httpx.get(f"http://127.0.0.1:{port}/-/versions.json", trust_env=False)
                break
            except httpx.TransportError:
                if time.monotonic() > deadline or process.poll() is not None:
                    raise
                time.sleep(0.1)
        yield Served(port, process.pid)
    finally:
        process.terminate()
        process.wait()
