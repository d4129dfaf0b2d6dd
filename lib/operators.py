"""Who acts, and what they may do. Every use case takes the acting person as its first word and asks here."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, get_args

Role = Literal["viewer", "support", "approver", "finance", "admin"]
ROLES: tuple[Role, ...] = get_args(Role)

Right = Literal[
    "read",
    "create",
    "refund",
    "approve",
    "note",
    "reread",
    "download",
    "close",
    "reconcile",
    "simulate",
    "keys",
    "deliveries",
    "erase",
    "audit",
]

_EVERYBODY = frozenset(ROLES)
RIGHTS: Mapping[Right, frozenset[Role]] = {
    "read": _EVERYBODY,
    "create": frozenset({"support", "admin"}),
    "refund": frozenset({"support", "approver", "admin"}),
    "approve": frozenset({"approver", "admin"}),
    "note": frozenset({"support", "approver", "finance", "admin"}),
    "reread": frozenset({"support", "approver", "finance", "admin"}),
    "download": frozenset({"support", "approver", "finance", "admin"}),
    "close": frozenset({"finance"}),
    "reconcile": frozenset({"finance"}),
    "simulate": frozenset({"admin"}),
    "keys": frozenset({"admin"}),
    "deliveries": frozenset({"support", "admin"}),
    "erase": frozenset({"admin"}),
    "audit": frozenset({"approver", "finance", "admin"}),
}
"""Which roles each right belongs to."""

_TO_DO: Mapping[Right, str] = {
    "read": "see this",
    "create": "create payments",
    "refund": "refund",
    "approve": "approve refunds",
    "note": "write notes",
    "reread": "ask Checkout.com again",
    "download": "download rows",
    "close": "close periods",
    "reconcile": "reconcile reports",
    "simulate": "use the simulator's board",
    "keys": "see the settings",
    "deliveries": "try deliveries again",
    "erase": "erase personal data",
    "audit": "read the audit log",
}


class NotAllowed(PermissionError):
    """The acting person's roles do not include this. The message is a sentence for them."""


@dataclass(frozen=True, slots=True)
class Operator:
    """A person at the dashboard. `name` is what colleagues read in the record; who has the same name is the same person.

    `origin` says how we know: `sign-in`, or `local` for whoever sits at this machine. `address` is where they came from.
    """

    name: str
    roles: frozenset[Role] = _EVERYBODY
    origin: Literal["local", "sign-in"] = "local"
    address: str | None = None

    def may(self, right: Right) -> bool:
        """Whether one of the roles includes `right`."""
        return not self.roles.isdisjoint(RIGHTS[right])

    def require(self, right: Right) -> None:
        """Raise `NotAllowed`, with who could do it instead, unless one of the roles includes `right`."""
        if not self.may(right):
            able = " or ".join(role for role in ROLES if role in RIGHTS[right])
            mine = ", ".join(role for role in ROLES if role in self.roles) or "none"
            raise NotAllowed(f"Your role ({mine}) may not {_TO_DO[right]}. Ask somebody with the role {able}.")
