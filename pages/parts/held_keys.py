"""A key that is held down counts once: browsers repeat it, and Streamlit takes every repetition for a press."""

from __future__ import annotations

import streamlit as st

_ONCE = st.components.v2.component(
    "held_keys_count_once",
    js="""
    export default function () {
      const once = event => { if (event.repeat && /^Arrow(Left|Right)$/.test(event.key)) event.stopPropagation(); };
      window.addEventListener("keydown", once, true);
      return () => window.removeEventListener("keydown", once, true);
    }
    """,
)


def count_once() -> None:
    """For as long as the screen shows this, the arrow keys to the left and right are told of once a press."""
    _ONCE(key="held_keys")
