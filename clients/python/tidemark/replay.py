"""The past, played again: reads a replay of the journal, and steers it.

    with client.replay(begin, end, "QUAD:*", speed=10) as past:
        for each in past:            # PvChange and LogLine, in order, until its end
            print(each)

Threads: one iterates; any may steer. It waits for who iterates, and ends with the `with`.
"""

from __future__ import annotations

import datetime as dt
import queue
import threading
import time
import uuid
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, replace
from types import TracebackType
from typing import Any

from . import frame as frames
from . import pv_batch
from .errors import InvalidArgument, NotFound, TidemarkError, Timeout, Unavailable
from .executor import check_may_wait
from .messages import LogLine, StateEnd
from .packing import Row, pack, unpack
from .pv_batch import PvMeta, PvUpdate
from .requests import Answer
from .session import Session, user_at_host
from .state_follower import StateFollower, WholeState
from .values import Duration, Timestamp

PHASES = ("waiting", "paused", "running", "finished", "ended")
FINISHED, ENDED = "finished", "ended"
AS_FAST_AS_IT_GOES = 0.0

PATIENCE = 10.0
STATE_PATIENCE = 120.0  # of names and first values: as of everything about the past
SIGN_OF_LIFE = 1.0
ACK_BYTES = 256 << 10
ACK_INTERVAL = 0.02
LOOK = 0.1

PAUSE, RESUME, SPEED, STEP_LINES, STEP_BLOCKS, STEP_TIME, SEEK, STOP = range(8)

At = int | str | Timestamp | dt.datetime | None


@dataclass(frozen=True)
class PvChange:
    """A PV as it was then."""

    address: str
    value: Any  # a number, a text, or a list of them; of an enum its index
    taken_at: Timestamp  # of the IOC's clock
    severity: str  # "none", "minor", "major", "invalid"
    status: int
    connected: bool
    meta: PvMeta
    first: bool = False  # one of the whole state: how it was at the begin, or after a seek


@dataclass(frozen=True)
class ReplayStatus:
    id: uuid.UUID
    stream: int
    user: str
    first: int  # lines: what it says begins behind `first`
    last: int
    phase: str
    speed: float
    line: int  # all up to it was said
    moment: Timestamp  # its clock
    items: int
    why: str  # it ended

    @staticmethod
    def from_wire(raw: Any) -> ReplayStatus:
        row = Row(raw, "replay")
        return ReplayStatus(uuid.UUID(bytes=row.uuid(0)), row.number(1), row.text(2),
                            row.number(3), row.number(4),
                            PHASES[min(row.number(7), len(PHASES) - 1)], row.real(8) or 0.0,
                            row.number(9), Timestamp(row.number(10)), row.number(11),
                            row.text(15))


