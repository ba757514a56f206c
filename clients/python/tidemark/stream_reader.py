"""How a subscriber follows one stream of state without ever missing a hole: a pure function of
events and time. No threads, no sockets, no clock.

               first frame or heartbeat             what was lost is not to be had
    joining ───────────────────────────► state asked for ◄──────────────── again asked for
       ▲    (proves that we are subscribed)       │                    sequence jumps, ▲ │ frames
       └── a newer incarnation                    │ state of (inc, S)  or heartbeat is │ │
                                                  └──────────────────► live ─── ahead ─┘ ▼
                                                    (kept frames after S)      ◄─────────┘

An item of a replay without content is a jump: what was before it is void, and the state is asked
for. The caller feeds events and carries out the actions, in order. Two marks are kept apart: `_seen` is
the last item that arrived or was reported lost, `applied` the last that the caller's state holds.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from enum import Enum

from .frame import Frame

BUFFER_BYTES_MAX = 64 << 20  # frames kept while the state is under way
RETRY_MIN = 0.05
RETRY_MAX = 5.0


@dataclass(frozen=True)
class AskAgain:
    """Ask the publisher for these items; answer with on_again() or on_again_failed()."""

    incarnation: int
    first: int
    last: int


@dataclass(frozen=True)
class AskState:
    """Ask the publisher for its whole state; answer with on_state() or on_state_failed()."""

    incarnation: int


@dataclass(frozen=True)
class Whole:
    """Forget everything of this stream, and take this."""

    parts: list[bytes]


@dataclass(frozen=True)
class Apply:
    """Take these items, the next ones in sequence."""

    payload: bytes


@dataclass(frozen=True)
class Lost:
    """These items were lost; a state that hides them was taken, or is being fetched."""

    incarnation: int
    first: int
    last: int


Action = AskAgain | AskState | Whole | Apply | Lost


@dataclass
class Counters:
    gaps: int = 0
    repaired: int = 0
    items_lost: int = 0
    states: int = 0
    duplicates: int = 0
    stale: int = 0


class _Phase(Enum):
    JOINING = 0
    ASKED = 1
    WAITING = 2
    REPAIRING = 3
    LIVE = 4


class StreamReader:
    def __init__(self, buffer_bytes_max: int = BUFFER_BYTES_MAX,
                 counters: Counters | None = None) -> None:
        """`counters`: shared with others that follow streams."""
        self._buffer_bytes_max = buffer_bytes_max
        self._phase = _Phase.JOINING
        self._seen = 0
        self._needed = 0  # a state must hold this one: what is kept begins after it
        self._hole = (0, 0)
        self._outstanding = 0  # asked and not answered
        self._buffer: deque[Frame] = deque()
        self._buffer_bytes = 0
        self._retry = 0.0
        self._retry_at = 0.0
        self.incarnation = 0
        self.applied = 0
        self.counters = counters or Counters()

    @property
    def live(self) -> bool:
        return self._phase is _Phase.LIVE

    def on_frame(self, frame: Frame) -> list[Action]:
        """A frame or a heartbeat of the stream."""
        actions: list[Action] = []
        if self._phase is _Phase.JOINING or frame.incarnation > self.incarnation:
            self.incarnation = frame.incarnation
            self.applied = 0
            self._seen = self._needed = frame.before
            self._drop_buffer()
            self._retry = 0.0
            self._ask(actions)
        elif frame.incarnation < self.incarnation:
            self.counters.stale += 1
            return actions

        if frame.before > self._seen:
            self._jump(frame, actions)
        is_new = frame.last > self._seen
        self._seen = max(self._seen, frame.last)
        if frame.is_heartbeat:
            return actions
        if self.live:
            if frame.last <= self.applied:
                self.counters.duplicates += 1
            elif frame.is_jump:
                self._jump_to(frame.last, actions)
            else:
                # Items that we have may be in it again: a state takes them twice without harm.
                self.applied = frame.last
                actions.append(Apply(frame.payload))
        elif not is_new:
            self.counters.duplicates += 1
        elif frame.is_jump:
            self._jump_to(frame.last, actions)
        else:
            self._keep(frame, actions)
        return actions

    def on_again(self, first: int, frames: list[Frame]) -> list[Action]:
        """The frames that AskAgain(…, first, …) asked for, in sequence."""
        actions: list[Action] = []
        if self._phase is not _Phase.REPAIRING or first != self._hole[0]:
            return actions
        due = self._hole[0]
        for frame in frames:
            if frame.incarnation != self.incarnation or frame.is_heartbeat or \
                    not frame.sequence <= due <= frame.last:
                break
            due = frame.last + 1
        if due <= self._hole[1]:
            self._give_up_repair(actions)
            return actions
        self._phase = _Phase.LIVE
        self.counters.repaired += 1
        jumps = [index for index, frame in enumerate(frames) if frame.is_jump]
        if jumps:
            # What was kept since the hole follows it, and so does what came again after the jump.
            kept = [*frames[jumps[-1] + 1:], *self._buffer]
            self._jump_to(frames[jumps[-1]].last, actions)
            for frame in kept:
                self._keep(frame, actions)
            return actions
        for frame in frames:
            self.applied = frame.last
            actions.append(Apply(frame.payload))
        self._apply_buffer(actions)
        return actions

    def on_again_failed(self, first: int) -> list[Action]:
        actions: list[Action] = []
        if self._phase is _Phase.REPAIRING and first == self._hole[0]:
            self._give_up_repair(actions)
        return actions

    def on_state(self, incarnation: int, sequence: int, parts: list[bytes],
                 now: float) -> list[Action]:
        """The whole state as it was after `sequence` items of `incarnation`."""
        actions: list[Action] = []
        self._outstanding = max(0, self._outstanding - 1)
        if self._phase not in (_Phase.ASKED, _Phase.WAITING):
            return actions
        if incarnation != self.incarnation or sequence < self._needed:
            if self._phase is _Phase.ASKED and self._outstanding == 0:
                self._wait(now)
            return actions
        self._phase = _Phase.LIVE
        self._retry = 0.0
        self.counters.states += 1
        self.applied = sequence
        actions.append(Whole(parts))
        self._apply_buffer(actions)
        return actions

    def on_state_failed(self, now: float) -> None:
        self._outstanding = max(0, self._outstanding - 1)
        # With another one under way, this was the one to an incarnation that ended.
        if self._phase is _Phase.ASKED and self._outstanding == 0:
            self._wait(now)

    def on_tick(self, now: float) -> list[Action]:
        """Call some ten times a second: asks again for what failed."""
        actions: list[Action] = []
        if self._phase is _Phase.WAITING and now >= self._retry_at:
            self._ask(actions)
        return actions

    def _jump_to(self, item: int, actions: list[Action]) -> None:
        if self._phase is _Phase.REPAIRING:
            self._give_up_repair(actions)
        if self.live:
            self._ask(actions)
        self._needed = max(self._needed, item)
        self._drop_buffer()

    def _jump(self, frame: Frame, actions: list[Action]) -> None:
        if self.live and frame.before <= self.applied:
            # The state holds them, but the single items never came.
            self._lose(self._seen + 1, frame.before, actions)
        elif self.live:
            if self.applied > self._seen:
                self._lose(self._seen + 1, self.applied, actions)
            self._phase = _Phase.REPAIRING
            self._hole = (max(self._seen, self.applied) + 1, frame.before)
            self.counters.gaps += 1
            actions.append(AskAgain(self.incarnation, *self._hole))
        else:
            # A second hole while the first is open: the whole state fills both.
            if self._phase is _Phase.REPAIRING:
                self._give_up_repair(actions)
            self._lose(self._seen + 1, frame.before, actions)

    def _give_up_repair(self, actions: list[Action]) -> None:
        first, last = self._hole
        self.counters.items_lost += last - first + 1
        actions.append(Lost(self.incarnation, first, last))
        self._needed = last
        self._ask(actions)

    def _lose(self, first: int, last: int, actions: list[Action]) -> None:
        self.counters.gaps += 1
        self.counters.items_lost += last - first + 1
        actions.append(Lost(self.incarnation, first, last))
        if self.live:
            return
        # What was kept from before the hole is in every state that covers the hole.
        self._needed = max(self._needed, last)
        self._drop_buffer()

    def _ask(self, actions: list[Action]) -> None:
        self._phase = _Phase.ASKED
        self._outstanding += 1
        actions.append(AskState(self.incarnation))

    def _wait(self, now: float) -> None:
        self._phase = _Phase.WAITING
        self._retry = min(max(self._retry * 2, RETRY_MIN), RETRY_MAX)
        self._retry_at = now + self._retry

    def _keep(self, frame: Frame, actions: list[Action]) -> None:
        if self._buffer_bytes + len(frame.payload) > self._buffer_bytes_max:
            if self._phase is _Phase.REPAIRING:
                self._give_up_repair(actions)
            first = self._buffer[0].sequence if self._buffer else frame.sequence
            self._lose(first, frame.last, actions)
            return
        self._buffer_bytes += len(frame.payload)
        self._buffer.append(frame)

    def _apply_buffer(self, actions: list[Action]) -> None:
        for frame in self._buffer:
            if frame.last > self.applied:
                self.applied = frame.last
                actions.append(Apply(frame.payload))
        self._drop_buffer()

    def _drop_buffer(self) -> None:
        self._buffer.clear()
        self._buffer_bytes = 0
