"""One life of a program on the bus: its link, its membership, and what it offers and follows.
Client and Subsystem stand on it, and so does the asyncio form; nothing here waits.
"""

from __future__ import annotations

import getpass
import logging
import os
import socket
import threading
import time
import uuid
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import replace
from pathlib import Path
from typing import Any

from . import curve_keys, messages
from . import site as sites
from .errors import NotFound, TidemarkError, Unavailable
from .event_calls import EventCallRun, Feedback, targets_of
from .executor import Executor
from .identity import next_incarnation, node_number, node_uuid
from .link import Link
from .membership import Membership
from .messages import Directory, NodeInfo
from .outbox import Outbox
from .outbox_lives import SpoolPlace
from .own_events import OwnEvents
from .own_keys import OwnKeys
from .own_status import OwnStatus
from .remote_keys import KeySubscription, RemoteKeys
from .requests import Answer
from .sockets import LinkOptions
from .stats import ListenerCounters, Stats
from .status_watch import StatusWatch

log = logging.getLogger("tidemark")

GOODBYE_PATIENCE = 0.5


def user_at_host() -> str:
    try:
        user = getpass.getuser()
    except (KeyError, OSError):
        user = str(os.getuid())
    return f"{user}@{socket.gethostname()}"


class Session:
    def __init__(self, name: str, site: str | Path | None, registers: bool, key: str = "",
                 description: str = "", labels: tuple[str, ...] = (),
                 identity: uuid.UUID | None = None):
        self.name = name
        self.description = description
        self.labels = labels
        self.registers = registers
        self._identity = identity
        self._site = site
        self._key = key or name
        self.executor = Executor()
        self.keys = OwnKeys(name, self.executor)
        self.events = OwnEvents(name)
        self.status = OwnStatus(name)
        self._changed = threading.Condition()
        # Guarded by _changed.
        self._link: Link | None = None
        self._outbox: Outbox | None = None
        self._membership: Membership | None = None
        self._directory = Directory()
        self._has_directory = False
        self._why: TidemarkError | None = None
        self._futures: set[Future[Any]] = set()
        self.ended = threading.Event()
        # Only on the loop thread.
        self._remote: RemoteKeys | None = None
        self.listeners = ListenerCounters()
        self._watches: list[StatusWatch] = []
        self._awaited: list[tuple[str, Callable[[NodeInfo], None]]] = []
        self._joined: list[Future[None]] = []

    # ---- its life

    def start(self) -> None:
        """Opens the link and begins to join. Raises what the site file or an endpoint is wrong of."""
        with self._changed:
            if self._link is not None or self.ended.is_set():
                raise Unavailable(f"{self.name} is started already")
            site = sites.load(self._site)
            link = Link(self._options(site))
            folder = site.data_directory / "subsystems" / self.name
            # A program that registers nowhere has no next life that could deliver anything.
            place = SpoolPlace(folder / "spool", site.spool_bytes_max) if self.registers else None
            outbox = Outbox(link, node_number(node_uuid(site.name, "journal")), self.registers,
                            place=place)
            self._link, self._outbox = link, outbox
            if self.registers:
                self.keys.open(link, outbox)
                self.status.open(link, outbox)
                self.events.open(link)
            # Of what somebody missed who only looks, nobody needs a record.
            self._remote = RemoteKeys(link, outbox if self.registers else None, self.listeners)
            self._membership = Membership(link, site.registries(), self.registers,
                                          self._on_changes, self.end)

    def _options(self, site: sites.Site) -> LinkOptions:
        keys = None
        if site.uses_keys:
            assert site.keys is not None
            keys = curve_keys.own_keys(site.keys, self._key)
        info = NodeInfo(self.name, "client", uuid.uuid4(), 1, host=socket.gethostname(),
                        pid=os.getpid(), started_at=time.time_ns())
        if not self.registers:
            return LinkOptions(info, keys=keys, insecure=site.insecure)
        info = replace(info, kind="subsystem",
                       uuid=self._identity or node_uuid(site.name, self.name),
                       incarnation=next_incarnation(
                           site.data_directory / "subsystems" / self.name),
                       labels=self.labels, surface=self.surface())
        # Sockets of its own for each life, so that a newer one can take the place of an older.
        data, requests = site.endpoints(f"{self.name}-{info.incarnation}")
        return LinkOptions(info, data, requests, keys, site.keys, site.insecure)

    def stop(self, patience: float) -> None:
        """Leaves the bus, for good; waits until the journal has what was said, at most so long."""
        with self._changed:
            link, membership, outbox = self._link, self._membership, self._outbox
            self._membership = None
        self.end(None)
        self.events.close()
        if link is not None and membership is not None:
            if patience > 0 and outbox is not None:
                outbox.drained().wait(patience)
            if patience > 0 and self.registers:
                membership.leave(GOODBYE_PATIENCE).wait(2 * GOODBYE_PATIENCE)
            link.close()
            if outbox is not None:
                outbox.close()
        with self._changed:
            waiting = list(self._futures)
        for each in waiting:
            if not each.done():
                each.set_exception(Unavailable(f"{self.name} has left the bus"))
        self.executor.stop()

    def end(self, why: TidemarkError | None) -> None:
        """Asks whoever runs this program to end it."""
        with self._changed:
            if not self.ended.is_set():
                self._why = why
            self.ended.set()
            link = self._link
        if link is not None:
            link.post(self._tell_joined)

    @property
    def why(self) -> TidemarkError | None:
        """Why it has to end, when it was refused or superseded."""
        with self._changed:
            return self._why

    def joined(self, patience: float) -> Future[None]:
        """Done when a registry's directory is here, and we are in it."""
        future: Future[None] = Future()

        def late() -> None:
            if not future.done():
                future.set_exception(
                    Unavailable("no registry answers: is `tidemark up` running?"))

        def begin() -> None:
            self._joined.append(future)
            self.link.after(patience, late)
            self._tell_joined()

        self._keep(future)
        self.link.post(begin)
        return future

    def _tell_joined(self) -> None:
        directory = self.directory()
        here = self._has_directory
        if here and self.registers:
            me = directory.find(self.name)
            here = me is not None and me.incarnation == self.link.info.incarnation
        if not here and not self.ended.is_set():
            return
        for future in self._joined:
            if future.done():
                continue
            if self.why is not None:
                future.set_exception(self.why)
            else:
                future.set_result(None)
        self._joined.clear()

    @staticmethod
    def log_problem(what: str, problem: TidemarkError) -> None:
        log.warning("%s: %s", what, problem)

    @staticmethod
    def log_thrown(what: str) -> None:
        """What a callback throws is logged, and hurts nobody else."""
        log.exception("%s threw", what)

    def surface(self) -> bytes:
        return messages.Surface(self.description, self.keys.specs(), self.events.specs()).packed()

    def surface_changed(self) -> None:
        with self._changed:
            membership = self._membership
        if membership is not None and self.registers:
            membership.set_surface(self.labels, self.surface())

    # ---- who is there

    @property
    def link(self) -> Link:
        with self._changed:
            if self._link is None:
                raise Unavailable(f"{self.name} is not on the bus: start() it first")
            return self._link

    @property
    def started(self) -> bool:
        with self._changed:
            return self._link is not None

    def directory(self) -> Directory:
        with self._changed:
            return self._directory

    def stats(self) -> Stats:
        with self._changed:
            link, outbox = self._link, self._outbox
        if link is None or outbox is None:
            return Stats()
        streams, listeners = link.stream_counters, self.listeners
        return Stats(streams.gaps, streams.repaired, streams.items_lost, streams.states,
                     listeners.conflated, listeners.missed, outbox.held_bytes, outbox.dropped,
                     link.counted())

    def _on_changes(self, directory: Directory, changed: list[NodeInfo]) -> None:
        with self._changed:
            self._directory = directory
            self._has_directory = True
        awaited, self._awaited = self._awaited, []
        for name, found in awaited:
            node = directory.find(name)
            if node is None or node.is_gone:
                self._awaited.append((name, found))
            else:
                found(node)
        assert self._remote is not None
        self._remote.on_changes(changed)
        for watch in self._watches:
            watch.on_changes(self.link, changed)
        self._tell_joined()

    # ---- asking

    def ask(self, name: str, method: str, payload: bytes, patience: float,
            on_progress: Callable[[bytes], None] | None = None) -> Future[bytes]:
        """Asks a node, once it is there. Fails as the node says; NotFound when it never came.
        `on_progress` gets the parts of a long answer, on the loop thread.
        """
        future: Future[bytes] = Future()
        deadline = time.monotonic() + patience
        link = self.link

        def on_answer(answer: Answer) -> None:
            if future.done():
                return
            if isinstance(answer, TidemarkError):
                future.set_exception(answer)
            else:
                future.set_result(answer)

        def found(node: NodeInfo) -> None:
            if not future.done():
                link.request(node.number, method, payload, deadline - time.monotonic(), on_answer,
                             on_progress)

        def begin() -> None:
            node = self.directory().find(name)
            if node is not None and not node.is_gone:
                found(node)
                return
            waiting = (name, found)
            self._awaited.append(waiting)

            def late() -> None:
                if waiting in self._awaited:
                    self._awaited.remove(waiting)
                    on_answer(self._absent(name))

            link.after(patience, late)

        self._keep(future)
        if not link.post(begin):
            on_answer(Unavailable(f"{self.name} has left the bus"))
        return future

    def _keep(self, future: Future[Any]) -> None:
        """What still waits when we leave the bus fails then."""
        with self._changed:
            self._futures.add(future)
        future.add_done_callback(self._futures.discard)

    def _absent(self, name: str) -> TidemarkError:
        node = self.directory().find(name)
        if node is None:
            return NotFound(f"no subsystem '{name}' is there")
        since = _time_text(node.state_since)
        return Unavailable(f"{name} is {messages.NODE_STATES[min(node.state, 4)]} since {since}")

    # ---- listening and calling

    def subscribe(self, subscription: KeySubscription) -> None:
        remote = self._remote
        link = self.link
        assert remote is not None
        link.post(lambda: remote.add(subscription))

    def unsubscribe(self, subscription: KeySubscription) -> None:
        subscription.close()
        remote = self._remote
        if remote is not None:
            self.link.post(lambda: remote.remove(subscription))

    def watch_status(self, watch: StatusWatch) -> None:
        link = self.link
        if self.registers and self._outbox is not None:
            watch.record_losses(self._outbox)

        def add() -> None:
            self._watches.append(watch)
            watch.on_changes(link, list(self.directory().nodes))

        link.post(add)

    def unwatch_status(self, watch: StatusWatch) -> None:
        watch.closed = True

        def remove() -> None:
            watch.stop()
            if watch in self._watches:
                self._watches.remove(watch)

        self.link.post(remove)

    def call(self, event: str, argument: Any, to: str | list[str] | tuple[str, ...] | None,
             label: str | None, patience: float,
             on_feedback: Callable[[Feedback], None] | None) -> EventCallRun:
        link = self.link
        targets_of(Directory(), event, to, label)  # raises at once what is wrong with the wish
        named = list(to) if isinstance(to, (list, tuple)) else to

        def choose() -> dict[str, int | None] | None:
            membership = self._membership
            if named is None and (membership is None or not membership.settled):
                return None
            return targets_of(self.directory(), event, named, label)

        outbox = self._outbox
        run = EventCallRun(link, outbox, event, argument, self.name, patience, choose,
                           on_feedback)
        self._keep(run.future)
        return run

    def record(self, kind: int, *fields: Any) -> None:
        """Raises Unavailable: too much waits for the journal."""
        with self._changed:
            outbox = self._outbox
        if outbox is None:
            raise Unavailable(f"{self.name} is not on the bus: start() it first")
        outbox.append(kind, *fields)


def _time_text(ns: int) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(ns // 1_000_000_000))

