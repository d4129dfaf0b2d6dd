"""Whether a phone can reach us, and the refusal of links that no phone can open."""

from __future__ import annotations

import httpx
import pytest

from lib import lan, phone
from lib.settings import Settings

OURS = httpx.Response(200, json={"status": "ok", "receiver": {"waiting": 0}})


def asked(url: str | None, answer: httpx.Response | Exception = OURS) -> list[phone.Check]:
    def respond(request: httpx.Request) -> httpx.Response:
        assert str(request.url) == f"{url}/healthz"
        if isinstance(answer, Exception):
            raise answer
        return answer

    settings = Settings(_env_file=None, public_url=url)  # type: ignore[call-arg]
    return phone.checks(settings, transport=httpx.MockTransport(respond))


@pytest.fixture(autouse=True)
def network(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PUBLIC_URL", raising=False)
    monkeypatch.setattr(lan, "is_own", lambda host: host == "192.168.1.20")


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1:8501/simulator/wallet/x",
        "http://127.0.0.2",
        "http://localhost:8501",
        "http://LOCALHOST.:8501",
        "http://desk.localhost",
        "http://[::1]:8501",
        "http://[::ffff:127.0.0.1]",
        "http://0.0.0.0:8501",
    ],
)
def test_a_link_to_this_device_is_refused_with_its_cure(url: str) -> None:
    said = phone.refusal(url)
    assert said
    assert "on every device" in said
    assert "Start the app under an address" in said


@pytest.mark.parametrize(
    "url", ["http://192.168.1.20:8501/wallet/x", "https://psp.ac.alipay.com/page", "http://desk.local"]
)
def test_a_link_to_elsewhere_is_not(url: str) -> None:
    assert phone.refusal(url) is None


def test_all_is_well_when_we_answer_under_an_address_of_this_machine() -> None:
    found = asked("http://192.168.1.20:8501")
    assert [check.well for check in found] == [True] * 4


@pytest.mark.parametrize(
    ("url", "answer", "missing", "why"),
    [
        (None, OURS, "PUBLIC_URL is set", "127.0.0.1"),
        ("http://localhost:8501", OURS, "It is an address for other devices", "on every device"),
        ("http://192.168.1.99:8501", OURS, "The address belongs to this machine", "not an address of this machine"),
        (
            "http://192.168.1.20:8501",
            httpx.ConnectError("refused"),
            "This app answers under it",
            "for this machine only",
        ),
        ("http://192.168.1.20:8501", httpx.ReadTimeout("late"), "This app answers under it", "not this app"),
        ("http://192.168.1.20:8501", httpx.Response(200, text="<html>"), "This app answers under it", "not this app"),
        ("http://192.168.1.20:8501", httpx.Response(200, json={}), "This app answers under it", "not this app"),
    ],
)
def test_the_first_thing_that_is_missing_is_said(
    url: str | None, answer: httpx.Response | Exception, missing: str, why: str
) -> None:
    *before, last = asked(url, answer)
    assert all(check.well for check in before)
    assert (last.what, last.well) == (missing, False)
    assert why in last.why


def test_a_name_may_lead_here_through_a_proxy() -> None:
    assert all(check.well for check in asked("https://desk.example"))


def test_the_command_names_the_port_only_when_it_is_another() -> None:
    assert phone.start_command("10.0.0.5", 8501) == (
        "PUBLIC_URL=http://10.0.0.5:8501 .venv/bin/streamlit run app.py --server.address 0.0.0.0"
    )
    assert phone.start_command("10.0.0.5", 9000).endswith("--server.address 0.0.0.0 --server.port 9000")
