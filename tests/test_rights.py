"""Every use case against every role, called directly: who may not is refused, and it is on record.

Each use case asks for its right before it does anything else, so that it can be called with nothing else that is real.
"""

from __future__ import annotations

import importlib
import inspect
import pkgutil
from collections.abc import Callable, Iterator
from typing import Any
from unittest.mock import MagicMock

import pytest
from sqlalchemy import func, select

import lib
from lib.board_acts import BoardActs
from lib.demo.theatre import Theatre
from lib.ledger.audit import AUDIT, check
from lib.ledger.database import Database
from lib.ledger.desk import Desk
from lib.ledger.proof import Proof
from lib.operators import RIGHTS, ROLES, NotAllowed, Operator, Right
from lib.settings import Settings
from tests.support import databases

USE_CASES: dict[str, Right] = {
    "lib.board_acts.BoardActs.advance": "simulate",
    "lib.board_acts.BoardActs.all_off": "simulate",
    "lib.board_acts.BoardActs.begin": "simulate",
    "lib.board_acts.BoardActs.decide": "create",
    "lib.board_acts.BoardActs.replay": "simulate",
    "lib.board_acts.BoardActs.resend": "simulate",
    "lib.board_acts.BoardActs.revoke": "simulate",
    "lib.board_acts.BoardActs.save": "simulate",
    "lib.board_acts.BoardActs.set_account": "simulate",
    "lib.board_acts.BoardActs.set_fault": "simulate",
    "lib.demo.filling.begin": "simulate",
    "lib.demo.filling.go_on": "simulate",
    "lib.demo.filling.stop": "simulate",
    "lib.demo.removal.begin_removal": "simulate",
    "lib.demo.theatre.Theatre.play": "simulate",
    "lib.demo.theatre.Theatre.stop": "simulate",
    "lib.ledger.statements.differences.csv_of_differences": "download",
    "lib.ledger.statements.differences.resolve": "reconcile",
    "lib.ledger.statements.fetching.fetch_reports": "reconcile",
    "lib.ledger.statements.importing.import_report": "reconcile",
    "lib.ledger.audit_log.entries": "audit",
    "lib.ledger.audit_log.follow": "audit",
    "lib.ledger.audit_log.names": "audit",
    "lib.ledger.audit_log.size": "audit",
    "lib.ledger.configured.configured": "keys",
    "lib.ledger.bulk.batches.check_again": "refund",
    "lib.ledger.bulk.batches.resume": "refund",
    "lib.ledger.bulk.batches.start": "refund",
    "lib.ledger.bulk.batches.stop": "refund",
    "lib.ledger.bulk.batches.upload": "refund",
    "lib.ledger.bulk.views.result": "download",
    "lib.ledger.closed.close.ask_to_reopen": "close",
    "lib.ledger.closed.close.close_period": "close",
    "lib.ledger.closed.close.decide_reopening": "close",
    "lib.ledger.closed.close.sheet_text": "download",
    "lib.ledger.decisions.approve": "approve",
    "lib.ledger.decisions.cancel": "refund",
    "lib.ledger.decisions.reject": "approve",
    "lib.ledger.export.download": "download",
    "lib.ledger.erasure.erase_customer": "erase",
    "lib.ledger.notes.add_note": "note",
    "lib.ledger.payment_csv.payments_csv": "download",
    "lib.ledger.payments.charge_again": "create",
    "lib.ledger.payments.request_payment": "create",
    "lib.ledger.proof.Proof.cancel": "audit",
    "lib.ledger.proof.Proof.start": "audit",
    "lib.ledger.refunds.request_refund": "refund",
    "lib.ledger.reread.reread_now": "reread",
    "lib.ledger.retry.try_again": "deliveries",
    "lib.ledger.views.delete_view": "read",
    "lib.ledger.views.save_view": "read",
    "lib.ledger.views.views_of": "read",
}
"""Every public function and method that takes the acting person, with the right it asks for."""
NO_RIGHT_NEEDED = {
    "lib.ledger.audit.note": "writes down what was done",
    "lib.ledger.audit.permit": "is itself the asking for a right",
    "lib.ledger.decisions.limit_exceeded": "says what a person's limit is, and does nothing",
    "lib.ledger.views.ready_views": "names what everybody has",
    "lib.ledger.visits.came": "a sign-in, which everybody with a role may do",
    "lib.ledger.visits.went": "a sign-out",
}
MADE: dict[str, Callable[[Database], Any]] = {
    "BoardActs": lambda database: BoardActs(MagicMock(), database),
    "Proof": Proof,
    "Theatre": lambda database: Theatre(Desk(Settings(_env_file=None), database, MagicMock(), "http://127.0.0.1:9")),
}
"""How to make what a method belongs to."""


