"""The product's drawings: its mark on the browser's tab, its logo above the menu.

`st.logo` and `st.set_page_config(page_icon=...)` load numpy and Pillow whatever they are given: a tenth of all that the
first screen takes, for drawings that are text. So the messages that these two would send are put together here; a test
holds them to Streamlit's own.
"""

from __future__ import annotations

from base64 import b64encode
from functools import cache
from pathlib import Path

from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from streamlit.proto.Logo_pb2 import Logo
from streamlit.proto.PageConfig_pb2 import PageConfig
from streamlit.runtime.scriptrunner import get_script_run_ctx

_PAGES = Path(__file__).parents[1]
LOGO, MARK = _PAGES / "logo.svg", _PAGES / "logo-mark.svg"


def show() -> None:
    """Put the mark on the tab and the logo above the menu; where the menu is closed, the mark. Have the whole width used."""
    if context := get_script_run_ctx():
        for message in _messages():
            context.enqueue(message)


def _messages() -> tuple[ForwardMsg, ForwardMsg]:
    mark = _address(MARK)
    tab, menu = ForwardMsg(), ForwardMsg()
    tab.page_config_changed.favicon = mark
    # In the same message, since each takes its time: screens use the whole width. What else stands in it stays as it is.
    tab.page_config_changed.layout = PageConfig.WIDE
    tab.page_config_changed.initial_sidebar_state = PageConfig.SIDEBAR_UNSET
    menu.logo.image, menu.logo.image_type = _address(LOGO), Logo.IMAGE
    menu.logo.icon_image, menu.logo.icon_image_type = mark, Logo.IMAGE
    menu.logo.size = "large"
    return tab, menu


@cache
def _address(drawing: Path) -> str:
    return f"data:image/svg+xml;base64,{b64encode(drawing.read_bytes()).decode()}"
