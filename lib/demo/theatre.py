"""The incident theatre: webhooks are down for ten minutes in the lunch rush, and nothing is lost.

A play is the same every time, to the byte: whatever the simulator brings forth follows from the seed and from what is
done there, one thing after another, by a clock that stands. What the watchdog does meanwhile only reads there, so it may
come sooner or later; that differs from play to play, and what the ledger knows in the end does not.
"""

from __future__ import annotations

import hashlib
import logging
import random
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any, Literal

import httpx
import msgspec
from sqlalchemy import func, select

from lib.board import Board, BoardError
from lib.demo.filling import check_world
from lib.demo.stage import Stage, StageProblem, stage
from lib.ledger.audit import note, permit
from lib.ledger.backfill import Backfilling
from lib.ledger.database import StoreUnavailable
from lib.ledger.deliveries import DELIVERY
from lib.ledger.desk import Desk
from lib.ledger.drafts import PaymentDraft
from lib.ledger.payments import request_payment
from lib.ledger.queries import find_payment
from lib.ledger.rebuild import Comparison, compare
from lib.ledger.record import PAYMENT
from lib.ledger.watchdog import overdue
from lib.money import Money
from lib.operators import Operator

logger = logging.getLogger(__name__)

Act = Literal["setting", "rush", "outage", "healing", "proof", "over"]
SEED = "lunch rush"
NOON = datetime(2036, 6, 2, 3, 0, tzinfo=UTC)
"""When the play begins: noon in Seoul, long after today, so that a time by which something is overdue counts from when we heard."""
_OUTAGE = timedelta(minutes=10)
_BEFORE = timedelta(minutes=2)
_HEALING = timedelta(minutes=1)
_CASHIER = Operator("Theatre")
_PRICES = {"HKD": (60, 480), "KRW": (8_000, 64_000), "SGD": (9, 85), "EUR": (7, 60), "GBP": (6, 50), "AUD": (9, 80)}
_LONGEST_HEALING = 90


@dataclass(frozen=True, slots=True)
class Pace:
    """How fast a play goes: seconds of its own clock between two payments, and seconds of ours to wait in between."""

    apart: float = 4.0
    pause: float = 0.15


@dataclass(frozen=True, slots=True)
class Scene:
    """What there is to see. `paid` is what customers have paid, `known` what the ledger knows to be paid."""

    act: Act = "setting"
    clock: datetime = NOON
    asked_for: int = 0
    paid: int = 0
    known: int = 0
    deliveries: int = 0
    overdue: int = 0
    found: int = 0
    """Facts that asking brought to light."""
    history: tuple[tuple[int, int, int], ...] = ()
    """Seconds of its clock since the beginning, paid and known."""
    comparison: Comparison | None = None
    there: Mapping[str, Money] = field(default_factory=dict)
    here: Mapping[str, Money] = field(default_factory=dict)
    """Captured by currency, according to the simulator and to the ledger."""
    fingerprint: str | None = None
    """SHA-256 of all that came of it: every event's bytes at the simulator, every payment's figures in the ledger."""
    before: str | None = None
    """That of the play before in this process."""
    problem: str | None = None

    @property
    def missing(self) -> int:
        return max(0, self.paid - self.known)

    @property
    def ties(self) -> bool:
        return self.act == "over" and self.there == self.here and not self.missing


class _Stopped(Exception):
    """Somebody asked to stop."""


class Theatre:
    """Plays on a stage of its own, one play at a time, watched from any screen. Safe from any thread."""

    def __init__(self, desk: Desk, pace: Pace | None = None) -> None:
        self._desk = desk
        self._pace = pace or Pace()
        self._lock = threading.Lock()
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None
        self._scene: Scene | None = None

    @property
    def scene(self) -> Scene | None:
        """What there is to see now, or at the end of the last play; None before the first."""
        return self._scene

    @property
    def playing(self) -> bool:
        return self._thread is not None and self._thread.is_alive()

    def play(self, operator: Operator) -> None:
        """Begin, unless a play is under way. Raises `NotAllowed`, `SampleProblem` and `StoreUnavailable`."""
        permit(self._desk.database, operator, "simulate", "theatre")
        check_world(self._desk.settings)
        with self._lock:
            if self.playing:
                return
            with self._desk.database.write() as connection:
                note(connection, operator, "theatre.played", "theatre")
            self._stop.clear()
            self._scene = Scene(before=self._scene.fingerprint or self._scene.before if self._scene else None)
            self._thread = threading.Thread(target=self._run, name="theatre", daemon=True)
            self._thread.start()

    def stop(self, operator: Operator) -> None:
        """End the play soon; its stage goes with it. Raises `NotAllowed` and `StoreUnavailable`."""
        permit(self._desk.database, operator, "simulate", "theatre")
        with self._desk.database.write() as connection:
            note(connection, operator, "theatre.stopped", "theatre")
        self._stop.set()

    def _run(self) -> None:
        try:
            with stage(self._desk.settings, SEED, NOON) as found:
                _Play(found, self._pace, self._say, self._wait).play()
        except _Stopped:
            self._say(problem="It was stopped.")
        except (StageProblem, BoardError, StoreUnavailable) as error:
            self._say(problem=str(error))
        except Exception:
            logger.exception("The play broke off")
            self._say(problem="It broke off; the log says why. Play it again, and if it stays, ask for help.")

    def _wait(self, seconds: float) -> None:
        if self._stop.wait(seconds):
            raise _Stopped

    def _say(self, **changes: Any) -> None:
        assert self._scene
        self._scene = replace(self._scene, **changes)


