"""A laboratory's own node: it has a name, publishes keys, accepts writes, handles events, and is a
Client besides.

    psu = tidemark.Subsystem("psu.1")
    current = psu.publish("current", "double", unit="A")
    setpoint = psu.writable("setpoint", "double", unit="A", range=(0, 100))

    @setpoint.on_write
    def _(amps):
        if interlock():
            raise tidemark.Refused("interlock open")

    psu.run()
"""

from __future__ import annotations

import inspect
import re
import signal
import sys
import threading
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any
from uuid import UUID

from .client import Client, level_of
from .errors import InvalidArgument, TidemarkError
from .executor import check_may_wait
from .key_spec import KeySpec
from .messages import ERROR, GOOD, STALE, EventSpec, KeyUpdate, StatusItem
from .own_events import Handler
from .session import Session
from .types import Type, as_type

_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._\-]{0,63}")


class OwnKey:
    """A key of ours that we give values. Threads: any."""

    def __init__(self, session: Session, number: int):
        self.session = session
        self.number = number  # in the surface

    def set(self, value: Any, *, stale: bool = False) -> None:
        """Raises InvalidArgument when the value does not conform: the key keeps what it has."""
        self.session.keys.set(self.number, value, STALE if stale else GOOD)

    @property
    def value(self) -> Any:
        """What was set or written last; None before that."""
        return self.now.value

    @value.setter
    def value(self, value: Any) -> None:
        self.set(value)

    @property
    def now(self) -> KeyUpdate:
        return self.session.keys.get(self.number)

    def on_read(self, handler: Callable[[], Any]) -> Callable[[], Any]:
        """Instead of the last value: asked each time that somebody reads. A callback."""
        self.session.keys.handle(self.number, on_read=handler)
        return handler


class WritableKey(OwnKey):
    """A key of ours that others write, too."""

    def on_write(self, handler: Callable[..., Any]) -> Callable[..., Any]:
        """`handler(value)` or `handler(value, writer)` decides on each write, of a value in type and
        range already: it returns, or raises Refused with the reason. A callback.
        """
        if arguments_of(handler) >= 2:
            self.session.keys.handle(self.number, on_write=handler)
        else:
            self.session.keys.handle(self.number, on_write=lambda value, _: handler(value))
        return handler


class OwnStatusItem:
    """Something that may be wrong with us. Threads: any."""

    def __init__(self, session: Session, name: str):
        self._session = session
        self._name = name

    def raise_(self, text: str, severity: int | str = ERROR, code: int = 0) -> None:
        self._session.status.raise_item(self._name, level_of(severity), code, text)

    def clear(self) -> None:
        self._session.status.clear(self._name)

    def acknowledge(self, who: str) -> None:
        self._session.status.acknowledge(self._name, who)

    @property
    def now(self) -> StatusItem:
        return self._session.status.get(self._name)


