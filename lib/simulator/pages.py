"""Lists a page at a time: `limit`, an opaque `pagination_token`, and the links to this page and the next."""

from __future__ import annotations

import base64
import binascii
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import urlencode

from starlette.requests import Request

from lib.simulator.clock import parse
from lib.simulator.problem import invalid


@dataclass(frozen=True)
class Page:
    """What was asked for. Rows are walked newest first; `before` is the sequence number the page starts below."""

    limit: int
    before: int | None
    asked: dict[str, str]
    href: str

    def body(self, found: list[tuple[int, dict[str, Any]]]) -> dict[str, Any]:
        """The answer, from up to `limit` + 1 rows with their sequence numbers."""
        shown = found[: self.limit]
        links = {"self": {"href": self._link(self.asked)}}
        if len(found) > self.limit:
            links["next"] = {"href": self._link({**self.asked, "pagination_token": _token(shown[-1][0])})}
        return {"count": len(shown), "limit": self.limit, "data": [row for _, row in shown], "_links": links}

    def _link(self, query: dict[str, str]) -> str:
        return f"{self.href}?{urlencode(query)}" if query else self.href


def page(request: Request, href: str) -> Page:
    """Read `limit` (1 to 100, default 100; else 422 `paging_limit_invalid`) and `pagination_token`."""
    asked = dict(request.query_params)
    limit = asked.get("limit", "100")
    if not (limit.isascii() and limit.isdigit() and 1 <= int(limit[:9]) <= 100):
        raise invalid("paging_limit_invalid")
    return Page(limit=int(limit), before=_position(asked.get("pagination_token")), asked=asked, href=href)


def moment(request: Request, name: str) -> datetime | None:
    """A time from the query, or None where it is not given; 422 if it is none. A `+` in it may have come as a space."""
    value = request.query_params.get(name)
    if not value:
        return None
    try:
        return parse(value.replace(" ", "+"))
    except ValueError:
        raise invalid("parameter_invalid") from None


def _token(seq: int) -> str:
    return base64.urlsafe_b64encode(f"before:{seq}".encode()).decode().rstrip("=")


def _position(token: str | None) -> int | None:
    if not token:
        return None
    try:
        word, _, seq = base64.b64decode(token + "=" * (-len(token) % 4), "-_", validate=True).decode().partition(":")
        if word == "before" and len(seq) < 16:
            return int(seq)
    except (binascii.Error, ValueError):
        pass
    raise invalid("parameter_invalid")
