"""After signing in, back to the screen that was asked for: Streamlit's own way back leads to the first one only."""

from __future__ import annotations

import re
from urllib.parse import quote, unquote

from starlette.datastructures import MutableHeaders
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from lib.secrets_file import CALLBACK

_COOKIE = "desk_wanted"
_LASTS_SECONDS = 600
_LONGEST = 1500
_OWN_ADDRESS = re.compile(r"/(?![/\\])[^\\\x00-\x1f\x7f]*")
"""An address on this server: a path, and nothing that a browser would take for another host."""


class Comeback:
    """Middleware: remembers in the browser which screen it loaded last, and sends it there from the provider's answer."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["method"] != "GET":
            await self._app(scope, receive, send)
            return
        request = Request(scope)
        answered = request.url.path == CALLBACK
        loads_a_screen = request.headers.get("sec-fetch-dest") == "document"

        async def noted(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                if answered:
                    _go_back(request, headers)
                elif loads_a_screen and headers.get("content-type", "").startswith("text/html"):
                    _remember(request, headers)
            await send(message)

        await self._app(scope, receive, noted)


def _remember(request: Request, headers: MutableHeaders) -> None:
    address = request.url.path + (f"?{request.url.query}" if request.url.query else "")
    if len(address) <= _LONGEST:
        _set(request, headers, quote(address, safe=""), _LASTS_SECONDS)


def _go_back(request: Request, headers: MutableHeaders) -> None:
    wanted = unquote(request.cookies.get(_COOKIE, ""))
    if headers.get("location") == "/" and _OWN_ADDRESS.fullmatch(wanted):
        headers["location"] = quote(wanted, safe="/?&=%+:,;@!$'()*~-._")
        _set(request, headers, "", 0)


def _set(request: Request, headers: MutableHeaders, value: str, seconds: int) -> None:
    secure = "; Secure" if request.url.scheme == "https" else ""
    headers.append("set-cookie", f"{_COOKIE}={value}; Path=/; Max-Age={seconds}; HttpOnly; SameSite=Lax{secure}")