class Subsystem(Client):
    def __init__(self, name: str, site: str | Path | None = None, *, description: str = "",
                 labels: Iterable[str] = (), uuid: UUID | None = None):
        """`name`: 1 to 64 letters, digits, `.`, `-`, `_`. Only one of that name lives at a time.

        `labels`: groups that it belongs to, for calls. What it offers may be said before start()
        or after. `uuid`: its identity for ever; None: from the site and its name.
        """
        if not _NAME.fullmatch(name):
            raise InvalidArgument(f"'{name}' is no name for a subsystem: expected 1 to 64 "
                                  "letters, digits, '.', '-' and '_', the first one no '.' or '-'")
        if uuid is not None and uuid.int == 0:
            raise InvalidArgument(f"the UUID of {name} is that of nobody: all zeros")
        self._session = Session(name, site, True, description=description, labels=tuple(labels),
                                identity=uuid)

    # ---- what it offers

    def publish(self, key: str, type: Type | str, *, unit: str = "", description: str = "",
                range: tuple[float | None, float | None] | None = None,
                step: float | None = None, default: Any = None, readable: bool = True,
                published: bool = True, journaled: bool = False) -> OwnKey:
        """A key that only we set. `readable`: others may ask for it; `published`: they hear each
        change; one of them at least.

        Raises InvalidArgument, naming the key: its name, type or limits are none; Conflict.
        """
        return OwnKey(self._session, self._add(
            key, type, unit, description, range, step, default, readable, False, published,
            journaled))

    def writable(self, key: str, type: Type | str, *, unit: str = "", description: str = "",
                 range: tuple[float | None, float | None] | None = None,
                 step: float | None = None, default: Any = None, readable: bool = True,
                 published: bool = True, journaled: bool = False) -> WritableKey:
        """As publish(); others write it too. What they write becomes a line of the journal. One that
        is neither readable nor published can only be written: a command.
        """
        return WritableKey(self._session, self._add(
            key, type, unit, description, range, step, default, readable, True, published,
            journaled))

    def _add(self, key: str, kind: Type | str, unit: str, description: str,
             limits: tuple[float | None, float | None] | None, step: float | None, default: Any,
             readable: bool, writable: bool, published: bool, journaled: bool) -> int:
        try:
            made = as_type(kind)
        except InvalidArgument as failure:
            raise InvalidArgument(f"{key}: {failure.message}") from None
        low, high = limits or (None, None)
        number = self._session.keys.add(KeySpec(
            key, made, readable, writable, published, journaled, unit, description,
            None if low is None else float(low), None if high is None else float(high),
            None if step is None else float(step), default))
        self._session.surface_changed()
        return number

    def on_event(self, event: str, handler: Handler | None = None, *, description: str = "",
                 argument: Type | str = "any") -> Any:
        """`handler(call)` returns the value of the answer, or raises Refused: a veto. It runs on a
        thread of its own, and may wait. Without `handler`: a decorator.
        """
        def add(handler: Handler) -> Handler:
            self._session.events.add(EventSpec(event, description, as_type(argument)), handler)
            self._session.surface_changed()
            return handler

        return add if handler is None else add(handler)

    def status_item(self, name: str, *, latched: bool = False) -> OwnStatusItem:
        """`latched`: once cleared, it stays until somebody has acknowledged it."""
        self._session.status.add(name, latched)
        return OwnStatusItem(self._session, name)

    # ---- its life

    @property
    def incarnation(self) -> int:
        return self._session.link.info.incarnation

    @property
    def ended(self) -> bool:
        """end() was called, or another incarnation of this subsystem is there."""
        return self._session.ended.is_set()

    @property
    def why(self) -> TidemarkError | None:
        """Why it ended, when nobody here asked for it."""
        return self._session.why

    def wait(self, timeout: float | None = None) -> bool:
        """Until it ends; False when it did not in time."""
        check_may_wait("wait()")
        return self._session.ended.wait(timeout)

    def end(self) -> None:
        """Ends run() and wait(). Threads: any."""
        self._session.end(None)

    def run(self) -> int:
        """start(), then waits for SIGTERM, Ctrl-C, end(), or a newer incarnation, then stop().

        The answer is for sys.exit(): 0, or 1 with the reason on standard error.
        """
        if threading.current_thread() is threading.main_thread():
            for each in (signal.SIGTERM, signal.SIGINT):
                signal.signal(each, lambda *_: self._session.ended.set())
        try:
            self.start()
            # In small steps: a signal is only handled between them.
            while not self.wait(0.5):
                pass
        except TidemarkError as failure:
            self.stop(0)
            return _said(self.name, failure)
        why = self.why
        self.stop()
        return 0 if why is None else _said(self.name, why)


def _said(name: str, failure: TidemarkError) -> int:
    print(f"{name}: {failure}", file=sys.stderr)
    return 1


def arguments_of(handler: Callable[..., Any]) -> int:
    """How many it needs."""
    try:
        return len([each for each in inspect.signature(handler).parameters.values()
                    if each.kind in (each.POSITIONAL_ONLY, each.POSITIONAL_OR_KEYWORD)
                    and each.default is each.empty])
    except (TypeError, ValueError):
        return 1

