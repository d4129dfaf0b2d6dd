"""Settings: everything runs with none, and each wrong one is answered by a sentence with its cure."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from lib.settings import Settings, SettingsError, load

ROOT = Path(__file__).resolve().parent.parent
SANDBOX = {
    "CHECKOUT_BASE_URL": "https://ab12cd34.api.sandbox.checkout.com/",
    "CHECKOUT_SECRET_KEY": "sk_sbox_" + "s" * 27,
    "CHECKOUT_PROCESSING_CHANNEL_ID": "pc_" + "c" * 26,
    "CHECKOUT_WEBHOOK_KEYS": "first-key, second-key,",
}

SIGN_IN = {
    "SIGN_IN_METADATA_URL": "https://id.example/.well-known/openid-configuration",
    "SIGN_IN_CLIENT_ID": "desk",
    "SIGN_IN_CLIENT_SECRET": "client-secret",
    "SIGN_IN_COOKIE_SECRET": "c" * 32,
}


@pytest.fixture(autouse=True)
def nothing_set(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A shell without our settings, in a folder without `.env`."""
    for name in Settings.model_fields:
        monkeypatch.delenv(name.upper(), raising=False)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))


LIVE_KEY = "sk_" + "s" * 27
LIVE = {**SANDBOX, "CHECKOUT_BASE_URL": "https://ab12cd34.api.checkout.com", "CHECKOUT_SECRET_KEY": LIVE_KEY}


def use(monkeypatch: pytest.MonkeyPatch, **values: str) -> None:
    for name, value in values.items():
        monkeypatch.setenv(name, value)


def test_with_none_set_everything_is_the_simulator_in_this_process() -> None:
    loaded = load()
    assert (loaded.world, loaded.embedded_simulator) == ("simulator", True)
    assert re.fullmatch(r"sk_sbox_[a-z2-7]{26}[a-z2-7*#$=]", loaded.secret_key)
    assert re.fullmatch(r"pc_[a-z2-7]{26}", loaded.processing_channel_id)
    assert len(loaded.webhook_keys) == 1
    assert loaded.database_url != loaded.simulator_database_url
    assert Path(loaded.database_url.removeprefix("sqlite:///")).parent == ROOT / "data"
    assert loaded.currencies == ("HKD", "SGD", "EUR", "GBP", "AUD", "KRW")
    assert (str(loaded.zone), str(loaded.settlement_zone)) == ("Asia/Hong_Kong", "Asia/Hong_Kong")


def test_the_real_sandbox(monkeypatch: pytest.MonkeyPatch) -> None:
    use(monkeypatch, **SANDBOX)
    loaded = load()
    assert (loaded.world, loaded.embedded_simulator) == ("sandbox", False)
    assert loaded.checkout_base_url == "https://ab12cd34.api.sandbox.checkout.com"
    assert loaded.webhook_keys == ("first-key", "second-key")
    assert loaded.secret_key == SANDBOX["CHECKOUT_SECRET_KEY"]
    assert loaded.processing_channel_id == SANDBOX["CHECKOUT_PROCESSING_CHANNEL_ID"]


@pytest.mark.parametrize(
    ("base_url", "world"),
    [
        ("https://api.sandbox.checkout.com", "sandbox"),
        ("https://AB12.API.SANDBOX.CHECKOUT.COM", "sandbox"),
        ("https://api.checkout.com", "live"),
        ("https://ab12cd34.api.checkout.com", "live"),
        ("https://ab12cd34.api.checkout.com.", "live"),
        ("http://127.0.0.1:9000/simulator", "simulator"),
        ("http://[::1]:9000", "simulator"),
        ("https://api.sandbox.checkout.com.example", "simulator"),
        ("https://evilcheckout.com", "simulator"),
    ],
)
def test_which_money_this_is(monkeypatch: pytest.MonkeyPatch, base_url: str, world: str) -> None:
    key = LIVE_KEY if world == "live" else SANDBOX["CHECKOUT_SECRET_KEY"]
    use(monkeypatch, **{**SANDBOX, "CHECKOUT_BASE_URL": base_url, "CHECKOUT_SECRET_KEY": key})
    use(monkeypatch, **SIGN_IN)
    loaded = load()
    assert (loaded.world, loaded.embedded_simulator) == (world, False)


