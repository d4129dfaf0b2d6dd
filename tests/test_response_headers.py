"""Headers for browsers on every answer."""

from __future__ import annotations

import asyncio
from pathlib import Path

import httpx2
import pytest
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse
from starlette.routing import Route

from lib.front import Front
from lib.ledger.database import Database
from lib.response_headers import ResponseHeaders
from lib.settings import Settings
from tests.support import databases


def test_every_answer_says_what_browsers_may_do_with_it_and_stricter_ones_stay() -> None:
    own = {"Content-Security-Policy": "default-src 'none'"}
    pages = Starlette(
        routes=[
            Route("/", lambda _: PlainTextResponse("plain")),
            Route("/wallet", lambda _: PlainTextResponse("wallet", headers=own)),
        ]
    )

    async def run() -> list[httpx2.Headers]:
        transport = httpx2.ASGITransport(app=ResponseHeaders(pages))
        async with httpx2.AsyncClient(transport=transport, base_url="http://desk") as client:
            return [(await client.get(path)).headers for path in ("/", "/wallet", "/nowhere")]

    plain, wallet, nowhere = asyncio.run(run())
    for headers in (plain, nowhere):
        assert headers["content-security-policy"] == "frame-ancestors 'none'"
        assert headers["x-content-type-options"] == "nosniff"
    assert wallet["content-security-policy"] == own["Content-Security-Policy"]
    assert wallet["x-frame-options"] == "DENY"


@pytest.mark.parametrize(
    ("client", "headers", "status"),
    [
        (("127.0.0.1", 1), {}, 200),
        (("192.0.2.7", 1), {}, 403),
        (("127.0.0.1", 1), {"X-Forwarded-For": "192.0.2.7"}, 403),
    ],
)
def test_a_receiver_alone_tells_its_figures_to_its_own_machine_only(
    tmp_path: Path, client: tuple[str, int], headers: dict[str, str], status: int
) -> None:
    async def run() -> int:
        front = Front()
        transport = httpx2.ASGITransport(app=front, client=client)
        database = Database(databases.sqlite(tmp_path / "ledger.db"))
        async with (
            front.open(database, Settings(_env_file=None)),
            httpx2.AsyncClient(transport=transport, base_url="http://desk") as asking,
        ):
            return (await asking.get("/metrics", headers=headers)).status_code

    assert asyncio.run(run()) == status
