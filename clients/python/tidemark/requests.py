"""Our requests on their way: each waits until its server's connection takes it, is sent, and sent
again when no word comes, and ends once: with its answer, at its deadline, or when its server is
gone. Only on the loop thread.
"""

from __future__ import annotations

import heapq
import time
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import zmq

from . import envelope as envelopes
from .envelope import Envelope
from .errors import InvalidArgument, Malformed, TidemarkError, Timeout, Unavailable
from .guarded import guarded
from .link_counters import LinkCounters
from .peers import Change, Peers
from .sockets import Socket, Sockets

Answer = bytes | TidemarkError
ASKED_MAX = 131_072
WAITING_BYTES_MAX = 64 << 20  # of requests to one server
SILENCE = 1.0  # how long without an answer until a request is sent again; then twice as long
AGAIN_BYTES_MAX = 64 << 10


@dataclass
class Asked:
    """A call of ours. Whoever takes it out of the table ends it."""

    node: int
    method: str
    payload: bytes
    budget: float
    deadline: float
    on_answer: Callable[[Answer], None]
    on_progress: Callable[[bytes], None] | None
    parts: int = 0  # progresses that came
    sent: bool = False
    silence: float = SILENCE

    def end(self, answer: Answer) -> None:
        guarded("listener", lambda: self.on_answer(answer))


@dataclass
class _Server:
    dealer: Socket | None = None
    waiting: deque[bytes] = field(default_factory=deque)  # calls whose request is not sent yet
    waiting_bytes: int = 0


