"""A run as a file, and the same run lived again from it. Called in the engine's thread, through `Engine.alone`."""

from __future__ import annotations

import re
from datetime import datetime
from hashlib import sha256
from typing import Any, Final

from sqlalchemy import func, select

from lib.simulator import taken
from lib.simulator.chance import Chance
from lib.simulator.clock import parse, stamp
from lib.simulator.engine import Engine
from lib.simulator.faults import Board
from lib.simulator.problem import Mistake, Refusal
from lib.simulator.rules import Account
from lib.simulator.store import Event, Input

FORMAT: Final = "kakaopay-simulator-run/1"
_ADDRESS: Final = re.compile(r'"https?://[^"]*?/(payments|workflows)/')
_MATTERS: Final = (
    "link_minutes",
    "settle_seconds",
    "refund_seconds",
    "idempotency_hours",
    "failed_refund_limit",
    "entity_id",
    "zone",
    "payout_days",
    "return_payment_id",
)


def save(engine: Engine) -> dict[str, Any]:
    """Everything the run was made of, and a digest of what came out. Raises `Mistake` for one that could not be repeated."""
    with engine.session() as db:
        if taken.acted_upon(db):
            raise Mistake(
                "Something happened to payments that were taken over from elsewhere, such as sample data, so this run "
                "cannot be lived again from its seed. Begin a new run to have one that can."
            )
        inputs = [
            {"at": stamp(each.at), "kind": each.kind, "arguments": each.arguments}
            for each in db.scalars(select(Input).order_by(Input.seq))
        ]
    return {
        "format": FORMAT,
        "seed": engine.chance.seed,
        "started": engine.started,
        "options": _options(engine),
        "inputs": inputs,
        "until": stamp(engine.clock.now()),
        **_outcome(engine),
    }


def replay(engine: Engine, run: dict[str, Any]) -> dict[str, Any]:
    """Live a run again, at its own times, as fast as can be. Raises `Mistake` for a file that is none or does not fit."""
    if run.get("format") != FORMAT:
        raise Mistake(f"This is not a saved run: its format should be {FORMAT}.")
    if run.get("options") != _options(engine):
        raise Mistake(f"The run was made under other options; start the simulator with {run.get('options')}.")
    try:
        seed, started, until = str(run["seed"]), run["started"], parse(run["until"])
        inputs = [(each["kind"], each["arguments"], parse(each["at"])) for each in run["inputs"]]
        account = Account(**started["account"])
        stood = started["clock"]["standing"]
        board = Board(Chance(), started["faults"])
    except (KeyError, TypeError, ValueError, AttributeError) as problem:
        raise Mistake(f"The saved run is damaged: {type(problem).__name__} {problem}.") from None
    first = parse(stood) if stood else (inputs[0][2] if inputs else until)
    engine.clock.stand(first)
    engine.chance = Chance(seed, repeat=True)
    engine.faults = Board(engine.chance, board.save())
    engine.account = account
    engine.clear(started)
    for kind, arguments, at in inputs:
        _again(engine, kind, arguments, at)
        if stood:
            engine.settle()
    engine.arrive(until)
    if not stood:
        engine.clock.run(until)
        engine.arrive(until)
    outcome = _outcome(engine)
    return {**outcome, "inputs": len(inputs), "same": outcome["digest"] == run.get("digest")}


def _again(engine: Engine, kind: str, arguments: dict[str, Any], at: datetime) -> None:
    engine.clock.advance_to(at)
    try:
        engine.step(kind, arguments, at)
    except (Refusal, Mistake, KeyError, TypeError) as problem:
        raise Mistake(f"The saved run is damaged: “{kind}” at {stamp(at)} was not possible ({problem}).") from None


def _options(engine: Engine) -> dict[str, Any]:
    return {name: getattr(engine.options, name) for name in _MATTERS}


def _outcome(engine: Engine) -> dict[str, Any]:
    """How many events there were, and a digest of their bodies, whatever address the simulator had."""
    digest = sha256()
    with engine.session() as db:
        for body in db.scalars(select(Event.body).order_by(Event.seq).execution_options(yield_per=500)):
            digest.update(_ADDRESS.sub(r'"/\1/', body).encode())
        number = db.scalar(select(func.count()).select_from(Event)) or 0
    return {"events": number, "digest": digest.hexdigest()}
