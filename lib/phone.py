"""Whether a phone can open what we show it: the links in QR codes, and this app under its public address."""

from __future__ import annotations

from dataclasses import dataclass
from ipaddress import ip_address
from typing import Final
from urllib.parse import urlsplit

import httpx

from lib import lan
from lib.settings import Settings

USUAL_PORT: Final = 8501
_PATIENCE_SECONDS: Final = 3.0


@dataclass(frozen=True)
class Check:
    """One thing that must be so before a phone can pay; `why` says what is wrong and what to do, if it is not."""

    what: str
    why: str = ""

    @property
    def well(self) -> bool:
        return not self.why


def refusal(url: str) -> str | None:
    """Why no phone can open an address, or None. For a QR code this must be asked first."""
    host = (urlsplit(url).hostname or "").rstrip(".").lower()
    if host == "localhost" or host.endswith(".localhost") or _is_loopback(host):
        return (
            f"{host} means “this device” on every device: a phone that opens it looks for the wallet page on itself. "
            "Start the app under an address that the phone can reach."
        )
    return None


def checks(settings: Settings, *, transport: httpx.BaseTransport | None = None) -> list[Check]:
    """What a phone needs in order to reach the wallet page of this process, up to the first thing that is missing.

    `transport` replaces the network.
    """
    url = settings.public_url
    if not url:
        return [
            Check("PUBLIC_URL is set", "Until it is, links begin with 127.0.0.1, which to every device means itself.")
        ]
    done = [Check("PUBLIC_URL is set")]
    for what, why in (
        ("It is an address for other devices", refusal(url)),
        ("The address belongs to this machine", _not_ours(url)),
    ):
        done.append(Check(what, why or ""))
        if why:
            return done
    return [*done, Check("This app answers under it", _silent(url, transport))]


def start_command(address: str, port: int) -> str:
    """The command line that serves phones under `address`."""
    on = "" if port == USUAL_PORT else f" --server.port {port}"
    return f"PUBLIC_URL=http://{address}:{port} .venv/bin/streamlit run app.py --server.address 0.0.0.0{on}"


def _is_loopback(host: str) -> bool:
    try:
        address = ip_address(host)
    except ValueError:
        return False
    mapped = getattr(address, "ipv4_mapped", None) or address
    return bool(mapped.is_loopback or mapped.is_unspecified)


def _not_ours(url: str) -> str | None:
    """A name may lead anywhere, to a proxy for one; an IPv4 address of another machine cannot be right."""
    host = urlsplit(url).hostname or ""
    try:
        version = ip_address(host).version
    except ValueError:
        return None
    if version != 4 or lan.is_own(host):
        return None
    return f"{host} is not an address of this machine, at least not any more: networks give out new ones."


def _silent(url: str, transport: httpx.BaseTransport | None) -> str:
    """Why nothing of ours answers at `url`; empty if it does."""
    with httpx.Client(trust_env=False, timeout=_PATIENCE_SECONDS, transport=transport) as client:
        try:
            answer = client.get(f"{url}/healthz")
            ours = answer.headers.get("content-type", "").startswith("application/json") and "receiver" in answer.json()
        except httpx.ConnectError:
            return "Nothing listens there: the app was started for this machine only, or on another port."
        except (httpx.TransportError, ValueError):
            ours = False
    return "" if ours else "Something answers there, but not this app. Check address and port."
