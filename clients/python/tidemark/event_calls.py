"""Calls of events on others: asks every target, gathers what comes back, and tells the journal."""

from __future__ import annotations

import logging
import time
import uuid
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass
from typing import Any

from .call_result import CallResult
from .errors import (Cancelled, InvalidArgument, Malformed, NotFound, TidemarkError,
                     Unavailable)
from .link import Link
from .messages import STOPPED, Directory, Surface
from .outbox import EVENT_ANSWERED, EVENT_CALLED, EVENT_FEEDBACK, Outbox
from .packing import Row, pack, unpack
from .requests import Answer

log = logging.getLogger("tidemark")

EVENT_BYTES_MAX = 255
CHOOSE_AGAIN = 0.02  # how often a call looks whether it is known by now whom it is for


@dataclass(frozen=True)
class Feedback:
    """Of one target, on the way."""

    target: str
    text: str
    progress: Any = None


def targets_of(directory: Directory, event: str, to: str | list[str] | tuple[str, ...] | None,
               label: str | None) -> dict[str, int | None]:
    """Whom a call is for, in the directory as it is now: names, and their numbers when there."""
    if to is not None and label is not None:
        raise InvalidArgument("a call is for names or for a label, not for both")
    if to is not None:
        found: dict[str, int | None] = {}
        for name in [to] if isinstance(to, str) else to:
            node = directory.find(name)
            found[name] = None if node is None or node.is_gone else node.number
        return found
    # Who died without a goodbye is asked, and lost: its silence is not a yes. Unless its name
    # lives on, under another UUID.
    return {node.name: node.number for node in directory.nodes
            if node.state < STOPPED and (label is None or label in node.labels)
            and _handles(node.surface, event) and directory.find(node.name) in (node, None)}


def _handles(surface: bytes, event: str) -> bool:
    try:
        return any(each.name == event for each in Surface.unpacked(surface).events)
    except Malformed:
        return False


class EventCallRun:
    """Only on the loop thread, except for cancel()."""

    def __init__(self, link: Link, outbox: Outbox | None, event: str, argument: Any, caller: str,
                 budget: float, choose: Callable[[], dict[str, int | None] | None],
                 on_feedback: Callable[[Feedback], None] | None):
        """`choose`: whom it is for; None while nobody knows. On the loop thread."""
        self.future: Future[CallResult] = Future()
        self._link = link
        self._outbox = outbox
        self._event = event
        self._id = uuid.uuid4().bytes
        self._choose = choose
        self._targets: dict[str, int | None] = {}
        self._state = CallResult([])
        self._budget = budget
        self._cancelled = False
        self._on_feedback = on_feedback
        self._asked: list[bytes] = []
        self._argument = argument
        self._caller = caller
        if not link.post(lambda: self._begin(time.monotonic() + budget)):
            self.future.set_exception(Unavailable("the link was closed"))

    def cancel(self) -> None:
        """Tells every target that nobody waits any more. Threads: any."""
        def give_up() -> None:
            self._cancelled = True
            self._state.cancel()
            for call in self._asked:
                self._link.cancel(call)

        self._link.post(give_up)

    def _begin(self, deadline: float) -> None:
        left = deadline - time.monotonic()
        chosen = None if self._cancelled else self._choose()
        if chosen:
            self._targets, self._budget = chosen, left
            self._state = CallResult(list(chosen))
            self._ask_all()
        elif chosen is not None:
            self._nobody(NotFound(f"nobody handles '{self._event}'"))
        elif self._cancelled:
            self._nobody(Cancelled("cancelled before anybody was asked"))
        elif left > 0:
            self._link.after(min(left, CHOOSE_AGAIN), lambda: self._begin(deadline))
        else:
            self._nobody(Unavailable(
                "directory not settled: the registry does not know everybody yet"))

    def _nobody(self, why: TidemarkError) -> None:
        self._record(EVENT_CALLED, self._event, self._caller, [], self._argument)
        self._state = CallResult([], why)
        self._look()

    def _ask_all(self) -> None:
        self._record(EVENT_CALLED, self._event, self._caller, list(self._targets), self._argument)
        payload = pack([self._id, self._event, self._argument, self._caller])
        for name, node in self._targets.items():
            if node is None:
                self._answered(name, NotFound("no subsystem of that name is there"))
            else:
                self._ask(name, node, payload)
        self._look()

    def _ask(self, name: str, node: int, payload: bytes) -> None:
        def on_progress(packed: bytes) -> None:
            row = Row(unpack(packed), "feedback")
            said = Feedback(name, row.text(0), row.any(1))
            self._state.feedback(name, said.text, said.progress)
            self._record(EVENT_FEEDBACK, self._event, name, said.text, said.progress)
            if self._on_feedback is not None:
                self._on_feedback(said)

        self._asked.append(self._link.request(
            node, "event.call", payload, self._budget,
            lambda answer: self._answered(name, answer), on_progress))

    def _answered(self, name: str, answer: Answer) -> None:
        try:
            if isinstance(answer, TidemarkError):
                raise answer
            self._state.done(name, Row(unpack(answer), "result").any(0))
        except TidemarkError as failure:
            self._state.error(name, failure)
        now = self._state[name]
        self._record(EVENT_ANSWERED, self._event, name, now.state, now.text, now.value)
        self._look()

    def _record(self, kind: int, *fields: Any) -> None:
        if self._outbox is not None:
            try:
                self._outbox.append(kind, self._id, *fields)
            except (InvalidArgument, Unavailable) as failure:
                log.error("a record of the call of %s is lost: %s", self._event, failure)

    def _look(self) -> None:
        if self._state.ended and not self.future.done():
            self.future.set_result(self._state)
