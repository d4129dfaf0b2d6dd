"""Settings as they may be shown: no secret among them."""

from __future__ import annotations

from pathlib import Path

import pytest

from lib.disclosure import mask, shown
from lib.settings import Settings, load


@pytest.fixture(autouse=True)
def nothing_set(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in Settings.model_fields:
        monkeypatch.delenv(name.upper(), raising=False)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))


@pytest.mark.parametrize(
    ("secret", "seen"),
    [
        ("sk_sbox_abcdefghijklmnopqrstuv7890", "sk_sbox_…7890"),
        ("sk_abcdefghijklmnopqrstuvwxyz7890", "sk_…7890"),
        ("0123456789abcdef0123456789abcdef", "…cdef"),
        ("short-key", "…"),
        ("", ""),
    ],
)
def test_a_secret_shows_enough_to_tell_two_apart(secret: str, seen: str) -> None:
    assert mask(secret) == seen


def test_every_setting_is_shown_with_its_source_and_no_secret(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    secrets = ("first-signature-key-1234", "pass-word", "another%20word", "sk_sbox_" + "s" * 27)
    monkeypatch.setenv("CHECKOUT_SECRET_KEY", secrets[3])
    monkeypatch.setenv("CHECKOUT_WEBHOOK_KEYS", f"{secrets[0]}, short")
    (tmp_path / ".env").write_text(
        f"\ufeffDATABASE_URL=postgresql+psycopg://me:{secrets[1]}@host/name\nTIMEZONE=Asia/Seoul\n", "utf-8"
    )
    (tmp_path / ".streamlit").mkdir()
    (tmp_path / ".streamlit" / "secrets.toml").write_text(
        f'timezone = "Asia/Tokyo"\nsimulator_database_url = "postgresql+psycopg://me@host/name?password={secrets[2]}"\n'
    )
    found = {each.name: each for each in shown(load())}
    assert found.keys() == {name.upper() for name in Settings.model_fields}
    assert (found["CHECKOUT_SECRET_KEY"].value, found["CHECKOUT_SECRET_KEY"].source) == ("sk_sbox_…ssss", "environment")
    assert found["CHECKOUT_WEBHOOK_KEYS"].value == "…1234, …"
    assert (found["TIMEZONE"].value, found["TIMEZONE"].source) == ("Asia/Seoul", ".env")
    assert (found["SIMULATOR_DATABASE_URL"].source, found["ROLES_CLAIM"].source) == ("secrets.toml", "default")
    for secret in secrets:
        assert secret not in repr(found)
    assert "another word" not in repr(found)
