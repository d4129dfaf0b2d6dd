from __future__ import annotations

from collections.abc import Iterator
from unittest.mock import MagicMock

import pytest

from lib.ledger.database import Database
from lib.ledger.desk import Desk
from lib.settings import Settings
from tests.support import databases


@pytest.fixture(params=databases.BACKENDS)
def database(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Database]:
    with databases.fresh(str(request.param), tmp_path_factory) as database:
        yield database


@pytest.fixture
def desk(database: Database) -> Desk:
    return desk_of(database)


def desk_of(database: Database) -> Desk:
    return Desk(Settings(_env_file=None), database, MagicMock(), "http://127.0.0.1:9")
