"""What the control board changes: the account's rules and the fault switches. Both are inputs of a run."""

from __future__ import annotations

from typing import Any

from lib import catalog
from lib.simulator.problem import Mistake
from lib.simulator.rules import Account
from lib.simulator.step import Step


def set_account(step: Step, patch: dict[str, Any]) -> None:
    """Change which currencies the account takes, or whether it has KakaoPay. Raises `Mistake`."""
    currencies = patch.get("currencies", step.account.currencies)
    kakaopay = patch.get("kakaopay", step.account.kakaopay)
    if not isinstance(currencies, str) or currencies not in catalog.offers():
        raise Mistake(f"currencies is one of {', '.join(catalog.offers())}.")
    if not isinstance(kakaopay, bool):
        raise Mistake("kakaopay is true or false.")
    step.account = Account(currencies=currencies, kakaopay=kakaopay)


def set_faults(step: Step, patch: dict[str, Any], clear: bool = False) -> None:
    """Change some switches, after putting all back if `clear`. Raises `Mistake`."""
    step.faults.change(patch, clear=clear)
