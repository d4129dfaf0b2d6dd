"""What `python -m lib.ledger.rebuild --check` takes, in time and memory, on a small store and on the large one."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator

from tests.benchmarks.store import Store
from tests.benchmarks.table import Line
from tests.support.server import ROOT


def lines(build: Callable[[int], Store], size: int) -> Iterator[Line]:
    """The larger must not need more memory than the smaller by what it holds more."""
    first = 0.0
    for payments in (max(100, size // 100), size):
        checked = build(payments)
        seconds, megabytes, said, code = _check(checked.url)
        ratio = (
            f"{megabytes / first:.2f} x the memory for {payments // max(100, size // 100)} x the events"
            if first
            else ""
        )
        first = first or megabytes
        yield Line(
            "rebuild --check",
            f"{checked.events:,} events",
            f"{seconds:.1f} s, {megabytes:,.0f} MB at most",
            ratio,
            remarks=f"{said}; exit {code}; {checked.events / seconds:,.0f} events/s; built in {checked.seconds:.0f} s: {checked.file}",
        )


_MEASURED = """
import resource, subprocess, sys
code = subprocess.run(sys.argv[1:]).returncode
print(code, resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)
"""
# A small process in between, since a child's peak is never told as less than its parent's.


def _check(url: str) -> tuple[float, float, str, int]:
    began = time.perf_counter()
    done = subprocess.run(
        [sys.executable, "-c", _MEASURED, sys.executable, "-m", "lib.ledger.rebuild", "--check"],
        cwd=ROOT,
        env={**os.environ, "DATABASE_URL": url},
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    *said, measured = done.stdout.splitlines()
    code, peak = measured.split()
    return (
        time.perf_counter() - began,
        int(peak) / (1024**2 if sys.platform == "darwin" else 1024),
        " ".join(said),
        int(code),
    )
