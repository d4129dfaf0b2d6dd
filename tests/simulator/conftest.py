"""Simulators to ask: one that a file shares, and one of a test's own."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.simulator.house import House, house


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """One simulator for a whole module, for tests that mind only their own payments."""
    with house(tmp_path_factory.mktemp("simulator")) as home:
        yield home


@pytest.fixture
def own(tmp_path: Path) -> Iterator[House]:
    """A fresh simulator, for tests that change the clock, the board or the seed."""
    with house(tmp_path) as home:
        yield home
