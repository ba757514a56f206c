"""The same for asyncio: what waits is a coroutine, what calls back is an `async for`.

    async with aio.Client("site.toml") as site:
        await site.key("psu.1/setpoint").set(12.5)
        async with site.subscribe("psu.*/current") as updates:
            async for update in updates:
                ...

The sockets stay on their own thread, so a loop that is busy loses its lease on nothing. Handlers of
events, writes and reads may be coroutines: they run on the loop that started the subsystem.
"""

from __future__ import annotations

import asyncio
import inspect
from collections import deque
from collections.abc import AsyncIterator, Callable, Coroutine, Iterable, Mapping, Sequence
from concurrent.futures import Future
from pathlib import Path
from typing import Any, Generic, TypeVar
from uuid import UUID

from . import client as sync
from . import subsystem as sync_subsystem
from .aio_keys import Key, OwnKey, WritableKey
from .aio_replay import Replay
from .call_result import CallResult
from .client import CLIENT_KEY, FOLLOW_PAUSE, PATIENCE, STOP_PATIENCE, Mark, Peer, To
from .durable_keys import DURABLE, DurableKeys
from .errors import NotFound, TidemarkError, Timeout, Unavailable
from .event_calls import Feedback
from .journal import FOLLOW_WAIT, Moment, Query, query
from .messages import DEBUG, LogLine, LogPage, StatusItem
from .own_events import EventCall
from .past import Bins, Blame, Changes, Found, History, Span, State
from .remote_keys import LATEST, KeySubscription, Update
from .replay import At
from .stats import Stats
from .status_watch import StatusWatch
from .subsystem import OwnStatusItem
from .types import Type
from .values import plain

__all__ = ["Client", "Key", "Listening", "OwnKey", "Replay", "Subsystem", "WritableKey"]

T = TypeVar("T")
Self = TypeVar("Self", bound="Client")

Limits = tuple[float | None, float | None] | None

QUEUE_MAX = 65_536  # items that wait for a slow listener; beyond, the oldest go


class Listening(Generic[T]):
    """Items as they come: `async for`, until close() or the end of the `async with` around it.

    `hear` gets the problems that take() gives among them.
    """

    def __init__(self, take: Callable[[], Sequence[T | TidemarkError]], close: Callable[[], None],
                 hear: Callable[[TidemarkError], None] = lambda _: None):
        self._loop = asyncio.get_running_loop()
        self._take = take
        self._close = close
        self._hear = hear
        self._come = asyncio.Event()
        self._here: deque[T | TidemarkError] = deque()
        self._closed = False

    def wake(self) -> None:
        """There is something to take. Threads: any."""
        try:
            self._loop.call_soon_threadsafe(self._come.set)
        except RuntimeError:
            pass  # the loop has ended

    def close(self) -> None:
        if not self._closed:
            self._closed = True
            self._close()
            self._come.set()

    def __aiter__(self) -> Listening[T]:
        return self

    async def __anext__(self) -> T:
        while True:
            while self._here:
                item = self._here.popleft()
                if not isinstance(item, TidemarkError):
                    return item
                self._hear(item)
            if self._closed:
                raise StopAsyncIteration
            await self._come.wait()
            self._come.clear()
            try:
                self._here.extend(self._take())
            except BaseException:
                self.close()  # it was the last
                raise

    async def __aenter__(self) -> Listening[T]:
        return self

    async def __aexit__(self, *_: object) -> None:
        self.close()


