"""Nothing secret leaves the server: not on a screen, in a failure, in the log, in a file handed out, in the ledger."""

from __future__ import annotations

import io
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from lib import logs
from lib.ledger.configured import note_changes
from lib.ledger.database import Database
from lib.ledger.payment_csv import payments_csv
from lib.ledger.payment_filter import PaymentFilter
from lib.ledger.payments import new_key, request_payment
from lib.operators import Operator
from lib.settings import load
from pages.parts.session import desk
from tests.ledger.test_payments import DRAFT
from tests.pages.conftest import ROOT, StandIn, forget_desk, payment, said

SECRETS = {
    "CHECKOUT_SECRET_KEY": "sk_sbox_" + "veryprivate".ljust(27, "q"),
    "CHECKOUT_WEBHOOK_KEYS": "first-private-signature-key,second-private-signature-key",
    "SIGN_IN_CLIENT_SECRET": "private-secret-of-the-client",
    "SIGN_IN_COOKIE_SECRET": "private-secret-that-signs-the-cookie",
}
EACH = [part for value in SECRETS.values() for part in value.split(",")]
PAGES = sorted({path.name for path in (ROOT / "pages").glob("*.py")} - {"navigation.py", "simulator_board.py"})


@pytest.fixture
def told(filled: Database, checkout: StandIn, monkeypatch: pytest.MonkeyPatch) -> Database:
    """The store, in a process that knows secrets."""
    for name, value in SECRETS.items():
        monkeypatch.setenv(name, value)
    forget_desk()
    assert set(EACH) <= set(load().secrets)
    return filled


def leaks(text: str) -> list[str]:
    return [secret for secret in EACH if secret in text]


def everything(test: AppTest) -> str:
    """All that was sent to the browser."""

    def walk(node: Any) -> Iterator[str]:
        yield str(getattr(node, "proto", ""))
        for child in getattr(node, "children", {}).values():
            yield from walk(child)

    return " ".join(walk(test._tree)).replace("\\", "")  # Markdown and protocol escape what they send


def test_no_screen_shows_a_secret(told: Database) -> None:
    request_payment(desk(), Operator("Ana"), DRAFT, key="k")
    test = AppTest.from_file(str(ROOT / "pages" / "navigation.py"), default_timeout=30).run()
    for page in PAGES:
        test.query_params.clear()
        if page in ("payment.py", "new_payment.py"):
            test.query_params.update({"id": payment(2), "key": "k"})
        shown = everything(test.switch_page(page).run())
        assert len(shown) > 500, page
        assert not leaks(shown), page


def test_no_failure_tells_a_secret(told: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object, **__: object) -> None:
        raise RuntimeError(f"Bearer {' '.join(EACH)}")

    stream = io.StringIO()
    logs.configure(load(), stream)
    monkeypatch.setattr("lib.ledger.overview.newest", fail)
    test = AppTest.from_file(str(ROOT / "pages" / "navigation.py"), default_timeout=30).run()
    assert "Something went wrong" in said(test)
    assert not leaks(everything(test))
    assert "Bearer ***" in stream.getvalue()
    assert not leaks(stream.getvalue())


def test_no_file_and_no_row_keeps_a_secret(told: Database) -> None:
    request_payment(desk(), Operator("Ana"), DRAFT, key=new_key())
    note_changes(told, load())
    now, zone = datetime.now(UTC), load().zone
    handed_out = payments_csv(told, Operator("Ana"), PaymentFilter(), now=now, zone=zone, world=load().world_words)
    assert not leaks(handed_out.decode())
    assert told.url.database
    for part in Path(told.url.database).parent.glob("ledger.db*"):
        assert not leaks(part.read_bytes().decode("latin-1")), part.name
