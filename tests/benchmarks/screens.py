"""Whole pages of ours, as a browser gets them: over Streamlit's websocket, from asking to the end of the script."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from websockets.sync.client import ClientConnection, connect

_PATIENCE = 60.0


class Visitor:
    """One browser tab without the browser."""

    def __init__(self, socket: ClientConnection) -> None:
        self._socket = socket
        self._pages: dict[str, str] = {}

    @property
    def pages(self) -> list[str]:
        """The paths of all pages, once one was opened; the start page's is empty."""
        return list(self._pages)

    def open(self, page: str, query: str = "") -> int:
        """Ask for a page by its path, and wait until its script has ended. The bytes that came. Raises `RuntimeError`."""
        return sum(message.ByteSize() for message in self.messages(page, query))

    def messages(self, page: str, query: str = "") -> Iterator[ForwardMsg]:
        """What comes until the script of a page has ended."""
        ask = BackMsg()
        ask.rerun_script.query_string = query
        if page in self._pages:
            ask.rerun_script.page_script_hash = self._pages[page]
        else:
            ask.rerun_script.page_name = page
        self._socket.send(ask.SerializeToString())
        while True:
            raw = self._socket.recv(_PATIENCE)
            assert isinstance(raw, bytes)
            said = ForwardMsg.FromString(raw)
            yield said
            kind = said.WhichOneof("type")
            if kind == "navigation":
                self._pages = {listed.url_pathname: listed.page_script_hash for listed in said.navigation.app_pages}
            elif kind == "delta" and said.delta.new_element.WhichOneof("type") == "exception":
                raise RuntimeError(f"{page} failed: {said.delta.new_element.exception.message}")
            elif kind == "script_finished" and said.script_finished == ForwardMsg.FINISHED_SUCCESSFULLY:
                return


@contextmanager
def visitor(port: int) -> Iterator[Visitor]:
    """A new visitor of the app on `port`."""
    address = f"ws://127.0.0.1:{port}/_stcore/stream"
    with connect(address, subprotocols=["streamlit"], max_size=None, compression=None) as socket:  # type: ignore[list-item]
        yield Visitor(socket)
