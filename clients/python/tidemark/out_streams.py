"""The streams that we publish: numbers the items, keeps the last frames for whoever missed them,
and knows when a heartbeat is due. No sockets; threads: any.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field

from . import frame as frames
from .errors import NotFound, Unavailable
from .frame import Frame

HEARTBEAT_INTERVAL = 0.2
WAITING_BYTES_MAX = 64 << 20  # of frames that wait for the loop
RING_BYTES_MAX = 8 << 20  # kept for whoever missed it; beyond, a whole state is cheaper
RING_FRAMES_MAX = 1 << 16
RING_SECONDS_MAX = 10.0
AGAIN_BYTES_PER_SECOND = 4 << 20  # so that many who missed the same do not drown the others


@dataclass
class _Stream:
    last: int = 0
    waits: bool = False  # a frame of it waits
    heartbeat_at: float = 0.0
    ring: deque[tuple[int, int, float, bytes]] = field(default_factory=deque)
    ring_bytes: int = 0
    again_bytes: float = AGAIN_BYTES_PER_SECOND
    again_at: float = 0.0


class OutStreams:
    def __init__(self, node: int, incarnation: int, wake: Callable[[], None]):
        self._node = node
        self._incarnation = incarnation
        self._wake = wake
        self._lock = threading.Lock()
        # Guarded by _lock.
        self._streams: dict[int, _Stream] = {}
        self._frames: list[bytes] = []
        self._bytes = 0
        self.dropped = 0

    def declare(self, stream: int) -> None:
        with self._lock:
            self._streams.setdefault(stream, _Stream())
        self._wake()

    def publish(self, frame_class: int, stream: int, count: int, payload: bytes) -> int:
        """Returns the sequence of the first item. Never fails: beyond the limits it is counted."""
        now = time.monotonic()
        with self._lock:
            own = self._streams.setdefault(stream, _Stream())
            first = own.last + 1
            own.last += count
            if len(payload) > frames.PAYLOAD_BYTES_MAX or \
                    self._bytes + len(payload) > WAITING_BYTES_MAX:
                self.dropped += 1
                return first
            encoded = frames.encode(Frame(frame_class, self._node, stream, self._incarnation,
                                          first, count, time.time_ns(), payload))
            own.waits = True
            self._frames.append(encoded)
            self._bytes += len(encoded)
            own.ring.append((first, own.last, now, encoded))
            own.ring_bytes += len(encoded)
            _trim(own, now)
        self._wake()
        return first

    def take(self) -> list[bytes]:
        """Every frame that waits, then the heartbeats that are due."""
        now = time.monotonic()
        with self._lock:
            taken, self._frames = self._frames, []
            self._bytes = 0
            for number, stream in self._streams.items():
                # A frame says all that a heartbeat would.
                if stream.waits:
                    stream.waits = False
                elif stream.heartbeat_at <= now:
                    taken.append(frames.encode(Frame(
                        frames.HEARTBEAT, self._node, number, self._incarnation, stream.last, 0,
                        time.time_ns())))
                else:
                    continue
                stream.heartbeat_at = now + HEARTBEAT_INTERVAL
            return taken

    def subscribed(self, prefix: bytes) -> None:
        """Somebody new listens: the heartbeat of that stream is due now."""
        with self._lock:
            for number, stream in self._streams.items():
                if prefix == frames.prefix(frames.HEARTBEAT, self._node, number):
                    stream.heartbeat_at = 0.0

    def next_heartbeat(self) -> float:
        with self._lock:
            return min((each.heartbeat_at for each in self._streams.values()), default=1e18)

    def again(self, stream: int, incarnation: int, first: int, last: int) -> list[bytes]:
        """The frames that hold those items. Raises NotFound or Unavailable: ask for the state."""
        now = time.monotonic()
        with self._lock:
            own = self._streams.get(stream)
            if own is None or incarnation != self._incarnation or first > last:
                raise NotFound(f"no such items of stream {stream}")
            _trim(own, now)
            found = []
            due = first
            for begin, end, _, encoded in own.ring:
                if end < due:
                    continue
                if begin > due or due > last:
                    break
                found.append(encoded)
                due = end + 1
            if due <= last:
                raise NotFound(f"item {due} of stream {stream} is not kept any more")
            own.again_bytes = min(AGAIN_BYTES_PER_SECOND, own.again_bytes +
                                  (now - own.again_at) * AGAIN_BYTES_PER_SECOND)
            own.again_at = now
            size = sum(len(each) for each in found)
            if size > own.again_bytes:
                raise Unavailable("too much was sent again lately")
            own.again_bytes -= size
            return found


def _trim(stream: _Stream, now: float) -> None:
    ring = stream.ring
    while ring and (stream.ring_bytes > RING_BYTES_MAX or len(ring) > RING_FRAMES_MAX or
                    now - ring[0][2] > RING_SECONDS_MAX):
        stream.ring_bytes -= len(ring.popleft()[3])
