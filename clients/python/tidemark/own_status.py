"""Our status items: status_rules decides, this publishes each change and tells the journal.
Threads: any.
"""

from __future__ import annotations

import threading
import time

from . import frame as frames
from . import status_rules as rules
from .errors import Conflict, InvalidArgument, NotFound
from .link import Link
from .membership import NOTHING
from .messages import StateEnd, StatusItem, pack_items
from .outbox import STATUS_CHANGED, Outbox
from .packing import Row, unpack
from .served_calls import Call

ITEMS_MAX = 10_000


class OwnStatus:
    def __init__(self, subsystem: str):
        self._subsystem = subsystem
        self._lock = threading.Lock()
        # Guarded by _lock.
        self._link: Link | None = None
        self._outbox: Outbox | None = None
        self._items: dict[str, StatusItem] = {}
        self._published = 0

    def open(self, link: Link, outbox: Outbox) -> None:
        with self._lock:
            self._link, self._outbox = link, outbox
        link.declare_stream(frames.STATUS_STREAM)
        link.serve("status.state", self._state)
        link.serve("status.ack", self._acknowledge)

    def add(self, name: str, latches: bool) -> None:
        with self._lock:
            if name in self._items:
                raise Conflict(f"a second status item '{name}' of {self._subsystem}")
            if len(self._items) >= ITEMS_MAX:
                raise InvalidArgument(f"{self._subsystem} has {ITEMS_MAX} status items")
            self._put(StatusItem(name, since=time.time_ns(), latches=latches), record=False)

    def raise_item(self, name: str, severity: int, code: int, text: str) -> None:
        with self._lock:
            self._put(rules.raised(self._items[name], severity, code, text, time.time_ns()))

    def clear(self, name: str) -> None:
        with self._lock:
            self._put(rules.cleared(self._items[name], time.time_ns()))

    def acknowledge(self, name: str, who: str) -> None:
        """Raises NotFound."""
        with self._lock:
            if name not in self._items:
                raise NotFound(f"{self._subsystem} has no status item '{name}'")
            self._put(rules.acknowledged(self._items[name], who, time.time_ns()))

    def get(self, name: str) -> StatusItem:
        with self._lock:
            return self._items[name]

    def _put(self, item: StatusItem, record: bool = True) -> None:
        if self._items.get(item.name) == item:
            return
        self._items[item.name] = item
        if record and self._outbox is not None:
            self._outbox.record(STATUS_CHANGED, f"{self._subsystem}/{item.name}", item.severity,
                                item.code, item.text, item.active, item.acknowledged_by)
        if self._link is not None:
            self._link.publish(frames.STATE, frames.STATUS_STREAM, 1, pack_items([item]))
            self._published += 1

    def _state(self, call: Call) -> None:
        with self._lock:
            items = pack_items(self._items.values())
            sequence = self._published
            assert self._link is not None
            incarnation = self._link.info.incarnation
        call.progress(items)
        call.done(StateEnd(incarnation, sequence, 1).packed())

    def _acknowledge(self, call: Call) -> None:
        row = Row(unpack(call.payload), "acknowledgement")
        self.acknowledge(row.text(0), row.text(1))
        call.done(NOTHING)
