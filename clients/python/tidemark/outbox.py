"""Our way into the journal: takes records, sends them in order, holds them until they are
acknowledged, and sends them again when the journal was away. OutboxLives keeps count, and a copy
on disk that the next life delivers if this one cannot.

    up to 64 MiB held back     everything is kept
    up to 128 MiB              updates of keys are dropped, the oldest first
    beyond                     nothing is taken

What was dropped or not taken has numbers all the same, so the journal records a gap.
"""

from __future__ import annotations

import logging
import threading
import time
from collections import deque
from typing import Any

from .errors import InvalidArgument, TidemarkError, Unavailable
from .link import Link
from .messages import WARNING
from .outbox_lives import OutboxLives, SpoolPlace, is_final
from .outbox_queue import BYTES_MAX
from .packing import Row, pack, pack_rows, unpack
from .requests import Answer
from .spool import Owner
from .stream_reader import Lost

log = logging.getLogger("tidemark")

HELD_BYTES_MAX = 128 << 20  # beyond, nothing is taken
WAITING_MAX = 1 << 20  # records that may wait for the loop
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
STREAM_GAP = 28

# The incarnation of a program that registers nowhere, and never comes back under its UUID.
SHORT_LIVED = 0


class Outbox:
    def __init__(self, link: Link, journal: int, registers: bool,
                 kept_bytes_max: int = BYTES_MAX, held_bytes_max: int = HELD_BYTES_MAX,
                 place: SpoolPlace | None = None):
        """`place`: where the copy on disk is; none: without one. Reads what is there."""
        self._link = link
        self._journal = journal
        self._held_bytes_max = held_bytes_max
        self._lock = threading.Lock()
        # Guarded by _lock.
        self._waiting: deque[tuple[bool, bytes]] = deque()  # whether an update, and the record
        self._waiting_bytes = 0
        self._held_bytes = 0  # in the queue
        self._refused = 0  # since the last hole that was made for them
        self._closed = False
        # Only on the loop thread; afterwards close()'s.
        me = link.info
        self._lives = OutboxLives(Owner(me.uuid.bytes, me.name,
                                        me.incarnation if registers else SHORT_LIVED),
                                  place, kept_bytes_max)
        self._generation = 0  # grows with each rewind
        self._retry = 0.0
        self._retrying = False
        self._drained: list[threading.Event] = []
        link.post(self._take)  # an earlier life may have left something

    def append(self, kind: int, *fields: Any) -> None:
        """Threads: any. The record is not taken when it raises InvalidArgument, too large, or
        Unavailable, too much waits; of the latter the journal records a gap.
        """
        packed = pack([kind, *fields])
        if len(packed) > RECORD_BYTES_MAX:
            raise InvalidArgument(f"a record of {len(packed)} bytes; the journal takes at most "
                                  f"{RECORD_BYTES_MAX}")
        with self._lock:
            if self._closed:
                raise Unavailable(f"{self._link.info.name} has left the bus")
            if len(self._waiting) >= WAITING_MAX or \
                    self._held_bytes + self._waiting_bytes > self._held_bytes_max:
                self._refused += 1
                raise Unavailable("too many records wait for the journal")
            first = not self._waiting
            self._waiting.append((kind == KV_UPDATE, packed))
            self._waiting_bytes += len(packed)
        if first:
            self._link.post(self._take)

    def record(self, kind: int, *fields: Any) -> None:
        """As append(), of what nobody can be told that it was not taken. Threads: any."""
        try:
            self.append(kind, *fields)
        except Unavailable:
            pass  # counted, and said when there is room again
        except InvalidArgument as failure:
            log.error("%s", failure)
            with self._lock:
                self._refused += 1
            self._link.post(self._take)

    @property
    def held_bytes(self) -> int:
        """Not acknowledged yet. Threads: any."""
        with self._lock:
            return self._held_bytes + self._waiting_bytes

    @property
    def dropped(self) -> int:
        """Records for which there was no room. Threads: any."""
        with self._lock:
            return self._lives.dropped + self._refused

    def record_lost(self, publisher: str, stream: int, lost: Lost) -> None:
        """Of a stream that we follow. Threads: any."""
        self.record(STREAM_GAP, self._link.info.name, publisher, stream, lost.incarnation,
                    lost.first, lost.last)

    def drained(self) -> threading.Event:
        """Set when all that was appended is durable. Threads: any."""
        done = threading.Event()

        def add() -> None:
            self._take()
            self._drained.append(done)
            self._settle()

        self._link.post(add)
        return done

    def close(self) -> None:
        """When the loop has ended: what waited for it goes to disk, and what the journal does not
        have stays there; how much was not taken, too."""
        with self._lock:
            self._closed = True
        self._number()
        self._settle_room(ends=True)
        self._lives.close()

    def _take(self) -> None:
        self._number()
        self._send()

    def _number(self) -> None:
        with self._lock:
            records, self._waiting = self._waiting, deque()
            self._waiting_bytes = 0
        while records:
            updates, first = records.popleft()
            some = [first]
            size = len(first)
            while records and records[0][0] == updates and len(some) < RECORDS_AT_ONCE and \
                    size + len(records[0][1]) <= BYTES_AT_ONCE:
                size += len(records[0][1])
                some.append(records.popleft()[1])
            self._lives.push(len(some), time.time_ns(), pack_rows(some), updates)
        self._settle_room()

    def _settle_room(self, ends: bool = False) -> None:
        """The hole for what was refused is seen with the record after it, which says why."""
        with self._lock:
            self._held_bytes = self._lives.bytes
            if self._refused == 0 or (self._held_bytes > self._held_bytes_max and not ends):
                return
            refused, self._refused = self._refused, 0
        why = f"{refused} records were not taken: too much was held back, or too large"
        log.warning("%s", why)
        self._lives.skip(refused)
        self._lives.push(1, time.time_ns(), pack_rows([pack(
            [LOG_MESSAGE, WARNING, self._link.info.name, why, None, "", time.time_ns()])]))

    def _send(self) -> None:
        while not self._retrying:
            request = self._lives.next()
            if request is None:
                return
            generation = self._generation

            def on_answer(answer: Answer, generation: int = generation) -> None:
                self._answered(generation, answer)

            self._link.request(self._journal, "journal.append", pack(request), APPEND_BUDGET,
                               on_answer)

    def _answered(self, generation: int, answer: Answer) -> None:
        if generation != self._generation:
            return
        try:
            if isinstance(answer, TidemarkError):
                raise answer
            through = Row(unpack(answer), "append").number(0)
        except TidemarkError as failure:
            self._generation += 1
            if is_final(failure) and self._lives.give_up():
                log.error("what an earlier life left for the journal is lost: %s", failure)
                self._send()
                return
            if self._retry == 0.0:
                log.warning("the journal does not take our records (%s); they are held back",
                            failure)
            self._lives.rewind()
            self._retry = min(max(self._retry * 2, RETRY_MIN), RETRY_MAX)
            self._retrying = True
            self._link.after(self._retry, self._try_again)
            return
        self._retry = 0.0
        self._generation += self._lives.acknowledged(through)
        self._settle_room()
        self._settle()
        self._send()

    def _try_again(self) -> None:
        self._retrying = False
        self._send()

    def _settle(self) -> None:
        if self._lives.idle:
            for each in self._drained:
                each.set()
            self._drained.clear()
