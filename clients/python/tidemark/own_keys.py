"""The keys that we offer: their specs, their values, and what their owner says to those who read
and write.

    any thread ── set() ──► current value, and a row of the next frame ──► key stream
    kv.write ──► executor ──► conform, on_write ──► set() ──► the writer's answer

A lone update goes out at once; under load rows gather while the loop is busy. Threads: any.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from typing import Any

from . import frame as frames
from .errors import (Conflict, Failed, InvalidArgument, NotFound, Refused, TidemarkError, Timeout,
                     Unavailable)
from .executor import Executor
from .key_spec import KeySpec, check_spec, conform
from .link import Link
from .messages import GOOD, KeyUpdate, StateEnd
from .outbox import KV_UPDATE, Outbox
from .packing import Row, pack_rows, unpack
from .served_calls import Call

log = logging.getLogger("tidemark")

KEYS_MAX = 100_000
FRAME_BYTES_MAX = 64 << 10  # then a frame goes out at once
STATE_PART_BYTES = 256 << 10

OnWrite = Callable[[Any, str], None]
OnRead = Callable[[], Any]


class _Key:
    def __init__(self, spec: KeySpec, number: int):
        self.spec = spec
        self.current = KeyUpdate(number)
        self.on_write: OnWrite | None = None
        self.on_read: OnRead | None = None


class OwnKeys:
    def __init__(self, subsystem: str, executor: Executor):
        self._subsystem = subsystem
        self._executor = executor
        self._lock = threading.RLock()
        # Guarded by _lock.
        self._link: Link | None = None
        self._outbox: Outbox | None = None
        self._keys: list[_Key] = []
        self._by_name: dict[str, int] = {}
        self._rows: list[bytes] = []
        self._row_bytes = 0
        self._published = 0  # items of the stream so far

    def open(self, link: Link, outbox: Outbox) -> None:
        """Serves, and publishes from now on what is set."""
        with self._lock:
            self._link, self._outbox = link, outbox
            for key in self._keys:
                self._record(key)  # what they start with
            self._flush()
        link.declare_stream(frames.KEY_STREAM)
        link.serve("kv.read", self._read)
        link.serve("kv.write", self._write)
        link.serve("kv.state", self._state)

    def add(self, spec: KeySpec) -> int:
        """Raises Conflict for a second key of that name, and what check_spec() raises."""
        check_spec(spec)
        with self._lock:
            if len(self._keys) >= KEYS_MAX:
                raise InvalidArgument(f"{self._subsystem} has {KEYS_MAX} keys, and may have no "
                                      "more")
            if spec.name in self._by_name:
                raise Conflict(f"a second key '{spec.name}' of {self._subsystem}")
            number = len(self._keys)
            key = _Key(spec, number)
            if spec.default is not None:
                key.current = KeyUpdate(number, 1, time.time_ns(),
                                        value=conform(spec, spec.default))
            self._keys.append(key)
            self._by_name[spec.name] = number
            self._record(key)
            return number

    def handle(self, number: int, on_write: OnWrite | None = None,
               on_read: OnRead | None = None) -> None:
        with self._lock:
            self._keys[number].on_write = on_write or self._keys[number].on_write
            self._keys[number].on_read = on_read or self._keys[number].on_read

    def set(self, number: int, value: Any, quality: int = GOOD) -> None:
        """Raises InvalidArgument: the value does not conform, and the key keeps what it has."""
        try:
            self._store(number, conform(self._keys[number].spec, value), quality, "")
        except InvalidArgument as failure:
            raise InvalidArgument(f"{self._subsystem}/{failure.message}") from None

    def get(self, number: int) -> KeyUpdate:
        with self._lock:
            return self._keys[number].current

    def specs(self) -> tuple[KeySpec, ...]:
        with self._lock:
            return tuple(each.spec for each in self._keys)

    def _store(self, number: int, value: Any, quality: int, writer: str) -> KeyUpdate:
        with self._lock:
            key = self._keys[number]
            now = KeyUpdate(number, key.current.sequence + 1, time.time_ns(), quality, writer,
                            value)
            key.current = now
            self._record(key)
            if key.spec.published:
                self._rows.append(now.packed())
                self._row_bytes += len(self._rows[-1])
                if self._row_bytes >= FRAME_BYTES_MAX:
                    self._flush()
                elif len(self._rows) == 1 and self._link is not None:
                    self._link.post(self._flush)
            return now

    def _record(self, key: _Key) -> None:
        """Under _lock."""
        now = key.current
        wanted = key.spec.journaled or now.writer
        if self._outbox is None or not wanted or now.sequence == 0:
            return
        self._outbox.record(KV_UPDATE, f"{self._subsystem}/{key.spec.name}", now.value, now.time,
                            now.writer, now.sequence)

    def _flush(self) -> None:
        with self._lock:
            if self._link is None or not self._rows:
                return
            self._link.publish(frames.STATE, frames.KEY_STREAM, len(self._rows),
                               pack_rows(self._rows))
            self._published += len(self._rows)
            self._rows = []
            self._row_bytes = 0

    def _find(self, name: str) -> _Key:
        with self._lock:
            if name not in self._by_name:
                raise NotFound(f"{self._subsystem} has no key '{name}'")
            return self._keys[self._by_name[name]]

    def _post(self, call: Call, work: Callable[[], None]) -> None:
        def run() -> None:
            if call.cancelled:
                # Whoever asked has given up: what he does not expect any more is not done.
                call.fail(Timeout("too late to begin"))
                return
            try:
                work()
            except TidemarkError as failure:
                call.fail(failure)

        if not self._executor.post(run):
            call.fail(Unavailable(f"{self._subsystem} has too much to do"))

    def _read(self, call: Call) -> None:
        key = self._find(Row(unpack(call.payload), "read").text(0))
        full_name = f"{self._subsystem}/{key.spec.name}"
        if not key.spec.readable:
            raise Refused(f"{full_name} cannot be read")
        on_read = key.on_read
        if on_read is None:
            call.done(self.get(key.current.key).packed())
            return

        def work() -> None:
            try:
                value = conform(key.spec, on_read())
            except InvalidArgument as failure:
                raise Failed(f"its owner gave {failure.message}") from None
            except TidemarkError:
                raise
            except Exception as failure:
                log.exception("on_read of %s threw", full_name)
                raise Failed(f"its on_read threw: {failure}") from None
            now = self.get(key.current.key)
            call.done(KeyUpdate(now.key, now.sequence, time.time_ns(), now.quality, "",
                                value).packed())

        self._post(call, work)

    def _write(self, call: Call) -> None:
        row = Row(unpack(call.payload), "write")
        key = self._find(row.text(0))
        value, writer = row.any(1), row.text(2) or "somebody"
        if not key.spec.writable:
            raise Refused(f"{self._subsystem}/{key.spec.name} cannot be written")

        def work() -> None:
            try:
                taken = conform(key.spec, value)
            except InvalidArgument as failure:
                raise InvalidArgument(f"{self._subsystem}/{failure.message}") from None
            try:
                if key.on_write is not None:
                    key.on_write(taken, writer)
            except TidemarkError:
                raise
            except Exception as failure:
                log.exception("on_write of %s threw", key.spec.name)
                raise Failed(f"its on_write threw: {failure}") from None
            call.done(self._store(key.current.key, taken, GOOD, writer).packed())

        self._post(call, work)

    def _state(self, call: Call) -> None:
        parts: list[bytes] = []
        with self._lock:
            self._flush()  # What follows the state is numbered after it.
            sequence = self._published
            rows: list[bytes] = []
            size = 0
            for key in self._keys:
                if not key.spec.published or key.current.sequence == 0:
                    continue
                rows.append(key.current.packed())
                size += len(rows[-1])
                if size >= STATE_PART_BYTES:
                    parts.append(pack_rows(rows))
                    rows, size = [], 0
            if rows:
                parts.append(pack_rows(rows))
            assert self._link is not None
            incarnation = self._link.info.incarnation
        for part in parts:
            call.progress(part)
        call.done(StateEnd(incarnation, sequence, len(parts)).packed())
