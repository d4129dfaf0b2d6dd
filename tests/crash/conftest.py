"""A simulator that outlives the processes that are killed."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from lib.simulator.app import create
from lib.simulator.options import SECRET_KEY, Options
from tests.simulator.house import House, Receiver, served


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    """A simulator in another process than the one that is killed; it tells nobody of anything."""
    options: dict[str, Any] = {"database_url": f"sqlite:///{tmp_path / 's.db'}", "refund_seconds": 0}
    with served(lambda url: create(Options(base_url=url, secret_keys=(SECRET_KEY,), **options))) as url:
        house = House(url, Receiver())
        yield house
        house.http.close()