class _Play:
    """One play, from the first customer to the proof."""

    def __init__(self, on: Stage, pace: Pace, say: Callable[..., None], wait: Callable[[float], None]) -> None:
        self._desk, self._board = on.desk, on.board
        self._pace, self._say, self._wait = pace, say, wait
        self._chance = random.Random(SEED)
        self._asked = self._paid = self._found = 0
        self._clock = NOON
        self._history: list[tuple[int, int, int]] = []
        self._done = threading.Event()

    def play(self) -> None:
        watching = threading.Thread(target=self._watch, name="theatre-watchdog", daemon=True)
        watching.start()
        try:
            self._act("rush", _BEFORE)
            self._board.set_fault("drop", on=True)
            self._act("outage", _OUTAGE)
            self._board.all_off()
            self._heal()
        finally:
            self._done.set()
            watching.join()
        self._prove()

    def _act(self, act: Act, lasts: timedelta) -> None:
        end = self._clock + lasts
        while self._clock < end:
            self._say(act=act)
            self._serve_one()
            self._board.advance(timedelta(seconds=self._pace.apart))
            self._clock += timedelta(seconds=self._pace.apart)
            self._look()
            self._wait(self._pace.pause)

    def _serve_one(self) -> None:
        """One customer: a payment is asked for at the desk, and then paid, declined or given up."""
        currency = self._chance.choice(self._desk.settings.currencies)
        least, most = _PRICES.get(currency, (10, 100))
        draft = PaymentDraft(
            amount=str(self._chance.randint(least, most)),
            currency=currency,
            reference=f"LUNCH-{self._asked + 1:04}",
            success_url="https://shop.example/paid",
            failure_url="https://shop.example/failed",
        )
        made = request_payment(self._desk, _CASHIER, draft, key=f"lunch-{self._asked + 1}")
        payment = find_payment(self._desk.database, made.payment_id or "")
        if payment is None or payment.redirect_url is None:
            raise StageProblem("The stage's simulator made no payment. Play it again.")
        self._asked += 1
        decision = self._chance.choices(("pay", "decline", "cancel"), (88, 8, 4))[0]
        httpx.post(payment.redirect_url.partition("?")[0], data={"decision": decision}, timeout=30, trust_env=False)
        self._paid += decision == "pay"

    def _heal(self) -> None:
        """Deliveries that were lost are tried again by and by; the watchdog does not wait for them."""
        for _ in range(_LONGEST_HEALING):
            self._say(act="healing")
            self._board.advance(_HEALING)
            self._clock += _HEALING
            known, late = self._look()
            waiting = self._board.parcels("waiting", limit=1)
            if known == self._paid and not late and not waiting:
                return
            self._wait(max(self._pace.pause, 0.1))

    def _watch(self) -> None:
        backfilling = Backfilling(self._desk)
        while not self._done.wait(min(1.0, 4 * self._pace.pause + 0.05)):
            try:
                done = backfilling.round()
            except StoreUnavailable:
                continue  # somebody was writing; the next round asks again
            self._found += done.found if done else 0

    def _look(self) -> tuple[int, int]:
        """Show what the ledger knows. How many payments it knows to be paid, and of how many something is overdue."""
        with self._desk.database.read() as connection:
            known = connection.execute(select(func.count()).where(PAYMENT.c.captured > 0)).scalar_one()
            came = connection.execute(select(func.count()).select_from(DELIVERY)).scalar_one()
        late = len({each.payment_id for each in overdue(self._desk.database, datetime.now(UTC))})
        self._history.append((round((self._clock - NOON).total_seconds()), self._paid, known))
        self._say(
            clock=self._clock,
            asked_for=self._asked,
            paid=self._paid,
            known=known,
            deliveries=came,
            overdue=late,
            found=self._found,
            history=tuple(self._history),
        )
        return known, late

    def _prove(self) -> None:
        self._say(act="proof")
        comparison = compare(self._desk.database)
        run = msgspec.json.decode(self._board.save())
        columns = [PAYMENT.c[name] for name in ("id", "currency", "amount", "status", "captured", "refunded")]
        with self._desk.database.read() as connection:
            rows = [tuple(row) for row in connection.execute(select(*columns).order_by(PAYMENT.c.id))]
        here: dict[str, Money] = {}
        for _, currency, _, _, captured, _ in rows:
            if captured:
                here[currency] = here.get(currency, Money(0, currency)) + Money(captured, currency)
        print_of = hashlib.sha256(msgspec.json.encode([run["digest"], run["events"], rows])).hexdigest()
        self._look()
        self._say(
            act="over",
            comparison=comparison,
            there=_captured_there(self._board),
            here=here,
            fingerprint=print_of,
        )


def _captured_there(board: Board) -> dict[str, Money]:
    return {currency: Money(minor, currency) for currency, minor in board.captured().items()}
