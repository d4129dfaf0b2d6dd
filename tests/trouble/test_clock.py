"""The machine's clock jumps while deliveries arrive: nothing is lost, nothing is told twice, and states stay right."""

from __future__ import annotations

import random
from collections.abc import Iterator
from pathlib import Path

import pytest

from lib.ledger import rebuild
from lib.ledger.database import Database
from tests.support.alone import ReceiverAlone, receiving
from tests.support.load import Load, lives

LIBRARIES = [*Path("/usr/lib").glob("*/faketime/libfaketime.so.1")]


@pytest.fixture
def jumpy(tmp_path: Path) -> Iterator[tuple[ReceiverAlone, Path]]:
    """A receiver, and the file that says by how much its clock is off."""
    if not LIBRARIES:
        pytest.skip("libfaketime is not installed")
    offset = tmp_path / "offset"
    offset.write_text("+0")
    with receiving(
        tmp_path,
        LD_PRELOAD=str(LIBRARIES[0]),
        FAKETIME_TIMESTAMP_FILE=str(offset),
        FAKETIME_NO_CACHE="1",
        FAKETIME_DONT_FAKE_MONOTONIC="1",
    ) as server:
        yield server, offset


def test_deliveries_outlive_a_clock_that_jumps(jumpy: tuple[ReceiverAlone, Path], tmp_path: Path) -> None:
    server, offset = jumpy
    raws = lives(30, random.Random(4))
    acknowledged: set[str] = set()
    for number, jump in enumerate(("+0", "-2h", "+3d", "-400d", "+0")):
        offset.write_text(jump)
        # A fifth of the events, and again all that came before: copies stay copies whatever the clock says.
        load = Load([server.url], raws[: len(raws) * (number + 1) // 5])
        load.run()
        acknowledged |= load.acknowledged
    received = [str(row[0])[:4] for row in server.rows("SELECT received_at FROM delivery ORDER BY id")]
    assert len(set(received)) > 1, "the clock did not jump"
    assert {row[0] for row in server.rows("SELECT id FROM event")} == acknowledged
    assert len(acknowledged) == len(raws)
    states = dict(server.rows("SELECT status, count(*) FROM payment GROUP BY status"))
    assert states == {"Captured": 20, "Partially Refunded": 10}
    database = Database(f"sqlite:///{tmp_path / 'ledger.db'}")
    assert rebuild.compare(database).differing == 0
    database.close()
    with server.client() as client:
        assert client.get("/healthz").status_code == 200
