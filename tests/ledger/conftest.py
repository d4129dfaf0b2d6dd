from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from lib.ledger.database import Database


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    store = Database(f"sqlite:///{tmp_path / 'ledger.db'}")
    yield store
    store.close()
