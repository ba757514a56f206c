"""Our way into the journal: takes records, sends them in order, holds them until they are
acknowledged, and sends them again when the journal was away. OutboxQueue keeps count and bounds.
"""

from __future__ import annotations

import logging
import threading
import time
from collections import deque
from typing import Any

from .errors import InvalidArgument, TidemarkError, Unavailable
from .link import Link
from .outbox_queue import RECORDS_MAX, OutboxQueue
from .packing import Row, pack, unpack
from .requests import Answer

log = logging.getLogger("tidemark")

RETRY_MIN = 0.02
RETRY_MAX = 0.5
APPEND_BUDGET = 5.0
RECORDS_AT_ONCE = 1000
BYTES_AT_ONCE = 1 << 20
RECORD_BYTES_MAX = 16 << 20  # one that no request could carry would be in the way of all others

# Kinds of records, as the journal stores them.
KV_UPDATE = 5
EVENT_CALLED = 6
EVENT_FEEDBACK = 7
EVENT_ANSWERED = 8
LOG_MESSAGE = 16
MARK_BEGIN = 17
MARK_END = 18
STATUS_CHANGED = 27

# The incarnation of a program that registers nowhere, and never comes back under its UUID.
SHORT_LIVED = 0


class Outbox:
    def __init__(self, link: Link, journal: int, registers: bool):
        self._link = link
        self._life = link.info.incarnation if registers else SHORT_LIVED
        self._journal = journal
        self._lock = threading.Lock()
        self._waiting: deque[bytes] = deque()  # packed records; guarded by _lock
        self._dropped = 0  # guarded by _lock
        # Only on the loop thread.
        self._queue = OutboxQueue()
        self._generation = 0  # grows with each rewind
        self._retry = 0.0
        self._retrying = False
        self._drained: list[threading.Event] = []

    def append(self, kind: int, *fields: Any) -> None:
        """Threads: any. The record is not taken when it raises InvalidArgument, too large, or
        Unavailable, too much waits.
        """
        packed = pack([kind, *fields])
        if len(packed) > RECORD_BYTES_MAX:
            raise InvalidArgument(f"a record of {len(packed)} bytes; the journal takes at most "
                                  f"{RECORD_BYTES_MAX}")
        with self._lock:
            if len(self._waiting) >= RECORDS_MAX:
                raise Unavailable("too many records wait for the journal")
            first = not self._waiting
            self._waiting.append(packed)
        if first:
            self._link.post(self._take)

    def drained(self) -> threading.Event:
        """Set when all that was appended is durable. Threads: any."""
        done = threading.Event()

        def add() -> None:
            self._take()
            self._drained.append(done)
            self._settle()

        self._link.post(add)
        return done

    def _take(self) -> None:
        with self._lock:
            records, self._waiting = self._waiting, deque()
        while records:
            some = [records.popleft()]
            size = len(some[0])
            while records and len(some) < RECORDS_AT_ONCE and size < BYTES_AT_ONCE:
                size += len(records[0])
                some.append(records.popleft())
            array = b"\xdc" + len(some).to_bytes(2, "big") + b"".join(some)
            try:
                self._queue.push(len(some), time.time_ns(), array)
            except Unavailable as failure:
                log.error("%d records are lost: %s", len(some), failure)
        self._send()

    def _send(self) -> None:
        me = self._link.info
        while not self._retrying:
            after = self._queue.after
            sections = self._queue.next()
            if not sections:
                return
            generation = self._generation

            def on_answer(answer: Answer, generation: int = generation) -> None:
                self._answered(generation, answer)

            self._link.request(
                self._journal, "journal.append",
                pack([me.uuid.bytes, me.name, self._life, after,
                      [each.to_wire() for each in sections],
                      self._queue.acknowledged_through]), APPEND_BUDGET, on_answer)

    def _answered(self, generation: int, answer: Answer) -> None:
        if generation != self._generation:
            return
        try:
            if isinstance(answer, TidemarkError):
                raise answer
            through = Row(unpack(answer), "append").number(0)
        except TidemarkError as failure:
            if self._retry == 0.0:
                log.warning("the journal does not take our records (%s); they are held back",
                            failure)
            self._generation += 1
            self._queue.rewind()
            self._retry = min(max(self._retry * 2, RETRY_MIN), RETRY_MAX)
            self._retrying = True
            self._link.after(self._retry, self._try_again)
            return
        self._retry = 0.0
        self._queue.acknowledged(through)
        self._settle()
        self._send()

    def _try_again(self) -> None:
        self._retrying = False
        self._send()

    def _settle(self) -> None:
        if self._queue.idle:
            for each in self._drained:
                each.set()
            self._drained.clear()
