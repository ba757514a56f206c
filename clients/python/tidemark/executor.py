"""The one thread on which a program's callbacks run, one at a time and in order. They may take their
time; what waits for the bus must not be called there, and asks check_may_wait() first.
"""

from __future__ import annotations

import logging
import threading
from collections import deque
from collections.abc import Callable

from .errors import InCallback

log = logging.getLogger("tidemark")

WAITING_MAX = 100_000

_inside = threading.local()


def mark_inside() -> None:
    """Nothing on this thread may wait for the bus, from now on."""
    _inside.yes = True


def check_may_wait(what: str) -> None:
    """Raises InCallback on a thread whose work the answer would need."""
    if getattr(_inside, "yes", False):
        raise InCallback(f"{what} would wait inside a callback, where nothing that it waits for "
                         "can arrive; use the form that calls back")


class Executor:
    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._waiting: deque[Callable[[], None]] = deque()
        self._stopping = False
        self._thread = threading.Thread(target=self._run, name="tidemark callbacks", daemon=True)
        self._thread.start()

    def post(self, callback: Callable[[], None]) -> bool:
        """False when too many wait already, or it was stopped. Threads: any."""
        with self._changed:
            if self._stopping or len(self._waiting) >= WAITING_MAX:
                return False
            self._waiting.append(callback)
            self._changed.notify()
            return True

    def stop(self) -> None:
        """Waits for the callback that runs; those that wait are dropped."""
        with self._changed:
            self._stopping = True
            self._waiting.clear()
            self._changed.notify()
        if threading.current_thread() is not self._thread:
            self._thread.join()

    def _run(self) -> None:
        mark_inside()
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._waiting or self._stopping)
                if self._stopping:
                    return
                callback = self._waiting.popleft()
            try:
                callback()
            except Exception:
                log.exception("a callback threw")
            del callback
