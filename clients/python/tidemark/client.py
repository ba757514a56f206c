"""A program on the bus of a site that offers nothing: it reads and writes keys, listens, calls
events, and says things to the journal.

    with tidemark.Client("site.toml") as site:
        site.key("psu.1/setpoint").set(12.5)

Threads: every method from any thread. Callbacks run one at a time on one thread of their own; what
waits raises InCallback there, and never hangs.
"""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import Future
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, TypeVar

from .call_result import CallResult
from .durable_keys import DURABLE, DurableKeys
from .errors import (InvalidArgument, Malformed, NotFound, Refused, TidemarkError, Timeout,
                     Unavailable)
from .event_calls import EventCallRun, Feedback
from .executor import check_may_wait
from .journal import ANSWER_PATIENCE, FOLLOW_WAIT, Moment, Query, ns_of, query
from .key import Key
from .messages import (DEBUG, LEVELS, NODE_STATES, LogLine, LogPage, NodeInfo, StatusItem,
                       Surface)
from .outbox import LOG_MESSAGE, MARK_BEGIN, MARK_END
from .packing import pack
from .past import Bins, Blame, Changes, Found, History, Past, Span, State
from .remote_keys import LATEST, KeySubscription, Update
from .replay import At, Replay
from .session import Session, user_at_host
from .stats import Stats
from .status_watch import StatusWatch
from .values import Timestamp, plain

Self = TypeVar("Self", bound="Client")
To = str | list[str] | tuple[str, ...] | None

PATIENCE = 5.0
STOP_PATIENCE = 2.0
FOLLOW_PAUSE = 0.2  # before a journal that is away is asked again
CLIENT_KEY = "cli"  # whose CURVE key a program that offers nothing takes


@dataclass(frozen=True)
class Peer:
    """Somebody on the bus."""

    name: str
    kind: str  # "subsystem", or the kind of a node of Tidemark
    state: str  # "alive", "suspect", "disconnected", "stopped"
    since: Timestamp
    started_at: Timestamp
    host: str
    pid: int
    uuid: uuid.UUID
    incarnation: int
    labels: tuple[str, ...]
    surface: Surface  # its keys and events


@dataclass(frozen=True)
class Mark:
    """Something with a beginning and an end: a shot, a shift."""

    id: uuid.UUID
    name: str


class Subscription:
    """Listens until close(), or until the `with` around it ends."""

    def __init__(self, close: Callable[[], None]):
        self._close: Callable[[], None] | None = close

    def close(self) -> None:
        close, self._close = self._close, None
        if close is not None:
            close()

    def __enter__(self) -> Subscription:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


class RunningCall:
    """A call that runs. Letting it go does not end it."""

    def __init__(self, run: EventCallRun):
        self._run = run

    @property
    def future(self) -> Future[CallResult]:
        return self._run.future

    def cancel(self) -> None:
        """Tells every target that nobody waits any more."""
        self._run.cancel()

    def result(self) -> CallResult:
        check_may_wait("waiting for a call")
        return self._run.future.result()


