"""The log: one line a happening, for people or as JSON, with the ids that Checkout.com's support and colleagues ask for.

Nothing secret gets in: the settings' keys and passwords are blotted out of every line, tracebacks included.
"""

from __future__ import annotations

import logging
import sys
from collections.abc import Sequence
from typing import TextIO

from pythonjsonlogger.json import JsonFormatter

from lib.settings import Settings

_OURS = ("lib", "pages")
_BLOT = "***"
_SHORTEST = 6
"""A secret shorter than this would blot out words that mean something else."""
_PLAIN = frozenset(logging.makeLogRecord({}).__dict__) | {"message", "asctime", "taskName"}


def configure(settings: Settings, stream: TextIO | None = None) -> None:
    """Send what this product logs to `stream`, or to standard error, as the settings say. Calling again replaces it."""
    handler = logging.StreamHandler(stream or sys.stderr)
    handler.set_name("kakaopay-desk")
    handler.setFormatter(_Safe(_formatter(settings.log_format), settings.secrets))
    for name in _OURS:
        logger = logging.getLogger(name)
        logger.setLevel(settings.log_level)
        logger.handlers = [handler]


def _formatter(kind: str) -> logging.Formatter:
    if kind == "json":
        return JsonFormatter(
            ["asctime", "levelname", "name", "message", "exc_info"],
            rename_fields={"asctime": "at", "levelname": "level", "name": "logger"},
            datefmt="%Y-%m-%dT%H:%M:%S%z",
        )
    return _Text("%(asctime)s %(levelname)s %(name)s: %(message)s", "%Y-%m-%dT%H:%M:%S%z")


class _Text(logging.Formatter):
    """For people: the words, then what goes with them as `name=value`."""

    def formatMessage(self, record: logging.LogRecord) -> str:
        more = "".join(f" {name}={value}" for name, value in record.__dict__.items() if name not in _PLAIN)
        return super().formatMessage(record) + more


class _Safe(logging.Formatter):
    """Another formatter, with every secret blotted out of what it wrote."""

    def __init__(self, inner: logging.Formatter, secrets: Sequence[str]) -> None:
        super().__init__()
        self._inner = inner
        self._secrets = sorted((secret for secret in secrets if len(secret) >= _SHORTEST), key=len, reverse=True)

    def format(self, record: logging.LogRecord) -> str:
        text = self._inner.format(record)
        for secret in self._secrets:
            text = text.replace(secret, _BLOT)
        return text
