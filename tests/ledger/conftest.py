"""An empty ledger, on SQLite and on PostgreSQL."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager

import pytest

from lib.ledger.database import Database
from tests.support import databases


@pytest.fixture(params=databases.BACKENDS)
def backend(request: pytest.FixtureRequest) -> str:
    """Every test of the ledger that asks for a database runs on both."""
    return str(request.param)


@pytest.fixture
def database(backend: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Database]:
    with databases.fresh(backend, tmp_path_factory) as database:
        yield database


@pytest.fixture
def fresh_database(
    backend: str, tmp_path_factory: pytest.TempPathFactory
) -> Callable[[], AbstractContextManager[Database]]:
    """For tests that need a database an example."""
    return lambda: databases.fresh(backend, tmp_path_factory)


@pytest.fixture
def unborn_database(backend: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Database]:
    """A database without any table yet."""
    with databases.fresh(backend, tmp_path_factory, empty=True) as database:
        yield database
