"""The benchmarks measure what they say they do. No time is looked at."""

from __future__ import annotations

import tempfile
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import create_engine, text

from lib.ledger.database import Database
from lib.ledger.queries import PaymentFilter, find_payments
from lib.ledger.rebuild import compare
from tests.benchmarks import closings, load, servers, store, stream
from tests.benchmarks.table import Line, rendered


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    return tmp_path


def test_a_large_store_is_what_its_facts_say(folder: Path) -> None:
    built = store.build(300, lambda words: None)
    database = Database(built.url)
    found = compare(database)
    assert (found.events, found.payments, found.differing) == (built.events, 300, 0)
    assert 1150 <= built.events <= 1200, "four a payment, less what has not happened yet"
    newest = find_payments(database, PaymentFilter(), limit=300).rows
    assert [row.id for row in newest] == [built.life(index).payment_id for index in reversed(range(300))]
    looked_for = built.life(7)
    assert [row.id for row in find_payments(database, PaymentFilter(text=looked_for.reference[2:])).rows] == [
        looked_for.payment_id
    ]
    database.close()
    assert store.build(300, pytest.fail) == built, "kept, not built again"


def test_months_are_closed_on_a_copy_and_come_to_what_their_rivals_say(folder: Path) -> None:
    built = store.build(300, lambda words: None)
    ours, *rivals = closings.lines(built)
    assert ours.what == "closing a month of KRW"
    assert len(rivals) == 2
    engine = create_engine(built.url)
    with engine.connect() as connection:
        assert connection.execute(text("SELECT count(*) FROM period")).scalar_one() == 0
    engine.dispose()


def test_both_receivers_store_every_request_once_and_come_to_the_same_payments(folder: Path) -> None:
    file = folder / "requests"
    stream.write(file, first=0, events=400, at=datetime.now(UTC))
    requests = stream.read(file)
    spoilt = [request.replace(b"amount", b"amuont") for request in requests[:20]]
    totals = []
    for number, app in enumerate(("lib.front:app", "tests.benchmarks.naive:app")):
        url = f"sqlite:///{folder / f'{number}.db'}"
        with servers.uvicorn(app, folder, url) as served:
            good = load.run(served.port, requests, connections=8, seconds=60.0, warmup=0.0, again=False)
            bad = load.run(served.port, spoilt, connections=8, seconds=60.0, warmup=0.0, again=False)
        assert (good.sent, good.acknowledged, good.errors, good.ran_out) == (400, 400, {}, True)
        assert (bad.acknowledged, bad.errors) == (0, {"401": 20})
        engine = create_engine(url)
        with engine.connect() as connection:
            assert connection.execute(text("SELECT count(*) FROM event")).scalar_one() == 400
            wanted = "SELECT currency, sum(amount), sum(captured), sum(refunded), count(*) FROM payment GROUP BY 1 ORDER BY 1"
            totals.append([tuple(row) for row in connection.execute(text(wanted))])
        engine.dispose()
    assert totals[0] == totals[1]
    assert sum(row[3] for row in totals[0]) > 0, "refunds among them"


def test_the_table_is_markdown_with_even_columns() -> None:
    text = rendered(
        [Line("reads", "first page", "0.9 ms"), Line("reads", "any other page", "1.1 ms", "1.2 x")]
    ).splitlines()
    assert len(text) == 4
    assert {line.count("|") for line in text} == {8}
    assert len({len(line) for line in text}) == 1
