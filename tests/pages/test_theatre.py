from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from lib.demo.theatre import Scene, Theatre
from lib.ledger.database import Database
from lib.ledger.rebuild import Comparison
from lib.money import Money
from tests.pages.conftest import Open, charts, said

HKD = {"HKD": Money(652900, "HKD")}
HAPPY: dict[str, Any] = {
    "act": "over",
    "asked_for": 9,
    "paid": 8,
    "known": 8,
    "history": ((0, 0, 0), (600, 8, 3), (900, 8, 8)),
    "comparison": Comparison(40, 9, 0),
    "there": HKD,
    "here": HKD,
    "fingerprint": "f1",
}


@pytest.fixture
def shown(monkeypatch: pytest.MonkeyPatch, empty: Database, open_page: Open) -> Callable[..., str]:
    """What the screen says of a scene."""

    def show(*, playing: bool = False, **scene: Any) -> str:
        monkeypatch.setattr(Theatre, "scene", Scene(**scene) if scene else None)
        monkeypatch.setattr(Theatre, "playing", playing)
        page = open_page("theatre.py")
        assert bool(charts(page)) is bool(scene.get("history"))
        return " ".join([said(page), *(each.value for each in page.success)])

    return show


def test_before_the_first_play_it_says_what_is_to_come(shown: Callable[..., str]) -> None:
    assert "yours are not touched" in shown()


def test_during_the_outage_it_shows_what_is_missing(shown: Callable[..., str]) -> None:
    words = shown(playing=True, act="outage", paid=8, known=3, history=((0, 0, 0), (60, 8, 3)))
    assert "Webhooks are down for ten minutes. Customers go on paying" in words


@pytest.mark.parametrize(
    ("known", "labels"),
    [
        (29, ["Paid by customers = Known here 29"]),
        (28, ["Paid by customers 29 · Known here 28"]),
        (9, ["Paid by customers 29", "Known here 9"]),
    ],
)
def test_the_lines_say_equal_only_when_they_are(
    monkeypatch: pytest.MonkeyPatch, empty: Database, open_page: Open, known: int, labels: list[str]
) -> None:
    happy = Scene(**HAPPY | {"history": ((0, 0, 0), (120, 29, known))})
    monkeypatch.setattr(Theatre, "scene", happy)
    [chart] = charts(open_page("theatre.py"))
    assert [label.text for label in chart.layout.annotations] == labels


def test_a_happy_end_and_one_that_is_the_same_again(shown: Callable[..., str]) -> None:
    assert "40 facts, 9 payments, 0 rows differ. The currency totals tie." in shown(**HAPPY)
    assert "Play it again: it comes out the same." in shown(**HAPPY)
    assert "The same as that of the play before, to the byte." in shown(**HAPPY, before="f1")
    assert "Not that of the play before." in shown(**HAPPY, before="f0")


def test_what_differs_is_not_called_happy(shown: Callable[..., str]) -> None:
    assert "Something differs." in shown(**HAPPY | {"here": {"HKD": Money(1, "HKD")}})
    assert "Something differs." in shown(**HAPPY | {"comparison": Comparison(40, 9, 1)})
    assert "No ending. It was stopped." in shown(problem="It was stopped.")