class Client:
    def __init__(self, site: str | Path | None = None, *, key: str = CLIENT_KEY):
        self._sync = sync.Client(site, key=key)

    # ---- its life

    async def start(self: Self, patience: float = PATIENCE) -> Self:
        session = self._sync.session
        if not session.started:
            # Reads files, and syncs one.
            await asyncio.to_thread(session.start)
        await asyncio.wrap_future(session.joined(patience))
        return self

    async def stop(self, patience: float = STOP_PATIENCE) -> None:
        await asyncio.to_thread(self._sync.stop, patience)

    async def __aenter__(self: Self) -> Self:
        try:
            return await self.start()
        except BaseException:
            await self.stop(0)
            raise

    async def __aexit__(self, *_: object) -> None:
        await self.stop()

    @property
    def name(self) -> str:
        return self._sync.name

    def stats(self) -> Stats:
        return self._sync.stats()

    def peers(self) -> list[Peer]:
        return self._sync.peers()

    async def forget(self, name: str, timeout: float = PATIENCE) -> None:
        for answer in self._sync.forget_later(name, timeout):
            await asyncio.wrap_future(answer)

    # ---- keys, events and status items of others

    def key(self, name: str) -> Key:
        return Key(self._sync.key(name), self._sync.session)

    def subscribe(self, pattern: str, policy: str = LATEST, *, since_line: int | None = None,
                  since: Moment | None = None,
                  on_problem: Callable[[TidemarkError], object] | None = None
                  ) -> Listening[Update]:
        """The current value first, then the changes. A slow listener gets the newest, or all; with
        policy "durable" what the journal recorded, as of tidemark.Client.subscribe(). An error that
        ends it comes out of the `async for`; `on_problem` is called on the loop.
        """
        session = self._sync.session
        if policy == DURABLE:
            def hear(problem: TidemarkError) -> None:
                if on_problem is None:
                    session.log_problem(pattern, problem)
                else:
                    on_problem(problem)

            durable = DurableKeys(session, pattern, since_line, since, lambda: listening.wake(),
                                  hear)
            listening: Listening[Update] = Listening(durable.take, durable.close, hear)
            durable.begin()
            return listening
        sync.check_not_durable(since_line, since)
        made = KeySubscription(pattern, policy, lambda _: listening.wake())
        listening = Listening(made.take, lambda: session.unsubscribe(made))
        session.subscribe(made)
        return listening

    async def call(self, event: str, argument: Any = None, *, to: To = None,
                   label: str | None = None, timeout: float = 10.0,
                   on_feedback: Callable[[Feedback], None] | None = None) -> CallResult:
        """A task that is cancelled takes the call back. `on_feedback` is called on the loop."""
        loop = asyncio.get_running_loop()
        heard = None
        if on_feedback is not None:
            def heard(said: Feedback) -> None:
                loop.call_soon_threadsafe(on_feedback, said)
        run = self._sync.session.call(event, plain(argument), to, label, timeout, heard)
        try:
            return await asyncio.shield(asyncio.wrap_future(run.future))
        except asyncio.CancelledError:
            run.cancel()
            raise

    async def ask(self, question: str, argument: Any = None, *, to: To = None,
                  label: str | None = None, timeout: float = PATIENCE) -> dict[str, Any]:
        return sync.yes_of(await self.call(question, argument, to=to, label=label,
                                           timeout=timeout))

    def watch_status(self, pattern: str) -> Listening[tuple[str, StatusItem]]:
        session = self._sync.session
        waiting: deque[tuple[str, StatusItem]] = deque(maxlen=QUEUE_MAX)

        def take() -> list[tuple[str, StatusItem]]:
            found = []
            while waiting:
                found.append(waiting.popleft())
            return found

        def on_item(name: str, item: StatusItem) -> None:
            if len(waiting) == QUEUE_MAX:
                session.listeners.missed += 1
            waiting.append((name, item))
            listening.wake()

        watch = StatusWatch(pattern, on_item)
        listening = Listening(take, lambda: session.unwatch_status(watch))
        session.watch_status(watch)
        return listening

    async def acknowledge(self, subsystem: str, item: str, timeout: float = PATIENCE) -> None:
        await asyncio.wrap_future(self._sync.acknowledge_later(subsystem, item, timeout))

    # ---- the journal

    def log(self, level: int | str, text: str, fields: Mapping[str, Any] | None = None, *,
            category: str = "") -> None:
        self._sync.log(level, text, fields, category=category)

    def begin_mark(self, name: str, data: Any = None, tags: Iterable[str] = ()) -> Mark:
        return self._sync.begin_mark(name, data, tags)

    def end_mark(self, mark: Mark, data: Any = None) -> None:
        self._sync.end_mark(mark, data)

    def mark_between(self, name: str, begin: Moment, end: Moment, data: Any = None,
                     tags: Iterable[str] = ()) -> Mark:
        return self._sync.mark_between(name, begin, end, data, tags)

    def mark(self, name: str, data: Any = None, tags: Iterable[str] = ()) -> Any:
        """A mark around the body of a plain `with`."""
        return self._sync.mark(name, data, tags)

    async def read(self, wanted: Query | None = None, wait: float = 0.0) -> LogPage:
        return LogPage.unpacked(
            await asyncio.wrap_future(self._sync.read_later(wanted or Query(), wait)))

    async def find(self, at: At) -> Found:
        return await asyncio.wrap_future(self._sync.past.find(at))

    async def state(self, *patterns: str, at: At = None, lateness: Span | None = None) -> State:
        return await asyncio.wrap_future(self._sync.past.state(patterns, at, lateness))

    async def changes(self, before: At, after: At = None, *patterns: str,
                      lateness: Span | None = None) -> Changes:
        return await asyncio.wrap_future(self._sync.past.changes(before, after, patterns, lateness))

    async def history(self, address: str, begin: At, end: At = None, *, limit: int = 0,
                      points: int = 0, lateness: Span | None = None) -> History:
        return await asyncio.wrap_future(
            self._sync.past.history(address, begin, end, limit, points, lateness))

    async def bins(self, address: str, begin: At, end: At = None, count: int = 1000, *,
                   median: bool = False, lateness: Span | None = None) -> Bins:
        return await asyncio.wrap_future(
            self._sync.past.bins(address, begin, end, count, median, lateness))

    async def blame(self, address: str, at: At = None, count: int = 10) -> Blame:
        return await asyncio.wrap_future(self._sync.past.blame(address, at, count))

    def replay(self, begin: At, end: At, *patterns: str, speed: float = 1.0, paused: bool = False,
               records: bool = True) -> Replay:
        """As tidemark.Client.replay(). It begins with the `async with`, or with start()."""
        return Replay(lambda: self._sync.replay(begin, end, *patterns, speed=speed, paused=paused,
                                                records=records))

    async def follow(self, since_line: int | None = None, *, kinds: Iterable[int] = (),
                     level: int = DEBUG, subject: str = "", text: str = "",
                     since: Moment | None = None, mark: str = "", regex: str = "",
                     fields: Iterable[str] = (), origin: str = "") -> AsyncIterator[LogLine]:
        """Lines as they come, for ever: from `since_line` on, or those that are new from now on."""
        if since_line is None and since is None:
            since_line = (await self.read(Query(first=0, newest_first=True, limit=1))).last_line + 1
        wanted = query(since_line or 1, kinds, level, since, None, subject, text, mark, regex,
                       fields, origin)
        while not self._sync.session.ended.is_set():
            try:
                page = await self.read(wanted, FOLLOW_WAIT)
            except (Unavailable, NotFound, Timeout):
                await asyncio.sleep(FOLLOW_PAUSE)
                continue
            for line in page.lines:
                yield line
            wanted = wanted.begun_at(page.next)


