"""Who reaches what: client addresses, forwarding headers and names against paths, at the door itself."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any

import pytest

from lib.gate import Gate
from lib.settings import Settings

LOCAL = ("127.0.0.1", "::1", "::ffff:127.0.0.1", "127.8.8.8")
ELSEWHERE = ("192.0.2.7", "10.0.0.5", "2001:db8::7", "::ffff:192.0.2.7", "0.0.0.0", "testclient", "", None)
OPEN = (
    "/webhooks/checkout",
    "/webhooks/checkout/",
    "/healthz",
    "/simulator/wallet/abc",
)
DASHBOARD = (
    "/",
    "/payments",
    "/payment",
    "/settings",
    "/simulator-board",
    "/_stcore/health",
    "/_stcore/upload_file/x/y",
    "/media/0123.csv",
    "/static/js/index.js",
    "/oauth2callback",
    "/auth/login",
    "/webhooks",
    "/webhooks/checkout/more",
    "/healthz/more",
)
INSIDES = (
    "/metrics",
    "/simulator",
    "/simulator/payments",
    "/simulator/_control/faults",
    "/simulator/wallet",
    "/simulator/wallet/",
    "/simulator/wallet/../_control/faults",
    "/simulator/wallet/abc/../../payments",
)
FORWARDING = (
    {"X-Forwarded-For": "127.0.0.1"},
    {"X-Forwarded-For": ""},
    {"Forwarded": "for=127.0.0.1"},
    {"X-Real-IP": "127.0.0.1"},
    {"Via": "1.1 proxy"},
    {"CF-Connecting-IP": "127.0.0.1"},
    {"True-Client-IP": "127.0.0.1"},
    {"X-Forwarded-Proto": "https"},
    {"X-Forwarded-Anything": "1"},
)


def gate(**settings: str) -> Gate:
    async def inner(scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "websocket":
            await send({"type": "websocket.accept"})
        else:
            await send({"type": "http.response.start", "status": 200, "headers": []})
            await send({"type": "http.response.body", "body": b"inside"})

    return Gate(inner, Settings(_env_file=None, **settings))


def signing_in(**settings: str) -> Gate:
    return gate(
        sign_in_metadata_url="https://id.example/.well-known/openid-configuration",
        sign_in_client_id="desk",
        sign_in_client_secret="of-the-client",
        sign_in_cookie_secret="c" * 32,
        **settings,
    )


def ask(
    at: Gate,
    path: str,
    client: str | None = "127.0.0.1",
    headers: Mapping[str, str] | None = None,
    *,
    kind: str = "http",
    host: str | None = "127.0.0.1:8501",
) -> int:
    """The status; of a websocket 200 when it was accepted, and 403 as servers answer to a refused one."""
    named = {**({"Host": host} if host is not None else {}), **(headers or {})}
    scope = {
        "type": kind,
        "method": "GET",
        "path": path,
        "headers": [(name.lower().encode(), value.encode()) for name, value in named.items()],
        "client": (client, 50000) if client is not None else None,
    }
    sent: list[Any] = []

    async def receive() -> dict[str, str]:
        return {"type": "websocket.connect" if kind == "websocket" else "http.request"}

    async def send(message: Any) -> None:
        sent.append(message)

    asyncio.run(at(scope, receive, send))
    if kind == "websocket":
        return 200 if sent[0]["type"] == "websocket.accept" else 403
    return int(sent[0]["status"])


@pytest.mark.parametrize("path", [*DASHBOARD, *INSIDES])
def test_without_sign_in_the_dashboard_is_for_this_machine_only(path: str) -> None:
    door = gate()
    assert {ask(door, path, client) for client in LOCAL} == {200}
    assert {ask(door, path, client) for client in ELSEWHERE} == {403}
    assert {ask(door, path, client, headers) for client in LOCAL for headers in FORWARDING} == {403}


@pytest.mark.parametrize("path", OPEN)
def test_deliveries_health_and_wallet_are_for_everybody(path: str) -> None:
    for door in (gate(), signing_in()):
        for client in (*LOCAL, *ELSEWHERE):
            assert ask(door, path, client, host="192.168.1.5:8501") == 200
        assert {ask(door, path, "192.0.2.7", headers) for headers in FORWARDING} == {200}


def test_websockets_are_refused_alike() -> None:
    door = gate()
    for path in ("/_stcore/stream", "/", "/webhooks/checkout", "/healthz", "/simulator/wallet/abc"):
        assert {ask(door, path, client, kind="websocket") for client in LOCAL} == {200}
        assert {ask(door, path, client, kind="websocket") for client in ELSEWHERE} == {403}
        assert {ask(door, path, headers=headers, kind="websocket") for headers in FORWARDING} == {403}
    assert ask(signing_in(), "/_stcore/stream", "192.0.2.7", kind="websocket") == 200


def test_with_sign_in_the_dashboard_is_open_and_the_simulator_is_not() -> None:
    door = signing_in()
    for client in (*LOCAL, *ELSEWHERE):
        assert {ask(door, path, client) for path in DASHBOARD} == {200}
    assert {ask(door, path, client) for path in INSIDES for client in ELSEWHERE} == {403}
    assert {ask(door, path, client) for path in INSIDES for client in LOCAL} == {200}
    assert {ask(door, path, headers=headers) for path in INSIDES for headers in FORWARDING} == {403}


@pytest.mark.parametrize(
    ("proxies", "peer", "headers", "status"),
    [
        ("", "127.0.0.1", {"X-Forwarded-For": "127.0.0.1"}, 403),
        ("127.0.0.1", "127.0.0.1", {}, 200),
        ("127.0.0.1", "127.0.0.1", {"X-Forwarded-For": "127.0.0.1"}, 200),
        ("127.0.0.1", "127.0.0.1", {"X-Forwarded-For": "::1"}, 200),
        ("127.0.0.1", "::ffff:127.0.0.1", {"X-Forwarded-For": "::ffff:127.0.0.1"}, 200),
        ("127.0.0.1", "127.0.0.1", {"X-Forwarded-For": "192.0.2.7"}, 403),
        ("127.0.0.1", "127.0.0.1", {"X-Forwarded-For": "127.0.0.1, 192.0.2.7"}, 403),
        ("127.0.0.1", "127.0.0.1", {"X-Forwarded-For": "192.0.2.7, ::1"}, 200),
        ("127.0.0.1", "127.0.0.1", {"X-Forwarded-For": "192.0.2.7, 127.0.0.1"}, 403),
        ("127.0.0.1, 10.0.0.0/8", "10.1.2.3", {"X-Forwarded-For": "192.0.2.7, 10.0.0.9, 127.0.0.1"}, 403),
        ("10.0.0.0/8", "10.1.2.3", {"X-Forwarded-For": "192.0.2.7, 127.0.0.1"}, 200),
        ("10.0.0.0/8", "192.0.2.7", {"X-Forwarded-For": "127.0.0.1"}, 403),
        ("127.0.0.1", "127.0.0.1", {"X-Forwarded-For": "unknown"}, 403),
        ("127.0.0.1", "127.0.0.1", {"X-Forwarded-For": ""}, 403),
        ("127.0.0.1", "127.0.0.1", {"X-Forwarded-For": "192.0.2.7:4711"}, 403),
        ("127.0.0.1", "127.0.0.1", {"X-Forwarded-For": "[::1]:4711"}, 200),
        ("127.0.0.1", "127.0.0.1", {"X-Real-IP": "127.0.0.1"}, 403),
        ("127.0.0.1", "127.0.0.1", {"Via": "1.1 proxy"}, 403),
        ("127.0.0.1", "127.0.0.1", {"Via": "1.1 proxy", "X-Forwarded-For": "::1"}, 200),
        ("127.0.0.1", "127.0.0.1", {"Forwarded": 'for="[::1]:4711";proto=https'}, 200),
        ("127.0.0.1", "127.0.0.1", {"Forwarded": "proto=https;For=192.0.2.7"}, 403),
        ("127.0.0.1", "127.0.0.1", {"Forwarded": "for=192.0.2.7, for=_hidden"}, 403),
        ("127.0.0.1", "127.0.0.1", {"Forwarded": "for=::1", "X-Forwarded-For": "::1"}, 403),
    ],
)
def test_a_trusted_proxy_says_who_is_behind_it(proxies: str, peer: str, headers: dict[str, str], status: int) -> None:
    door = gate(trusted_proxies=proxies)
    assert ask(door, "/", peer, headers) == status
    assert ask(door, "/_stcore/stream", peer, headers, kind="websocket") == status


@pytest.mark.parametrize(
    ("host", "status"),
    [
        ("127.0.0.1:8501", 200),
        ("localhost:8501", 200),
        ("LOCALHOST", 200),
        ("[::1]:8501", 200),
        ("desk.localhost:8501", 200),
        ("desk.shop.example", 200),
        ("DESK.shop.example.:443", 200),
        ("other.example", 200),
        ("a.b.example", 200),
        ("b.example", 403),
        ("evil.example:8501", 403),
        ("127.0.0.1.evil.example", 403),
        ("localhost.evil.example", 403),
        ("desk.shop.example.evil", 403),
        ("127.0.0.1:8501@evil.example", 403),
        ("evil.example/127.0.0.1", 403),
        ("127.0.0.1:notaport", 403),
        ("[::1", 403),
        ("", 403),
        (None, 403),
    ],
)
def test_other_names_are_refused_so_that_no_page_elsewhere_gets_in_by_rebinding(host: str | None, status: int) -> None:
    for door in (
        gate(public_url="https://desk.shop.example/", allowed_hosts="other.example, *.b.example"),
        signing_in(public_url="https://desk.shop.example/", allowed_hosts="other.example, *.b.example"),
    ):
        assert ask(door, "/", host=host) == status
        assert ask(door, "/_stcore/stream", host=host, kind="websocket") == status
        assert ask(door, "/simulator/_control/seed", host=host) == status


@pytest.mark.parametrize(
    ("origin", "status"),
    [("http://127.0.0.1:8501", 200), ("http://localhost:8501", 200), ("https://evil.example", 403), ("null", 403)],
)
def test_a_page_elsewhere_cannot_use_this_machine_s_browser(origin: str, status: int) -> None:
    assert ask(gate(), "/simulator/_control/clock/advance", headers={"Origin": origin}) == status
    assert ask(gate(), "/_stcore/stream", headers={"Origin": origin}, kind="websocket") == status


def test_what_is_neither_a_request_nor_a_websocket_passes() -> None:
    seen: list[str] = []

    async def inner(scope: Any, receive: Any, send: Any) -> None:
        seen.append(scope["type"])

    asyncio.run(Gate(inner, Settings(_env_file=None))({"type": "lifespan"}, None, None))  # type: ignore[arg-type]
    assert seen == ["lifespan"]
