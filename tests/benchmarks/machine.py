"""The machine: which core does what, and what a durable write costs here."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_PINS = hasattr(os, "sched_setaffinity") and (os.cpu_count() or 1) > 1
SERVER, LOAD = 0, 1


@contextmanager
def on_core(number: int) -> Iterator[None]:
    """Processes started in the block stay on this core; so does this one until the block ends."""
    if not _PINS:
        yield
        return
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {sorted(before)[number % len(before)]})
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


def described(folder: Path) -> str:
    """What a reader must know of the machine to compare figures."""
    pins = (
        "each server on one core and the load on another (for PostgreSQL, its own processes on the server's core)"
        if _PINS
        else "server and load not kept apart, since this system cannot pin processes to cores"
    )
    busy = f", load average {os.getloadavg()[0]:.1f} before we began" if hasattr(os, "getloadavg") else ""
    return (
        f"{os.cpu_count()} cores{busy}; {pins}; one durable 4 KiB write takes {_durable_write(folder) * 1000:.2f} ms."
    )


def cpu_seconds(pid: int) -> float:
    """Processor time this process has used so far, where the system tells."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return 0.0
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def resident_mib(pid: int) -> float:
    """Memory this process holds now, where the system tells."""
    try:
        pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    except OSError:
        return 0.0
    return pages * os.sysconf("SC_PAGE_SIZE") / 1024**2


def _durable_write(folder: Path, times: int = 50) -> float:
    file = folder / "durable-write"
    took = []
    with file.open("wb", buffering=0) as out:
        for _ in range(times):
            began = time.perf_counter()
            out.write(b"x" * 4096)
            os.fsync(out.fileno())
            took.append(time.perf_counter() - began)
    file.unlink()
    return sorted(took)[times // 2]
