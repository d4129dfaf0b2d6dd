"""Files that were made when somebody asked for them, kept for as long as a browser may take to fetch them."""

from __future__ import annotations

import time

from streamlit.runtime import memory_media_file_storage
from streamlit.runtime.media_file_storage import MediaFileKind
from streamlit.runtime.memory_media_file_storage import MemoryMediaFileStorage

_KEPT_SECONDS = 120.0


class PatientStorage(MemoryMediaFileStorage):
    """Streamlit's store of files, but what is deleted as a download stays for two minutes.

    Streamlit deletes a file that was made on asking once two scripts have ended, whoever's they are. With a few people
    at work that is at times before the browser, told where the file is, has asked for it.
    """

    def __init__(self, media_endpoint: str) -> None:
        super().__init__(media_endpoint)
        self._deleted: dict[str, float] = {}

    # The manager calls both under one lock of its own.
    def load_and_get_id(
        self, path_or_data: str | bytes, mimetype: str, kind: MediaFileKind, filename: str | None = None
    ) -> str:
        file_id = super().load_and_get_id(path_or_data, mimetype, kind, filename)
        self._deleted.pop(file_id, None)
        return file_id

    def delete_file(self, file_id: str) -> None:
        now = time.monotonic()
        if self.get_file(file_id).kind == MediaFileKind.DOWNLOADABLE:
            self._deleted.setdefault(file_id, now)
        else:
            super().delete_file(file_id)
        for each, since in [*self._deleted.items()]:
            if now - since > _KEPT_SECONDS:
                super().delete_file(each)
                del self._deleted[each]


def keep_downloads() -> None:
    """Have Streamlit's server use this store; to be called before the server is made."""
    memory_media_file_storage.MemoryMediaFileStorage = PatientStorage  # type: ignore[misc]
