"""Who signed in: from what an OpenID Connect provider says of somebody to a person with roles here."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, cast

from lib.operators import ROLES, Operator, Role

_PATTERN = re.compile(r"(?:\*|[^@\s*=]+)@[^@\s*=]+")


class NotIn(Exception):
    """Whoever asks is not let in; the message is a sentence for them."""


class NotSignedIn(NotIn):
    """Nobody signed in, or it is too long ago."""


class NoRole(NotIn):
    """Somebody signed in who has no role here; `name` is who."""

    def __init__(self, name: str) -> None:
        super().__init__(
            f"You are signed in as {name or 'nobody'}, who has no role here. "
            "Ask whoever runs this dashboard to give you one, then sign in again."
        )
        self.name = name


def parse_roles(text: str) -> tuple[tuple[str, Role], ...]:
    """`mina@shop.example=support, *@shop.example=viewer` as pairs of an address, or all of a domain, and a role.

    An address may stand several times. Raises `ValueError`.
    """
    rules: list[tuple[str, Role]] = []
    for entry in filter(None, (part.strip() for part in text.split(","))):
        pattern, _, role = (part.strip().lower() for part in entry.partition("="))
        if not _PATTERN.fullmatch(pattern) or role not in ROLES:
            raise ValueError(
                f"write ADDRESS=ROLE with commas between, such as mina@shop.example=support, *@shop.example=viewer; "
                f"a role is one of {', '.join(ROLES)}"
            )
        rules.append((pattern, role))
    return tuple(rules)


def person(
    claims: Mapping[str, Any],
    *,
    rules: Sequence[tuple[str, Role]],
    roles_claim: str,
    lasts: timedelta,
    address: str | None = None,
    now: datetime | None = None,
) -> Operator:
    """The person of whom a provider says `claims`, with the roles of its claim `roles_claim` and of the `rules`.

    The name is the e-mail address where the provider vouches for it, since nobody can take another's; else the
    provider's own id. A sign-in is good for `lasts` from when the provider told of it. Raises `NoRole` and `NotSignedIn`.
    """
    if not claims:
        raise NotSignedIn("This dashboard is for people who are known to it. Sign in to go on.")
    began = signed_in_at(claims)
    if began is None or began + lasts <= (now or datetime.now(UTC)):
        raise NotSignedIn("Your sign-in has ended. Sign in again; nothing that was confirmed is lost.")
    mail = claims.get("email")
    vouched = str(claims.get("email_verified", True)).lower() == "true"  # some providers write the word
    email = mail.strip().lower() if isinstance(mail, str) and vouched else ""
    name = email or f"{claims.get('sub') or ''}"
    roles = {role for pattern, role in rules if email and _fits(email, pattern)}
    roles.update(_claimed(_found(claims, roles_claim)))
    if not name or not roles:
        raise NoRole(name)
    return Operator(name, frozenset(roles), "sign-in", address)


def signed_in_at(claims: Mapping[str, Any]) -> datetime | None:
    """When the provider told of the sign-in."""
    said = claims.get("iat")
    return datetime.fromtimestamp(said, UTC) if isinstance(said, int | float) else None


def _fits(email: str, pattern: str) -> bool:
    return email.endswith(pattern[1:]) if pattern.startswith("*") else email == pattern


def _found(claims: Mapping[str, Any], name: str) -> object:
    """A claim by its name, or one inside another: `realm_access.roles`."""
    if name in claims:
        return claims[name]
    outer, _, inner = name.partition(".")
    within = claims.get(outer)
    return _found(within, inner) if inner and isinstance(within, Mapping) else None


def _claimed(value: object) -> set[Role]:
    words = re.split(r"[\s,]+", value) if isinstance(value, str) else value if isinstance(value, list) else []
    return {cast(Role, word) for word in words if word in ROLES}
