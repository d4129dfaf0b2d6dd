"""`python -m tests.benchmarks [section ...]`: measure, and print one table. Nothing asserts a time."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path

from tests.benchmarks import app, finance, ingest, machine, others, reads, rebuilds, store
from tests.benchmarks.table import Line, rendered

_SECTIONS = ("ingest", "ingest-postgresql", "rebuild", "reads", "pages", "finance", "start", "reruns", "memory")


def _sections(given: argparse.Namespace) -> dict[str, Callable[[], Iterator[Line]]]:
    @cache
    def build(payments: int) -> store.Store:
        return store.build(payments, _say)

    return {
        "ingest": lambda: ingest.on_sqlite(given.seconds, lambda: build(given.size)),
        "ingest-postgresql": lambda: ingest.on_postgresql(given.seconds, lambda: build(given.size), _say),
        "rebuild": lambda: rebuilds.lines(build, given.size),
        "reads": lambda: reads.lines(build, given.size),
        "pages": lambda: others.lines(build, given.size),
        "finance": lambda: finance.lines(build, given.size),
        "start": app.starts,
        "reruns": lambda: app.reruns(build, given.size),
        "memory": lambda: app.memory(build),
    }


def main() -> None:
    parser = argparse.ArgumentParser(
        prog="python -m tests.benchmarks", description="Measure, and print one table. Nothing asserts a time."
    )
    parser.add_argument("section", nargs="*", help=f"some of {', '.join(_SECTIONS)}; all if none is named")
    parser.add_argument("--size", type=int, default=1_000_000, help="payments in the large store")
    parser.add_argument("--seconds", type=float, default=8.0, help="how long each receiver is under load")
    parser.add_argument("--output", type=Path, help="also write the table to this file, after every line")
    given = parser.parse_args()
    if unknown := set(given.section) - set(_SECTIONS):
        parser.error(f"no section {', '.join(sorted(unknown))}; there are {', '.join(_SECTIONS)}")
    sections = _sections(given)
    heading = machine.described(store.folder())
    lines: list[Line] = []
    for name in given.section or _SECTIONS:
        for line in sections[name]():
            lines.append(line)
            _say(f"{line.section}: {line.what}: {line.figure} {line.ratio}")
            if given.output:
                given.output.write_text(f"{heading}\n\n{rendered(lines)}\n", "utf-8")
    print(f"{heading}\n\n{rendered(lines)}")


def _say(words: str) -> None:
    print(words, file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
