"""The receiver alone, as the README's section on more machines starts it."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.support.server import ROOT, Server

WEBHOOK_KEY = "server-signature-key"
"""What every server of ours takes in tests, unless told otherwise."""


class ReceiverAlone(Server):
    """`uvicorn lib.front:app`: no screens, no simulator, no workers."""

    def _spawn(self) -> subprocess.Popen[bytes]:
        self.folder.mkdir(parents=True, exist_ok=True)
        command = [sys.executable, "-m", "uvicorn", "lib.front:app", "--port", str(self.port), "--no-access-log"]
        with self._log_file.open("ab") as log:
            return subprocess.Popen(
                command, cwd=ROOT, env=self.environment(), stdin=subprocess.DEVNULL, stdout=log, stderr=log
            )


@contextmanager
def receiving(folder: Path, **settings: str) -> Iterator[ReceiverAlone]:
    """A receiver that runs while the block does; the block may kill and start it as it likes."""
    server = ReceiverAlone(folder, settings)
    server.start()
    try:
        yield server
    finally:
        server.kill()
