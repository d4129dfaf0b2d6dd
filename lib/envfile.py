"""What is wrong with the `.env` file itself: a half-written one must not start the desk with half of its settings."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from dotenv.parser import parse_stream


def problems(file: Path, names: Iterable[str]) -> list[str]:
    """A sentence for every line that cannot be meant: no name, no value, or the beginning of a setting's name.

    `names` are the settings' names in capitals. Other programs' settings may stand in the file too. Raises
    `UnicodeDecodeError` where it is not UTF-8.
    """
    if not file.is_file():
        return []
    known = set(names)
    found = []
    with file.open(encoding="utf-8-sig") as lines:
        for binding in parse_stream(lines):
            line = f"{file.name}, line {binding.original.line}"
            name = (binding.key or "").upper()
            longer = sorted(each for each in known if name and name not in known and each.startswith(name))
            if binding.error:
                found.append(f"{line}: cannot be read; write NAME=value, and close every quotation mark")
            elif name and binding.value is None:
                found.append(f"{line}: {binding.key} has no =; write NAME=value, or take the line out")
            elif len(name) >= len("CHECKOUT_") and longer:
                found.append(f"{line}: there is no setting {binding.key}; write {' or '.join(longer)}")
    return found
