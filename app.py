"""The one process: `streamlit run app.py` serves the dashboard, the webhook receiver and the simulator.

With `CHECKOUT_BASE_URL` set it points at Checkout.com, and there is no simulator.
"""

from __future__ import annotations

import gc
import os

# Until everything is loaded: looking for garbage meanwhile takes a quarter of the start, and hardly finds any.
gc.disable()
# pydantic would look through every package that is installed, for plugins of its own that nobody has.
os.environ.setdefault("PYDANTIC_DISABLE_PLUGINS", "__all__")

import asyncio
import sys
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from importlib import import_module
from typing import TYPE_CHECKING, Any

import streamlit as st
import streamlit.delta_generator
from starlette.middleware import Middleware
from starlette.routing import Mount

from lib import logs
from lib.comeback import Comeback
from lib.front import Front, settle
from lib.gate import Gate
from lib.later import LateApp, head_start, later
from lib.ledger.desk import Desk, open_desk
from lib.response_headers import ResponseHeaders
from lib.settings import SIMULATOR_PATH, WEBHOOK_PATH, Settings, SettingsError, load
from pages.parts.frame import explain
from pages.parts.media import keep_downloads

if TYPE_CHECKING:
    from lib.simulator.app import Simulator

HEAD_START = 2.0
"""Seconds in which a browser that was opened with the server asks for its first screen, and mostly has it."""


def settings_or_exit() -> Settings:
    try:
        return load()
    except SettingsError as error:
        print(f"The settings cannot be used.\n{error}", file=sys.stderr)
        raise SystemExit(2) from None


def own_port() -> int:
    return int(st.get_option("server.port"))


def simulator() -> Simulator:
    from lib.simulator.app import create  # noqa: PLC0415 - not before `beside`
    from lib.simulator.options import Options  # noqa: PLC0415

    return create(
        Options(
            database_url=settings.simulator_database_url,
            base_url=lambda: open_desk(port=own_port()).public_url + SIMULATOR_PATH,
            webhook_url=lambda: f"http://127.0.0.1:{own_port()}{WEBHOOK_PATH}",
            webhook_keys=settings.webhook_keys,
            secret_keys=(settings.secret_key,),
            processing_channel_id=settings.processing_channel_id,
            currencies=settings.kakaopay_currencies,
        )
    )


def secrets(settings: Settings) -> dict[str, Any] | None:
    """What Streamlit's own sign-in needs, in its words."""
    auth = settings.streamlit_auth(settings.public_url or f"http://127.0.0.1:{own_port()}")
    return {"auth": auth} if auth else None


# At its first element Streamlit would find out whether this is Python's prompt, to warn whoever types there: it looks up
# the file of every module that is loaded, and ours are many.
streamlit.delta_generator._use_warning_has_been_displayed = True

keep_downloads()

settings = settings_or_exit()
logs.configure(settings)
front = Front()
stand_in = LateApp(simulator) if settings.embedded_simulator else None


@asynccontextmanager
async def lifespan(_app: st.App) -> AsyncIterator[None]:
    """Take deliveries and show screens for as long as the server runs, and soon do all the rest."""
    desk = open_desk(port=own_port())
    front.workers = lambda: {"status": "starting"}
    async with front.open(desk.database, desk.settings), later(lambda: beside(desk)):
        yield


@asynccontextmanager
async def beside(desk: Desk) -> AsyncIterator[None]:
    """What runs beside the screens, stopped in reverse: nothing acknowledged is left undone.

    It takes longer to load than all that the first screen needs, so that screen comes first.
    """
    await head_start(HEAD_START)
    async with AsyncExitStack() as stack:
        if stand_in:
            await stack.enter_async_context(stand_in.running())
        workers = (await asyncio.to_thread(import_module, "lib.workers")).Workers(desk)
        await stack.enter_async_context(workers.running())
        # No worker needs it, but the first screen with a table does.
        await asyncio.to_thread(import_module, "pandas")
        settle()
        front.workers = workers.describe  # so that who asks is told that all has started
        yield


# Streamlit looks for this very assignment in the file it is told to run.
app = st.App(
    "pages/navigation.py",
    routes=[Mount(SIMULATOR_PATH, app=stand_in)] if stand_in else [],
    secrets=secrets(settings),
    middleware=[
        Middleware(Gate, settings=settings),
        Middleware(front.before),
        Middleware(ResponseHeaders),
        *([Middleware(Comeback)] if settings.sign_in else []),
    ],
    lifespan=lifespan,
    on_script_error=explain,
)