class Replay:
    """Made by Client.replay()."""

    def __init__(self, session: Session, begin: At, end: At, patterns: tuple[str, ...],
                 speed: float, paused: bool, records: bool):
        check_may_wait("replay()")
        self._session = session
        self._reader = uuid.uuid4()
        request = [moment(begin), moment(end), list(patterns), float(speed), paused, records,
                   self._reader.bytes, user_at_host()]
        started = Row(unpack(self._ask("journal.replay_start", request)), "replay")
        self.status = ReplayStatus.from_wire(started.any(0))
        self.unknown = started.texts(1)  # addresses that the journal has never heard of
        self._pvs = self._first_values(patterns)
        journal = session.directory().find("journal")
        if journal is None:
            raise Unavailable("there is no journal")
        self._node = journal.number
        self._inbox: queue.SimpleQueue[tuple[bool, bool, list[bytes], int]] = queue.SimpleQueue()
        self._waiting: deque[PvChange | LogLine] = deque()
        self._changed = threading.Lock()
        self._taken = [0, 0]  # guarded by _changed: items of both streams that were given
        self._error: TidemarkError | None = None  # guarded by _changed
        self._closed = False
        self._begun = False
        self._unsaid = 0
        self._said_at = 0.0
        self._followers = [self._follow(news) for news in (False, True)]
        session.link.after(SIGN_OF_LIFE, self._tick)

    # ---- reading

    def __iter__(self) -> Iterator[PvChange | LogLine]:
        return self

    def __next__(self) -> PvChange | LogLine:
        """Raises StopIteration at its end, and what ended it before."""
        check_may_wait("reading a replay")
        while not self._waiting:
            if self.at_end:
                raise StopIteration
            self._take()
        return self._waiting.popleft()

    @property
    def at_end(self) -> bool:
        """All that is to come was read, unless it is moved."""
        return not self._waiting and self.status.phase == FINISHED and \
            self._taken[0] >= self.status.items

    def take(self) -> list[PvChange | LogLine]:
        """What is here, after a little waiting; may be nothing."""
        check_may_wait("reading a replay")
        if not self._waiting:
            self._take()
        found = list(self._waiting)
        self._waiting.clear()
        return found

    def read(self, patience: float = PATIENCE) -> PvChange | LogLine | None:
        """The next thing that comes; None when nothing does: it is paused, or at its end."""
        check_may_wait("reading a replay")
        until = time.monotonic() + patience
        while not self._waiting and time.monotonic() < until:
            self._take()
        return self._waiting.popleft() if self._waiting else None

    def _take(self) -> None:
        """Waits a little for something."""
        self._acknowledge()
        with self._changed:
            if self._error is not None:
                raise self._error
        if self._session.ended.is_set():
            raise Unavailable("this program has left the bus")
        try:
            news, whole, parts, applied = self._inbox.get(timeout=LOOK)
        except queue.Empty:
            return
        for part in parts:
            self._unsaid += len(part) + frames.HEADER_BYTES
        if news:
            self._take_news(parts)
        else:
            self._take_updates(parts, whole)
        with self._changed:
            self._taken[int(news)] = max(self._taken[int(news)], applied)
        self._unsaid += 1

    def _take_news(self, parts: list[bytes]) -> None:
        for part in parts:
            row = Row(unpack(part), "news of a replay")
            self.status = ReplayStatus.from_wire(row.any(0))
            self._waiting.extend(row.rows(1, LogLine.from_wire))
            if self.status.phase == ENDED:
                with self._changed:
                    self._error = NotFound("the replay has ended: " + self.status.why)

    def _take_updates(self, parts: list[bytes], whole: bool) -> None:
        if whole:
            for channel, pv in self._pvs.items():
                self._pvs[channel] = PvChange(pv.address, None, Timestamp(0), "none", 0, False,
                                              pv.meta, True)
        for part in parts:
            for update in pv_batch.decode(part):
                now = self._changed_by(update, whole)
                if now is not None and not whole:
                    self._waiting.append(now)
        if whole:
            self._waiting.extend(self._pvs.values())

    def _changed_by(self, update: PvUpdate, whole: bool) -> PvChange | None:
        pv = self._pvs.get(update.channel)
        if pv is None:
            return None
        if update.event == pv_batch.VALUE:
            now = replace(pv, value=update.value, taken_at=Timestamp(update.taken_at),
                          severity=update.severity, status=update.status, first=whole)
        else:
            now = replace(pv, connected=update.event == pv_batch.CONNECTED,
                          meta=update.meta or pv.meta, first=whole)
        self._pvs[update.channel] = now
        return now

    # ---- steering

    def pause(self) -> ReplayStatus:
        return self._control(PAUSE)

    def resume(self) -> ReplayStatus:
        return self._control(RESUME)

    def set_speed(self, speed: float) -> ReplayStatus:
        """Times recorded time, 0.1 to 1000; 0: as fast as it goes."""
        return self._control(SPEED, speed=float(speed))

    def step(self, lines: int = 0, *, blocks: int = 0,
             span: float | Duration | dt.timedelta = 0.0) -> ReplayStatus:
        """Pauses, and says so many lines, blocks, or so much recorded time."""
        if blocks:
            return self._control(STEP_BLOCKS, count=blocks)
        if span:
            return self._control(STEP_TIME, span=ns_of_span(span))
        return self._control(STEP_LINES, count=lines or 1)

    def seek(self, at: At) -> ReplayStatus:
        """The state of then comes next."""
        return self._control(SEEK, at=moment(at))

    def close(self) -> None:
        """Ends it. Never raises."""
        if self._closed:
            return
        self._closed = True
        for follower in self._followers:
            follower.stop()
        try:
            self._control(STOP)
        except TidemarkError:
            pass  # its lease ends it

    def __enter__(self) -> Replay:
        return self

    def __exit__(self, kind: type[BaseException] | None, value: BaseException | None,
                 trace: TracebackType | None) -> None:
        self.close()

    def _control(self, action: int, *, speed: float = 1.0, count: int = 1, span: int = 0,
                 at: list[Any] | None = None) -> ReplayStatus:
        answer = self._ask("journal.replay_control", [
            self.status.id.bytes, action, speed, count, span, at or moment(None)])
        return ReplayStatus.from_wire(unpack(answer))

    # ---- the bus

    def _ask(self, method: str, request: list[Any]) -> bytes:
        check_may_wait(method)
        return self._session.ask("journal", method, pack(request), PATIENCE).result()

    def _first_values(self, patterns: tuple[str, ...]) -> dict[int, PvChange]:
        """What its channels are called: the values come with the state."""
        parts: list[bytes] = []
        done: queue.SimpleQueue[Answer] = queue.SimpleQueue()
        journal = self._session.directory().find("journal")
        if journal is None:
            raise Unavailable("there is no journal")
        line = self.status.line
        at = [0, 0, ""] if line == 0 else [line, None, ""]  # line 0 would mean now
        self._session.link.request(journal.number, "journal.state",
                                   pack([at, list(patterns) or ["*"]]), STATE_PATIENCE, done.put,
                                   parts.append)
        answer = done.get()
        if isinstance(answer, TidemarkError):
            raise answer
        pvs = {}
        for part in parts:
            for raw in Row(unpack(part), "state").items(0):
                row = Row(raw, "PV")
                meta = PvMeta(row.text(10), row.text(11), row.text(7), row.number(8),
                              tuple(row.texts(9)))
                pvs[row.number(1)] = PvChange(row.text(0), None, Timestamp(0), "none", 0, False,
                                              meta)
        return pvs

    def _follow(self, news: bool) -> StateFollower:
        def give(whole: bool, parts: list[bytes]) -> None:
            self._inbox.put((news, whole, parts, made[0].applied if made else 0))

        made: list[StateFollower] = []
        made.append(StateFollower(
            self._session.link, frames.REPLAY_NEWS if news else frames.REPLAY_STATE, self._node,
            self.status.stream + int(news), "journal.replay_state",
            pack([self.status.id.bytes, news]), read_parts, lambda parts: give(True, parts),
            lambda payload: give(False, [payload])))
        return made[0]

    def _acknowledge(self) -> None:
        with self._changed:
            ready = self._begun or all(self._followers_live())
        now = time.monotonic()
        late = self._unsaid > 0 and now - self._said_at >= ACK_INTERVAL
        if ready and (not self._begun or self._unsaid >= ACK_BYTES or late):
            self._begun = True
            self._unsaid = 0
            self._said_at = now
            self._say()

    def _followers_live(self) -> list[bool]:
        return [each.live for each in self._followers]

    def _tick(self) -> None:
        """A sign of life, also while nobody iterates. On the loop thread."""
        if self._closed:
            return
        self._session.link.after(SIGN_OF_LIFE, self._tick)
        self._say()

    def _say(self) -> None:
        with self._changed:
            taken = list(self._taken)

        def on_answer(answer: Answer) -> None:
            if isinstance(answer, (Timeout, Unavailable)) or not isinstance(answer, TidemarkError):
                return
            with self._changed:
                self._error = self._error or answer

        self._session.link.request(self._node, "journal.replay_ack",
                                   pack([self.status.id.bytes, self._reader.bytes, self._begun,
                                         *taken]),
                                   2.0, on_answer)


def read_parts(parts: list[bytes], answer: bytes) -> WholeState:
    end = StateEnd.unpacked(answer)
    if end.parts != len(parts):
        raise Unavailable("parts of the state are missing")
    contents = [Row(unpack(part), "part of a state").data(0) for part in parts]
    return WholeState(end.incarnation, end.sequence, contents)


def moment(at: At) -> list[Any]:
    """A line, a time, the name of a mark, or None: now."""
    if at is None:
        return [0, None, ""]
    if isinstance(at, bool) or not isinstance(at, (int, str, Timestamp, dt.datetime)):
        raise InvalidArgument(f"{at!r} is no moment: a line, a time, or a mark's name")
    if isinstance(at, int):
        return [at, None, ""]
    if isinstance(at, str):
        return [0, None, at]
    return [0, at.ns if isinstance(at, Timestamp) else Timestamp.of(at).ns, ""]


def ns_of_span(span: float | Duration | dt.timedelta) -> int:
    if isinstance(span, Duration):
        return span.ns
    if isinstance(span, dt.timedelta):
        return Duration.of(span).ns
    return int(span * 1e9)
