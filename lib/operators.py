"""Who acts. Every use case takes the acting person as its first word."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Operator:
    """A person at the dashboard; `name` is what colleagues read in the record."""

    name: str
