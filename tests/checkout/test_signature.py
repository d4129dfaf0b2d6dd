"""The webhook signature, against values computed elsewhere and against forgeries."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lib.checkout.signature import Signature, sign, verify

# printf '%s' '{"id":"evt_1"}' | openssl dgst -sha256 -hmac 'schlüssel'
RAW = b'{"id":"evt_1"}'
HEADER = "c16e913580a47e9a97525c4daa9e479af59ff8d464b898075642c74ac4c9b45b"


def test_a_value_computed_by_openssl() -> None:
    assert sign(RAW, "schlüssel") == HEADER
    assert verify(RAW, HEADER, ["schlüssel"]) == Signature(key_index=0)


def test_any_of_several_keys_is_accepted_and_named() -> None:
    for index, key in enumerate(("old", "new", "next")):
        verdict = verify(RAW, sign(RAW, key), ("old", "new", "next"))
        assert verdict
        assert verdict.key_index == index


@pytest.mark.parametrize(
    ("header", "keys", "refusal"),
    [
        (None, ["k"], "no header"),
        ("", ["k"], "no header"),
        ("z" * 64, ["k"], "not hex"),
        ("ab", ["k"], "not hex"),
        (sign(RAW, "k") + "00", ["k"], "not hex"),
        (f"sha256={sign(RAW, 'k')}", ["k"], "not hex"),
        (" ".join(("ab",) * 32), ["k"], "not hex"),
        ("１" * 64, ["k"], "not hex"),
        ("é" * 64, ["k"], "not hex"),
        (sign(RAW, "other"), ["k"], "no key matches"),
        (sign(RAW + b" ", "k"), ["k"], "no key matches"),
        (sign(RAW, "k"), [], "no key matches"),
        (sign(RAW, ""), ["", "k"], "no key matches"),
    ],
)
def test_everything_else_is_refused_with_its_reason(header: str | None, keys: list[str], refusal: str) -> None:
    verdict = verify(RAW, header, keys)
    assert not verdict
    assert (verdict.key_index, verdict.refusal) == (None, refusal)


@given(raw=st.binary(max_size=300), key=st.text(min_size=1), at=st.integers(min_value=0), bit=st.integers(0, 7))
def test_one_changed_bit_breaks_it(raw: bytes, key: str, at: int, bit: int) -> None:
    header = sign(raw, key)
    assert verify(raw, header, [key])
    if raw:
        changed = bytearray(raw)
        changed[at % len(raw)] ^= 1 << bit
        assert not verify(bytes(changed), header, [key])


@given(header=st.text())
def test_no_header_raises(header: str) -> None:
    assert not verify(RAW, header, ["key"])
