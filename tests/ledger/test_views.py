"""Views of the payments list, kept by person."""

from __future__ import annotations

from urllib.parse import parse_qs

import msgspec
import pytest
from sqlalchemy import select

from lib.ledger import views
from lib.ledger.audit import AUDIT
from lib.ledger.database import Database
from lib.ledger.query_text import read
from lib.ledger.views import READY, ViewProblem, delete_view, ready_views, save_view, views_of
from lib.operators import NotAllowed, Operator
from tests.ledger.test_query_text import NOW, ZONE

MINA, BEN = Operator("Mina"), Operator("Ben")


def told(database: Database) -> list[tuple[str, str, str]]:
    with database.read() as connection:
        columns = AUDIT.c.action, AUDIT.c.who, AUDIT.c.subject
        return [tuple(row) for row in connection.execute(select(*columns).order_by(AUDIT.c.seq))]


def test_a_view_is_kept_replaced_and_deleted_by_whoever_saved_it(database: Database) -> None:
    first = save_view(
        database, MINA, "  Large   ones ", {"q": "amount:>1000", "status": ["Captured", "Refunded"], "cursor": "x"}
    )
    assert (first.name, parse_qs(first.address)) == (
        "Large ones",
        {"q": ["amount:>1000"], "status": ["Captured", "Refunded"]},
    )
    save_view(database, MINA, "Another", {"q": "kim", "since": ""})
    again = save_view(database, MINA, "Large ones", {"q": "amount:>5000"})

    assert [(view.name, view.address) for view in views_of(database, MINA)] == [
        ("Another", "q=kim"),
        ("Large ones", again.address),
    ]
    assert again.id == first.id
    assert views_of(database, BEN) == []
    assert not delete_view(database, BEN, first.id), "it is not his"
    assert delete_view(database, MINA, first.id)
    assert not delete_view(database, MINA, first.id)
    assert [view.name for view in views_of(database, MINA)] == ["Another"]
    assert [(action, who) for action, who, _ in told(database)] == [
        *[("view.saved", "Mina")] * 3,
        ("view.deleted", "Mina"),
    ]
    assert told(database)[0][2] == told(database)[2][2] == first.id


def test_the_log_says_nothing_of_whom_was_looked_for(database: Database) -> None:
    save_view(database, MINA, "Mrs Kim", {"q": "kim@example.com"})
    with database.read() as connection:
        after = connection.execute(select(AUDIT.c.after)).scalar_one()
    assert msgspec.json.decode(after) == {"by": ["q"], "replaced": False}


@pytest.mark.parametrize(
    ("name", "address", "sentence"),
    [
        (" ", {"q": "x"}, "Give the view a name"),
        ("x" * 61, {"q": "x"}, "at most 60 characters"),
        ("All", {}, "This shows all payments"),
        ("All", {"cursor": "x", "q": ""}, "This shows all payments"),
        ("Long", {"q": "x" * 2001}, "too long to be saved"),
    ],
)
def test_what_cannot_be_saved(database: Database, name: str, address: dict[str, str], sentence: str) -> None:
    with pytest.raises(ViewProblem, match=sentence):
        save_view(database, MINA, name, address)
    assert views_of(database, MINA) == [] == told(database)


def test_one_person_keeps_so_many_and_no_more(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(views, "MOST", 2)
    for name in ("a", "b"):
        save_view(database, MINA, name, {"q": name})
    with pytest.raises(ViewProblem, match="You have 2 views"):
        save_view(database, MINA, "c", {"q": "c"})
    save_view(database, MINA, "b", {"q": "other"})
    save_view(database, BEN, "c", {"q": "c"})


def test_somebody_without_a_role_has_no_views(database: Database) -> None:
    nobody = Operator("Nobody", roles=frozenset())
    with pytest.raises(NotAllowed):
        save_view(database, nobody, "a", {"q": "a"})
    assert ready_views(nobody) == []


def test_ready_views_are_about_what_one_may_do() -> None:
    assert [view.name for view in ready_views(MINA)] == [view.name for view in READY]
    finance = [view.name for view in ready_views(Operator("Fin", roles=frozenset({"finance"})))]
    assert finance == ["Pending over an hour", "Needs attention", "Captured today"]
    for view in READY:
        assert read(view.search, now=NOW, zone=ZONE).problems == ()
        assert parse_qs(view.address) == {"q": [view.search]}
