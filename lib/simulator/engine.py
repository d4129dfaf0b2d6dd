"""The simulation itself: one thread that takes inputs one after another and lets due things happen in between.

Everything that changes is a step: one instant, one transaction. Given the seed, the inputs and their times, the outcome
is always the same, to the byte; so the inputs are written down, and a run can be lived again.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import asdict
from datetime import datetime
from typing import Any, Final, TypeVar

from sqlalchemy import delete, func, select
from sqlalchemy.orm import Session

from lib.simulator import account, answers, finance, payments
from lib.simulator.chance import Chance, Mark
from lib.simulator.clock import Clock
from lib.simulator.faults import Board
from lib.simulator.options import Options
from lib.simulator.rules import Account
from lib.simulator.step import Step
from lib.simulator.store import (
    Action,
    Base,
    Customer,
    Event,
    Input,
    Payment,
    Payout,
    Report,
    Setting,
    Source,
    Timer,
    connect,
)

T = TypeVar("T")

INPUTS: Final[dict[str, Callable[..., Any]]] = {
    "create": answers.create,
    "refund": answers.refund,
    "reverse": answers.reverse,
    "decide": payments.decide,
    "expire": payments.expire,
    "revoke": payments.revoke,
    "faults": account.set_faults,
    "account": account.set_account,
}
"""What can come from outside, by the name it is written down under."""
TIMERS: Final[dict[str, Callable[[Step, str], None]]] = {
    "expire": payments.expire,
    "settle": payments.settle,
    "decide_refund": payments.decide_refund,
    "cut": finance.cut,
}
_PROMPT: Final = ("settle", "decide_refund")
"""What KakaoPay does by itself within seconds; while the clock stands still, it does so right after the step that asked for it."""
ADRIFT: Final = "adrift"
"""The setting with how many more ids of each kind were drawn than there are rows that bear them."""
EPOCH: Final = datetime.fromisoformat("2026-01-01T00:00:00+00:00")
"""Where a run with a standing clock begins, unless it is told otherwise."""


class Engine:
    """One simulation. Its coroutines are awaited from the server's loop; the work is done in one thread of its own."""

    def __init__(self, options: Options) -> None:
        self.options = options
        self.clock = Clock()
        self.next_due: datetime | None = None
        """When something will next happen by itself."""
        self.told: Callable[[], None] = lambda: None
        """Called on the loop after each piece of work, when there may be events to deliver or a nearer timer."""
        self._born: deque[Event] = deque()
        self.chance: Chance
        self.faults: Board
        self.account: Account
        self.started: dict[str, Any]
        """How the board, the account and the clock stood when the run began."""
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="simulator")
        self._db = connect(options.database_url)
        self._thread.submit(self._open).result()

    async def perform(self, kind: str, **arguments: Any) -> Any:
        """Carry out an input at the present time. Raises what the transition raises; then nothing has changed."""
        return await self._run(lambda: self._perform(kind, arguments))

    async def happen(self) -> None:
        """Let everything happen that is due by now."""
        await self._run(lambda: self._happen(self.clock.now()))

    async def move(self, to: datetime) -> None:
        """Move the clock forward and let everything happen on the way."""
        await self._run(lambda: self.arrive(to))

    async def begin(self, seed: str | None, *, at: datetime | None = None, standing: bool = False) -> None:
        """Forget everything and start a run on a seed (None: any), with the clock standing at `at` or flowing from there."""
        await self._run(lambda: self._begin(seed, at, standing))

    async def alone(self, work: Callable[[Engine], T]) -> T:
        """Do something with the engine in its thread, while nothing else happens."""
        return await self._run(lambda: work(self))

    async def read(self, query: Callable[[Session], T]) -> T:
        """Answer a question from the database."""

        def ask() -> T:
            with self.session() as db:
                return query(db)

        return await self._run(ask)

    async def write(self, change: Callable[[Session], T]) -> T:
        """Write down something that is no part of the run, such as how a delivery went."""

        def put() -> T:
            with self.session() as db, db.begin():
                return change(db)

        return await self._run(put)

    def born(self) -> list[Event]:
        """Events since the last call. Safe from any thread."""
        events = []
        while self._born:
            events.append(self._born.popleft())
        return events

    def close(self) -> None:
        self._thread.shutdown()
        self._db.dispose()

    # What follows runs in the engine's thread.

    def session(self) -> Session:
        return Session(self._db, expire_on_commit=False)

    def _perform(self, kind: str, arguments: dict[str, Any]) -> Any:
        before = self.clock.save()
        try:
            result = self.step(kind, arguments, self.clock.tick())
        except BaseException:
            if self.clock.standing:
                self.clock.restore(before)
            raise
        if self.clock.standing:
            self.settle()
        return result

    def step(self, kind: str, arguments: dict[str, Any], now: datetime) -> Any:
        """Carry out an input at a time, after everything that was due by then."""
        self._happen(now)
        with self._transaction() as db:
            step = self._step(db, now)
            result = INPUTS[kind](step, **arguments)
            if step.acted:
                db.add(Input(at=now, kind=kind, arguments=arguments))
                if self.clock.standing or kind in ("faults", "account"):
                    self._remember(db, step.account)
        self.account = step.account
        self._born.extend(step.born)
        if step.next_due is not None:
            self.next_due = min(self.next_due or step.next_due, step.next_due)
        return result

    @contextmanager
    def _transaction(self) -> Iterator[Session]:
        """A session that commits; if it cannot, the ids it drew are as good as never drawn."""
        mark = self.chance.mark()
        try:
            with self.session() as db, db.begin():
                yield db
        except BaseException:
            self.chance.restore(mark)
            raise

    def settle(self) -> None:
        """While the clock stands still: let KakaoPay do at once what it would do in a second or two."""
        prompt = select(Timer).where(Timer.kind.in_(_PROMPT)).order_by(Timer.due, Timer.seq).limit(1)
        while True:
            with self.session() as db:
                timer = db.scalars(prompt).first()
            if timer is None:
                return
            self.arrive(timer.due)

    def arrive(self, to: datetime) -> None:
        """Move the clock forward to a time, let everything happen on the way, and remember where it stands."""
        self.clock.advance_to(to)
        self._happen(self.clock.now())
        with self.session() as db, db.begin():
            self._remember(db, self.account)

    def _happen(self, until: datetime) -> None:
        while self.next_due is not None and self.next_due <= until:
            with self._transaction() as db:
                timer = db.scalars(select(Timer).order_by(Timer.due, Timer.seq).limit(1)).one()
                step = self._step(db, timer.due)
                db.delete(timer)
                db.flush()
                TIMERS[timer.kind](step, timer.subject)
                self.look_ahead(db)
            self._born.extend(step.born)

    def _begin(self, seed: str | None, at: datetime | None, standing: bool) -> None:
        if standing:
            self.clock.stand(at or EPOCH)
        else:
            self.clock.run(at)
        self.chance = Chance(seed, repeat=standing)
        self.faults = Board(self.chance, self.faults.save())
        self.clear()

    def clear(self, started: dict[str, Any] | None = None) -> None:
        """Forget everything but the clock, the seed, the board and the account, from which a run begins.

        `started` is what to remember as that beginning, if not the present.
        """
        with self.session() as db, db.begin():
            for table in reversed(Base.metadata.sorted_tables):
                db.execute(delete(table))
            self.started = started or self._beginning()
            db.add(Setting(name="started", value=self.started))
            self._remember(db, self.account)
        self._born.clear()
        self.next_due = None

    def _open(self) -> None:
        with self.session() as db, db.begin():
            saved = {setting.name: setting.value for setting in db.scalars(select(Setting))}
            if "clock" in saved:
                self.clock.restore(saved["clock"])
            self.chance = Chance(
                saved.get("chance", {}).get("seed"), given_out(db) if saved else None, repeat=self.clock.standing
            )
            self.faults = Board(self.chance, saved.get("faults"))
            first = {"currencies": self.options.currencies, "kakaopay": self.options.kakaopay}
            self.account = Account(**saved.get("account", first))
            self.started = saved.get("started") or self._beginning()
            db.merge(Setting(name="started", value=self.started))
            self._remember(db, self.account)
            self.look_ahead(db)

    def _beginning(self) -> dict[str, Any]:
        return {"clock": self.clock.save(), "faults": self.faults.save(), "account": asdict(self.account)}

    def _remember(self, db: Session, account: Account) -> None:
        values = {
            "chance": {"seed": self.chance.seed},
            "clock": self.clock.save(),
            "faults": self.faults.save(),
            "account": asdict(account),
        }
        for name, value in values.items():
            db.merge(Setting(name=name, value=value))

    def look_ahead(self, db: Session) -> None:
        """See again what will happen next by itself."""
        db.flush()
        self.next_due = db.scalar(select(Timer.due).order_by(Timer.due).limit(1))

    def _step(self, db: Session, now: datetime) -> Step:
        return Step(db, now, self.chance, self.faults, self.account, self.options, self.options.base())

    async def _run(self, work: Callable[[], T]) -> T:
        try:
            return await asyncio.get_running_loop().run_in_executor(self._thread, work)
        finally:
            self.told()


def given_out(db: Session) -> Mark:
    """How many ids of each kind were drawn, read off the rows that bear them, so that hardly anything need be written down."""

    def number(*where: Any) -> int:
        return db.scalar(select(func.count()).select_from(where[0]).where(*where[1:])) or 0

    decided = number(Action, Action.status != "pending")
    drift = db.get(Setting, ADRIFT)
    counted = {
        "pay": number(Payment),
        "code": number(Payment, Payment.code.is_not(None)),
        "act": number(Payment) + number(Action, Action.type == "Refund"),
        "evt": number(Event),
        "src": number(Source),
        "cus": number(Customer),
        "acquirer_transaction": decided,
        "acquirer_reference": decided,
        "payout": number(Payout),
        "rpt": number(Report),
        "file": number(Report),
    }
    return {kind: found + (drift.value.get(kind, 0) if drift else 0) for kind, found in counted.items()}
