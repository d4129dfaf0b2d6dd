"""The simulator's control board from outside: a small client of the HTTP API below `/_control/`.

It serves whichever simulator the dashboard points at, in this process or elsewhere, and knows nothing of its insides.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from functools import cached_property
from typing import TYPE_CHECKING, Any, TypeVar
from urllib.parse import quote, urlsplit

import msgspec

from lib.board_state import Account, Clock, Fault, Parcel, Replayed, Run, State, StoredSource, Taken, Visit

if TYPE_CHECKING:
    import httpx

__all__ = ["Account", "Board", "BoardError", "Clock", "Fault", "Parcel", "Replayed", "Run", "State"]

T = TypeVar("T")

_READ_SECONDS = 5.0
_CHANGE_SECONDS = 20.0
"""Who is told too soon that a change may still be under way makes it again."""
_ACT_SECONDS = 120.0
"""Moving the clock makes every delivery due on the way; a run is lived again from its beginning."""
_GLANCE_SECONDS = 1.0


class BoardError(Exception):
    """The simulator did not do what was asked. The message is for a person: what is wrong and what to do."""


class _Parcels(msgspec.Struct):
    data: list[Parcel]


class _Source(msgspec.Struct):
    id: str = ""


class _Customer(msgspec.Struct):
    name: str = ""
    email: str = ""


class _Balances(msgspec.Struct):
    total_captured: int = 0


class _Payment(msgspec.Struct):
    reference: str
    source: _Source
    customer: _Customer
    currency: str = ""
    balances: _Balances = msgspec.field(default_factory=_Balances)


class _Payments(msgspec.Struct):
    data: list[_Payment]


class Board:
    """The control board of the simulator at `base_url`. Every method raises `BoardError`. Safe to share between threads."""

    def __init__(self, base_url: str, *, transport: httpx.BaseTransport | None = None) -> None:
        """`base_url` is that of the payments API, without a slash at the end; `transport` replaces the network."""
        self.base_url = base_url
        self._transport = transport

    @cached_property
    def _http(self) -> httpx.Client:
        import httpx  # noqa: PLC0415 - loaded at the first call, which the first screen does not make

        # A stand-in is on this machine or next door; no proxy leads there, and to pack what it says would take longer.
        return httpx.Client(
            base_url=f"{self.base_url}/_control",
            headers={"Accept-Encoding": "identity"},
            trust_env=False,
            transport=self._transport,
        )

    def answers(self) -> bool:
        """Whether there is a control board, asked without patience."""
        try:
            self._ask("/seed", Run, seconds=_GLANCE_SECONDS)
        except BoardError:
            return False
        return True

    def state(self, deliveries: str | None = None, *, limit: int = 25) -> State:
        """All that is set at the board, read at once.

        With `deliveries` the newest events in that state come with it, in any state if it is empty.
        """
        asked: dict[str, Any] = {} if deliveries is None else {"deliveries": deliveries, "limit": str(limit)}
        return self._ask("/state", State, **asked)

    def set_fault(self, name: str, **values: Any) -> None:
        """Change some of `on`, `rate`, `times`, `seconds` and `code` of one fault."""
        self._call("PUT", "/faults", json={name: values})

    def all_off(self) -> None:
        """Put every fault back to how it began: off."""
        self._call("PUT", "/faults", params={"clear": "true"}, json={})

    def set_account(self, **values: Any) -> None:
        """Change `currencies` (the name of a list) or `kakaopay`."""
        self._call("PUT", "/account", json=values)

    def advance(self, by: timedelta) -> None:
        """Move the clock forward; everything due on the way happens, and is delivered, at its own time."""
        self._call("POST", "/clock/advance", json={"seconds": by.total_seconds()}, seconds=_ACT_SECONDS)

    def begin(self, seed: str | None, *, standing: bool, at: datetime | None = None) -> None:
        """Empty the simulator and start a run: on this seed or, for None, any, with the clock standing or real, from `at` on."""
        body = {"seed": seed, "clock": "standing" if standing else "real"} | ({"at": at.isoformat()} if at else {})
        self._call("PUT", "/seed", json=body, seconds=_ACT_SECONDS)

    def save(self) -> bytes:
        """The present run as a file."""
        return self._call("GET", "/run", seconds=_ACT_SECONDS).content

    def replay(self, run: bytes) -> Replayed:
        """Empty the simulator and live a saved run again."""
        headers = {"Content-Type": "application/json"}
        return _read(self._call("POST", "/run", content=run, headers=headers, seconds=_ACT_SECONDS), Replayed)

    def parcels(self, state: str = "", *, limit: int = 25) -> list[Parcel]:
        """Events and their deliveries, newest first; with `state`, those that are in it."""
        return self._ask("/deliveries", _Parcels, state=state, limit=str(limit)).data

    def resend(self, event_id: str) -> None:
        """Deliver an event once more, with a fresh schedule."""
        self._call("POST", f"/deliveries/{quote(event_id, safe='')}/resend")

    def sources(self, *, limit: int = 200) -> list[StoredSource]:
        """The stored sources of the newest payments, newest first."""
        found: dict[str, StoredSource] = {}
        for payment in self._ask("/payments", _Payments, limit=str(limit)).data:
            if payment.source.id:
                whose = payment.customer.name or payment.customer.email
                found.setdefault(payment.source.id, StoredSource(payment.source.id, whose, payment.reference))
        return list(found.values())

    def opened_on(self, payment_id: str) -> datetime | None:
        """When the payment's wallet page was first opened, on the simulator's clock. Asked without patience."""
        path = f"/visits/{quote(payment_id, safe='')}"
        return self._ask(path, Visit, seconds=_GLANCE_SECONDS).opened_on

    def decide(self, link: str, decision: str) -> None:
        """Do on the wallet page that a payment's link leads to what a customer does: `pay`, `decline` or `cancel`."""
        page = f"{self.base_url}/wallet/{quote(urlsplit(link).path.rpartition('/')[2], safe='')}"
        self._call("POST", page, data={"decision": decision})

    def captured(self, *, limit: int = 500) -> dict[str, int]:
        """What the newest payments took in, by currency in minor units."""
        sums: dict[str, int] = {}
        for payment in self._ask("/payments", _Payments, limit=str(limit)).data:
            if payment.balances.total_captured:
                sums[payment.currency] = sums.get(payment.currency, 0) + payment.balances.total_captured
        return sums

    def revoke(self, source_id: str) -> None:
        """The customer ends the agreement: the source can no longer be charged."""
        self._call("POST", f"/sources/{quote(source_id, safe='')}/revoke")

    def taken(self) -> Taken:
        """Which payments it has taken over from elsewhere."""
        return self._ask("/payments/taken", Taken)

    def take(self, label: str, start: int, payments: Sequence[Mapping[str, Any]]) -> Taken:
        """Hand over the payments from number `start` on of the lot `label`; what it holds afterwards."""
        body = {"label": label, "start": start, "payments": payments}
        return _read(self._call("POST", "/payments/taken", json=body, seconds=_ACT_SECONDS), Taken)

    def forget_taken(self) -> None:
        """Have it forget the payments that it has taken over, with all that happened to them."""
        self._call("DELETE", "/payments/taken", seconds=_ACT_SECONDS)

    def _ask(self, path: str, kind: type[T], *, seconds: float = _READ_SECONDS, **params: str) -> T:
        return _read(self._call("GET", path, seconds=seconds, params=params), kind)

    def _call(self, method: str, path: str, *, seconds: float = _CHANGE_SECONDS, **request: Any) -> httpx.Response:
        import httpx  # noqa: PLC0415 - as above

        try:
            answer = self._http.request(method, path, timeout=seconds, **request)
        except httpx.TimeoutException:
            raise BoardError(
                f"The simulator did not answer within {seconds:g} seconds. It may still be at it; load the page again."
            ) from None
        except httpx.TransportError:
            raise BoardError(
                f"The simulator at {self.base_url} cannot be reached. Check that it runs, then load the page again."
            ) from None
        if answer.is_success or answer.has_redirect_location:  # the wallet sends its customer on, who is nobody here
            return answer
        raise BoardError(_refusal(answer))


def _refusal(answer: httpx.Response) -> str:
    try:
        said = msgspec.json.decode(answer.content)
    except msgspec.DecodeError:
        said = None
    if isinstance(said, Mapping) and isinstance(said.get("error"), str):
        return str(said["error"])
    if answer.status_code == 404:
        return "The simulator does not know it; a new run may have begun meanwhile. Load the page again."
    if answer.status_code == 413:
        return "The file is larger than the simulator takes. Save a shorter run, and replay that."
    return f"The simulator refused with status {answer.status_code}. Its log says more."


def _read(answer: httpx.Response, kind: type[T]) -> T:
    try:
        return msgspec.json.decode(answer.content, type=kind)
    except msgspec.DecodeError:
        raise BoardError(
            "What answers there is not this simulator's control board. Check CHECKOUT_BASE_URL, or update the simulator."
        ) from None
