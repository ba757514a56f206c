"""The past again for asyncio: reading and steering a replay, whose waiting is done by threads."""

from __future__ import annotations

import asyncio
import datetime as dt
from collections import deque
from collections.abc import Callable

from .errors import Unavailable
from .replay import PATIENCE, At, PvChange, ReplayStatus
from .replay import Replay as SyncReplay
from .messages import LogLine
from .values import Duration


class Replay:
    """The past again: `async with client.replay(…) as past`, `async for each in past`. Reads and
    steers as tidemark.Replay.
    """

    def __init__(self, make: Callable[[], SyncReplay]):
        self._make = make
        self._sync: SyncReplay | None = None
        self._here: deque[PvChange | LogLine] = deque()
        self._taking: asyncio.Future[list[PvChange | LogLine]] | None = None

    async def start(self) -> Replay:
        if self._sync is None:
            making = asyncio.ensure_future(asyncio.to_thread(self._make))
            try:
                self._sync = await asyncio.shield(making)
            except asyncio.CancelledError:
                making.add_done_callback(_close_unwanted)
                raise
        return self

    async def close(self) -> None:
        """Ends it. Never raises."""
        if self._sync is not None:
            await asyncio.to_thread(self._sync.close)

    async def __aenter__(self) -> Replay:
        return await self.start()

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    @property
    def status(self) -> ReplayStatus:
        return self._started.status

    @property
    def unknown(self) -> list[str]:
        """Addresses that the journal has never heard of."""
        return self._started.unknown

    def __aiter__(self) -> Replay:
        return self

    async def __anext__(self) -> PvChange | LogLine:
        """Ends where it ends, and raises what ended it before."""
        while not self._here:
            if self._taking is None and self._started.at_end:
                raise StopAsyncIteration
            await self._take()
        return self._here.popleft()

    async def read(self, patience: float = PATIENCE) -> PvChange | LogLine | None:
        """The next thing that comes; None when nothing does: it is paused, or at its end."""
        loop = asyncio.get_running_loop()
        until = loop.time() + patience
        while not self._here and loop.time() < until:
            await self._take()
        return self._here.popleft() if self._here else None

    async def _take(self) -> None:
        # A task that is cancelled meanwhile leaves what came to the next that reads.
        if self._taking is None:
            self._taking = asyncio.ensure_future(asyncio.to_thread(self._started.take))
        taking = self._taking
        await asyncio.wait([taking])
        if self._taking is taking:
            self._taking = None
            self._here.extend(taking.result())

    async def pause(self) -> ReplayStatus:
        return await asyncio.to_thread(self._started.pause)

    async def resume(self) -> ReplayStatus:
        return await asyncio.to_thread(self._started.resume)

    async def set_speed(self, speed: float) -> ReplayStatus:
        return await asyncio.to_thread(self._started.set_speed, speed)

    async def step(self, lines: int = 0, *, blocks: int = 0,
                   span: float | Duration | dt.timedelta = 0.0) -> ReplayStatus:
        return await asyncio.to_thread(
            lambda: self._started.step(lines, blocks=blocks, span=span))

    async def seek(self, at: At) -> ReplayStatus:
        return await asyncio.to_thread(self._started.seek, at)

    @property
    def _started(self) -> SyncReplay:
        if self._sync is None:
            raise Unavailable("the replay was not started: use `async with`, or await start()")
        return self._sync


def _close_unwanted(making: asyncio.Future[SyncReplay]) -> None:
    """It was made when nobody wanted it any more."""
    if not making.cancelled() and making.exception() is None:
        making.get_loop().run_in_executor(None, making.result().close)
