"""The calls of others, until their callers have given up. A request that is sent again is answered
again, and done once. Only on the loop thread, except for Call.
"""

from __future__ import annotations

import heapq
import threading
import time
from collections.abc import Callable

from . import envelope as envelopes
from .envelope import Envelope
from .errors import Failed, InvalidArgument, TidemarkError, Timeout

OPEN_MAX = 1 << 16
KEPT_MAX = 1 << 19  # in all, open or answered: forgetting one early could do it twice
ANSWER_BYTES_MAX = 64 << 20  # of answers that are kept
ANSWER_BYTES_EACH = 64 << 10
BUDGET_MAX = 86_400.0
LATE = 10.0  # for so long after its budget a request that waited in a buffer is known still
LATE_MAX = 131_072  # calls; beyond, no longer
PAYLOAD_MAX = envelopes.BYTES_MAX - envelopes.HEADER_BYTES - envelopes.METHOD_BYTES_MAX

Key = tuple[bytes, bytes]  # routing id, call


class Flag:
    """Shared by a call and the list of all: the list must not keep a call alive that its handler drops."""

    up = False


class Call:
    """The server's end of one request. Answers once; what comes later is ignored. Threads: any."""

    def __init__(self, key: Key, request: Envelope, deadline: float, incarnation: int,
                 send: Callable[[Key, bytes, float, bool], None]):
        self.method = request.method
        self.payload = request.payload
        self.deadline = deadline
        self._key = key
        self._incarnation = incarnation
        self._send = send
        self._lock = threading.Lock()
        self._finished = False
        self._parts = 0
        self.flag = Flag()

    @property
    def caller(self) -> int:
        return envelopes.caller_of(self._key[1])

    @property
    def cancelled(self) -> bool:
        """The caller gave up: stop when that is easy."""
        return self.flag.up or time.monotonic() > self.deadline

    def progress(self, payload: bytes) -> None:
        if self._finished:
            return
        with self._lock:
            self._parts += 1  # One that does not fit is lost, and must show.
        if len(payload) <= PAYLOAD_MAX:
            self._put(envelopes.PROGRESS, payload, False)

    def done(self, payload: bytes) -> None:
        if len(payload) > PAYLOAD_MAX:
            self.fail(InvalidArgument(f"the answer of {len(payload)} bytes is larger than the bus "
                                      "carries"))
        elif self._finish():
            self._put(envelopes.DONE, payload, True)

    def fail(self, error: TidemarkError) -> None:
        if self._finish():
            self._put(envelopes.FAILED, envelopes.pack_failure(error), True)

    def __del__(self) -> None:
        if not self._finished:
            self.fail(Failed("the call was dropped without an answer"))

    def _finish(self) -> bool:
        with self._lock:
            was, self._finished = self._finished, True
        return not was

    def _put(self, kind: int, payload: bytes, final: bool) -> None:
        parts = self._parts if kind == envelopes.DONE else 0
        self._send(self._key, envelopes.encode(
            Envelope(kind, self._key[1], self._incarnation, payload=payload, parts=parts)),
            self.deadline, final)


class _Entry:
    def __init__(self, cancelled: Flag):
        self.cancelled: Flag | None = cancelled  # None: answered
        self.answer: bytes | None = None
        self.late = False  # its budget is over


class ServedCalls:
    def __init__(self, incarnation: int, send: Callable[[Key, bytes, float, bool], None]):
        self._incarnation = incarnation
        self._send = send
        self._entries: dict[Key, _Entry] = {}
        self._deadlines: list[tuple[float, Key]] = []
        self._open = 0
        self._answer_bytes = 0

    @property
    def full(self) -> bool:
        return self._open >= OPEN_MAX or len(self._entries) >= KEPT_MAX

    def open(self, key: Key, request: Envelope) -> Call | None:
        """None when this very call is known already: again() has its answer, if there is one."""
        if key in self._entries:
            return None
        deadline = time.monotonic() + min(request.budget / 1e9, BUDGET_MAX)
        call = Call(key, request, deadline, self._incarnation, self._send)
        self._entries[key] = _Entry(call.flag)
        heapq.heappush(self._deadlines, (deadline, key))
        self._open += 1
        return call

    def knows(self, key: Key) -> bool:
        return key in self._entries

    def refusal(self, key: Key, error: TidemarkError) -> bytes:
        """The answer to a call that is not taken, and not remembered."""
        return envelopes.encode(Envelope(envelopes.FAILED, key[1], self._incarnation,
                                         payload=envelopes.pack_failure(error)))

    def again(self, key: Key) -> bytes | None:
        return self._entries[key].answer if key in self._entries else None

    def cancel(self, key: Key) -> None:
        entry = self._entries.get(key)
        if entry is not None and entry.cancelled is not None:
            entry.cancelled.up = True

    def close(self, key: Key, answer: bytes) -> None:
        """Its final answer is on the way: kept until the caller's budget is over."""
        entry = self._entries.get(key)
        if entry is None or entry.cancelled is None:
            return
        entry.cancelled = None
        self._open -= 1
        if len(answer) > ANSWER_BYTES_EACH or \
                self._answer_bytes + len(answer) > ANSWER_BYTES_MAX:
            answer = self.refusal(key, Timeout("it was answered, and the answer was not kept"))
        entry.answer = answer
        self._answer_bytes += len(answer)

    def expire(self) -> None:
        """Tells the handlers of those whose callers have given up by now, and forgets them later."""
        now = time.monotonic()
        while self._deadlines and self._deadlines[0][0] < now:
            deadline, key = heapq.heappop(self._deadlines)
            entry = self._entries[key]
            if entry.late or len(self._entries) > LATE_MAX:
                del self._entries[key]
            else:
                heapq.heappush(self._deadlines, (deadline + LATE, key))
            if entry.late:
                continue
            entry.late = True
            if entry.cancelled is not None:
                entry.cancelled.up = True
                entry.cancelled = None
                self._open -= 1
            if entry.answer is not None:
                self._answer_bytes -= len(entry.answer)
                entry.answer = None
