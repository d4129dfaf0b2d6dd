"""Streamlit's `secrets.toml`, as a place for settings beside the environment and `.env`."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

CALLBACK = "/oauth2callback"
"""Where Streamlit's server takes the provider's answer."""
_AUTH = {
    "server_metadata_url": "sign_in_metadata_url",
    "client_id": "sign_in_client_id",
    "client_secret": "sign_in_client_secret",
    "cookie_secret": "sign_in_cookie_secret",
}
"""Streamlit's names in `[auth]`, and ours."""


class UnusableSecrets(ValueError):
    """The file cannot be used; the message says why and what to write."""


def streamlit_secrets() -> dict[str, Any]:
    """Settings by name, from the files in which Streamlit keeps secrets: this folder's goes before the user's own.

    Its section `[auth]` stands for the settings of sign-in and, through `redirect_uri`, for PUBLIC_URL; it is also handed
    out whole. Raises `UnusableSecrets`.
    """
    found: dict[str, Any] = {}
    for folder in (Path.home(), Path()):
        path = folder / ".streamlit" / "secrets.toml"
        try:
            text = path.read_text("utf-8")
        except FileNotFoundError:
            continue
        except (OSError, UnicodeDecodeError):
            raise UnusableSecrets(f"{path}: cannot be read; make it a file of UTF-8 text, or take it away") from None
        try:
            found |= {name.lower(): value for name, value in tomllib.loads(text).items()}
        except tomllib.TOMLDecodeError as error:
            place = str(error).rpartition("(")[2].rstrip(")")
            raise UnusableSecrets(f"{path}: is not TOML, {place}; mend it there") from None
    auth = found.get("auth")
    if isinstance(auth, dict):
        if not all(isinstance(auth.get(name), str) for name in _AUTH):
            raise UnusableSecrets(
                f"secrets.toml: [auth] needs {', '.join(_AUTH)}, all of them directly in it; one provider can be used"
            )
        found = {ours: auth[name] for name, ours in _AUTH.items()} | found
        callback = auth.get("redirect_uri")
        if isinstance(callback, str) and callback.endswith(CALLBACK):
            found.setdefault("public_url", callback.removesuffix(CALLBACK))
    return found
