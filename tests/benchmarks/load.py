"""The load: many connections, each with one request under way, each request sent once and waited for.

A process of its own, as lean as Python can be, so that the server is what is measured; how busy the load itself was
is reported, and where that is near 1 the server could perhaps have done more.
`python -m tests.benchmarks.load PORT FILE` prints a `Load` as JSON.
"""

from __future__ import annotations

import argparse
import re
import select
import socket
import sys
import time
from collections import Counter
from pathlib import Path

import msgspec

from tests.benchmarks import stream

_LENGTH = re.compile(rb"content-length: *(\d+)", re.IGNORECASE)
_PATIENCE = 30.0
_TAIL = 0.99


class Load(msgspec.Struct, frozen=True):
    """What came back. Times in seconds; latencies only of what was sent after the warm-up; `busy` is the load's own share of a core."""

    sent: int
    acknowledged: int
    errors: dict[str, int]
    rate: float
    p50: float
    p99: float
    longest: float
    busy: float
    ran_out: bool


class Connection:
    """One keep-alive connection and the answer it is waiting for."""

    def __init__(self, port: int) -> None:
        self.socket = socket.create_connection(("127.0.0.1", port))
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.sent_at = 0.0
        self.waiting = False
        self._answer = b""

    def send(self, request: bytes) -> None:
        self.sent_at = time.perf_counter()
        self.waiting = True
        self.socket.sendall(request)

    def status(self) -> str | None:
        """Read what has come: the status once the answer is whole, None before, `broken` if the server hung up."""
        try:
            piece = self.socket.recv(65536)
        except OSError:
            piece = b""
        if not piece:
            return "broken"
        self._answer += piece
        head = self._answer.find(b"\r\n\r\n")
        if head < 0:
            return None
        length = _LENGTH.search(self._answer, 0, head + 2)
        if len(self._answer) < head + 4 + (int(length[1]) if length else 0):
            return None
        status = self._answer[9:12].decode()
        self._answer = b""
        self.waiting = False
        return status


def run(port: int, requests: list[bytes], *, connections: int, seconds: float, warmup: float, again: bool) -> Load:
    """Send until the time or the requests are used up, then wait for every answer. `again` starts over instead of running out."""
    poll = select.epoll()
    open_ones = {}
    place = 0
    answers: Counter[str] = Counter()
    latencies: list[float] = []
    last = len(requests)

    def connect() -> Connection:
        connection = Connection(port)
        open_ones[connection.socket.fileno()] = connection
        poll.register(connection.socket, select.EPOLLIN)
        return connection

    began, own = time.perf_counter(), time.process_time()
    measured_from, until = began + warmup, began + warmup + seconds
    measured = 0
    ended = began
    for _ in range(min(connections, last)):
        connect().send(requests[place])
        place += 1
    under_way = place
    while under_way:
        ready = poll.poll(1.0)
        now = time.perf_counter()
        if now > until + _PATIENCE:
            answers["unanswered"] += under_way
            break
        for number, _ in ready:
            connection = open_ones[number]
            status = connection.status()
            if status is None:
                continue
            under_way -= 1
            now = time.perf_counter()
            answers[status] += 1
            if connection.sent_at >= measured_from and status[0] == "2" and now <= until:
                latencies.append(now - connection.sent_at)
            if status[0] == "2" and measured_from <= now <= until:
                measured += 1
                ended = now
            if status == "broken":
                poll.unregister(number)
                del open_ones[number]
                connection.socket.close()
                connection = connect()
            if now < until and (place < last or again):
                connection.send(requests[place % last])
                place += 1
                under_way += 1
    busy = (time.process_time() - own) / (time.perf_counter() - began)
    acknowledged = sum(number for status, number in answers.items() if status[0] == "2")
    latencies.sort()
    return Load(
        sent=place,
        acknowledged=acknowledged,
        errors={status: number for status, number in sorted(answers.items()) if status[0] != "2"},
        rate=measured / max(ended - measured_from, 1e-9),
        p50=latencies[len(latencies) // 2] if latencies else 0.0,
        p99=latencies[int(len(latencies) * _TAIL)] if latencies else 0.0,
        longest=latencies[-1] if latencies else 0.0,
        busy=busy,
        ran_out=place >= last and not again,
    )


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.load")
    parser.add_argument("port", type=int)
    parser.add_argument("file", type=Path)
    parser.add_argument("--connections", type=int, default=64)
    parser.add_argument("--seconds", type=float, default=8.0)
    parser.add_argument("--warmup", type=float, default=1.0)
    parser.add_argument("--again", action="store_true")
    given = parser.parse_args()
    said = run(
        given.port,
        stream.read(given.file),
        connections=given.connections,
        seconds=given.seconds,
        warmup=given.warmup,
        again=given.again,
    )
    sys.stdout.buffer.write(msgspec.json.encode(said))


if __name__ == "__main__":
    main()