class Requests:
    def __init__(self, sockets: Sockets, peers: Peers, incarnation: int, counters: LinkCounters):
        self._sockets = sockets
        self._peers = peers
        self._incarnation = incarnation
        self._counters = counters
        self._servers: dict[int, _Server] = {}
        self._asked: dict[bytes, Asked] = {}
        self._deadlines: list[tuple[float, bytes]] = []
        self._silences: list[tuple[float, bytes]] = []
        self._closed = False

    def ask(self, call: bytes, asked: Asked) -> None:
        server = self._server_for(asked)
        if isinstance(server, TidemarkError):
            asked.end(server)
            return
        self._asked[call] = asked
        heapq.heappush(self._deadlines, (asked.deadline, call))
        server.waiting.append(call)
        server.waiting_bytes += len(asked.payload)
        self._send_to(server)

    def _server_for(self, asked: Asked) -> _Server | TidemarkError:
        """Connected, with room for it; or why not."""
        peer = self._peers.find(asked.node)
        if self._closed:
            return Unavailable("the link was closed")
        if peer is None:
            return Unavailable(f"node {asked.node:08x} is not known")
        if peer.is_gone:
            return Unavailable(f"{peer.name} is gone")
        if len(self._asked) >= ASKED_MAX:
            return Unavailable("too many calls are open")
        if len(asked.payload) > envelopes.BYTES_MAX - 4096:
            return InvalidArgument(f"'{asked.method}' with {len(asked.payload)} bytes is larger "
                                   "than the bus carries")
        server = self._servers.setdefault(asked.node, _Server())
        if server.waiting and server.waiting_bytes + len(asked.payload) > WAITING_BYTES_MAX:
            return Unavailable(f"the queue of requests to {peer.name} is full")
        if server.dealer is None:
            server.dealer = self._sockets.dealer(peer)
            if server.dealer is None:
                return Unavailable(f"{peer.name} has no endpoint that can be reached")
        return server

    def cancel(self, call: bytes) -> None:
        """The server is told, if it can have heard of it."""
        asked = self._asked.get(call)
        if asked is None:
            return
        if not asked.sent:
            self._asked.pop(call).end(Unavailable("cancelled before it was sent"))
            return
        server = self._servers[asked.node]
        if server.dealer is not None:
            try:
                server.dealer.send(envelopes.encode(Envelope(envelopes.CANCEL, call,
                                                             self._incarnation)), zmq.NOBLOCK)
            except zmq.Again:
                pass  # It is advice.

    def on_peer(self, number: int, change: Change) -> None:
        """What the peers learned about one of them: calls to one that is gone end, and its
        connection follows."""
        info = self._peers[number]
        server = self._servers.get(number)
        if server is None:
            return
        if change.was_alive and (change.restarted or info.is_gone):
            why = Unavailable(f"{info.name} " + ("is gone" if info.is_gone else "restarted"))
            for call, asked in list(self._asked.items()):
                if asked.node == number:
                    self._asked.pop(call).end(why)
            server.waiting.clear()
            server.waiting_bytes = 0
        if server.dealer is not None and (info.is_gone or change.restarted or
                                          change.requests_moved):
            server.dealer.close()
            server.dealer = None

    def connections(self) -> Iterator[tuple[int, Socket, bool]]:
        """Each with its server, and whether something waits for room in it."""
        for number, server in self._servers.items():
            if server.dealer is not None:
                yield number, server.dealer, bool(server.waiting)

    def next_event(self) -> float:
        """When one expires or is sent again."""
        return min((heap[0][0] for heap in (self._deadlines, self._silences) if heap),
                   default=1e18)

    def send_waiting(self) -> None:
        for server in self._servers.values():
            self._send_to(server)

    def _send_to(self, server: _Server) -> None:
        while server.waiting and server.dealer is not None:
            call = server.waiting[0]
            asked = self._asked.get(call)
            if asked is not None and not self._send(server.dealer, call, asked):
                return
            server.waiting.popleft()
            if asked is None:
                continue  # It ended while it waited; its bytes are taken off with the others.
            server.waiting_bytes -= len(asked.payload)
            asked.sent = True
            self._counters.requests_sent += 1
        if not server.waiting:
            server.waiting_bytes = 0

    def _send(self, dealer: Socket, call: bytes, asked: Asked, server: int = 0) -> bool:
        left = asked.deadline - time.monotonic()
        if left <= 0:
            return True  # expire() ends it.
        data = envelopes.encode(Envelope(envelopes.REQUEST, call, self._incarnation,
                                         asked.method, int(left * 1e9), asked.payload,
                                         server=server))
        try:
            dealer.send(data, zmq.NOBLOCK)
        except zmq.Again:
            return False
        self._counters.bytes_sent += len(data)
        # Not when its incarnation is unknown: a successor would do it a second time.
        if len(data) <= AGAIN_BYTES_MAX and left > asked.silence and \
                self._peers[asked.node].incarnation != 0:
            heapq.heappush(self._silences, (time.monotonic() + asked.silence, call))
        return True

    def send_again(self) -> None:
        """A connection that broke took the request with it; a server does it once all the same."""
        now = time.monotonic()
        while self._silences and self._silences[0][0] <= now:
            _, call = heapq.heappop(self._silences)
            asked = self._asked.get(call)
            dealer = self._servers[asked.node].dealer if asked is not None else None
            if asked is None or dealer is None or asked.deadline - now <= asked.silence:
                continue
            asked.silence *= 2
            if self._send(dealer, call, asked, self._peers[asked.node].incarnation):
                self._counters.requests_sent_again += 1
            else:
                heapq.heappush(self._silences, (now + asked.silence, call))

    def expire(self) -> None:
        now = time.monotonic()
        while self._deadlines and self._deadlines[0][0] <= now:
            _, call = heapq.heappop(self._deadlines)
            asked = self._asked.pop(call, None)
            if asked is None:
                continue
            name = self._peers[asked.node].name
            if asked.sent:
                self._counters.requests_timed_out += 1
                asked.end(Timeout(f"{name} did not answer '{asked.method}' within "
                                  f"{asked.budget:g} s"))
            else:
                asked.end(Unavailable(f"no connection to {name} within {asked.budget:g} s for "
                                      f"'{asked.method}'"))

    def close(self) -> None:
        """Ends what is open, and refuses everything from now on."""
        self._closed = True
        asked, self._asked = self._asked, {}
        for each in asked.values():
            each.end(Unavailable("the link was closed"))

    def on_answer(self, server: int, parts: list[bytes]) -> None:
        """Raises Malformed."""
        if len(parts) != 1:
            raise Malformed("an envelope in many parts")
        answer = envelopes.decode(parts[0])
        asked = self._asked.get(answer.call)
        if asked is None or asked.node != server:
            return  # It came too late.
        if answer.incarnation < self._peers[server].incarnation:
            self._counters.stale += 1
            return
        if answer.kind == envelopes.PROGRESS:
            asked.parts += 1
            on_progress = asked.on_progress
            if on_progress is not None:
                guarded("listener", lambda: on_progress(answer.payload))
        elif answer.kind == envelopes.DONE and asked.parts < answer.parts:
            # A connection that broke meanwhile: half a state must not look like a whole one.
            self._asked.pop(answer.call).end(Timeout(
                f"of the answer to '{asked.method}' {answer.parts - asked.parts} of "
                f"{answer.parts} parts were lost"))
        elif answer.kind == envelopes.DONE:
            self._asked.pop(answer.call).end(answer.payload)
        elif answer.kind == envelopes.FAILED:
            self._asked.pop(answer.call).end(envelopes.unpack_failure(answer.payload))
        else:
            raise Malformed("a request where answers come")
