"""The streams that we read: hands each frame to whoever listens, and drops those of older
incarnations, and those that lay waiting while this process stood still. The other end is
out_streams.py. Only on the loop thread.
"""

from __future__ import annotations

import functools
import time
from collections.abc import Callable

import zmq

from . import frame as frames
from .errors import Malformed
from .frame import Frame
from .guarded import guarded
from .link_counters import LinkCounters
from .peers import Change, Peers
from .sockets import Sockets

SKIP_MAX = 5.0  # after a standstill: publishers' clocks may differ from ours
OLD = 1.0  # seconds since a frame was sent


class Subscription:
    """One listener of one stream; `gone` once it was unsubscribed."""

    def __init__(self, frame_class: int, node: int, stream: int,
                 on_frame: Callable[[Frame], None]):
        self.frame_class = frame_class
        self.node = node
        self.stream = stream
        self.on_frame = on_frame
        self.gone = False


class InStreams:
    def __init__(self, sockets: Sockets, peers: Peers, counters: LinkCounters):
        self._sockets = sockets
        self._peers = peers
        self._counters = counters
        self._subscriptions: dict[tuple[int, int], list[Subscription]] = {}
        self._connected: dict[int, str] = {}  # publisher: at which endpoint
        self._newest: dict[int, int] = {}  # incarnation of each node
        self._skips_until = 0.0

    def subscribe(self, made: Subscription) -> None:
        if made.gone:
            return
        where = (made.node, made.stream)
        self._subscriptions.setdefault(where, []).append(made)
        # Frames first: whoever gets a heartbeat gets the frames after it too.
        for each in (made.frame_class, frames.HEARTBEAT):
            self._sockets.subscriber.setsockopt(zmq.SUBSCRIBE, frames.prefix(each, *where))
        self._connect(made.node)

    def unsubscribe(self, subscription: Subscription) -> None:
        where = (subscription.node, subscription.stream)
        listeners = self._subscriptions.get(where, [])
        if subscription not in listeners:
            return
        listeners.remove(subscription)
        if not listeners:
            del self._subscriptions[where]
        for each in (subscription.frame_class, frames.HEARTBEAT):
            self._sockets.subscriber.setsockopt(zmq.UNSUBSCRIBE, frames.prefix(each, *where))

    def on_peer(self, number: int, change: Change) -> None:
        """What the peers learned about one of them: its connection follows."""
        info = self._peers[number]
        self._newest[number] = max(self._newest.get(number, 0), info.incarnation)
        if number in self._connected and (info.is_gone or change.restarted or change.data_moved):
            self._sockets.subscriber.disconnect(self._connected.pop(number))
        self._connect(number)

    def _connect(self, number: int) -> None:
        info = self._peers.find(number)
        if info is None or info.is_gone or number in self._connected or \
                not any(node == number for node, _ in self._subscriptions):
            return
        endpoint = self._sockets.data_endpoint(info)
        if endpoint is not None and self._sockets.connect_data(info, endpoint):
            self._connected[number] = endpoint

    def stood_still(self) -> None:
        """What waits was sent long ago: reading it would only keep us behind. The hole shows."""
        self._skips_until = time.monotonic() + SKIP_MAX

    def on_frame(self, parts: list[bytes]) -> None:
        """Raises Malformed."""
        if len(parts) != 1:
            raise Malformed("a frame in many parts")
        if self._skips_until and self._skips(parts[0]):
            self._counters.skipped += 1
            return
        frame = frames.decode(parts[0])
        listeners = self._subscriptions.get((frame.node, frame.stream))
        if listeners is None:
            return
        if frame.incarnation < self._newest.get(frame.node, 0):
            self._counters.stale += 1
            return
        self._newest[frame.node] = frame.incarnation
        self._counters.frames_received += 1
        for each in list(listeners):
            if not each.gone and (frame.is_heartbeat or each.frame_class == frame.frame_class):
                guarded("listener", functools.partial(each.on_frame, frame))

    def _skips(self, data: bytes) -> bool:
        if time.monotonic() > self._skips_until:
            self._skips_until = 0.0
            return False
        return frames.age(data, time.time_ns()) > OLD
