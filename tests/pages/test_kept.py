"""What is kept of a drawing stands wherever it is drawn next, as if it were drawn anew."""

from __future__ import annotations

from typing import Any

import streamlit as st
from streamlit.testing.v1 import AppTest

from pages.parts.kept import kept

drawn: list[str] = []


def plain(word: str, *, more: int = 0) -> None:
    drawn.append(word)
    st.subheader(word)
    with st.container(border=True):
        st.markdown(f"{word} in a box")
        with st.container(horizontal=True):
            for number in range(more):
                st.caption(f"{word} {number}")
    st.markdown(f"below {word}")


card = kept(plain)


def cards(draw: Any) -> None:
    with st.sidebar:
        draw("a", more=2)
    draw("a", more=2)
    left, right = st.columns(2)
    with right:
        st.caption("before")
        draw("a", more=2)
        draw("b")
        st.caption("after")
    left.caption("left")
    st.caption("last")
    looked_after(draw)


@st.fragment  # noqa: TID251 - Streamlit's own
def looked_after(draw: Any) -> None:
    draw("b")
    if st.button("Again"):
        st.caption("done")


def kept_screen() -> None:
    from tests.pages.test_kept import card, cards

    cards(card)


def plain_screen() -> None:
    from tests.pages.test_kept import cards, plain

    cards(plain)


def outline(node: Any) -> Any:
    """What stands in a part of the screen, and where."""
    if hasattr(node, "children"):
        return type(node).__name__, {place: outline(child) for place, child in node.children.items()}
    return node.type, node.proto.body if hasattr(node.proto, "body") else node.label


def test_it_stands_where_it_is_drawn_and_is_drawn_once() -> None:
    wanted = AppTest.from_function(plain_screen).run()
    drawn.clear()
    first, second = (AppTest.from_function(kept_screen).run() for _ in range(2))

    assert not first.exception
    assert outline(first._tree) == outline(second._tree) == outline(wanted._tree)
    assert drawn == ["a", "b"]


def test_a_fragment_that_runs_again_has_it_too() -> None:
    wanted, test = (AppTest.from_function(screen).run() for screen in (plain_screen, kept_screen))

    assert outline(test.button[0].click().run()._tree) == outline(wanted.button[0].click().run()._tree)


def test_other_arguments_are_another_drawing() -> None:
    def screen() -> None:
        from tests.pages.test_kept import card

        card("c")
        card("c", more=1)

    test = AppTest.from_function(screen).run()

    assert [caption.value for caption in test.caption] == ["c 0"]
