"""Keys for asyncio: those of others, and our own, whose handlers may be coroutines."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

from . import key as sync_key
from . import subsystem as sync_subsystem
from .key import PATIENCE
from .remote_keys import LATEST, KeySubscription, Update
from .session import Session


class Key:
    """A key of another subsystem, which need not be there yet. On the loop."""

    def __init__(self, key: sync_key.Key, session: Session):
        self._key = key
        self._session = session
        self._followed: list[KeySubscription] = []

    @property
    def name(self) -> str:
        return self._key.name

    @property
    def last(self) -> Update | None:
        """What was heard last, without waiting."""
        return self._key.last

    async def get(self, timeout: float = PATIENCE) -> Any:
        return (await self.read(timeout)).value

    async def read(self, timeout: float = PATIENCE) -> Update:
        return await asyncio.wrap_future(self._key.read_later(timeout))

    async def set(self, value: Any, timeout: float = PATIENCE) -> Any:
        return (await asyncio.wrap_future(self._key.set_later(value, timeout))).value

    def on_change(self, listener: Callable[[Update], object]) -> None:
        """The current value first, then every change, on this loop; a loop that is busy gets the
        newest.
        """
        loop = asyncio.get_running_loop()

        def drain() -> None:
            for update in made.take():
                try:
                    listener(update)
                except Exception:
                    self._session.log_thrown(f"a listener of {self.name}")

        def ready(_: KeySubscription) -> None:
            try:
                loop.call_soon_threadsafe(drain)
            except RuntimeError:
                pass  # the loop has ended

        made = KeySubscription(self.name, LATEST, ready)
        self._session.subscribe(made)
        self._followed.append(made)

    def close(self) -> None:
        """Follows it no more."""
        followed, self._followed = self._followed, []
        for each in followed:
            self._session.unsubscribe(each)
        self._key.close()


class OwnKey(sync_subsystem.OwnKey):
    """As the one of threads; handlers may be coroutines."""

    def __init__(self, made: sync_subsystem.OwnKey, finish: Callable[[Any], Any]):
        super().__init__(made.session, made.number)
        self._finish = finish

    def on_read(self, handler: Callable[[], Any]) -> Callable[[], Any]:
        super().on_read(lambda: self._finish(handler()))
        return handler


class WritableKey(OwnKey, sync_subsystem.WritableKey):
    def on_write(self, handler: Callable[..., Any]) -> Callable[..., Any]:
        if sync_subsystem.arguments_of(handler) >= 2:
            super().on_write(lambda value, writer: self._finish(handler(value, writer)))
        else:
            super().on_write(lambda value: self._finish(handler(value)))
        return handler
