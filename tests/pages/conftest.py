"""Screens run headless against a store of their own, empty or filled with one payment of every kind."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import plotly.graph_objects as go
import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from lib.ledger import facts
from lib.ledger.database import Database
from lib.ledger.desk import open_desk
from lib.ledger.facts import Fact, from_webhook
from lib.ledger.record import record
from tests.support import databases
from tests.support.events import balances, event

ROOT = Path(__file__).parents[2]
Open = Callable[..., AppTest]


@pytest.fixture
def empty(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Database]:
    """A store with nothing in it, which the screens use; the simulator is not running."""
    url = databases.sqlite(tmp_path / "ledger.db")
    monkeypatch.setenv("DATABASE_URL", url)
    monkeypatch.setenv("OPERATOR_NAME", "Ana")
    monkeypatch.setenv("TIMEZONE", "Asia/Hong_Kong")
    forget_desk()
    store = Database(url)
    yield store
    store.close()
    forget_desk()


@pytest.fixture
def filled(empty: Database) -> Database:
    """The store with one payment of every status, in three currencies, and refunds of every kind."""
    record(empty, everything(datetime.now(UTC)))
    return empty


@pytest.fixture
def open_page(empty: Database) -> Open:
    """Opens a screen by its file in `pages/`, with the parameters of its address."""

    def open_it(page: str, **query: str) -> AppTest:
        test = AppTest.from_file(str(ROOT / "pages" / "navigation.py"), default_timeout=30)
        if "_" in page or page == "overview.py":  # addressed unlike its file, it is found only once the menu is known
            test.run()
        for name, value in query.items():
            test.query_params[name] = value
        return test.switch_page(page).run()

    return open_it


def opened(page: AppTest, *popovers: str) -> AppTest:
    """Run the screen with these pop-overs open, which a headless screen forgets after each run."""
    for key in popovers:
        page.session_state[key] = True
    return page.run()


def sign_in_is_asked_for(monkeypatch: pytest.MonkeyPatch, **more: str) -> None:
    """Set up sign-in; a test says in `AppTest.user` what the provider tells of whoever signed in."""
    values = {
        "SIGN_IN_METADATA_URL": "https://id.example/.well-known/openid-configuration",
        "SIGN_IN_CLIENT_ID": "desk",
        "SIGN_IN_CLIENT_SECRET": "client-secret",
        "SIGN_IN_COOKIE_SECRET": "c" * 32,
        **more,
    }
    for name, value in values.items():
        monkeypatch.setenv(name, value)
    forget_desk()


def forget_desk() -> None:
    st.cache_resource.clear()
    open_desk.cache_clear()


def payment(number: int) -> str:
    """The id of the payment `number` of the filled store."""
    return f"pay_{number:a>26}".replace("0", "b").replace("1", "c").replace("8", "d").replace("9", "e")


def everything(now: datetime) -> list[Fact]:
    """One payment of every kind: what their webhooks and answers would have said, the newest a minute ago."""

    def told(kind: str, number: int, minutes: float, **data: Any) -> Fact:
        when = now - timedelta(minutes=minutes)
        details = {"id": payment(number), "reference": f"ORD-{number:04}", "currency": "HKD", "amount": 10000, **data}
        return from_webhook(event(kind, f"{kind}{number}{minutes}", when, **details), when)

    def captured(number: int, minutes: float, **data: Any) -> list[Fact]:
        details = {
            "action_id": f"act_capture{number}",
            "response_code": "10000",
            "response_summary": "Approved",
            **data,
        }
        return [
            told("payment_pending", number, minutes + 2, **data),
            told("payment_captured", number, minutes, **details),
        ]

    def refund(kind: str, number: int, minutes: float, amount: int, name: str, **data: Any) -> Fact:
        return told(kind, number, minutes, amount=amount, action_id=f"act_{name}", **data)

    story = [
        told("payment_pending", 1, 1),
        *captured(2, 30, customer={"email": "minji.kim@example.com", "name": "Kim Minji"}),
        *captured(3, 180, amount=45000, currency="KRW"),
        refund("payment_refund_pending", 3, 100, 5000, "won", currency="KRW"),
        refund("payment_refunded", 3, 99, 5000, "won", currency="KRW"),
        refund("payment_refund_pending", 3, 4, 10000, "open", currency="KRW"),
        *captured(4, 60 * 30, amount=1100, currency="EUR"),
        refund("payment_refunded", 4, 60, 1100, "whole", currency="EUR", balances=balances(1100, 1100)),
        told(
            "payment_declined", 5, 50, action_id="act_d", response_code="20051", response_summary="Insufficient Funds"
        ),
        told("payment_expired", 6, 55, action_id="act_e"),
        told("payment_canceled", 7, 58, action_id="act_f"),
        *captured(8, 70),
        told("payment_expired", 8, 69, action_id="act_late"),
        *captured(9, 200),
        refund("payment_refund_pending", 9, 90, 2500, "no"),
        refund("payment_refund_declined", 9, 89, 2500, "no", response_code="20006", response_summary="Error"),
    ]
    asked = now - timedelta(minutes=10)
    story.append(
        facts.refund_requested(
            "key-of-ben", payment(2), amount=3000, currency="HKD", reason="damaged", note="", by="Ben", at=asked
        )
    )
    return story


class StandIn:
    """Checkout.com for one test: answers in turn what it is told to, and keeps what it was asked."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, str, Any]] = []
        self.answers: list[tuple[int, Any]] = []

    def answer(self, path: str, key: str, body: Any) -> tuple[int, Any]:
        self.asked.append((path, key, body))
        return self.answers.pop(0) if self.answers else self.accept(path, body)

    def accept(self, path: str, body: Any) -> tuple[int, Any]:
        number = len(self.asked)
        if path.endswith("/refunds"):
            return 202, {"action_id": f"act_refund{number}", "reference": body.get("reference")}
        links = {"redirect": {"href": f"https://wallet.example/{number}?code=1"}}
        source = {"id": "src_stored", "type": "kakaopay"}
        stored = {"source": source} if body.get("payment_type") == "Recurring" else {}
        return 202, {
            "id": f"pay_made{number}",
            "status": "Pending",
            "reference": body["reference"],
            "_links": links,
            **stored,
        }


@pytest.fixture
def checkout(empty: Database, monkeypatch: pytest.MonkeyPatch) -> Iterator[StandIn]:
    """The screens' Checkout.com, reached over HTTP on this machine."""
    stand_in = StandIn()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            raw = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            key = self.headers.get("Cko-Idempotency-Key", "")
            status, body = stand_in.answer(self.path, key, json.loads(raw or b"{}"))
            text = json.dumps(body).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(text)))
            self.end_headers()
            self.wfile.write(text)

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    monkeypatch.setenv("CHECKOUT_BASE_URL", f"http://127.0.0.1:{server.server_port}")
    yield stand_in
    server.shutdown()
    thread.join()
    server.server_close()


def charts(test: AppTest) -> list[go.Figure]:
    """The charts on the screen, each with its alternative text.

    Plotly refuses one that says what it does not know, as it would not in the browser.
    """
    drawn = test.get("plotly_chart")
    assert all(chart.proto.alt.strip() for chart in drawn)
    return [go.Figure(json.loads(chart.proto.spec)) for chart in drawn]


def said(test: AppTest) -> str:
    """Everything a person reads on the screen, as one text with plain spaces."""
    kinds = ("title", "subheader", "markdown", "caption", "error", "warning", "info", "code")
    parts = [str(element.value) for kind in kinds for element in getattr(test, kind)]
    return " ".join(" ".join(parts).replace("\\", "").split())
