"""The events that we handle. Each call runs on a thread of its own: a handler may take its time,
send feedback, and wait, while others are answered.
"""

from __future__ import annotations

import logging
import threading
import time
import uuid
from collections.abc import Callable
from typing import Any

from .errors import Conflict, Failed, InvalidArgument, NotFound, TidemarkError, Unavailable
from .key_spec import KeySpec, check_name, conform
from .link import Link
from .messages import EventSpec
from .packing import Row, pack, unpack
from .served_calls import Call
from .values import plain

log = logging.getLogger("tidemark")

RUNNING_MAX = 16
LOOK = 0.02  # how soon a cancellation is noticed


class EventCall:
    """One call of an event, as its handler sees it. Threads: any."""

    def __init__(self, call: Call, identity: uuid.UUID, event: str, argument: Any, caller: str):
        self.id = identity
        self.event = event
        self.argument = argument
        self.caller = caller
        self._call = call
        self._stopping = threading.Event()

    @property
    def deadline(self) -> float:
        """When the caller gives up, on the clock of time.monotonic()."""
        return self._call.deadline

    @property
    def cancelled(self) -> bool:
        """The caller gave up, or this program ends: come to an end."""
        return self._stopping.is_set() or self._call.cancelled

    def feedback(self, text: str, progress: Any = None) -> None:
        """The caller hears how it goes; `progress` is for programs."""
        self._call.progress(pack([text, plain(progress)]))

    def wait(self, seconds: float) -> bool:
        """Sleeps; False as soon as it is cancelled."""
        until = time.monotonic() + seconds
        while not self.cancelled:
            left = until - time.monotonic()
            if left <= 0:
                return True
            self._stopping.wait(min(left, LOOK))
        return False

    def stop(self) -> None:
        self._stopping.set()


Handler = Callable[[EventCall], Any]


class OwnEvents:
    def __init__(self, subsystem: str):
        self._subsystem = subsystem
        self._lock = threading.Lock()
        # Guarded by _lock.
        self._events: dict[str, tuple[EventSpec, Handler]] = {}
        self._running: dict[threading.Thread, EventCall] = {}
        self._closed = False

    def open(self, link: Link) -> None:
        link.serve("event.call", self._take)

    def add(self, spec: EventSpec, handler: Handler) -> None:
        """Raises Conflict for a second handler, InvalidArgument for its name or type."""
        try:
            check_name(spec.name)
            spec.argument.check()
        except InvalidArgument as failure:
            raise InvalidArgument(f"event {spec.name}: {failure.message}") from None
        with self._lock:
            if spec.name in self._events:
                raise Conflict(f"a second handler of event '{spec.name}' of {self._subsystem}")
            self._events[spec.name] = (spec, handler)

    def specs(self) -> tuple[EventSpec, ...]:
        with self._lock:
            return tuple(spec for spec, _ in self._events.values())

    def close(self) -> None:
        """Tells every handler that runs to stop, and waits for it."""
        with self._lock:
            self._closed = True
            running = dict(self._running)
        for event_call in running.values():
            event_call.stop()
        for thread in running:
            if thread is not threading.current_thread():
                thread.join()

    def _take(self, call: Call) -> None:
        row = Row(unpack(call.payload), "call")
        name = row.text(1)
        with self._lock:
            known = self._events.get(name)
            if known is None:
                raise NotFound(f"{self._subsystem} does not handle '{name}'")
            spec, handler = known
            argument = conform(KeySpec(name, spec.argument), row.any(2))
            if self._closed:
                raise Unavailable(f"{self._subsystem} is stopping")
            if len(self._running) >= RUNNING_MAX:
                raise Unavailable(f"{self._subsystem} handles {RUNNING_MAX} events already")
            event_call = EventCall(call, uuid.UUID(bytes=row.uuid(0)), name, argument, row.text(3))
            thread = threading.Thread(target=self._run, args=(handler, event_call, call),
                                      name=f"event {name}", daemon=True)
            self._running[thread] = event_call
            thread.start()

    def _run(self, handler: Handler, event_call: EventCall, call: Call) -> None:
        try:
            call.done(pack([plain(handler(event_call))]))
        except TidemarkError as failure:
            call.fail(failure)
        except Exception as failure:
            log.exception("the handler of %s threw", event_call.event)
            call.fail(Failed(f"its handler threw: {failure}"))
        finally:
            with self._lock:
                self._running.pop(threading.current_thread(), None)