class Client:
    def __init__(self, site: str | Path | None = None, *, key: str = CLIENT_KEY):
        """`site`: its file; None takes TIDEMARK_SITE, else site.toml here. Nothing is opened yet.

        `key`: whose CURVE key this program has, when the site has keys.
        """
        self._session = Session(user_at_host(), site, False, key)

    # ---- its life

    def start(self: Self, patience: float = PATIENCE) -> Self:
        """Joins the bus, and waits for a registry.

        Raises InvalidArgument when the site file is wrong, Conflict when somebody else is bound
        where we would be, Unavailable when no registry answers; joining goes on meanwhile.
        """
        check_may_wait("start()")
        if not self._session.started:
            self._session.start()
        self._session.joined(patience).result()
        return self

    def stop(self, patience: float = STOP_PATIENCE) -> None:
        """Leaves the bus, for good; waits until the journal has what was said, at most so long."""
        check_may_wait("stop()")
        self._session.stop(patience)

    def __enter__(self: Self) -> Self:
        try:
            return self.start()
        except BaseException:
            self.stop(0)
            raise

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None,
                 trace: TracebackType | None) -> None:
        self.stop()

    @property
    def name(self) -> str:
        return self._session.name

    @property
    def session(self) -> Session:
        """What this stands on, for the asyncio form, tests and benches."""
        return self._session

    def stats(self) -> Stats:
        """What was counted since start(); does not wait."""
        return self._session.stats()

    # ---- who is there

    def peers(self) -> list[Peer]:
        return [peer_of(node) for node in self._session.directory().nodes]

    def forget(self, name: str, timeout: float = PATIENCE) -> None:
        """Somebody who died and will not come back is taken out of the directory, at every
        registry. Raises Refused when he is alive, NotFound when nobody is called so.
        """
        check_may_wait("forget()")
        for answer in self.forget_later(name, timeout):
            answer.result()

    def forget_later(self, name: str, timeout: float = PATIENCE) -> list[Future[bytes]]:
        directory = self._session.directory()
        node = directory.find(name)
        if node is None:
            raise NotFound(f"nobody on the bus is called '{name}'")
        wish = pack([node.uuid.bytes, name, user_at_host()])
        return [self._session.ask(each.name, "registry.forget", wish, timeout)
                for each in directory.nodes if each.kind == "registry"]

    # ---- keys of others

    def key(self, name: str) -> Key:
        """ "psu.1/current". It need not be there yet."""
        return Key(self._session, name)

    def subscribe(self, pattern: str, listener: Callable[[Update], None], policy: str = LATEST, *,
                  since_line: int | None = None, since: Moment | None = None,
                  on_problem: Callable[[TidemarkError], object] | None = None) -> Subscription:
        """Every key that fits a pattern such as "rf.*/voltage", those that come later too: the
        current value first, then the changes. `listener` is a callback.

        "latest": a slow listener gets the newest; "all": all, up to 65 536 that wait.

        "durable": what the journal recorded instead, each update once and in order with its line,
        from `since_line` or a time on, else from now on; also what came while the listener or the
        journal was not there. To go on where a program ended, keep the last `line`, and begin with
        the next. `on_problem`, a callback, gets Refused for each key that fits and is not
        journaled, Unavailable when the journal is away, Conflict when it may be another one, and
        NotFound, in its place among the updates, for each stretch of lines that have expired; any
        other error ends the subscription. Without it problems are logged.
        """
        if policy == DURABLE:
            return subscribe_durably(self._session, pattern, listener, since_line, since,
                                     on_problem)
        check_not_durable(since_line, since)
        return subscribe(self._session, pattern, listener, policy)

    # ---- events of others

    def call(self, event: str, argument: Any = None, *, to: To = None, label: str | None = None,
             timeout: float = 10.0,
             on_feedback: Callable[[Feedback], None] | None = None) -> CallResult:
        """Waits for all targets: those named, those with the label, or everybody who handles it.
        `on_feedback` is a callback.
        """
        check_may_wait(f"calling '{event}'")
        return self.call_later(event, argument, to=to, label=label, timeout=timeout,
                               on_feedback=on_feedback).result()

    def call_later(self, event: str, argument: Any = None, *, to: To = None,
                   label: str | None = None, timeout: float = 10.0,
                   on_ended: Callable[[CallResult], None] | None = None,
                   on_feedback: Callable[[Feedback], None] | None = None) -> RunningCall:
        """The same without waiting; `on_ended` is a callback."""
        executor = self._session.executor
        heard = None
        if on_feedback is not None:
            def heard(said: Feedback) -> None:
                executor.post(lambda: on_feedback(said))
        run = self._session.call(event, plain(argument), to, label, timeout, heard)
        if on_ended is not None:
            def ended(future: Future[CallResult]) -> None:
                if future.exception() is None:
                    executor.post(lambda: on_ended(future.result()))

            run.future.add_done_callback(ended)
        return RunningCall(run)

    def ask(self, question: str, argument: Any = None, *, to: To = None,
            label: str | None = None, timeout: float = PATIENCE) -> dict[str, Any]:
        """Everybody's yes: what each answered, by name. Raises Refused with the objections when
        somebody did not say yes: a veto, or no answer.
        """
        result = self.call(question, argument, to=to, label=label, timeout=timeout)
        return yes_of(result)

    # ---- status items of others

    def watch_status(self, pattern: str,
                     listener: Callable[[str, StatusItem], None]) -> Subscription:
        """Every item of every subsystem whose name fits, then each change. `listener` is a
        callback: it gets the subsystem's name and the item.
        """
        executor = self._session.executor
        counters = self._session.listeners

        def on_item(name: str, item: StatusItem) -> None:
            def tell() -> None:
                if not watch.closed:
                    listener(name, item)

            if not executor.post(tell):
                counters.missed += 1

        watch = StatusWatch(pattern, on_item)
        self._session.watch_status(watch)
        return Subscription(lambda: self._session.unwatch_status(watch))

    def acknowledge(self, subsystem: str, item: str, timeout: float = PATIENCE) -> None:
        """Raises NotFound when there is no such item."""
        check_may_wait("acknowledge()")
        self.acknowledge_later(subsystem, item, timeout).result()

    def acknowledge_later(self, subsystem: str, item: str,
                          timeout: float = PATIENCE) -> Future[bytes]:
        return self._session.ask(subsystem, "status.ack", pack([item, user_at_host()]), timeout)

    # ---- the journal: held until it is durable, also while the journal is away

    def log(self, level: int | str, text: str, fields: Mapping[str, Any] | None = None, *,
            category: str = "") -> None:
        """`level`: 0 to 3, or "debug", "info", "warning", "error". Does not wait.

        `fields`: what others may look for, {"shot": 4711}; `category`: which part of the program
        speaks. Raises Unavailable when too much waits for the journal.
        """
        self._session.record(LOG_MESSAGE, level_of(level), self.name, text,
                             plain(dict(fields)) if fields else None, category, time.time_ns())

    def begin_mark(self, name: str, data: Any = None, tags: Iterable[str] = ()) -> Mark:
        mark = Mark(uuid.uuid4(), name)
        self._session.record(MARK_BEGIN, mark.id.bytes, name, list(tags), user_at_host(),
                             plain(data))
        return mark

    def end_mark(self, mark: Mark, data: Any = None) -> None:
        self._session.record(MARK_END, mark.id.bytes, mark.name, user_at_host(), plain(data))

    def mark_between(self, name: str, begin: Moment, end: Moment, data: Any = None,
                     tags: Iterable[str] = ()) -> Mark:
        """After the fact. Each end stands for the last line that was recorded by then."""
        mark = Mark(uuid.uuid4(), name)
        who = user_at_host()
        self._session.record(MARK_BEGIN, mark.id.bytes, name, list(tags), who, plain(data),
                             ns_of(begin))
        self._session.record(MARK_END, mark.id.bytes, name, who, None, ns_of(end))
        return mark

    @contextmanager
    def mark(self, name: str, data: Any = None, tags: Iterable[str] = ()) -> Iterator[Mark]:
        """A mark around the body of a `with`."""
        made = self.begin_mark(name, data, tags)
        try:
            yield made
        finally:
            self.end_mark(made)

    def read(self, wanted: Query | None = None, wait: float = 0.0) -> LogPage:
        """One page of the journal. With `wait` the answer comes with the first line that fits."""
        check_may_wait("read()")
        return LogPage.unpacked(self.read_later(wanted or Query(), wait).result())

    def read_later(self, wanted: Query, wait: float = 0.0) -> Future[bytes]:
        return self._session.ask("journal", "journal.read", wanted.packed(wait),
                                 wait + ANSWER_PATIENCE)

    def follow(self, since_line: int | None = None, *, kinds: Iterable[int] = (),
               level: int = DEBUG, subject: str = "", text: str = "",
               since: Moment | None = None, mark: str = "", regex: str = "",
               fields: Iterable[str] = (), origin: str = "") -> Iterator[LogLine]:
        """Lines as they come, for ever: from `since_line` on, or those that are new from now on.

        A journal that is away is waited for. Ends when this program leaves the bus.
        """
        check_may_wait("follow()")
        if since_line is None and since is None:
            since_line = self.read(Query(newest_first=True, limit=1, first=0)).last_line + 1
        wanted = query(since_line or 1, kinds, level, since, None, subject, text, mark, regex,
                       fields, origin)
        return self._follow(wanted)

    def replay(self, begin: At, end: At, *patterns: str, speed: float = 1.0,
               paused: bool = False, records: bool = True) -> Replay:
        """The past again: PVs that fit, and the other records, at `speed` times recorded time.

        Moments are a line, a time, a mark's name, or None: now. Speed 0 is as fast as it goes.
        """
        return Replay(self._session, begin, end, patterns, speed, paused, records)

    @property
    def past(self) -> Past:
        """The questions below, as futures."""
        return Past(self._session)

    def find(self, at: At) -> Found:
        """The line that a moment is: a line, a time, the name of a mark, or None, which is now."""
        check_may_wait("find()")
        return self.past.find(at).result()

    def state(self, *patterns: str, at: At = None, lateness: Span | None = None) -> State:
        """PVs as they were at a moment; without a pattern all of them. With a `lateness` (seconds)
        times are those of the IOCs, whose clocks are trusted so far.
        """
        check_may_wait("state()")
        return self.past.state(patterns, at, lateness).result()

    def changes(self, before: At, after: At = None, *patterns: str,
                lateness: Span | None = None) -> Changes:
        """Which PVs differ between two moments."""
        check_may_wait("changes()")
        return self.past.changes(before, after, patterns, lateness).result()

    def history(self, address: str, begin: At, end: At = None, *, limit: int = 0, points: int = 0,
                lateness: Span | None = None) -> History:
        """What happened to a PV: every sample, at most `limit` of them, or so many `points` that draw
        nearly the same line.
        """
        check_may_wait("history()")
        return self.past.history(address, begin, end, limit, points, lateness).result()

    def bins(self, address: str, begin: At, end: At = None, count: int = 1000, *,
             median: bool = False, lateness: Span | None = None) -> Bins:
        """The same in bins of equal length, for plots and statistics: no extremum is lost."""
        check_may_wait("bins()")
        return self.past.bins(address, begin, end, count, median, lateness).result()

    def blame(self, address: str, at: At = None, count: int = 10) -> Blame:
        """The last changes of a PV up to a moment, and the jobs and users that made them. Of
        large waveforms only some fit in an answer: `next` of it says up to which line to ask on."""
        check_may_wait("blame()")
        return self.past.blame(address, at, count).result()

    def _follow(self, wanted: Query) -> Iterator[LogLine]:
        while not self._session.ended.is_set():
            check_may_wait("follow()")
            try:
                page = self.read(wanted, FOLLOW_WAIT)
            except (Unavailable, NotFound, Timeout):
                if self._session.ended.wait(FOLLOW_PAUSE):
                    return
                continue
            yield from page.lines
            wanted = wanted.begun_at(page.next)



