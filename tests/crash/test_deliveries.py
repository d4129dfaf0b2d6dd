"""Kill -9 under load: what was acknowledged is there, once, and the state is what the facts say."""

from __future__ import annotations

import random
import time
from collections import Counter
from pathlib import Path

import pytest
from sqlalchemy import select, text

from lib.ledger import rebuild
from lib.ledger.database import Database
from lib.ledger.deliveries import DELIVERY
from lib.ledger.record import EVENT
from tests.support import databases
from tests.support.alone import ReceiverAlone
from tests.support.load import Load, id_of, lives
from tests.support.server import Server

SEED = 20261014


def killed_under_load(server: Server, database: Database, *, kills: int, payments: int) -> None:
    chance = random.Random(SEED)
    raws = lives(payments, chance)
    load = Load([server.url], raws)
    lost: list[set[str]] = []

    def kill() -> None:
        for _ in range(kills):
            before = len(load.acknowledged)
            while len(load.acknowledged) < min(before + 20, len(raws)):  # it is at work again
                time.sleep(0.01)
            time.sleep(chance.uniform(0, 0.4))
            server.kill()
            acknowledged = set(load.acknowledged)
            lost.append(acknowledged - stored(database))
            server.start()

    try:
        server.start()
        load.urls = [server.url]
        load.run(kill)
    finally:
        server.kill()
    assert lost == [set()] * kills
    assert load.sent > len(raws), "no delivery was under way at any kill"
    assert stored(database) == load.acknowledged == {id_of(raw) for raw in raws}
    with database.read() as connection:
        accepted = select(DELIVERY.c.event_id).where(DELIVERY.c.verdict == "accepted")
        assert set(Counter(connection.execute(accepted).scalars()).values()) == {1}
        captured, refunded = connection.execute(text("SELECT sum(captured), sum(refunded) FROM payment")).one()
    assert (captured, refunded) == (1000 * payments, 300 * len(range(0, payments, 3)))
    comparison = rebuild.compare(database)
    assert (comparison.events, comparison.payments, comparison.differing) == (len(raws), payments, 0)


def stored(database: Database) -> set[str]:
    with database.read() as connection:
        return set(connection.execute(select(EVENT.c.id)).scalars())


@pytest.fixture
def sqlite(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path / 'ledger.db'}"


def test_a_receiver_killed_under_load_keeps_what_it_acknowledged(tmp_path: Path, sqlite: str) -> None:
    server = ReceiverAlone(tmp_path / "server", {"DATABASE_URL": sqlite})
    killed_under_load(server, Database(sqlite), kills=2, payments=150)


@pytest.mark.soak
def test_a_receiver_killed_twenty_times(tmp_path: Path, sqlite: str) -> None:
    server = ReceiverAlone(tmp_path / "server", {"DATABASE_URL": sqlite})
    killed_under_load(server, Database(sqlite), kills=20, payments=4000)


@pytest.mark.soak
def test_the_whole_server_killed_twenty_times(tmp_path: Path, sqlite: str) -> None:
    server = Server(tmp_path / "server", {"DATABASE_URL": sqlite})
    killed_under_load(server, Database(sqlite), kills=20, payments=4000)


@pytest.mark.soak
def test_a_receiver_on_postgresql_killed_twenty_times(tmp_path: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    with databases.fresh_url("postgresql", tmp_path_factory) as url:
        server = ReceiverAlone(tmp_path / "server", {"DATABASE_URL": url})
        database = Database(url)
        killed_under_load(server, database, kills=20, payments=2000)
        database.close()
