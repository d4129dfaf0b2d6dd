"""A machine beside this one, in a network of the test's own: it can pay and deliver, and nothing else."""

from __future__ import annotations

import ctypes
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
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
CLONE_NEWNET = 0x40000000
Asked = tuple[str, str, dict[str, str], str | None]


@dataclass(frozen=True)
class Neighbour:
    """Another machine, as far as this one can tell. `sees` is this machine's address there."""

    name: str
    sees: str

    def ask(self, port: int, asked: list[Asked]) -> dict[str, tuple[int, str]]:
        """Send requests from there; status and text of each answer."""
        there = ["ip", "netns", "exec", self.name, sys.executable, "-c", ASKING, self.sees, str(port)]
        ended = subprocess.run([*there, json.dumps(asked)], capture_output=True, text=True, timeout=60, check=False)
        assert ended.returncode == 0, ended.stderr
        return {request: (status, text) for request, (status, text) in json.loads(ended.stdout).items()}


@pytest.fixture
def neighbour() -> Iterator[Neighbour]:
    """A neighbour, while this thread and what it starts are on a network of their own.

    An interface more on the machine's own network, and every browser there drops what it is just loading.
    """
    if not shutil.which("ip"):
        pytest.skip("no iproute2 is installed on this machine: apt-get install iproute2")
    here, there = f"desk{os.getpid()}", f"next{os.getpid()}"
    steps = [
        f"netns add {here}",
        f"netns add {there}",
        f"-n {here} link add ours type veth peer name theirs netns {there}",
        f"-n {here} addr add 10.203.0.1/30 dev ours",
        f"-n {here} link set lo up",
        f"-n {here} link set ours up",
        f"-n {there} addr add 10.203.0.2/30 dev theirs",
        f"-n {there} link set theirs up",
    ]
    try:
        for step in steps:
            done = subprocess.run(["ip", *step.split()], capture_output=True, text=True, timeout=20, check=False)
            if done.returncode:
                pytest.skip(f"this machine does not let a test have a network of its own: {done.stderr.strip()}")
        with moved_to(Path("/var/run/netns", here)):
            yield Neighbour(there, "10.203.0.1")
    finally:
        for name in (here, there):
            subprocess.run(["ip", "netns", "del", name], capture_output=True, timeout=20, check=False)


@contextmanager
def moved_to(network: Path) -> Iterator[None]:
    """Open all sockets on another network, in this thread and in the processes that it starts."""
    set_namespace = ctypes.CDLL(None, use_errno=True).setns
    with Path("/proc/thread-self/ns/net").open("rb") as home, network.open("rb") as away:
        if set_namespace(away.fileno(), CLONE_NEWNET):
            pytest.skip(f"this machine does not let a test leave its network: {os.strerror(ctypes.get_errno())}")
        try:
            yield
        finally:
            assert not set_namespace(home.fileno(), CLONE_NEWNET), "this thread cannot come back to its network"


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