class Subsystem(Client):
    """As the one of threads; handlers may be coroutines."""

    def __init__(self, name: str, site: str | Path | None = None, *, description: str = "",
                 labels: Iterable[str] = (), uuid: UUID | None = None):
        self._subsystem = sync_subsystem.Subsystem(name, site, description=description,
                                                   labels=labels, uuid=uuid)
        self._sync = self._subsystem
        self._loop: asyncio.AbstractEventLoop | None = None

    async def start(self: Self, patience: float = PATIENCE) -> Self:
        assert isinstance(self, Subsystem)
        self._loop = asyncio.get_running_loop()
        return await super().start(patience)

    def publish(self, key: str, type: Type | str, *, unit: str = "", description: str = "",
                range: Limits = None, step: float | None = None, default: Any = None,
                readable: bool = True, published: bool = True, journaled: bool = False,
                on_read: Callable[[], Any] | None = None) -> OwnKey:
        """As tidemark.Subsystem.publish(). `on_read()`, a function or a coroutine, is asked each time
        that somebody reads, instead of the last value.
        """
        made = OwnKey(self._subsystem.publish(
            key, type, unit=unit, description=description, range=range, step=step,
            default=default, readable=readable, published=published, journaled=journaled),
            self._finish)
        if on_read is not None:
            made.on_read(on_read)
        return made

    def writable(self, key: str, type: Type | str, *, unit: str = "", description: str = "",
                 range: Limits = None, step: float | None = None, default: Any = None,
                 readable: bool = True, published: bool = True, journaled: bool = False,
                 on_read: Callable[[], Any] | None = None,
                 on_write: Callable[..., Any] | None = None) -> WritableKey:
        """As tidemark.Subsystem.writable(). `on_write(value)` or `on_write(value, writer)`, a
        function or a coroutine, returns or raises Refused.
        """
        made = WritableKey(self._subsystem.writable(
            key, type, unit=unit, description=description, range=range, step=step,
            default=default, readable=readable, published=published, journaled=journaled),
            self._finish)
        if on_read is not None:
            made.on_read(on_read)
        if on_write is not None:
            made.on_write(on_write)
        return made

    def on_event(self, event: str, handler: Callable[[EventCall], Any], *, description: str = "",
                 argument: Type | str = "any") -> None:
        """`handler(call)`, a function or a coroutine, returns the value of the answer."""
        self._subsystem.on_event(event, lambda call: self._finish(handler(call)),
                                 description=description, argument=argument)

    def status_item(self, name: str, *, latched: bool = False) -> OwnStatusItem:
        return self._subsystem.status_item(name, latched=latched)

    @property
    def incarnation(self) -> int:
        return self._subsystem.incarnation

    @property
    def why(self) -> TidemarkError | None:
        """Why it ended, when nobody here asked for it."""
        return self._subsystem.why

    @property
    def ended(self) -> bool:
        return self._subsystem.ended

    async def wait(self) -> None:
        """Until end(), or until a newer incarnation of it is there. Raises why."""
        while not self._subsystem.ended:
            await asyncio.sleep(END_LOOK)
        if self._subsystem.why is not None:
            raise self._subsystem.why

    def end(self) -> None:
        self._subsystem.end()

    def _finish(self, result: Any) -> Any:
        """Of a handler, on its own thread: a coroutine runs on the loop, and is waited for."""
        if not inspect.iscoroutine(result):
            return result
        if self._loop is None:
            result.close()
            raise Unavailable("its loop has not started yet")
        return _run_on(self._loop, result)


END_LOOK = 0.1


def _run_on(loop: asyncio.AbstractEventLoop, work: Coroutine[Any, Any, Any]) -> Any:
    future: Future[Any] = asyncio.run_coroutine_threadsafe(work, loop)
    return future.result()
