"""Who may reach what: without sign-in the dashboard is for this machine only, and the simulator's insides always are."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address
from urllib.parse import urlsplit

from starlette.datastructures import Headers
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from lib.settings import SIMULATOR_PATH, WEBHOOK_PATH, Settings

_Address = IPv4Address | IPv6Address
_Network = IPv4Network | IPv6Network

_OPEN = re.compile(rf"(?:{re.escape(WEBHOOK_PATH)}|/healthz|{re.escape(SIMULATOR_PATH)}/wallet/[^/]+)/?")
"""What everybody may reach: Checkout.com's deliveries, the health page, and the page on which a customer pays."""
_INSIDES = re.compile(rf"(?:{re.escape(SIMULATOR_PATH)}|/metrics)(?:/.*)?", re.DOTALL)
INSIDES_ARE_LOCAL = "This answers on the machine it runs on only.\n"
_DASHBOARD_IS_LOCAL = (
    "This dashboard answers on the machine it runs on only, until sign-in is set up. "
    "Whoever runs it finds out how under Sign-in in README.md.\n"
)
_UNKNOWN_NAME = "This dashboard is not known under this name. Whoever runs it can add the name to ALLOWED_HOSTS, or set PUBLIC_URL.\n"
_CHAINS = ("x-forwarded-for", "forwarded")
"""Headers that list every hop. Of all others only the name counts: somebody stood between."""
_FORWARDED_BY = frozenset(
    {
        *_CHAINS, "via", "x-real-ip", "x-client-ip", "x-cluster-client-ip", "x-original-forwarded-for", "x-original-host",
        "true-client-ip", "cf-connecting-ip", "cf-connecting-ipv6", "cf-ray", "cdn-loop", "fastly-client-ip",
        "fly-client-ip", "x-appengine-user-ip", "x-azure-clientip", "x-azure-socketip", "x-envoy-external-address",
        "x-arr-clientip", "x-proxyuser-ip", "wl-proxy-client-ip", "proxy-client-ip", "tailscale-user-login",
    }
)  # fmt: skip
_NAMES_OF_THIS_MACHINE = frozenset({"localhost", "127.0.0.1", "::1"})


class Gate:
    """Middleware: answers 403 to whoever may not have what is asked for, and passes on everybody else.

    Without sign-in the dashboard and its websocket are for requests from this machine; with sign-in for everybody,
    since the script asks who they are. The simulator and the figures are for this machine in either case. Behind all
    of them, names under which we are not known are refused, so that no page elsewhere can reach us through somebody's
    browser by a name of its own.
    """

    def __init__(self, app: ASGIApp, settings: Settings) -> None:
        self._app = app
        self._trusted = settings.proxies
        self._hosts = settings.hosts
        self._sign_in = settings.sign_in

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] not in ("http", "websocket"):
            await self._app(scope, receive, send)
            return
        refusal = self._refusal(scope)
        if refusal is None:
            await self._app(scope, receive, send)
        elif scope["type"] == "websocket":
            await receive()
            await send({"type": "websocket.close", "code": 1008, "reason": ""})  # servers answer 403 to it
        else:
            await PlainTextResponse(refusal, 403)(scope, receive, send)

    def _refusal(self, scope: Scope) -> str | None:
        path = scope["path"]
        if scope["type"] == "http" and _OPEN.fullmatch(path):
            return None
        insides = _INSIDES.fullmatch(path) is not None
        if (insides or not self._sign_in) and not is_local(scope, self._trusted):
            return INSIDES_ARE_LOCAL if insides else _DASHBOARD_IS_LOCAL
        if not self._known(Headers(scope=scope)):
            return _UNKNOWN_NAME
        return None

    def _known(self, headers: Headers) -> bool:
        """Whether the request names us, and comes from a page of ours if it comes from a page."""
        hosts, origins = headers.getlist("host"), headers.getlist("origin")
        if len(hosts) != 1 or len(origins) > 1:
            return False
        return all(_fits(name, self._hosts) for name in (f"//{hosts[0]}", *origins))


def is_local(scope: Scope, trusted: Sequence[_Network]) -> bool:
    """Whether a request comes from this machine, as far as `trusted` proxies say."""
    raw, client = Headers(scope=scope), scope.get("client")
    headers = {name: ", ".join(raw.getlist(name)) for name in raw}
    address = caller(client[0] if client else None, headers, trusted)
    return address is not None and address.is_loopback


def caller(peer: str | None, headers: Mapping[str, str], trusted: Sequence[_Network]) -> _Address | None:
    """From where a request came, or None when that cannot be known. `headers` by name in lower case.

    `peer` is the other end of the connection. A header that says for whom somebody forwards is believed only if `peer`
    is one of the `trusted` proxies: then it is the right-most hop that is none of them, or the first of all.
    """
    address = _address(peer or "")
    if not any(name in _FORWARDED_BY or name.startswith("x-forwarded-") for name in headers):
        return address
    if address is None or not _is_one_of(address, trusted):
        return None
    chains = [name for name in _CHAINS if name in headers]
    if len(chains) != 1:  # of two, a proxy may have written one and passed on the other as it came
        return None
    hops = [_address(_hop(part)) for part in headers[chains[0]].split(",")]
    for hop in reversed(hops):
        if hop is None or not _is_one_of(hop, trusted):
            return hop
    return hops[0]


def _hop(part: str) -> str:
    """The address of one hop, of either header: `for=` and quotes taken off, and the port behind it."""
    pairs = [pair.strip() for pair in part.split(";")]
    text = next((pair[4:] for pair in pairs if pair.lower().startswith("for=")), pairs[0]).strip('"')
    bracketed = re.fullmatch(r"\[([^\]]+)\](?::\d+)?", text)
    if bracketed:
        return bracketed[1]
    return text.partition(":")[0] if text.count(":") == 1 else text


def _address(text: str) -> _Address | None:
    try:
        return _plain(ip_address(text.strip()))
    except ValueError:
        return None


def _plain(address: _Address) -> _Address:
    mapped = address.ipv4_mapped if isinstance(address, IPv6Address) else None
    return mapped or address


def _is_one_of(address: _Address, networks: Iterable[_Network]) -> bool:
    return any(address in network for network in networks if network.version == address.version)


def _fits(url: str, hosts: Iterable[str]) -> bool:
    try:
        parts = urlsplit(url)
        name = (parts.hostname or "").rstrip(".")
        whole = parts.port != 0 and parts.username is None and not (parts.path or parts.query or parts.fragment)
    except ValueError:  # a port or an IPv6 address that is none
        return False
    if not whole or not name:
        return False
    if name in _NAMES_OF_THIS_MACHINE or name.endswith(".localhost"):
        return True
    return any(name.endswith(host[1:]) if host.startswith("*.") else name == host for host in hosts)