@pytest.mark.parametrize("missing", ["CHECKOUT_SECRET_KEY", "CHECKOUT_PROCESSING_CHANNEL_ID", "CHECKOUT_WEBHOOK_KEYS"])
def test_checkout_com_needs_all_of_its_settings(monkeypatch: pytest.MonkeyPatch, missing: str) -> None:
    use(monkeypatch, **{**SANDBOX, missing: ""})
    with pytest.raises(SettingsError, match=f"^{missing}: needed to reach ab12cd34.api.sandbox.checkout.com; copy"):
        load()


def test_checkout_com_is_never_reached_in_the_clear(monkeypatch: pytest.MonkeyPatch) -> None:
    use(monkeypatch, **{**SANDBOX, "CHECKOUT_BASE_URL": "http://api.sandbox.checkout.com"})
    with pytest.raises(SettingsError, match="https only"):
        load()


@pytest.mark.parametrize(
    ("base_url", "key", "begins"),
    [
        (SANDBOX["CHECKOUT_BASE_URL"], SANDBOX["CHECKOUT_SECRET_KEY"][:-1], "sk_sbox_"),
        (SANDBOX["CHECKOUT_BASE_URL"], LIVE_KEY, "sk_sbox_"),
        ("https://api.checkout.com", SANDBOX["CHECKOUT_SECRET_KEY"], "sk_ and not sk_sbox_"),
    ],
    ids=["cut short", "live key in the sandbox", "sandbox key at the live host"],
)
def test_a_key_of_the_wrong_world_or_cut_short_is_told(
    monkeypatch: pytest.MonkeyPatch, base_url: str, key: str, begins: str
) -> None:
    use(monkeypatch, **{**SANDBOX, "CHECKOUT_BASE_URL": base_url, "CHECKOUT_SECRET_KEY": key})
    with pytest.raises(SettingsError, match=f"^CHECKOUT_SECRET_KEY: .* begins with {begins}; copy it again") as caught:
        load()
    assert key not in str(caught.value)


@pytest.mark.parametrize(
    ("name", "value", "cure"),
    [
        ("CHECKOUT_BASE_URL", "api.sandbox.checkout.com", "whole http or https address"),
        ("CHECKOUT_BASE_URL", "https://", "whole http or https address"),
        ("CHECKOUT_BASE_URL", "https://[::1", "whole http or https address"),
        ("CHECKOUT_BASE_URL", "https://host:99999", "whole http or https address"),
        ("CHECKOUT_BASE_URL", "https://user:word@host", "without user"),
        ("CHECKOUT_BASE_URL", "https://host/?a=1", "whole http or https address"),
        ("PUBLIC_URL", "javascript:alert(1)", "whole http or https address"),
        ("PUBLIC_URL", "ftp://host", "whole http or https address"),
        ("CHECKOUT_SECRET_KEY", "sk_sbox_a b", "copy it again"),
        ("CHECKOUT_SECRET_KEY", "sk_sbox_é", "copy it again"),
        ("CHECKOUT_TIMEOUT_SECONDS", "0", "greater than 0"),
        ("CHECKOUT_TIMEOUT_SECONDS", "nan", "less than or equal to 120"),
        ("CHECKOUT_TIMEOUT_SECONDS", "soon", "valid number"),
        ("DATABASE_URL", "mysql://host/name", "sqlite:///PATH or postgresql"),
        ("SIMULATOR_DATABASE_URL", "ledger.db", "sqlite:///PATH or postgresql"),
        ("TIMEZONE", "Asia/Hongkong City", "IANA time zone"),
        ("TIMEZONE", "../etc/passwd", "IANA time zone"),
        ("TIMEZONE", "Asia", "IANA time zone"),
        ("SETTLEMENT_TIMEZONE", "Mars", "IANA time zone"),
        ("SETTLEMENT_CUTOFF_HOUR", "24", "less than or equal to 23"),
        ("SETTLEMENT_CUTOFF_HOUR", "noon", "valid integer"),
        ("KAKAOPAY_CURRENCIES", "1999", "write one of 2022-08, 2024-07, default"),
        ("OPERATOR_NAME", "", "at least 1 character"),
        ("OPERATOR_NAME", " , ", "a name of at most 80 characters"),
        ("OPERATOR_NAME", "a" * 81, "a name of at most 80 characters"),
        ("ROLES", "mina=support", "write ADDRESS=ROLE"),
        ("TRUSTED_PROXIES", "10.0.0.5, proxy.example", "proxy.example is none"),
        ("ALLOWED_HOSTS", "https://desk.example", "https://desk.example is none"),
        ("SIGN_IN_METADATA_URL", "id.example", "whole http or https address"),
        ("SIGN_IN_HOURS", "0", "greater than 0"),
    ],
)
def test_a_wrong_setting_is_named_with_its_cure(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str, cure: str
) -> None:
    use(monkeypatch, **{name: value})
    with pytest.raises(SettingsError, match=f"^{name}: .*{re.escape(cure)}"):
        load()


