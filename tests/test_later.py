"""What begins behind a server's first moments."""

from __future__ import annotations

import ast
import asyncio
import signal
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx
import pytest
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse
from starlette.routing import Route

from lib import later as module
from lib.later import LateApp, head_start, later
from tests.support.server import ROOT

LONG = 60.0


@pytest.fixture(autouse=True)
def nothing_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "drawing", threading.Event())
    monkeypatch.setattr(module, "shown", threading.Event())


class House(Starlette):
    """Answers with whether it is running."""

    def __init__(self) -> None:
        self.open = False
        super().__init__(routes=[Route("/", lambda _: PlainTextResponse("open" if self.open else "shut"))])

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        self.open = True
        yield
        self.open = False


def test_who_comes_before_an_app_is_made_is_answered_once_it_runs() -> None:
    house, may_be_made = House(), threading.Event()

    def make() -> House:
        assert may_be_made.wait(10)
        return house

    async def visit() -> str:
        app = LateApp(make)
        async with later(app.running), httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://x") as us:
            early = asyncio.create_task(us.get("/"))
            done, _ = await asyncio.wait([early], timeout=0.1)
            assert not done
            may_be_made.set()
            return (await early).text

    assert asyncio.run(visit()) == "open"
    assert not house.open


def test_the_rest_begins_behind_the_first_screen() -> None:
    async def start() -> None:
        async with asyncio.timeout(10):
            waiting = asyncio.create_task(head_start(LONG))
            done, _ = await asyncio.wait([waiting], timeout=0.1)
            assert not done
            await asyncio.to_thread(module.shown.set)  # as a screen's script does
            await waiting

    asyncio.run(start())


def test_a_screen_that_was_begun_is_waited_for() -> None:
    async def start() -> None:
        async with asyncio.timeout(10):
            module.drawing.set()
            waiting = asyncio.create_task(head_start(0))
            done, _ = await asyncio.wait([waiting], timeout=0.1)
            assert not done
            module.shown.set()
            await waiting

    asyncio.run(start())


def test_the_rest_begins_at_once_for_whoever_asks_for_it() -> None:
    """The first screen may be one that asks the simulator, and then it is not drawn before it has an answer."""
    house = House()

    @asynccontextmanager
    async def rest() -> AsyncIterator[None]:
        await head_start(LONG)
        async with app.running():
            yield

    app = LateApp(lambda: house)

    async def visit() -> str:
        transport = httpx.ASGITransport(app)
        async with asyncio.timeout(10), later(rest), httpx.AsyncClient(transport=transport, base_url="http://x") as us:
            return (await us.get("/")).text

    assert asyncio.run(visit()) == "open"


def test_the_rest_begins_where_nobody_looks() -> None:
    async def start() -> None:
        async with asyncio.timeout(10):
            await head_start(0.05)

    asyncio.run(start())


def test_a_server_that_ends_in_its_first_moments_leaves_nothing_begun() -> None:
    seen = []

    @asynccontextmanager
    async def rest() -> AsyncIterator[None]:
        seen.append("begun")
        try:
            await asyncio.Event().wait()
            yield
        finally:
            seen.append("left")

    async def serve() -> None:
        async with later(rest):
            await asyncio.sleep(0)

    asyncio.run(serve())
    assert seen == ["begun", "left"]


def test_a_server_that_cannot_have_the_rest_is_told_to_end(caplog: pytest.LogCaptureFixture) -> None:
    told = asyncio.Event()

    @asynccontextmanager
    async def rest() -> AsyncIterator[None]:
        raise OSError("the disk is gone")
        yield

    async def serve() -> None:
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, told.set)
        async with later(rest), asyncio.timeout(10):
            await told.wait()

    asyncio.run(serve())
    assert "the disk is gone" in caplog.text


def test_no_package_loads_its_own_parts() -> None:
    """Screens and what runs beside them load modules in several threads. Where a package loads its parts, one thread meets
    the package half made while another is at a part of it, and Python gives up with `ImportError`.
    """
    for package in (ROOT / "lib").rglob("__init__.py"):
        name = ".".join(package.parent.relative_to(ROOT).parts)
        for node in ast.parse(package.read_text("utf-8")).body:
            sources = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            if isinstance(node, ast.ImportFrom):
                sources = [node.module or "", "." * node.level]
            assert not [source for source in sources if source.startswith((name, "."))], package
