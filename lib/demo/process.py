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
    path = os.pathsep.join(filter(None, [str(_ROOT), os.environ.get("PYTHONPATH", "")]))
    command = [sys.executable, "-m", "lib.demo", "--continue"]
    quiet = {"stdin": subprocess.DEVNULL, "stdout": subprocess.DEVNULL}
    _started.append(subprocess.Popen(command, env=os.environ | {"PYTHONPATH": path}, **quiet))  # noqa: S603 - our own words
