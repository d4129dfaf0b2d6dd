"""The product's drawings reach the browser as Streamlit itself would send them."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
import streamlit as st
from streamlit.commands import logo, page_config
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg

from pages.parts import brand


def test_tab_and_menu_show_what_streamlit_would_show(monkeypatch: pytest.MonkeyPatch) -> None:
    sent: list[ForwardMsg] = []
    for module in (logo, page_config, brand):
        monkeypatch.setattr(module, "get_script_run_ctx", lambda: SimpleNamespace(enqueue=sent.append))

    st.set_page_config(page_icon=brand.MARK, layout="wide")
    st.logo(brand.LOGO, size="large", icon_image=brand.MARK)
    theirs, sent[:] = sent[:], []
    brand.show()

    assert sent == theirs
    assert sent[0].page_config_changed.favicon.startswith("data:image/svg+xml;base64,")
