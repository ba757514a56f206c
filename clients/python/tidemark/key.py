"""A key of another subsystem, which behaves like a variable, and need not be there yet."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import Future
from typing import Any

from .errors import InvalidArgument, TidemarkError
from .executor import check_may_wait
from .messages import KeyUpdate
from .packing import pack
from .remote_keys import LATEST, KeySubscription, Update, update_of
from .session import Session
from .values import plain

PATIENCE = 5.0


class Key:
    """Followed from the first use of `last` or on_change() on. Threads: any."""

    def __init__(self, session: Session, name: str):
        self.name = name
        self._session = session
        self._subsystem, slash, self._key = name.partition("/")
        if not slash or not self._subsystem or not self._key:
            raise InvalidArgument(f"'{name}' is no key: expected subsystem/key, such as "
                                  "psu.1/current")
        self._lock = threading.Lock()
        # Guarded by _lock.
        self._subscription: KeySubscription | None = None
        self._last: Update | None = None
        self._listeners: list[Callable[[Update], None]] = []

    def get(self, timeout: float = PATIENCE) -> Any:
        """Asks its owner; waits for him to be there. Raises NotFound, Refused, Timeout, ..."""
        return self.read(timeout).value

    def read(self, timeout: float = PATIENCE) -> Update:
        """As get(), with everything that is known of the value."""
        check_may_wait(f"reading {self.name}")
        return self.read_later(timeout).result()

    def set(self, value: Any, timeout: float = PATIENCE) -> Any:
        """Returns the value as its owner took it.

        Raises InvalidArgument when it is none of that key, Refused with the owner's reason, Timeout
        when nobody knows.
        """
        check_may_wait(f"writing {self.name}")
        return self.set_later(value, timeout).result().value

    def read_later(self, timeout: float = PATIENCE) -> Future[Update]:
        return self._asked("kv.read", [self._key], timeout)

    def set_later(self, value: Any, timeout: float = PATIENCE) -> Future[Update]:
        return self._asked("kv.write", [self._key, plain(value), self._session.name], timeout)

    def _asked(self, method: str, fields: list[Any], timeout: float) -> Future[Update]:
        answered = self._session.ask(self._subsystem, method, pack(fields), timeout)
        future: Future[Update] = Future()

        def done(answer: Future[bytes]) -> None:
            try:
                future.set_result(update_of(self.name, KeyUpdate.unpacked(answer.result()), 0))
            except TidemarkError as failure:
                future.set_exception(failure)

        answered.add_done_callback(done)
        return future

    @property
    def last(self) -> Update | None:
        """What was heard last, without waiting."""
        self._follow()
        with self._lock:
            return self._last

    def on_change(self, listener: Callable[[Update], None]) -> None:
        """The current value first, then every change; a slow listener gets the newest. A callback."""
        with self._lock:
            self._listeners.append(listener)
            last = self._last
        if last is not None:
            self._session.executor.post(lambda: listener(last))
        self._follow()

    def close(self) -> None:
        """Follows it no more."""
        with self._lock:
            subscription, self._subscription = self._subscription, None
            self._listeners.clear()
        if subscription is not None:
            self._session.unsubscribe(subscription)

    def _follow(self) -> None:
        with self._lock:
            if self._subscription is not None:
                return
            made = KeySubscription(self.name, LATEST, self._ready)
            self._subscription = made
        self._session.subscribe(made)

    def _ready(self, subscription: KeySubscription) -> bool:
        # On the loop thread: `last` is right before any callback says so.
        return self._session.executor.post(lambda: self._drain(subscription))

    def _drain(self, subscription: KeySubscription) -> None:
        for update in subscription.take():
            with self._lock:
                self._last = update
                listeners = list(self._listeners)
            for listener in listeners:
                try:
                    listener(update)
                except Exception:
                    self._session.log_thrown(f"a listener of {self.name}")
