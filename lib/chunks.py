"""Rows in handfuls, so that none of many need fit in memory."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import islice
from typing import TypeVar

T = TypeVar("T")


def chunks(rows: Iterable[T], size: int) -> Iterator[list[T]]:
    """`rows` in order, `size` at a time; the last may be fewer, and none is empty."""
    waiting = iter(rows)
    while some := list(islice(waiting, size)):
        yield some