def test_every_wrong_setting_is_named_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    use(monkeypatch, TIMEZONE="Mars", DATABASE_URL="x", PUBLIC_URL="y")
    with pytest.raises(SettingsError) as caught:
        load()
    assert {line.split(":")[0] for line in str(caught.value).splitlines()} == {"TIMEZONE", "DATABASE_URL", "PUBLIC_URL"}


def test_a_wrong_secret_is_not_repeated(monkeypatch: pytest.MonkeyPatch) -> None:
    use(monkeypatch, **{**SANDBOX, "CHECKOUT_SECRET_KEY": "sk_sbox_very secret"})
    with pytest.raises(SettingsError) as caught:
        load()
    assert "very" not in str(caught.value)
    assert caught.value.__suppress_context__


def test_nothing_secret_in_its_repr(monkeypatch: pytest.MonkeyPatch) -> None:
    use(monkeypatch, **SANDBOX, DATABASE_URL="postgresql+psycopg://me:pass-word@host/name")
    shown = repr(load()) + str(load())
    for secret in (SANDBOX["CHECKOUT_SECRET_KEY"], "first-key", "second-key", "pass-word"):
        assert secret not in shown


def test_dotenv_is_read_and_the_environment_goes_first(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("\ufeffTIMEZONE=Europe/London\nOPERATOR_NAME='김민지'\nUNRELATED=1\n", "utf-8")
    assert (load().timezone, load().operator_name) == ("Europe/London", "김민지")
    use(monkeypatch, TIMEZONE="Asia/Seoul")
    assert load().timezone == "Asia/Seoul"


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("TIMEZONE=Asia/Seoul\nCHECKOUT_PROC", ".env, line 2: CHECKOUT_PROC has no =; write NAME=value"),
        (
            "CHECKOUT_WEBHOOK_KE=abc\n",
            ".env, line 1: there is no setting CHECKOUT_WEBHOOK_KE; write CHECKOUT_WEBHOOK_KEYS",
        ),
        ("TIMEZONE='Asia/Seoul\n", ".env, line 1: cannot be read; write NAME=value, and close every quotation mark"),
        ("=value\n", ".env, line 1: cannot be read"),
    ],
    ids=["cut in a name", "cut name with a value", "open quotation mark", "no name"],
)
def test_a_half_written_dotenv_starts_nothing(tmp_path: Path, text: str, sentence: str) -> None:
    (tmp_path / ".env").write_text(text, "utf-8")
    with pytest.raises(SettingsError) as caught:
        load()
    assert str(caught.value).startswith(sentence)


def test_every_cut_of_a_whole_dotenv_is_whole_or_told(tmp_path: Path) -> None:
    """Cut anywhere, as a full disk or a crash cuts it, it never serves the simulator in Checkout.com's stead."""
    whole = "".join(f"{name}={value}\n" for name, value in SANDBOX.items())
    for length in range(whole.index("=") + 2, len(whole)):
        (tmp_path / ".env").write_text(whole[:length], "utf-8")
        try:
            loaded = load()
        except SettingsError:
            continue
        assert not loaded.embedded_simulator
        if loaded.world == "sandbox":
            assert loaded.secret_key == SANDBOX["CHECKOUT_SECRET_KEY"]


def test_a_dotenv_that_is_no_text_is_a_sentence(tmp_path: Path) -> None:
    (tmp_path / ".env").write_bytes("TIMEZONE=Asia/Seoul".encode("utf-16"))
    with pytest.raises(SettingsError, match="UTF-8"):
        load()


