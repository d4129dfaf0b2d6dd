"""A real OpenID provider on this machine: nobody sees a screen before they signed in, and each role sees its own."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from oidc_provider_mock import User, run_server_in_thread
from playwright.sync_api import Browser, Page, expect

from tests.browser.conftest import DESK, PATIENCE_MS
from tests.browser.screens import assert_calm, title
from tests.browser.test_frame import SCREENS
from tests.support.server import Server, serving

# The provider's own, of which it will rid itself.
pytestmark = pytest.mark.filterwarnings("ignore:.*deprecated and will be removed:DeprecationWarning")

PEOPLE = {
    "Vic": User(sub="Vic", claims={"email": "vic@shop.example"}),
    "Mina": User(sub="Mina", claims={"email": "mina@shop.example"}),
    "Jun": User(sub="Jun", claims={"email": "jun@else.example", "roles": ["approver"]}),
    "Fin": User(sub="Fin", claims={"email": "fin@else.example", "roles": "finance"}),
    "Root": User(sub="Root", claims={"email": "root@else.example", "roles": ["admin"]}),
    "Eve": User(sub="Eve", claims={"email": "eve@else.example"}),
}
SEEN = {
    "Vic": ("Viewer", set()),
    "Mina": ("Viewer, support", {"New payment"}),
    "Jun": ("Approver", {"Audit log"}),
    "Fin": ("Finance", {"Audit log"}),
    "Root": ("Admin", {"New payment", "Audit log", "Settings", "Simulator"}),
}
"""Everybody's role as it is shown, and which of the screens that are not for everybody stand in their menu."""
NOT_FOR_EVERYBODY = {"New payment", "Audit log", "Settings", "Simulator"}


@pytest.fixture(scope="module")
def signing_in(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A fresh server that asks people to sign in."""
    with run_server_in_thread(user_claims=list(PEOPLE.values())) as provider:
        settings = {
            "SIGN_IN_METADATA_URL": f"http://localhost:{provider.server_port}/.well-known/openid-configuration",
            "SIGN_IN_CLIENT_ID": "desk",
            "SIGN_IN_CLIENT_SECRET": "client-secret",
            "SIGN_IN_COOKIE_SECRET": "0123456789" * 4,
            "ROLES": "mina@shop.example=support, *@shop.example=viewer",
        }
        with serving(tmp_path_factory.mktemp("signing-in"), **settings) as server:
            yield server


@pytest.fixture(scope="module")
def page(chromium: Browser, signing_in: Server) -> Iterator[Page]:
    context = chromium.new_context(viewport=DESK, reduced_motion="reduce")
    page = context.new_page()
    page.set_default_timeout(PATIENCE_MS)
    yield page
    assert_calm(page.locator("body").inner_text())
    context.close()


@pytest.mark.parametrize("paths", [["payment?id=pay_1", "settings"], pytest.param([*SCREENS], marks=pytest.mark.soak)])
def test_a_deep_link_on_a_fresh_process_meets_the_sign_in_first(
    signing_in: Server, page: Page, paths: list[str]
) -> None:
    for path in paths:
        page.goto(f"{signing_in.url}/{path}", wait_until="commit")
        expect(title(page, "Sign in")).to_be_visible()
        expect(page.get_by_role("button", name="Sign in at localhost")).to_be_visible()
        expect(page.get_by_role("heading", level=1)).to_have_count(1)
        expect(page.get_by_role("navigation").get_by_role("link")).to_have_count(0)


@pytest.mark.parametrize("names", [["Mina", "Root"], pytest.param([*SEEN], marks=pytest.mark.soak)])
def test_each_role_signs_in_and_sees_what_it_may_do(signing_in: Server, page: Page, names: list[str]) -> None:
    before = len(noted(signing_in))
    for name in names:
        role, seen = SEEN[name]
        sign_in(signing_in, page, name)
        expect(title(page, "Overdue")).to_be_visible()
        expect(page.get_by_role("button", name="Sign out")).to_be_visible()
        expect(page.get_by_text(re.compile(rf"{PEOPLE[name].claims['email']}\s+{role}$"))).to_be_visible()
        links = page.get_by_role("navigation").get_by_role("link").all_inner_texts()
        assert {link for link in NOT_FOR_EVERYBODY if any(link in text for text in links)} == seen, name
    sign_in(signing_in, page, "Eve")
    expect(page.get_by_text("who has no role here")).to_be_visible()
    assert title(page, "Overdue").count() == 0
    assert noted(signing_in)[before:] == [
        *((PEOPLE[name].claims["email"], "sign-in", "127.0.0.1", "sign_in.done") for name in names),
        ("eve@else.example", "sign-in", "127.0.0.1", "sign_in.turned_away"),
    ]


def noted(server: Server) -> list[tuple[str, ...]]:
    """Who the audit log says came, and who was turned away."""
    return server.rows("SELECT who, origin, address, action FROM audit WHERE action LIKE 'sign_in%' ORDER BY seq")


def sign_in(server: Server, page: Page, name: str) -> None:
    page.context.clear_cookies()
    page.goto(f"{server.url}/overdue", wait_until="commit")
    page.get_by_role("button", name="Sign in at localhost").click()
    page.get_by_role("button", name=name, exact=True).click()
    page.wait_for_url(f"{server.url}/overdue")
