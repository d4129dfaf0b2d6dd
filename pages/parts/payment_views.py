"""Views of the payments list: ready ones, and those that the person saved."""

from __future__ import annotations

import streamlit as st

from lib.ledger.views import ViewProblem, delete_view, ready_views, save_view, views_of
from pages.parts import payment_search, words
from pages.parts.session import desk, operator


def views() -> None:
    """A pop-over with the views, and a line to save what is on the screen as one."""
    popover = st.popover("Views", icon=":material/bookmarks:", key="views", on_change="rerun", width="stretch")
    if popover.open:  # what is in it is drawn only then
        with popover:
            _offer()


def _offer() -> None:
    with st.container(gap="xxsmall"):
        st.caption("Ready for you")
        for number, ready in enumerate(ready_views(operator())):
            st.button(
                ready.name,
                key=f"ready_{number}",
                type="tertiary",
                on_click=payment_search.show,
                args=(ready.address,),
            )
    own = views_of(desk().database, operator())
    if own:
        st.caption("Saved by you")
    for view in own:
        with st.container(horizontal=True, horizontal_alignment="distribute", vertical_alignment="center"):
            name = words.plain(view.name)
            st.button(name, key=f"show_{view.id}", type="tertiary", on_click=payment_search.show, args=(view.address,))
            st.button(
                "",
                icon=":material/delete:",
                key=f"delete_{view.id}",
                type="tertiary",
                help=f"Delete {name}",
                on_click=delete,
                args=(view.id,),
            )
    with st.form("save_view", border=False):
        st.text_input("Save what you see now as", key="view_name", max_chars=60, placeholder="A name for this view")
        st.form_submit_button("Save view", icon=":material/bookmark_add:", on_click=save, width="stretch")
    st.caption("A view is this page's address: copy it from the browser to send it to a colleague.")


def save() -> None:
    try:
        view = save_view(desk().database, operator(), st.session_state.get("view_name", ""), payment_search.address())
    except ViewProblem as problem:
        st.toast(str(problem), icon=":material/error:")
    else:
        st.session_state["view_name"] = ""
        st.toast(f"Saved as {words.plain(view.name)}.", icon=":material/bookmark_added:")


def delete(view_id: str) -> None:
    if delete_view(desk().database, operator(), view_id):
        st.toast("The view is deleted.", icon=":material/delete:")
