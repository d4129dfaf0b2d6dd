"""Delivery: at least once, on the documented schedule, through refusals, slowness and a killed process."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from itertools import pairwise
from pathlib import Path

import httpx

from tests.simulator.house import Delivery, House, Receiver, house, served
from tests.support.waiting import until

ROOT = Path(__file__).resolve().parents[2]
MINUTES = [5, 10, 15, 30, 60, 240, 720, 720]


def test_a_refused_event_is_tried_nine_times_on_schedule(own: House) -> None:
    own.receiver.answer = lambda _delivery: 503
    payment = own.create()
    until(lambda: own.deliveries(payment)[0]["attempts"])

    own.advance(hours=48)

    expired, pending = own.deliveries(payment)
    assert (pending["type"], pending["state"], pending["next_at"]) == ("payment_pending", "failed", None)
    times = [datetime.fromisoformat(each["at"]) for each in pending["attempts"]]
    gaps = [(later - earlier).total_seconds() / 60 for earlier, later in pairwise(times)]
    assert [round(gap) for gap in gaps] == MINUTES
    assert {each["status"] for each in pending["attempts"]} == {503}
    assert expired["type"] == "payment_expired"


def test_success_ends_the_schedule(own: House) -> None:
    answers = iter([500, 302, 204])
    own.receiver.answer = lambda _delivery: next(answers)
    payment = own.create()
    until(lambda: own.deliveries(payment)[0]["attempts"])
    own.advance(minutes=5)
    assert own.deliveries(payment)[0]["state"] == "waiting"

    own.advance(minutes=4)  # the link lives ten minutes, the second retry comes ten minutes after the first
    own.receiver.answer = lambda _delivery: 204
    own.advance(hours=40)

    pending = own.deliveries(payment)[-1]
    assert pending["state"] == "delivered"
    assert [each["status"] for each in pending["attempts"]] == [500, 302, 204]


def test_a_receiver_that_does_not_answer_in_time_has_not_acknowledged(tmp_path: Path) -> None:
    release = threading.Event()

    def late(_delivery: Delivery) -> int:
        release.wait(5)
        return 200

    with house(tmp_path, acknowledge_seconds=0.2) as home:
        home.receiver.answer = late
        payment = home.create()
        [attempt] = until(lambda: home.deliveries(payment)[0]["attempts"])
        release.set()
        assert (attempt["outcome"], attempt["status"]) == ("no answer in time", None)
        assert home.deliveries(payment)[0]["state"] == "waiting"


def test_a_slow_answer_holds_up_nobody_else(own: House) -> None:
    release = threading.Event()

    def answer(delivery: Delivery) -> int:
        if delivery.event["data"]["reference"] == "SLOW":
            release.wait(20)
        return 200

    own.receiver.answer = answer
    slow = own.create(reference="SLOW")
    others = [own.create(reference="QUICK") for _ in range(20)]

    until(lambda: all(own.deliveries(each)[0]["state"] == "delivered" for each in others), seconds=5)
    assert own.deliveries(slow)[0]["state"] == "waiting"
    release.set()
    until(lambda: own.deliveries(slow)[0]["state"] == "delivered")


def test_nobody_at_the_address_is_no_acknowledgement(tmp_path: Path) -> None:
    with house(tmp_path, webhook_url="http://127.0.0.1:9/nobody") as home:
        payment = home.create()
        [attempt] = until(lambda: home.deliveries(payment)[0]["attempts"])
        assert attempt["outcome"] == "not reached"


def test_a_resend_starts_a_new_schedule(own: House) -> None:
    own.receiver.answer = lambda _delivery: 500
    payment = own.create()
    own.advance(hours=48)
    [event] = [each for each in own.deliveries(payment) if each["type"] == "payment_pending"]
    assert event["state"] == "failed"
    own.receiver.answer = lambda _delivery: 200

    assert own.http.post(f"/_control/deliveries/{event['id']}/resend").status_code == 202

    until(lambda: own.deliveries(payment)[-1]["state"] == "delivered")
    assert len(own.deliveries(payment)[-1]["attempts"]) == 10
    assert own.http.post("/_control/deliveries/evt_unknown/resend").status_code == 404


def test_what_was_not_delivered_is_delivered_after_a_restart(tmp_path: Path) -> None:
    with house(tmp_path, webhook_url="http://127.0.0.1:9/nobody") as home:
        payment = home.paid()
        until(lambda: all(each["attempts"] for each in home.deliveries(payment)))
    with house(tmp_path) as home:
        assert home.status(payment) == "Captured"
        assert not home.receiver.deliveries
        home.advance(minutes=5)
        assert {each["type"] for each in home.receiver.events()} == {
            "payment_pending",
            "payment_capture_pending",
            "payment_captured",
        }
        again = home.create()
        assert again["id"] != payment["id"]
        home.refunded(payment, 100)


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port: int = listener.getsockname()[1]
        return port


@contextmanager
def process(folder: Path, port: int, webhook: str, receiver: Receiver) -> Iterator[tuple[House, int]]:
    """The simulator alone, as anybody would start it."""
    arguments = ["--port", str(port), "--webhook", f"{webhook}/webhooks", "--database", f"sqlite:///{folder / 's.db'}"]
    command = [sys.executable, "-m", "lib.simulator", *arguments]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as running:
        home = House(f"http://127.0.0.1:{port}", receiver)
        try:
            until(lambda: reachable(home) or running.poll() is not None, seconds=30)
            yield home, running.pid
        finally:
            running.kill()
            home.http.close()


def reachable(home: House) -> bool:
    try:
        return home.http.get("/_control/clock").status_code == 200
    except httpx.ConnectError:
        return False


def test_a_killed_process_delivers_everything_after_its_restart(tmp_path: Path) -> None:
    receiver, port, killed = Receiver(), free_port(), threading.Event()

    def answer(_delivery: Delivery) -> int:
        if len(receiver.deliveries) > 20:
            killed.wait(30)
        return 200

    receiver.answer = answer
    with served(receiver.app) as webhook:
        with process(tmp_path, port, webhook, receiver) as (home, pid):
            made = [home.create(reference=f"KILL-{number}") for number in range(30)]
            for payment in made:
                home.decide(payment, "pay")
            until(lambda: len(receiver.deliveries) > 40)
            states = [each["state"] for each in home.deliveries()]
            os.kill(pid, signal.SIGKILL)
        killed.set()
        assert 0 < states.count("delivered") <= 20
        receiver.deliveries.clear()
        with process(tmp_path, port, webhook, receiver) as (home, _):
            unacknowledged = 90 - states.count("delivered")
            until(lambda: len({each["id"] for each in receiver.events()}) >= unacknowledged, seconds=30)
            until(lambda: {each["state"] for each in home.deliveries()} == {"delivered"}, seconds=30)
            assert len(home.deliveries()) == 90
            assert {home.status(payment) for payment in made} == {"Captured"}
