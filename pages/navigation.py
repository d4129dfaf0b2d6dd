"""The script of the app: menu, logo and tab title, then the chosen screen."""

from __future__ import annotations

from copy import copy

import streamlit as st

from lib.later import drawing, shown
from lib.operators import Operator
from lib.sign_in import NotIn
from pages.parts import brand, frame, menu, simulator, who
from pages.parts.session import desk, operator


def main() -> None:
    """Draw the menu and run the chosen screen, for whoever is let in."""
    brand.show()
    acting = whoever_acts()

    rights = frozenset(right for right in menu.RIGHTS if isinstance(acting, Operator) and acting.may(right))
    sections = menu.sections(rights=rights, world=desk().settings.world, board=simulator.in_reach())
    chosen = st.navigation(
        # The screen that is run is marked as such, so each run takes copies.
        {section: [copy(screen) for screen in screens] for section, screens in sections.items()},
        expanded=True,
        # Every page is named all the same, so that the address stays what it was.
        position="hidden" if isinstance(acting, NotIn) else "sidebar",
    )
    if isinstance(acting, NotIn):
        who.show_sign_in(acting)
        return
    who.remember(acting)
    who.show_in_menu(acting)
    st.set_page_config(page_title=frame.tab_title(chosen.title, desk().settings.world))
    chosen.run()


def whoever_acts() -> Operator | NotIn:
    """The acting person, or why there is none."""
    try:
        return operator()
    except NotIn as why:
        return why


drawing.set()
try:
    with frame.guard():
        main()
finally:
    shown.set()
