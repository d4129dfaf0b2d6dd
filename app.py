"""The one process: `streamlit run app.py` serves the dashboard, the webhook receiver and the simulator.

With `CHECKOUT_BASE_URL` set it points at Checkout.com, and there is no simulator.
"""

from __future__ import annotations

import sys
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any

import streamlit as st
from starlette.middleware import Middleware
from starlette.routing import Mount

from lib import logs
from lib.comeback import Comeback
from lib.front import Front
from lib.gate import Gate
from lib.ledger.desk import open_desk
from lib.response_headers import ResponseHeaders
from lib.settings import SIMULATOR_PATH, WEBHOOK_PATH, Settings, SettingsError, load
from lib.simulator.app import Simulator, create
from lib.simulator.options import Options
from lib.workers import Workers
from pages.parts.frame import explain


def settings_or_exit() -> Settings:
    try:
        return load()
    except SettingsError as error:
        print(f"The settings cannot be used.\n{error}", file=sys.stderr)
        raise SystemExit(2) from None


def own_port() -> int:
    return int(st.get_option("server.port"))


def simulator(settings: Settings) -> Simulator:
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


settings = settings_or_exit()
logs.configure(settings)
front = Front()
stand_in = simulator(settings) if settings.embedded_simulator else None


@asynccontextmanager
async def lifespan(_app: st.App) -> AsyncIterator[None]:
    """Start what runs beside the screens, and stop it in reverse: nothing acknowledged is left undone."""
    desk = open_desk(port=own_port())
    workers = Workers(desk)
    async with AsyncExitStack() as stack:
        await stack.enter_async_context(front.open(desk.database, desk.settings, workers))
        if stand_in:
            await stack.enter_async_context(stand_in.running())
        await stack.enter_async_context(workers.running())
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