@pytest.fixture(scope="module")
def database(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Database]:
    one = Database(databases.sqlite(tmp_path_factory.mktemp("rights") / "ledger.db"))
    yield one
    one.close()


@pytest.mark.parametrize("name", USE_CASES)
def test_every_use_case_asks_for_its_right(database: Database, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("threading.Thread.start", lambda self: None)
    right, before = USE_CASES[name], count(database)
    may_not = [role for role in ROLES if role not in RIGHTS[right]]
    for role in ROLES:
        assert refused(database, name, Operator("Mina Park", frozenset({role}))) == (role in may_not), role
    with database.read() as connection:
        noted = select(AUDIT.c.roles, AUDIT.c.after).where(AUDIT.c.action == "refused", AUDIT.c.seq > before)
        rows = [tuple(row) for row in connection.execute(noted.order_by(AUDIT.c.seq))]
    assert rows == [(role, f'{{"right":"{right}"}}') for role in may_not]


def test_no_use_case_is_without_a_line_here() -> None:
    assert set(acting_functions()) == USE_CASES.keys() | NO_RIGHT_NEEDED.keys()


def test_what_was_refused_leaves_the_chain_whole(database: Database) -> None:
    assert check(database).broken_at is None


def refused(database: Database, name: str, who: Operator) -> bool:
    """Whether a use case refuses to act for `who`; what else comes of a call with nothing real in it does not matter."""
    place, _, called = name.rpartition(".")
    made = MADE.get(place.rpartition(".")[2])
    function = getattr(made(database) if made else importlib.import_module(place), called)
    desk = Desk(Settings(_env_file=None), database, MagicMock(), "http://127.0.0.1:9")
    real = {"Operator": who, "Desk": desk, "Database": database, "str": "a word", "bytes": b"{}", "int": 1}
    positional, named = [], {}
    for parameter in inspect.signature(function).parameters.values():
        value = real.get(str(parameter.annotation), MagicMock())
        if parameter.kind is parameter.KEYWORD_ONLY:
            named[parameter.name] = value
        elif parameter.kind is not parameter.VAR_KEYWORD:
            positional.append(value)
    try:
        function(*positional, **named)
    except NotAllowed:
        return True
    except Exception:
        return False
    return False


def count(database: Database) -> int:
    with database.read() as connection:
        return connection.execute(select(func.count()).select_from(AUDIT)).scalar_one()


def acting_functions() -> Iterator[str]:
    """Every public function and method in `lib` that takes the acting person."""
    for found in pkgutil.walk_packages(lib.__path__, "lib."):
        if found.name.startswith(("lib.simulator", "lib.ledger.migrations")):
            continue
        module = importlib.import_module(found.name)
        kinds = [kind for kind in vars(module).values() if inspect.isclass(kind) and kind.__module__ == found.name]
        for owner in (module, *kinds):
            for name, function in inspect.getmembers(owner, inspect.isfunction):
                takes = inspect.signature(function).parameters.values()
                mine = function.__module__ == found.name and not name.startswith("_")
                if mine and any(parameter.annotation in ("Operator", Operator) for parameter in takes):
                    yield f"{found.name}.{function.__qualname__}"
