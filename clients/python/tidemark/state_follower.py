"""Follows one stream of state of one node: carries out what StreamReader decides, over a Link.
Only on the loop thread, except for start and stop().
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass

from . import stream_reader as reader
from .ask_again import ask_again
from .errors import Malformed, TidemarkError, Unavailable
from .frame import Frame
from .link import Link
from .messages import StateEnd
from .requests import Answer

log = logging.getLogger("tidemark")

TICK = 0.1
STATE_BUDGET = 5.0


@dataclass(frozen=True)
class WholeState:
    incarnation: int
    sequence: int
    parts: list[bytes]


ReadState = Callable[[list[bytes], bytes], WholeState]


def read_parts(parts: list[bytes], answer: bytes) -> WholeState:
    """Of a subsystem: parts as progress, then StateEnd."""
    end = StateEnd.unpacked(answer)
    if end.parts != len(parts):
        raise Unavailable("parts of the state are missing")
    return WholeState(end.incarnation, end.sequence, parts)


class StateFollower:
    def __init__(self, link: Link, frame_class: int, node: int, stream: int, method: str,
                 payload: bytes, read_state: ReadState,
                 on_state: Callable[[list[bytes]], None], on_items: Callable[[bytes], None],
                 on_lost: Callable[[reader.Lost], None] = lambda _: None):
        self._link = link
        self._node = node
        self._stream = stream
        self._method = method
        self._payload = payload
        self._read_state = read_state
        self._on_state = on_state
        self._on_items = on_items
        self._on_lost = on_lost
        self._reader = reader.StreamReader(counters=link.stream_counters)
        self._stopped = False
        self.heard_at = -1e18
        self._subscription = link.subscribe(frame_class, node, stream, self._on_frame)
        link.after(TICK, self._tick)

    @property
    def incarnation(self) -> int:
        """That the state and the items are of."""
        return self._reader.incarnation

    @property
    def live(self) -> bool:
        return self._reader.live

    @property
    def applied(self) -> int:
        """The last item that was handed over."""
        return self._reader.applied

    def stop(self) -> None:
        self._stopped = True
        self._link.unsubscribe(self._subscription)

    def _tick(self) -> None:
        if self._stopped:
            return
        self._link.after(TICK, self._tick)
        self._act(self._reader.on_tick(time.monotonic()))

    def _on_frame(self, frame: Frame) -> None:
        if self._stopped:
            return
        self.heard_at = time.monotonic()
        self._act(self._reader.on_frame(frame))

    def _act(self, actions: list[reader.Action]) -> None:
        for action in actions:
            if self._stopped:
                return
            try:
                self._carry_out(action)
            except Malformed as failure:
                self._link.counters.malformed += 1
                log.warning("stream %d of %08x: %s", self._stream, self._node, failure)

    def _carry_out(self, action: reader.Action) -> None:
        if isinstance(action, reader.Apply):
            self._on_items(action.payload)
        elif isinstance(action, reader.Whole):
            self._on_state(action.parts)
        elif isinstance(action, reader.AskState):
            self._ask_state()
        elif isinstance(action, reader.AskAgain):
            self._ask_again(action)
        else:
            self._on_lost(action)

    def _ask_again(self, wanted: reader.AskAgain) -> None:
        def on_frames(found: list[Frame] | TidemarkError) -> None:
            if self._stopped:
                return
            self._act(self._reader.on_again_failed(wanted.first)
                      if isinstance(found, TidemarkError)
                      else self._reader.on_again(wanted.first, found))

        ask_again(self._link, self._node, self._stream, wanted.incarnation, wanted.first,
                  wanted.last, on_frames)

    def _ask_state(self) -> None:
        parts: list[bytes] = []

        def on_answer(answer: Answer) -> None:
            if self._stopped:
                return
            now = time.monotonic()
            try:
                if isinstance(answer, TidemarkError):
                    raise answer
                whole = self._read_state(parts, answer)
            except TidemarkError:
                self._reader.on_state_failed(now)
                return
            self._act(self._reader.on_state(whole.incarnation, whole.sequence, whole.parts, now))

        self._link.request(self._node, self._method, self._payload, STATE_BUDGET, on_answer,
                           parts.append)
