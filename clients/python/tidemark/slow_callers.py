"""Answers on their way to their callers. A caller whose connection has no room now is slow: what is
for it waits here, in order, until its budget is over. Only on the loop thread.
"""

from __future__ import annotations

import time
from collections import deque
from dataclasses import dataclass, field

import zmq

from .link_counters import LinkCounters
from .sockets import Sockets

WAITING_BYTES_MAX = 64 << 20  # of answers to one caller; beyond, they are dropped and counted


@dataclass
class _Caller:
    waiting: deque[tuple[float, bytes]] = field(default_factory=deque)  # deadline, answer
    waiting_bytes: int = 0


class SlowCallers:
    def __init__(self, sockets: Sockets, counters: LinkCounters):
        self._sockets = sockets
        self._counters = counters
        self._callers: dict[bytes, _Caller] = {}

    def __bool__(self) -> bool:
        return bool(self._callers)

    def send(self, caller: bytes, deadline: float, data: bytes) -> None:
        """Now, or when there is room; not after `deadline`."""
        if deadline <= time.monotonic():
            return
        slow = self._callers.get(caller)
        if slow is None and self.send_now(caller, data):
            return
        if (slow.waiting_bytes if slow else 0) + len(data) > WAITING_BYTES_MAX:
            self._counters.dropped += 1
            return
        slow = self._callers.setdefault(caller, _Caller())
        slow.waiting.append((deadline, data))
        slow.waiting_bytes += len(data)

    def send_now(self, caller: bytes, data: bytes) -> bool:
        """False when there is no room now; a caller who is gone gets nothing."""
        router = self._sockets.router
        assert router is not None
        try:
            router.send_multipart([caller, data], zmq.NOBLOCK)
            self._counters.bytes_sent += len(data)
        except zmq.Again:
            return False
        except zmq.ZMQError:
            pass
        return True

    def send_waiting(self) -> None:
        now = time.monotonic()
        for caller, slow in list(self._callers.items()):
            while slow.waiting and (slow.waiting[0][0] <= now or
                                    self.send_now(caller, slow.waiting[0][1])):
                slow.waiting_bytes -= len(slow.waiting.popleft()[1])
            if not slow.waiting:
                del self._callers[caller]
