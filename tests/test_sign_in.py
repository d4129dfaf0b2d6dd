"""From what a provider says of somebody to a person with roles."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from lib.operators import Operator, Role
from lib.sign_in import NoRole, NotSignedIn, parse_roles, person

NOW = datetime(2026, 11, 25, 9, 0, tzinfo=UTC)
RULES = "mina@shop.example=support, MINA@shop.example = Finance, *@shop.example=viewer, jun@other.example=admin"


def who(rules: str = RULES, **claims: Any) -> Operator:
    told = {"sub": "248289", "iat": NOW.timestamp() - 60, **claims}
    return person(told, rules=parse_roles(rules), roles_claim="roles", lasts=timedelta(hours=8), now=NOW)


@pytest.mark.parametrize(
    ("claims", "name", "roles"),
    [
        ({"email": "mina@shop.example"}, "mina@shop.example", {"support", "finance", "viewer"}),
        ({"email": " Mina@Shop.Example "}, "mina@shop.example", {"support", "finance", "viewer"}),
        ({"email": "ana@shop.example", "email_verified": True}, "ana@shop.example", {"viewer"}),
        ({"email": "jun@other.example"}, "jun@other.example", {"admin"}),
        ({"email": "eve@else.example", "roles": ["approver", "king", 7]}, "eve@else.example", {"approver"}),
        ({"email": "eve@else.example", "roles": "approver finance"}, "eve@else.example", {"approver", "finance"}),
        ({"roles": "viewer"}, "248289", {"viewer"}),
        ({"email": "ana@shop.example", "email_verified": "true"}, "ana@shop.example", {"viewer"}),
        ({"email": "ana@shop.example", "email_verified": False, "roles": "support"}, "248289", {"support"}),
    ],
)
def test_roles_come_from_claims_and_from_the_map(claims: dict[str, Any], name: str, roles: set[Role]) -> None:
    assert who(**claims) == Operator(name, frozenset(roles), "sign-in")


@pytest.mark.parametrize(
    ("name", "claims"),
    [
        ("realm_access.roles", {"realm_access": {"roles": ["support"]}}),
        ("https://desk.example/roles", {"https://desk.example/roles": ["support"]}),
    ],
)
def test_the_claim_may_lie_in_another_or_have_dots_in_its_name(name: str, claims: dict[str, Any]) -> None:
    told = {"sub": "1", "iat": NOW.timestamp(), **claims}
    assert person(told, rules=(), roles_claim=name, lasts=timedelta(hours=8), now=NOW).roles == {"support"}
    with pytest.raises(NoRole):
        person(told, rules=(), roles_claim="realm_access.roles.more", lasts=timedelta(hours=8), now=NOW)


@pytest.mark.parametrize(
    "claims",
    [
        {"email": "eve@else.example"},
        {"email": "mina@shop.example", "email_verified": False},
        {"email": "mina@shop.example", "email_verified": "false"},
        {"email": "mina@shop.example", "email_verified": 0},
        {"email": "eve@shop.example.evil"},
        {"email": "eve@evilshop.example"},
        {"email": ["mina@shop.example"]},
        {"email": "eve@else.example", "roles": {"admin": True}},
        {"email": "eve@else.example", "roles": ["Admin "]},
        {"sub": ""},
    ],
)
def test_nobody_without_a_role_gets_in(claims: dict[str, Any]) -> None:
    with pytest.raises(NoRole, match=r"no role here\. Ask whoever runs this dashboard"):
        who(**claims)


@pytest.mark.parametrize("iat", [None, "now", NOW.timestamp() - 8 * 3600, NOW.timestamp() - 90000])
def test_a_sign_in_ends(iat: Any) -> None:
    with pytest.raises(NotSignedIn, match="Sign in again"):
        who(email="mina@shop.example", iat=iat)


@pytest.mark.parametrize(
    "text", ["mina@shop.example", "mina=support", "mina@shop.example=boss", "*=viewer", "*@*=viewer", "a@b@c=viewer"]
)
def test_a_map_that_makes_no_sense_is_said(text: str) -> None:
    with pytest.raises(ValueError, match="write ADDRESS=ROLE"):
        parse_roles(text)


def test_whoever_did_not_sign_in_is_asked_to() -> None:
    with pytest.raises(NotSignedIn, match="Sign in to go on"):
        person({}, rules=(), roles_claim="roles", lasts=timedelta(hours=8))
