"""The process that fills or removes beside the screens, so that neither they nor deliveries share an interpreter with it."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

_ROOT = Path(__file__).parents[2]
_started: list[subprocess.Popen[bytes]] = []


def start() -> None:
    """Have a process of its own do what the row of `sample` says, with this one's settings."""
    _started[:] = [each for each in _started if each.poll() is None]
    _started.append(module("lib.demo", "--continue"))


def module(name: str, *arguments: str, **environment: str) -> subprocess.Popen[bytes]:
    """Start `python -m name` with this process's environment, changed by `environment`."""
    path = os.pathsep.join(filter(None, [str(_ROOT), os.environ.get("PYTHONPATH", "")]))
    return subprocess.Popen(  # noqa: S603 - our own words
        [sys.executable, "-m", name, *arguments],
        env=os.environ | {"PYTHONPATH": path} | environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
    )