def test_the_example_lists_every_setting_and_is_itself_valid(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    example = (ROOT / ".env.example").read_text("utf-8")
    named = re.findall(r"^([A-Z_]+)=", example, re.MULTILINE)
    assert sorted(named) == sorted(name.upper() for name in Settings.model_fields)
    (tmp_path / ".env").write_text(example, "utf-8")
    copied, default = load(), Settings(_env_file=None)
    for name in set(Settings.model_fields) - {"database_url", "simulator_database_url"}:
        assert getattr(copied, name) == getattr(default, name), name
    for name in ("database_url", "simulator_database_url"):
        assert Path(getattr(default, name).removeprefix("sqlite:///")) == ROOT / getattr(copied, name).removeprefix(
            "sqlite:///"
        )


def test_real_money_needs_sign_in(monkeypatch: pytest.MonkeyPatch) -> None:
    use(monkeypatch, **LIVE)
    with pytest.raises(
        SettingsError, match=r"^CHECKOUT_BASE_URL: ab12cd34.api.checkout.com moves real money, .* sign-in"
    ):
        load()
    use(monkeypatch, **SIGN_IN)
    assert load().world == "live"


@pytest.mark.parametrize("missing", ["SIGN_IN_CLIENT_ID", "SIGN_IN_CLIENT_SECRET", "SIGN_IN_COOKIE_SECRET"])
def test_sign_in_needs_all_of_its_settings(monkeypatch: pytest.MonkeyPatch, missing: str) -> None:
    use(monkeypatch, **{**SIGN_IN, missing: ""})
    with pytest.raises(SettingsError, match=f"^{missing}: needed for sign-in"):
        load()


def test_streamlit_is_told_how_to_sign_in(monkeypatch: pytest.MonkeyPatch) -> None:
    assert load().streamlit_auth("http://127.0.0.1:8501") is None
    use(monkeypatch, **SIGN_IN)
    assert load().streamlit_auth("https://desk.example") == {
        "redirect_uri": "https://desk.example/oauth2callback",
        "server_metadata_url": SIGN_IN["SIGN_IN_METADATA_URL"],
        "client_id": "desk",
        "client_secret": "client-secret",
        "cookie_secret": "c" * 32,
    }


AUTH_TABLE = f"""
timezone = "Asia/Seoul"
ROLES = "mina@shop.example=support"
[auth]
redirect_uri = "https://desk.example/oauth2callback"
cookie_secret = "{"c" * 32}"
client_id = "desk"
client_secret = "client-secret"
server_metadata_url = "https://id.example/.well-known/openid-configuration"
client_kwargs = {{ prompt = "login" }}
"""


@pytest.mark.parametrize("place", [".", "home"])
def test_streamlit_s_secrets_are_a_place_for_settings_too(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, place: str
) -> None:
    folder = tmp_path / place / ".streamlit"
    folder.mkdir(parents=True)
    (folder / "secrets.toml").write_text(AUTH_TABLE, "utf-8")
    loaded = load()
    assert (loaded.sign_in, loaded.public_url) == (True, "https://desk.example")
    assert (loaded.timezone, loaded.role_rules) == ("Asia/Seoul", (("mina@shop.example", "support"),))
    auth = loaded.streamlit_auth("https://desk.example")
    assert auth is not None
    assert auth["client_kwargs"] == {"prompt": "login"}
    use(monkeypatch, TIMEZONE="Asia/Tokyo", SIGN_IN_METADATA_URL="")
    assert (load().timezone, load().sign_in) == ("Asia/Tokyo", False)


@pytest.mark.parametrize(
    ("text", "cure"),
    [
        (b"[auth]\nclient_id = 1", "needs server_metadata_url, client_id"),
        (b"[auth.google]\nclient_id = 'x'", "directly in it"),
        (b"[auth]\nclient_secret = very-secret", "is not TOML, at line 2, column 17; mend it there"),
        (b"\xff\xfe", "UTF-8"),
    ],
)
def test_secrets_that_cannot_be_used_are_a_sentence(tmp_path: Path, text: bytes, cure: str) -> None:
    (tmp_path / ".streamlit").mkdir()
    (tmp_path / ".streamlit" / "secrets.toml").write_bytes(text)
    with pytest.raises(SettingsError, match=re.escape(cure)) as caught:
        load()
    assert "very-secret" not in str(caught.value)


def test_several_people_may_sit_at_one_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    use(monkeypatch, OPERATOR_NAME="Mina Park, Jun Lee,")
    assert load().operator_names == ("Mina Park", "Jun Lee")
