"""The app as a person meets it: how long it takes to start, how long a page takes to run again, and whether it grows."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack
from functools import partial
from pathlib import Path
from statistics import median

from tests.benchmarks import machine, servers, store
from tests.benchmarks.screens import Visitor, visitor
from tests.benchmarks.servers import Served
from tests.benchmarks.store import Store
from tests.benchmarks.table import Line, milliseconds

_STARTS = 5
_WARM, _TIMES = 3, 30
_RERUNS = 2000
_SETTLED = 500
_SMALL = 1000
_EMPTY_PAGE = 'import streamlit as st\n\nst.title("Nothing")\n'


def starts() -> Iterator[Line]:
    """From the command to the end of the first page's script, beside a Streamlit app that shows a title."""
    with tempfile.TemporaryDirectory(dir=store.folder()) as name:
        folder = Path(name)
        empty = _empty_page(folder)

        def ours(into: Path) -> float:
            into.mkdir(exist_ok=True)
            return _first_page(lambda: servers.whole_app(into, f"sqlite:///{into / 'ledger.db'}", all_of_it=False))

        took: list[tuple[float, float, float]] = []
        for number in range(1 + _STARTS):
            beside = _first_page(lambda: servers.streamlit(empty, folder))
            took.append((beside, ours(folder / f"new-{number}"), ours(folder / "kept")))
        # The very first start compiles, and leaves that for all others.
        bare, new, again = (sorted(column) for column in zip(*took[1:], strict=True))
    for what, times, remark in (
        ("an empty Streamlit app", bare, "one title"),
        ("ours, started again", again, "receiver in it, simulator and workers soon behind it"),
        ("ours, for the first time", new, "and the tables made"),
    ):
        yield Line(
            "start",
            what,
            f"{median(times):.2f} s",
            f"{median(times) / median(bare):.2f} x the empty app",
            p99=f"{times[-1]:.2f} s",
            remarks=f"to the end of the first page's script; {remark}; median and longest of {len(times)}",
        )


def reruns(build: Callable[[int], Store], size: int) -> Iterator[Line]:
    """Every page at both sizes, in turns with an empty one, so that what else the machine does meets all of them."""
    small, large = build(_SMALL), build(size)
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(dir=store.folder())))

        def tab(app: AbstractContextManager[Served]) -> Visitor:
            found = stack.enter_context(visitor(stack.enter_context(app).port))
            found.open("")
            return found

        few_behind = tab(servers.whole_app(folder, small.url))
        many_behind = tab(servers.whole_app(folder, large.url))
        beside = tab(servers.streamlit(_empty_page(folder), folder))
        for page in few_behind.pages:
            few, many, nothing = _in_turns(
                partial(few_behind.open, page, _query(page, small)),
                partial(many_behind.open, page, _query(page, large)),
                partial(beside.open, ""),
            )
            yield Line(
                "rerun",
                page or "overview",
                f"{milliseconds(median(many))} at {size:,}",
                f"{median(many) / median(few):.2f} x at {_SMALL:,}",
                milliseconds(median(many)),
                milliseconds(many[-1]),
                f"{milliseconds(median(few))} at {_SMALL:,}; an empty page {milliseconds(median(nothing))}; from asking "
                f"until its script has ended; p99 is the longest of {len(many)}",
            )


def memory(build: Callable[[int], Store]) -> Iterator[Line]:
    """What the process holds while one person goes round all pages again and again."""
    built = build(_SMALL)
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(dir=store.folder())))
        served = stack.enter_context(servers.whole_app(folder, built.url))
        tab = stack.enter_context(visitor(served.port))
        tab.open("")
        held: list[float] = []
        for number in range(_RERUNS):
            if number % _SETTLED == 0:
                held.append(machine.resident_mib(served.pid))
            page = tab.pages[number % len(tab.pages)]
            tab.open(page, _query(page, built))
        held.append(machine.resident_mib(served.pid))
    said = ", ".join(f"{mib:,.0f} after {number * _SETTLED:,}" for number, mib in enumerate(held))
    yield Line(
        "memory",
        f"{_RERUNS:,} reruns of all pages",
        f"{held[-1] - held[len(held) // 2]:+,.0f} MiB in the second half",
        f"{held[-1] / held[len(held) // 2]:.2f} x the middle",
        remarks=f"resident MiB: {said}",
    )


def _empty_page(folder: Path) -> Path:
    file = folder / "empty.py"
    file.write_text(_EMPTY_PAGE, "utf-8")
    return file


def _first_page(serve: Callable[[], AbstractContextManager[Served]]) -> float:
    """Seconds from starting the server until somebody has the first page."""
    began = time.perf_counter()
    with serve() as served, visitor(served.port) as tab:
        tab.open("")
        return time.perf_counter() - began


def _query(page: str, built: Store) -> str:
    """What the address of a page must say besides, to have something to show."""
    some = built.life(built.payments // 2)
    day = f"{some.requested_at:%Y-%m-%d}"
    return {
        "payment": f"id={some.payment_id}",
        "money-rows": f"currency={some.currency}&since={day}T00:00:00Z&until={day}T23:00:00Z&zone=UTC",
    }.get(page, "")


def _in_turns(*shows: Callable[[], int]) -> list[list[float]]:
    """Seconds that each showing took, sorted."""
    took: list[list[float]] = [[] for _ in shows]
    for number in range(_WARM + _TIMES):
        for show, times in zip(shows, took, strict=True):
            began = time.perf_counter()
            show()
            if number >= _WARM:
                times.append(time.perf_counter() - began)
    return [sorted(times) for times in took]
