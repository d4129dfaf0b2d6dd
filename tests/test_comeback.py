"""After signing in one is where one wanted to be, and never elsewhere."""

from __future__ import annotations

from urllib.parse import quote

import pytest
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.routing import Route
from starlette.testclient import TestClient

from lib.comeback import Comeback


@pytest.fixture
def browser() -> TestClient:
    async def screen(_request: Request) -> Response:
        return HTMLResponse("a screen")

    async def answer(_request: Request) -> Response:
        return RedirectResponse("/", 302)

    routes = [Route("/oauth2callback", answer), Route("/{path:path}", screen)]
    app = Starlette(routes=routes, middleware=[Middleware(Comeback)])
    return TestClient(app, base_url="http://127.0.0.1", headers={"Sec-Fetch-Dest": "document"}, follow_redirects=False)


def came_back_to(browser: TestClient) -> str:
    return browser.get("/oauth2callback").headers["location"]


@pytest.mark.parametrize(
    "address", ["/payments", "/payment?id=pay_1&part=Notes", "/payments?q=kim%40shop.example", "/"]
)
def test_whoever_signed_in_comes_back_to_the_screen_that_was_asked_for(browser: TestClient, address: str) -> None:
    browser.get(address)
    assert came_back_to(browser) == address
    assert came_back_to(browser) == "/", "once"


@pytest.mark.parametrize(
    "planted", ["https://evil.example", "//evil.example", "/\\evil.example", "evil", "/a\r\nSet-Cookie: b=c", ""]
)
def test_nobody_is_sent_anywhere_else(browser: TestClient, planted: str) -> None:
    browser.cookies.set("desk_wanted", quote(planted, safe=""))
    assert came_back_to(browser) == "/"


def test_only_screens_are_remembered(browser: TestClient) -> None:
    assert "set-cookie" not in browser.get("/static/js/a.js", headers={"Sec-Fetch-Dest": "script"}).headers
    assert "set-cookie" not in browser.get("/long", params={"q": "x" * 2000}).headers
    assert "set-cookie" not in browser.post("/payments").headers
    assert came_back_to(browser) == "/"
