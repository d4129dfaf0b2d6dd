"""The play on its stage: nothing is missing in the end, and it is the same every time."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from unittest.mock import MagicMock

import pytest

from lib.demo.filling import SampleProblem
from lib.demo.theatre import Pace, Scene, Theatre
from lib.ledger import watchdog
from lib.ledger.database import Database
from lib.ledger.desk import Desk
from lib.operators import Operator
from lib.settings import Settings
from tests.support import databases

ANA = Operator("Ana")
QUICK = Pace(apart=120, pause=0.02)


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    database = Database(databases.sqlite(tmp_path / "own.db"))
    yield Desk(Settings(_env_file=None), database, MagicMock(), "http://127.0.0.1:9")
    database.close()


def watched(theatre: Theatre) -> list[Scene]:
    scenes: list[Scene] = []
    theatre.play(ANA)
    while theatre.playing:
        if theatre.scene and theatre.scene not in scenes:
            scenes.append(theatre.scene)
        time.sleep(0.01)
    assert theatre.scene
    return [*scenes, theatre.scene]


def test_nothing_is_missing_in_the_end(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    impatient = replace(watchdog.RULES["first_event"], patience=timedelta(0))
    monkeypatch.setitem(watchdog.RULES, "first_event", impatient)  # type: ignore[arg-type]
    scenes = watched(Theatre(desk, QUICK))
    last = scenes[-1]
    assert (last.problem, last.act) == (None, "over")
    assert last.ties
    assert last.comparison
    assert (last.comparison.differing, last.missing, last.overdue) == (0, 0, 0)
    assert any(scene.missing for scene in scenes if scene.act == "outage")
    assert last.found > 0
    assert last.paid == last.known > 0


@pytest.mark.soak
def test_it_is_the_same_every_time_to_the_byte(desk: Desk) -> None:
    theatre = Theatre(desk, QUICK)
    first, second = watched(theatre)[-1], watched(theatre)[-1]
    assert first.fingerprint == second.fingerprint == second.before
    assert first.fingerprint


@pytest.mark.soak
def test_it_can_be_stopped_and_leaves_nothing_behind(desk: Desk) -> None:
    theatre = Theatre(desk, Pace(apart=1, pause=0.02))
    theatre.play(ANA)
    theatre.stop(ANA)
    assert theatre._thread
    theatre._thread.join(60)
    assert theatre.scene
    assert theatre.scene.problem == "It was stopped."


def test_never_against_checkout_com(desk: Desk) -> None:
    sandbox = "https://abcdefgh.api.sandbox.checkout.com"
    pointed = Settings.model_construct(**{**desk.settings.__dict__, "checkout_base_url": sandbox})
    theatre = Theatre(replace(desk, settings=pointed))
    with pytest.raises(SampleProblem, match="points at Checkout"):
        theatre.play(ANA)
    assert theatre.scene is None
