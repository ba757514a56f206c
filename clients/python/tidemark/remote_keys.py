"""What others publish: subscriptions by name or pattern, to keys that exist or will. One stream is
followed per subsystem that anybody wants something of; a new listener gets the current value
first, then every update, until he goes.

    link's loop: frames ──► values per key ──► subscriptions ──► whoever takes them

    latest   a slow listener gets fewer, newer values; `missed` says how many he did not see
    all      every update, up to a bound; beyond, the oldest are missed, and counted
"""

from __future__ import annotations

import logging
import threading
import uuid
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from . import frame as frames
from . import glob
from .errors import InvalidArgument, Malformed
from .link import Link
from .membership import NOTHING
from .messages import FORGOTTEN, GONE, QUALITIES, KeyUpdate, NodeInfo, Surface, key_updates
from .outbox import Outbox
from .own_keys import KEYS_MAX
from .state_follower import StateFollower, read_parts
from .stats import ListenerCounters
from .stream_reader import Lost
from .values import Timestamp

log = logging.getLogger("tidemark")

LATEST = "latest"
ALL = "all"
QUEUE_MAX = 65_536  # updates of policy "all"
RETRY = 0.2  # seconds, before a listener who could not be told is told again


@dataclass(frozen=True)
class Update:
    """A key's value, as it came."""

    key: str  # "psu.1/current"
    value: Any
    time: Timestamp
    sequence: int
    quality: str = "good"  # "stale": its owner says that it may be old; "disconnected": he is gone
    writer: str = ""  # who wrote it; empty: its owner
    missed: int = 0  # updates of this key since the last one that did not get here
    incarnation: int = 0  # of its owner; sequences begin anew with each
    line: int = 0  # of the journal; of a durable subscription only


def update_of(key: str, raw: KeyUpdate, incarnation: int, gone: bool = False) -> Update:
    quality = GONE if gone else min(raw.quality, GONE)
    return Update(key, raw.value, Timestamp(raw.time), raw.sequence, QUALITIES[quality],
                  raw.writer, 0, incarnation)


class KeySubscription:
    """One listener: `ready` is called when there is something to take(), again later when it says
    False. Threads: any."""

    def __init__(self, pattern: str, policy: str, ready: Callable[[KeySubscription], object]):
        if policy not in (LATEST, ALL):
            raise InvalidArgument(f"policy '{policy}' is neither latest, all nor durable")
        subsystem, slash, key = pattern.partition("/")
        self._subsystem = subsystem
        self._key = key if slash else "*"
        self._policy = policy
        self._ready = ready
        self._lock = threading.Lock()
        # Guarded by _lock.
        self._queue: dict[Any, Update] = {}  # by key, or by a number when all count
        self._number = 0
        self._told_ready = False
        self.closed = False
        # Only on the thread that takes.
        self._told: dict[str, Update] = {}

    def wants(self, subsystem: str, key: str) -> bool:
        return glob.matches(self._subsystem, subsystem) and glob.matches(self._key, key)

    def deliver(self, update: Update, counters: ListenerCounters) -> bool:
        """False: the listener could not be told yet that there is something; wake() it later."""
        with self._lock:
            if self.closed:
                return True
            if self._policy == LATEST:
                counters.conflated += update.key in self._queue
                self._queue[update.key] = update
            else:
                if len(self._queue) >= QUEUE_MAX:
                    del self._queue[next(iter(self._queue))]  # take() sees the hole
                    counters.missed += 1
                self._queue[self._number] = update
                self._number += 1
        return self.wake()

    def wake(self) -> bool:
        """False when too much waits where the listener is called."""
        with self._lock:
            if self._told_ready or self.closed:
                return True
            self._told_ready = True
        if self._ready(self) is False:
            with self._lock:
                self._told_ready = False
            return False
        return True

    def take(self) -> list[Update]:
        """What came since, each with what was missed before it. One thread at a time."""
        with self._lock:
            queue, self._queue = self._queue, {}
            self._told_ready = False
        found = []
        for update in queue.values():
            told = self._told.get(update.key)
            missed = 0
            if told is not None and told.incarnation == update.incarnation:
                if (told.sequence, told.quality) == (update.sequence, update.quality):
                    continue
                missed = max(0, update.sequence - told.sequence - 1)
            self._told[update.key] = update
            found.append(replace(update, missed=missed))
        return found

    def close(self) -> None:
        with self._lock:
            self.closed = True
            self._queue.clear()


