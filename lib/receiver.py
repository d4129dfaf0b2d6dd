"""The webhook receiver: `POST /webhooks/checkout`, a plain ASGI app that needs no Streamlit.

A delivery is acknowledged after the transaction that holds it has been committed. Deliveries that arrive while one
commit is under way share the next, so that the disk's wait is paid once for all of them.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from datetime import UTC, datetime
from functools import lru_cache

from starlette.types import Receive, Scope, Send

from lib.checkout.signature import verify
from lib.ledger.checkpoint import Checkpoints
from lib.ledger.database import Database, StoreBusy, StoreUnavailable
from lib.ledger.deliveries import Incoming, Verdict, receive
from lib.strangers import Strangers

BODY_LIMIT = 256 * 1024
_QUEUE_LIMIT = 2000
_BATCH_LIMIT = 200
_QUIET_TURNS = 2
_BODY_SECONDS = 10.0
_RETRY_AFTER_SECONDS = 5
_PLAIN = "text/plain; charset=utf-8"
_REFUSALS = {
    "no header": ("no_signature", "No Cko-Signature header"),
    "not hex": ("bad_signature", "Cko-Signature is not a hexadecimal HMAC-SHA256"),
    "no key matches": (
        "bad_signature",
        "No signature key matches: the key is another, or the body was changed on the way",
    ),
}

_Waiting = tuple[Incoming, "asyncio.Future[Verdict]"]

logger = logging.getLogger(__name__)


class Receiver:
    """Takes deliveries, checks each signature over the raw bytes, and answers once the verdict is durable.

    Use it inside `running()`. Answers: 200 stored or duplicate, 401 bad or missing signature, 400 signed but not
    JSON, 415 signed but declared as something else, 413 over 256 KiB, 405 other methods, 408 a body that does not come,
    429 too much without a valid signature, 503 when nothing can be stored now. Signed deliveries never meet the 429.
    """

    def __init__(self, database: Database, keys: Sequence[str]) -> None:
        self._database = database
        self._keys = tuple(keys)
        self._queue: list[_Waiting] = []
        self._arrival, self._idle = asyncio.Event(), asyncio.Event()
        self._idle.set()
        self._reading: dict[asyncio.Task[object], float] = {}
        """Who is reading a body, the longest first, and since when in the loop's own time."""
        self._checkpoints = Checkpoints(database)
        self._strangers = Strangers()
        self.verdicts: Counter[str] = Counter()
        """How many deliveries were answered with each verdict."""
        self.turned_away = 0
        """How many were answered with 503."""

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Store what arrives for as long as the block lasts; on leaving, finish what was taken in."""
        with contextlib.suppress(StoreUnavailable):  # each delivery says so again, to the sender
            await asyncio.to_thread(self._database.prepare)
        tasks = [asyncio.create_task(work) for work in (self._write(), self._hurry(), self._checkpoints.go_on())]
        try:
            yield
        finally:
            await self._idle.wait()
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    @property
    def waiting(self) -> int:
        """Deliveries taken in and not yet stored."""
        return len(self._queue)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return
        if scope["method"] != "POST":
            await answer(send, 405, "Deliver webhooks with POST.", allow="POST")
            return
        status, words = await self._take(scope, receive)
        await answer(send, status, words)

    async def _take(self, scope: Scope, receive: Receive) -> tuple[int, str]:
        declared = length = sent_signature = b""
        for name, value in scope["headers"]:
            if name == b"cko-signature":
                sent_signature = value
            elif name == b"content-type":
                declared = value
            elif name == b"content-length":
                length = value
        signature = sent_signature.decode("latin-1") or None
        sender = scope["client"][0] if scope.get("client") else None
        received_at = datetime.now(UTC)
        try:
            raw, size = await self._body(receive, length)
        except TimeoutError:
            return 408, "The body did not arrive in time."
        except ConnectionError:
            return 400, "The connection broke before the body ended."
        refusal = key_index = None
        if size > BODY_LIMIT:
            refusal = ("too_large", f"Over {BODY_LIMIT // 1024} KiB")
        else:
            verified = verify(raw, signature, self._keys)
            key_index = verified.key_index
            if verified.refusal:
                refusal = _REFUSALS[verified.refusal]
        if refusal and not self._strangers.welcome(sender):
            self.verdicts["rate_limited"] += 1
            return 429, "Too many deliveries without a valid signature. Slow down."
        declared_otherwise = refusal is None and bool(declared) and b"json" not in declared.lower()
        if declared_otherwise:
            refusal = ("not_json", f"Signed, but declared as {declared.decode('latin-1')[:80]}")
        verdict = await self._store(Incoming(raw, received_at, signature, sender, size, refusal, key_index))
        if verdict is None:
            return 503, "Not stored. Deliver it again later."
        if verdict.word == "accepted":
            return 200, ""
        return 415 if declared_otherwise else _STATUS.get(verdict.word, 200), verdict.reason

    async def _body(self, receive: Receive, content_length: bytes) -> tuple[bytes, int]:
        """As `_body` below. Raises `TimeoutError` when it takes too long.

        A time-out of the loop's own would cost as much as checking the signature, for something that hardly ever
        happens; so who reads is noted, and `_hurry` looks now and then for who has been at it too long.
        """
        task = asyncio.current_task()
        assert task
        self._reading[task] = asyncio.get_running_loop().time()
        try:
            return await _body(receive, content_length)
        except asyncio.CancelledError:
            if task in self._reading:
                raise
            task.uncancel()
            raise TimeoutError from None
        finally:
            self._reading.pop(task, None)

    async def _hurry(self) -> None:
        while True:
            await asyncio.sleep(_BODY_SECONDS / 10)
            began_before = asyncio.get_running_loop().time() - _BODY_SECONDS
            for task, began in list(self._reading.items()):
                if began < began_before:
                    del self._reading[task]
                    task.cancel()

    async def _store(self, incoming: Incoming) -> Verdict | None:
        if len(self._queue) < _QUEUE_LIMIT:
            future: asyncio.Future[Verdict] = asyncio.get_running_loop().create_future()
            self._queue.append((incoming, future))
            self._arrival.set()
            self._idle.clear()
            with contextlib.suppress(StoreUnavailable):
                return await future
        self.turned_away += 1
        return None

    async def _write(self) -> None:
        while True:
            batch = await self._gather()
            try:
                verdicts = await self._receive([incoming for incoming, _ in batch])
            except Exception as error:
                told = isinstance(error, StoreUnavailable)  # what its words say needs no traceback
                logger.error("%d deliveries could not be stored: %s", len(batch), error, exc_info=not told)
                problem = error if told else StoreUnavailable("see the log")
                for _, future in batch:
                    if not future.done():
                        future.set_exception(problem)
            else:
                self._checkpoints.stored(len(batch))
                self.verdicts.update(verdict.word for verdict in verdicts)
                for (_, future), verdict in zip(batch, verdicts, strict=True):
                    if not future.done():
                        future.set_result(verdict)
            if not self._queue:
                self._idle.set()

    async def _gather(self) -> list[_Waiting]:
        """The next deliveries to store: all that are on their way into the process just now.

        From its socket to the queue a delivery takes two turns of the loop, so when two turns bring nothing, nothing
        is on its way. They cost microseconds when there is one delivery; when there are many they make one commit of
        what would be three.
        """
        await self._arrival.wait()
        had = quiet = 0
        while quiet < _QUIET_TURNS and len(self._queue) < _BATCH_LIMIT:
            quiet = 0 if len(self._queue) > had else quiet + 1
            had = len(self._queue)
            await asyncio.sleep(0)
        batch = self._queue[:_BATCH_LIMIT]
        del self._queue[:_BATCH_LIMIT]
        if not self._queue:
            self._arrival.clear()
        return batch

    async def _receive(self, deliveries: list[Incoming]) -> list[Verdict]:
        # SQLite's commit is short, and handing it to a thread costs more than it, so it runs right here; unless
        # somebody else is writing, or the database is a server: then a thread waits, and the loop goes on.
        if self._database.sqlite:
            with contextlib.suppress(StoreBusy):
                return receive(self._database, deliveries, patient=False)
        return await asyncio.to_thread(receive, self._database, deliveries, patient=self._database.sqlite)


_STATUS = {"bad_signature": 401, "no_signature": 401, "not_json": 400, "too_large": 413}


async def _body(receive: Receive, content_length: bytes) -> tuple[bytes, int]:
    """The body and its size; a body over the limit is not read to its end."""
    announced = int(content_length) if content_length.isdigit() else 0
    chunks: list[bytes] = []
    size = 0
    while announced <= BODY_LIMIT and size <= BODY_LIMIT:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise ConnectionError
        chunks.append(message.get("body", b""))
        size += len(chunks[-1])
        if not message.get("more_body"):
            break
    return b"".join(chunks), max(size, announced if announced > BODY_LIMIT else 0)


async def answer(send: Send, status: int, words: str, *, kind: str = _PLAIN, allow: str | None = None) -> None:
    """Send a whole answer. One without words goes out in one piece, and so costs half of what others do."""
    headers, body = (_usual if kind == _PLAIN else _answer)(status, words, kind, allow)
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})


def _answer(status: int, words: str, kind: str, allow: str | None) -> tuple[list[tuple[bytes, bytes]], bytes]:
    body = words.encode()
    headers = [(b"content-length", str(len(body)).encode())]
    if body:
        headers += [(b"content-type", kind.encode()), (b"x-content-type-options", b"nosniff")]
    if allow:
        headers.append((b"allow", allow.encode()))
    if status in (429, 503):
        headers.append((b"retry-after", str(_RETRY_AFTER_SECONDS).encode()))
    if status in (408, 413, 429):
        headers.append((b"connection", b"close"))
    return headers, body


_usual = lru_cache(maxsize=64)(_answer)
