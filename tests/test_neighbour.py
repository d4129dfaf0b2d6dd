"""A machine beside this one, in a network of the test's own: it can pay and deliver, and nothing else."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from tests.support.server import payment_request, serving

ASKING = """
import http.client, json, sys
host, port, asked = sys.argv[1], int(sys.argv[2]), json.loads(sys.argv[3])
said = {}
for method, path, headers, body in asked:
    connection = http.client.HTTPConnection(host, port, timeout=20)
    connection.request(method, path, body=body, headers=headers)
    answer = connection.getresponse()
    said[f"{method} {path}"] = [answer.status, answer.read(4000).decode("utf-8", "replace")]
    connection.close()
print(json.dumps(said))
"""
HANDSHAKE = {
    "Upgrade": "websocket",
    "Connection": "Upgrade",
    "Sec-WebSocket-Version": "13",
    "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
}
Asked = tuple[str, str, dict[str, str], str | None]


@dataclass(frozen=True)
class Neighbour:
    """Another machine, as far as this one can tell. `sees` is this machine's address there."""

    name: str
    sees: str

    def ask(self, port: int, asked: list[Asked]) -> dict[str, tuple[int, str]]:
        """Send requests from there; status and text of each answer."""
        command = [
            "ip",
            "netns",
            "exec",
            self.name,
            sys.executable,
            "-c",
            ASKING,
            self.sees,
            str(port),
            json.dumps(asked),
        ]
        ended = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
        assert ended.returncode == 0, ended.stderr
        return {request: (status, text) for request, (status, text) in json.loads(ended.stdout).items()}


@pytest.fixture
def neighbour() -> Iterator[Neighbour]:
    if not shutil.which("ip"):
        pytest.skip("no iproute2 is installed on this machine: apt-get install iproute2")
    number = os.getpid()
    name, ours, theirs = f"desk{number}", f"dk{number}a", f"dk{number}b"
    network = f"10.203.{number % 250}"
    steps = [
        f"netns add {name}",
        f"link add {ours} type veth peer name {theirs} netns {name}",
        f"addr add {network}.1/30 dev {ours}",
        f"link set {ours} up",
        f"-n {name} addr add {network}.2/30 dev {theirs}",
        f"-n {name} link set {theirs} up",
    ]
    try:
        for step in steps:
            done = subprocess.run(["ip", *step.split()], capture_output=True, text=True, timeout=20, check=False)
            if done.returncode:
                pytest.skip(f"this machine does not let a test have a network of its own: {done.stderr.strip()}")
        yield Neighbour(name, f"{network}.1")
    finally:
        subprocess.run(["ip", "netns", "del", name], capture_output=True, timeout=20, check=False)


def test_a_machine_beside_this_one_can_pay_and_deliver_and_nothing_else(neighbour: Neighbour, tmp_path: Path) -> None:
    with serving(tmp_path, STREAMLIT_SERVER_ADDRESS="0.0.0.0") as server:
        with server.checkout() as shop:
            created = shop.post("/payments", json=payment_request("NEXT-DOOR")).json()
        wallet = urlsplit(created["_links"]["redirect"]["href"]).path
        form = {"Content-Type": "application/x-www-form-urlencoded"}
        refused: list[Asked] = [
            ("GET", "/", {}, None),
            ("GET", "/payments", {}, None),
            ("GET", "/_stcore/health", {}, None),
            ("GET", "/_stcore/stream", HANDSHAKE, None),
            ("GET", "/simulator/_control/faults", {}, None),
            ("PUT", "/simulator/_control/faults", {"Content-Type": "application/json"}, "{}"),
            ("POST", "/simulator/payments", {"Content-Type": "application/json"}, "{}"),
            ("GET", "/metrics", {}, None),
            ("GET", "/settlement", {"Host": "127.0.0.1", "X-Forwarded-For": "127.0.0.1"}, None),
        ]
        said = neighbour.ask(server.port, refused)
        assert {request: status for request, (status, _) in said.items()} == dict.fromkeys(said, 403)
        assert len(said) == len(refused)
        assert "until sign-in is set up" in said["GET /"][1]
        answered = neighbour.ask(
            server.port,
            [
                ("POST", "/webhooks/checkout", {"Content-Type": "application/json"}, "{}"),
                ("GET", "/healthz", {}, None),
                ("GET", wallet, {}, None),
                ("POST", wallet, form, "decision=pay"),
            ],
        )
        assert [status for status, _ in answered.values()] == [401, 200, 200, 303]
        assert "KakaoPay" in answered[f"GET {wallet}"][1]