def subscribe(session: Session, pattern: str, listener: Callable[[Update], None],
              policy: str) -> Subscription:
    def drain() -> None:
        for update in made.take():
            if made.closed:
                return
            try:
                listener(update)
            except Exception:
                session.log_thrown("a listener of " + pattern)

    made = KeySubscription(pattern, policy, lambda _: session.executor.post(drain))
    session.subscribe(made)
    return Subscription(lambda: session.unsubscribe(made))


def subscribe_durably(session: Session, pattern: str, listener: Callable[[Update], None],
                      since_line: int | None, since: Moment | None,
                      on_problem: Callable[[TidemarkError], object] | None) -> Subscription:
    what = "a listener of " + pattern

    def hear(problem: TidemarkError) -> None:
        if on_problem is None:
            session.log_problem(pattern, problem)
            return
        try:
            on_problem(problem)
        except Exception:
            session.log_thrown(what)

    def drain() -> None:
        try:
            found = made.take()
        except TidemarkError as error:
            hear(error)
            return
        for each in found:
            if made.closed:
                return
            if isinstance(each, TidemarkError):
                hear(each)
                continue
            try:
                listener(each)
            except Exception:
                session.log_thrown(what)

    made = DurableKeys(session, pattern, since_line, since,
                       lambda: session.executor.post(drain), hear)
    made.begin()
    return Subscription(made.close)


def check_not_durable(since_line: int | None, since: Moment | None) -> None:
    if since_line is not None or since is not None:
        raise InvalidArgument("only a durable subscription begins at a line or a time")


def peer_of(node: NodeInfo) -> Peer:
    try:
        surface = Surface.unpacked(node.surface)
    except Malformed:
        surface = Surface()
    return Peer(node.name, node.kind, NODE_STATES[min(node.state, len(NODE_STATES) - 1)],
                Timestamp(node.state_since), Timestamp(node.started_at), node.host, node.pid,
                node.uuid, node.incarnation, node.labels, surface)


def yes_of(result: CallResult) -> dict[str, Any]:
    if not result.all_done:
        raise Refused(result.objections)
    return {name: target.value for name, target in result.targets.items()}


def level_of(level: int | str) -> int:
    if isinstance(level, str):
        if level not in LEVELS:
            raise InvalidArgument(f"level '{level}' is not one of {', '.join(LEVELS)}")
        return LEVELS.index(level)
    if not 0 <= level < len(LEVELS):
        raise InvalidArgument(f"level {level} is not from 0 to {len(LEVELS) - 1}")
    return level
