"""Sample data from the command line: `python -m lib.demo --payments 100000 --seed 7`, and `--remove` takes it out."""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime

from lib.demo.filling import Progress, SampleProblem, begin, fill, go_on
from lib.demo.lives import LONGEST, MOST
from lib.demo.removal import begin_removal, remove
from lib.ledger.database import StoreUnavailable
from lib.ledger.desk import Desk, open_desk
from lib.ledger.samples import find_sample
from lib.ledger.volumes import adopt_zone
from lib.operators import Operator
from lib.settings import SettingsError

_SOMEBODY = Operator("Command line")


def main(arguments: Sequence[str] | None = None) -> int:
    """The command line; returns the exit code: 0 done, 1 stopped by somebody, 2 not possible."""
    parser = argparse.ArgumentParser(
        prog="python -m lib.demo",
        description="Sample data for a desk that points at the simulator. Interrupted, it can be begun again.",
    )
    parser.add_argument("--payments", type=int, metavar="N", help=f"how many, up to {MOST:,}")
    parser.add_argument("--seed", type=int, default=1, help="the same number gives the same payments")
    parser.add_argument("--months", type=int, default=3, help=f"over how many months, up to {LONGEST}")
    parser.add_argument("--remove", action="store_true", help="take the sample data out again")
    parser.add_argument(
        "--continue", dest="carry_on", action="store_true", help="do what a screen or another run began"
    )
    given = parser.parse_args(arguments)
    if [given.payments is not None, given.remove, given.carry_on].count(True) != 1:
        parser.error("say one of --payments N, --remove and --continue")
    try:
        desk = _desk()
        began = time.monotonic()
        if given.remove:
            begin_removal(desk, _SOMEBODY)
        elif given.payments is not None:
            _begin(desk, given)
        done = _work(desk, _show if sys.stdout.isatty() else lambda _: None)
    except (SettingsError, SampleProblem, StoreUnavailable) as error:
        print(error, file=sys.stderr)
        return 2
    sample = find_sample(desk.database)
    stored = sample.filled if sample else 0
    print(f"{stored:,} sample payments in the ledger, after {time.monotonic() - began:,.1f} seconds")
    return 0 if done else 1


def _desk() -> Desk:
    desk = open_desk(port=0)
    adopt_zone(desk.database, desk.settings.zone)
    return desk


def _begin(desk: Desk, given: argparse.Namespace) -> None:
    sample = find_sample(desk.database)
    same = sample and (sample.seed, sample.payments, sample.months) == (given.seed, given.payments, given.months)
    if sample and same and sample.state in ("filling", "stopped"):
        go_on(desk, _SOMEBODY)
        return
    wanted = {"payments": given.payments, "seed": given.seed, "months": given.months}
    begin(desk, _SOMEBODY, **wanted, now=datetime.now(UTC))


def _work(desk: Desk, progress: Callable[[Progress], None]) -> bool:
    """Do what the row of `sample` says is to be done. False when somebody stopped it."""
    sample = find_sample(desk.database)
    return (remove if sample and sample.state == "removing" else fill)(desk, progress)


def _show(progress: Progress) -> None:
    end = "\n" if progress.done == progress.of else ""
    print(f"\r{progress.done:,} of {progress.of:,} payments", end=end, flush=True)


if __name__ == "__main__":
    sys.exit(main())