class _Peer:
    def __init__(self, info: NodeInfo):
        self.info = info
        self.surface = Surface()
        self.routes: list[list[KeySubscription]] = []  # by key
        self.follower: StateFollower | None = None
        self.last: dict[int, KeyUpdate] = {}


class RemoteKeys:
    """Only on the loop thread."""

    def __init__(self, link: Link, outbox: Outbox | None, counters: ListenerCounters):
        """`outbox`: gets a record of each update that was lost; none: nobody needs to know."""
        self._link = link
        self._outbox = outbox
        self._subscriptions: list[KeySubscription] = []
        self._peers: dict[uuid.UUID, _Peer] = {}
        self._counters = counters

    def add(self, subscription: KeySubscription) -> None:
        if subscription.closed:
            return
        self._subscriptions.append(subscription)
        for peer in self._peers.values():
            self._route(peer)
            for key, listeners in enumerate(peer.routes):
                if subscription in listeners:
                    self._show(peer, key, [subscription])

    def remove(self, subscription: KeySubscription) -> None:
        if subscription in self._subscriptions:
            self._subscriptions.remove(subscription)
            for peer in self._peers.values():
                self._route(peer)

    def on_changes(self, changed: list[NodeInfo]) -> None:
        """Who is there has changed."""
        for info in changed:
            self._learn(info)

    def _learn(self, info: NodeInfo) -> None:
        peer = self._peers.get(info.uuid)
        before = peer.info if peer is not None else NodeInfo(state=info.state)
        if peer is None:
            peer = self._peers[info.uuid] = _Peer(info)
        peer.info = info
        if (before.surface, before.incarnation) != (info.surface, info.incarnation):
            try:
                peer.surface = Surface.unpacked(info.surface)
            except Malformed as failure:
                log.warning("%s describes itself in a way that cannot be read: %s", info.name,
                            failure)
                peer.surface = Surface()
            self._route(peer)
            self._show_all(peer)
        elif before.is_gone != info.is_gone:
            self._show_all(peer)  # the values are as they were, their quality is not
        if info.state == FORGOTTEN:
            if peer.follower is not None:
                peer.follower.stop()
            del self._peers[info.uuid]

    def _route(self, peer: _Peer) -> None:
        peer.routes = [[each for each in self._subscriptions
                        if spec.published and each.wants(peer.info.name, spec.name)]
                       for spec in peer.surface.keys]
        wanted = any(peer.routes)
        if wanted and peer.follower is None:
            self._follow(peer)
        elif not wanted and peer.follower is not None:
            peer.follower.stop()
            peer.follower = None
            peer.last.clear()

    def _follow(self, peer: _Peer) -> None:
        def on_state(parts: list[bytes]) -> None:
            peer.last.clear()
            for part in parts:
                self._take(peer, part)

        def on_lost(lost: Lost) -> None:
            if self._outbox is not None:
                self._outbox.record_lost(peer.info.name, frames.KEY_STREAM, lost)

        peer.follower = StateFollower(
            self._link, frames.STATE, peer.info.number, frames.KEY_STREAM, "kv.state", NOTHING,
            read_parts, on_state, lambda payload: self._take(peer, payload), on_lost)

    def _take(self, peer: _Peer, payload: bytes) -> None:
        for update in key_updates(payload):
            if not 0 <= update.key < KEYS_MAX:
                continue
            peer.last[update.key] = update
            if update.key < len(peer.routes):
                self._show(peer, update.key, peer.routes[update.key])

    def _show(self, peer: _Peer, key: int, listeners: list[KeySubscription]) -> None:
        # Updates of a new life may overtake its surface; they are shown when that is here.
        if not listeners or peer.follower is None or \
                peer.follower.incarnation != peer.info.incarnation:
            return
        last = peer.last.get(key)
        if last is None or last.sequence == 0:
            return
        update = update_of(f"{peer.info.name}/{peer.surface.keys[key].name}", last,
                           peer.info.incarnation, peer.info.is_gone)
        for each in listeners:
            if not each.deliver(update, self._counters):
                self._wake_later(each)

    def _wake_later(self, subscription: KeySubscription) -> None:
        def again() -> None:
            if not subscription.wake():
                self._wake_later(subscription)

        self._link.after(RETRY, again)

    def _show_all(self, peer: _Peer) -> None:
        for key, listeners in enumerate(peer.routes):
            self._show(peer, key, listeners)
