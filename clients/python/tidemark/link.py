"""A node's one connection to the bus: publishes streams, reads those of others, asks and answers.
It knows nodes, sequences and sizes; payloads are bytes to it.

Threads: every public method may be called from any thread, and none waits for the network. Every
callback runs on the link's own thread: it must hand over and leave, and never block.
"""

from __future__ import annotations

import functools
import heapq
import itertools
import logging
import os
import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field

import zmq

from . import envelope as envelopes
from . import frame as frames
from .envelope import Envelope
from .errors import (Failed, InvalidArgument, Malformed, NotFound, TidemarkError, Timeout,
                     Unavailable)
from .frame import Frame
from .messages import NodeInfo
from .out_streams import OutStreams
from .packing import Row, pack, unpack
from .served_calls import Call, Key, ServedCalls
from .sockets import LinkOptions, Socket, Sockets

log = logging.getLogger("tidemark")

Answer = bytes | TidemarkError
ASKED_MAX = 131_072
WAITING_BYTES_MAX = 64 << 20  # of requests to one peer
MESSAGES_PER_TURN = 256  # of one socket, before the others have their turn
TURN_MAX = 1.0
ANSWER_RETRY = 0.002  # a ROUTER cannot say when one of its peers has room
SILENCE = 1.0  # how long without an answer until a request is sent again; then twice as long
AGAIN_BYTES_MAX = 64 << 10
RESEND = "bus.resend"


@dataclass
class Counters:
    frames_sent: int = 0
    frames_received: int = 0
    bytes_sent: int = 0
    bytes_received: int = 0
    malformed: int = 0
    stale: int = 0
    requests_sent: int = 0
    requests_served: int = 0
    requests_timed_out: int = 0
    requests_sent_again: int = 0
    requests_asked_twice: int = 0
    frames_sent_again: int = 0
    refused: int = 0
    dropped: int = 0


@dataclass
class _Asked:
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


@dataclass
class _Peer:
    info: NodeInfo
    data_endpoint: str | None = None  # where we are connected
    dealer: Socket | None = None
    waiting: deque[bytes] = field(default_factory=deque)  # calls whose request is not sent yet
    waiting_bytes: int = 0


class Subscription:
    """One listener of one stream; `gone` once it was unsubscribed."""

    def __init__(self, frame_class: int, node: int, stream: int,
                 on_frame: Callable[[Frame], None]):
        self.frame_class = frame_class
        self.node = node
        self.stream = stream
        self.on_frame = on_frame
        self.gone = False


class Link:
    def __init__(self, options: LinkOptions):
        """Binds. Raises Conflict or InvalidArgument."""
        self._sockets = Sockets(options)
        self.info = self._sockets.info
        self.number = self.info.number
        self.counters = Counters()
        self._wakeup_read, self._wakeup_write = os.pipe()
        os.set_blocking(self._wakeup_read, False)
        os.set_blocking(self._wakeup_write, False)
        self._awake = False
        self._lock = threading.RLock()  # a call that is dropped answers, wherever that happens
        self._jobs: deque[Callable[[], None]] = deque()  # guarded by _lock
        self._closed = False  # guarded by _lock
        self._out = OutStreams(self.number, self.info.incarnation, self._wake)
        self._handlers: dict[str, Callable[[Call], None]] = {}
        self._counter = itertools.count(1)
        # Only on the loop thread.
        self._peers: dict[int, _Peer] = {}
        self._newest: dict[int, int] = {}
        self._subscriptions: dict[tuple[int, int], list[Subscription]] = {}
        self._asked: dict[bytes, _Asked] = {}
        self._deadlines: list[tuple[float, bytes]] = []
        self._silences: list[tuple[float, bytes]] = []
        self._timers: list[tuple[float, int, Callable[[], None]]] = []
        self._timer_order = itertools.count()
        self._served = ServedCalls(self.info.incarnation, self._send_answer)
        self._slow: dict[bytes, deque[tuple[float, bytes]]] = {}
        self._slow_bytes: dict[bytes, int] = {}
        self._stopping = False
        self._thread = threading.Thread(target=self._run, name="tidemark bus", daemon=True)
        self._thread.start()

    # ---- any thread

    @property
    def on_loop(self) -> bool:
        return threading.current_thread() is self._thread

    def close(self) -> None:
        """Ends every open call as unavailable, and waits for the thread."""
        def stop() -> None:
            self._stopping = True

        self.post(stop)
        if not self.on_loop:
            self._thread.join()

    def post(self, job: Callable[[], None]) -> bool:
        """Runs `job` once on the loop; False when the link is closed, and it never will."""
        with self._lock:
            if self._closed:
                return False
            self._jobs.append(job)
        self._wake()
        return True

    def after(self, delay: float, job: Callable[[], None]) -> None:
        when = time.monotonic() + delay

        def add() -> None:
            heapq.heappush(self._timers, (when, next(self._timer_order), job))

        if self.on_loop:
            add()
        else:
            self.post(add)

    def declare_stream(self, stream: int) -> None:
        self._out.declare(stream)

    def publish(self, frame_class: int, stream: int, count: int, payload: bytes) -> int:
        """Numbers `count` items and sends them; calls for one stream come one at a time."""
        return self._out.publish(frame_class, stream, count, payload)

    def serve(self, method: str, handler: Callable[[Call], None]) -> None:
        self._handlers[method] = handler

    def subscribe(self, frame_class: int, node: int, stream: int,
                  on_frame: Callable[[Frame], None]) -> Subscription:
        """From now on `on_frame` gets every frame and heartbeat. The node need not be known yet."""
        made = Subscription(frame_class, node, stream, on_frame)

        def add() -> None:
            if made.gone:
                return
            self._subscriptions.setdefault((node, stream), []).append(made)
            socket = self._sockets.subscriber
            # Frames first: whoever gets a heartbeat gets the frames after it too.
            socket.setsockopt(zmq.SUBSCRIBE, frames.prefix(frame_class, node, stream))
            socket.setsockopt(zmq.SUBSCRIBE, frames.prefix(frames.HEARTBEAT, node, stream))
            peer = self._peers.get(node)
            if peer is not None:
                self._connect_data(peer)

        self.post(add)
        return made

    def unsubscribe(self, subscription: Subscription) -> None:
        def remove() -> None:
            where = (subscription.node, subscription.stream)
            listeners = self._subscriptions.get(where, [])
            if subscription not in listeners:
                return
            listeners.remove(subscription)
            if not listeners:
                del self._subscriptions[where]
            socket = self._sockets.subscriber
            for each in (subscription.frame_class, frames.HEARTBEAT):
                socket.setsockopt(zmq.UNSUBSCRIBE, frames.prefix(each, *where))

        subscription.gone = True
        self.post(remove)

    def set_peer(self, info: NodeInfo) -> None:
        """Where a node is, or that it is gone: then calls to it end at once."""
        self.post(lambda: self._learn(info))

    def request(self, node: int, method: str, payload: bytes, budget: float,
                on_answer: Callable[[Answer], None],
                on_progress: Callable[[bytes], None] | None = None) -> bytes:
        """`on_answer` is called exactly once, with the answer or an error. Returns the call."""
        call = envelopes.call_id(self.number, self.info.incarnation, next(self._counter))
        asked = _Asked(node, method, payload, budget, time.monotonic() + budget, on_answer,
                       on_progress)
        with self._lock:
            closed = self._closed
            if not closed:
                self._jobs.append(lambda: self._ask(call, asked))
        if closed:
            self._end(asked, Unavailable("the link was closed"))
        else:
            self._wake()
        return call

    def cancel(self, call: bytes) -> None:
        """Tells the server that nobody waits any more; its answer or the timeout still comes."""
        self.post(lambda: self._give_up(call))

    # ---- the loop

    def _wake(self) -> None:
        if self._awake:
            return
        self._awake = True
        try:
            os.write(self._wakeup_write, b"\0")
        except (BlockingIOError, OSError):
            pass  # enough of them are there, or nobody reads any more

    def _run(self) -> None:
        try:
            while not self._stopping:
                self._turn()
            self._finish()
        except Exception:
            log.exception("bus: the loop broke")
            self._finish()
        finally:
            self._sockets.close()
            os.close(self._wakeup_read)
            # The writing end stays for whoever wakes us late; it goes with the object.

    def __del__(self) -> None:
        try:
            os.close(self._wakeup_write)
        except (AttributeError, OSError):
            pass

    def _turn(self) -> None:
        self._receive(self._wait())
        now = time.monotonic()
        due = []
        while self._timers and self._timers[0][0] <= now:
            due.append(heapq.heappop(self._timers)[2])
        for timer in due:
            self._guarded("timer", timer)
        self._run_jobs()
        self._send_frames()
        self._send_waiting()
        self._send_slow()
        self._expire()

    def _run_jobs(self) -> None:
        with self._lock:
            jobs, self._jobs = self._jobs, deque()
        for job in jobs:
            self._guarded("job", job)

    def _finish(self) -> None:
        self._run_jobs()
        self._send_frames()
        self._send_slow()
        with self._lock:
            self._closed = True
            jobs, self._jobs = self._jobs, deque()
        for job in jobs:
            self._guarded("job", job)
        for asked in list(self._asked.values()):
            self._end(asked, Unavailable("the link was closed"))
        self._asked.clear()

    def _wait(self) -> float:
        now = time.monotonic()
        following = self._out.next_heartbeat() if self._sockets.publisher is not None else 1e18
        for heap in (self._deadlines, self._silences, self._timers):
            if heap:
                following = min(following, heap[0][0])
        if self._slow:
            following = min(following, now + ANSWER_RETRY)
        return min(max(following - now, 0.0), TURN_MAX)

    def _receive(self, wait: float) -> None:
        sockets = self._sockets
        poller = zmq.Poller()
        poller.register(self._wakeup_read, zmq.POLLIN)
        for each in (sockets.subscriber, sockets.publisher, sockets.router,
                     sockets.zap.socket if sockets.zap else None):
            if each is not None:
                poller.register(each, zmq.POLLIN)
        dealers: dict[Socket, int] = {}
        for number, peer in self._peers.items():
            if peer.dealer is not None:
                dealers[peer.dealer] = number
                poller.register(peer.dealer,
                                zmq.POLLIN | (zmq.POLLOUT if peer.waiting else 0))
        # Rounded up: a loop that wakes a moment early would spin until the time has come.
        ready = dict(poller.poll(int(wait * 1000) + (1 if wait > 0 else 0)))
        if self._wakeup_read in ready:
            self._awake = False
            try:
                os.read(self._wakeup_read, 4096)
            except BlockingIOError:
                pass
        if sockets.subscriber in ready:
            self._drain(sockets.subscriber, self._on_published)
        if sockets.publisher is not None and sockets.publisher in ready:
            self._drain(sockets.publisher, self._on_subscribed)
        if sockets.router is not None and sockets.router in ready:
            self._drain(sockets.router, self._on_request)
        if sockets.zap is not None and sockets.zap.socket in ready:
            sockets.zap.answer()
            self.counters.refused = sockets.zap.refused
        for dealer, number in dealers.items():
            if ready.get(dealer, 0) & zmq.POLLIN:
                self._drain(dealer, functools.partial(self._on_answer, number))

    def _drain(self, socket: Socket, handle: Callable[[list[bytes]], None]) -> None:
        for _ in range(MESSAGES_PER_TURN):
            if socket.closed:
                return
            try:
                parts = socket.recv_multipart(zmq.NOBLOCK)
            except zmq.Again:
                return
            self.counters.bytes_received += sum(len(each) for each in parts)
            try:
                handle(parts)
            except Malformed as failure:
                self.counters.malformed += 1
                log.debug("bus: dropped: %s", failure)

    def _guarded(self, what: str, call: Callable[[], None]) -> bool:
        """A callback's exception is its own problem: it is logged, and the loop goes on."""
        try:
            call()
            return True
        except Exception:
            log.exception("bus: a %s threw", what)
            return False

    # ---- frames

    def _send_frames(self) -> None:
        publisher = self._sockets.publisher
        if publisher is None:
            return
        for each in self._out.take():
            try:
                publisher.send(each, zmq.NOBLOCK)
                self.counters.frames_sent += 1
                self.counters.bytes_sent += len(each)
            except zmq.ZMQError:
                self.counters.dropped += 1

    def _on_published(self, parts: list[bytes]) -> None:
        if len(parts) != 1:
            raise Malformed("a frame in many parts")
        frame = frames.decode(parts[0])
        listeners = self._subscriptions.get((frame.node, frame.stream))
        if listeners is None:
            return
        if frame.incarnation < self._newest.get(frame.node, 0):
            self.counters.stale += 1
            return
        self._newest[frame.node] = frame.incarnation
        self.counters.frames_received += 1
        for each in list(listeners):
            if not each.gone and (frame.is_heartbeat or each.frame_class == frame.frame_class):
                self._guarded("listener", functools.partial(each.on_frame, frame))

    def _on_subscribed(self, parts: list[bytes]) -> None:
        if len(parts) != 1 or parts[0][:1] not in (b"\0", b"\1"):
            raise Malformed("no subscription")
        if parts[0][:1] == b"\1":
            self._out.subscribed(parts[0][1:])

    # ---- peers

    def _learn(self, info: NodeInfo) -> None:
        peer = self._peers.get(info.number)
        if peer is None:
            peer = self._peers[info.number] = _Peer(info.with_state(info.state, 0))
            was_alive, before = False, info
        else:
            before = peer.info
            if info.incarnation < before.incarnation:
                self.counters.stale += 1
                return
            was_alive = not before.is_gone
        peer.info = info
        # A registry is known before its incarnation is: that is no restart.
        restarted = was_alive and 0 != before.incarnation != info.incarnation
        if was_alive and (restarted or info.is_gone):
            why = Unavailable(f"{info.name} " + ("is gone" if info.is_gone else "restarted"))
            for call, asked in list(self._asked.items()):
                if asked.node == info.number:
                    self._end(self._asked.pop(call), why)
            peer.waiting.clear()
            peer.waiting_bytes = 0
        self._newest[info.number] = max(self._newest.get(info.number, 0), info.incarnation)
        if peer.data_endpoint is not None and (
                info.is_gone or restarted or before.data_endpoints != info.data_endpoints):
            self._sockets.subscriber.disconnect(peer.data_endpoint)
            peer.data_endpoint = None
        if peer.dealer is not None and (info.is_gone or restarted or
                                        before.request_endpoints != info.request_endpoints):
            peer.dealer.close()
            peer.dealer = None
        self._connect_data(peer)

    def _connect_data(self, peer: _Peer) -> None:
        if peer.data_endpoint is not None or peer.info.is_gone or \
                not any(node == peer.info.number for node, _ in self._subscriptions):
            return
        endpoint = self._sockets.data_endpoint(peer.info)
        if endpoint is not None and self._sockets.connect_data(peer.info, endpoint):
            peer.data_endpoint = endpoint

    # ---- calls of ours

    def _ask(self, call: bytes, asked: _Asked) -> None:
        peer = self._peers.get(asked.node)
        refused: TidemarkError | None = None
        if self._closed:
            refused = Unavailable("the link was closed")
        elif peer is None:
            refused = Unavailable(f"node {asked.node:08x} is not known")
        elif peer.info.is_gone:
            refused = Unavailable(f"{peer.info.name} is gone")
        elif len(self._asked) >= ASKED_MAX:
            refused = Unavailable("too many calls are open")
        elif len(asked.payload) > envelopes.BYTES_MAX - 4096:
            refused = InvalidArgument(f"'{asked.method}' with {len(asked.payload)} bytes is "
                                      "larger than the bus carries")
        elif peer.waiting and peer.waiting_bytes + len(asked.payload) > WAITING_BYTES_MAX:
            refused = Unavailable(f"the queue of requests to {peer.info.name} is full")
        if refused is None and peer is not None and peer.dealer is None:
            peer.dealer = self._sockets.dealer(peer.info)
            if peer.dealer is None:
                refused = Unavailable(f"{peer.info.name} has no endpoint that can be reached")
        if refused is not None or peer is None:
            self._end(asked, refused or Failed("nobody to ask"))
            return
        self._asked[call] = asked
        heapq.heappush(self._deadlines, (asked.deadline, call))
        peer.waiting.append(call)
        peer.waiting_bytes += len(asked.payload)
        self._send_to(peer)

    def _send_waiting(self) -> None:
        for peer in self._peers.values():
            if peer.waiting:
                self._send_to(peer)
        now = time.monotonic()
        while self._silences and self._silences[0][0] <= now:
            _, call = heapq.heappop(self._silences)
            self._send_again(call, now)

    def _send_to(self, peer: _Peer) -> None:
        while peer.waiting and peer.dealer is not None:
            asked = self._asked.get(peer.waiting[0])
            if asked is not None and not self._send_request(peer, peer.waiting[0], asked):
                return
            peer.waiting.popleft()
            if asked is None:
                continue  # It ended while it waited; its bytes are taken off with the others.
            peer.waiting_bytes -= len(asked.payload)
            asked.sent = True
            self.counters.requests_sent += 1
        if not peer.waiting:
            peer.waiting_bytes = 0

    def _send_request(self, peer: _Peer, call: bytes, asked: _Asked, server: int = 0) -> bool:
        left = asked.deadline - time.monotonic()
        if left <= 0:
            return True  # _expire() ends it.
        data = envelopes.encode(Envelope(envelopes.REQUEST, call, self.info.incarnation,
                                         asked.method, int(left * 1e9), asked.payload,
                                         server=server))
        assert peer.dealer is not None
        try:
            peer.dealer.send(data, zmq.NOBLOCK)
        except zmq.Again:
            return False
        self.counters.bytes_sent += len(data)
        # Not when its incarnation is unknown: a successor would do it a second time.
        if len(data) <= AGAIN_BYTES_MAX and left > asked.silence and peer.info.incarnation != 0:
            heapq.heappush(self._silences, (time.monotonic() + asked.silence, call))
        return True

    def _send_again(self, call: bytes, now: float) -> None:
        """A connection that broke took the request with it; a server does it once all the same."""
        asked = self._asked.get(call)
        peer = self._peers.get(asked.node) if asked is not None else None
        if asked is None or peer is None or peer.dealer is None or \
                asked.deadline - now <= asked.silence:
            return
        asked.silence *= 2
        if self._send_request(peer, call, asked, peer.info.incarnation):
            self.counters.requests_sent_again += 1
        else:
            heapq.heappush(self._silences, (now + asked.silence, call))

    def _give_up(self, call: bytes) -> None:
        asked = self._asked.get(call)
        if asked is None:
            return
        if not asked.sent:
            self._end(self._asked.pop(call), Unavailable("cancelled before it was sent"))
            return
        peer = self._peers.get(asked.node)
        if peer is not None and peer.dealer is not None:
            try:
                peer.dealer.send(envelopes.encode(Envelope(envelopes.CANCEL, call,
                                                           self.info.incarnation)), zmq.NOBLOCK)
            except zmq.Again:
                pass  # It is advice.

    def _expire(self) -> None:
        now = time.monotonic()
        while self._deadlines and self._deadlines[0][0] <= now:
            _, call = heapq.heappop(self._deadlines)
            asked = self._asked.pop(call, None)
            if asked is None:
                continue
            peer = self._peers.get(asked.node)
            name = peer.info.name if peer is not None else f"{asked.node:08x}"
            if asked.sent:
                self.counters.requests_timed_out += 1
                self._end(asked, Timeout(f"{name} did not answer '{asked.method}' within "
                                         f"{asked.budget:g} s"))
            else:
                self._end(asked, Unavailable(f"no connection to {name} within {asked.budget:g} s "
                                             f"for '{asked.method}'"))
        self._served.expire()

    def _on_answer(self, server: int, parts: list[bytes]) -> None:
        if len(parts) != 1:
            raise Malformed("an envelope in many parts")
        answer = envelopes.decode(parts[0])
        asked = self._asked.get(answer.call)
        if asked is None or asked.node != server:
            return  # It came too late.
        if answer.incarnation < self._peers[server].info.incarnation:
            self.counters.stale += 1
            return
        if answer.kind == envelopes.PROGRESS:
            asked.parts += 1
            on_progress = asked.on_progress
            if on_progress is not None:
                self._guarded("listener", lambda: on_progress(answer.payload))
        elif answer.kind == envelopes.DONE and asked.parts < answer.parts:
            # A connection that broke meanwhile: half a state must not look like a whole one.
            self._end(self._asked.pop(answer.call), Timeout(
                f"of the answer to '{asked.method}' {answer.parts - asked.parts} of "
                f"{answer.parts} parts were lost"))
        elif answer.kind == envelopes.DONE:
            self._end(self._asked.pop(answer.call), answer.payload)
        elif answer.kind == envelopes.FAILED:
            self._end(self._asked.pop(answer.call), envelopes.unpack_failure(answer.payload))
        else:
            raise Malformed("a request where answers come")

    def _end(self, asked: _Asked, answer: Answer) -> None:
        self._guarded("listener", lambda: asked.on_answer(answer))

    # ---- calls of others

    def _on_request(self, parts: list[bytes]) -> None:
        if len(parts) != 2:
            raise Malformed("an envelope in many parts")
        request = envelopes.decode(parts[1])
        key = (parts[0], request.call)
        if request.kind == envelopes.CANCEL:
            self._served.cancel(key)
            return
        if request.kind != envelopes.REQUEST:
            raise Malformed("an answer where requests come")
        if self._served.full and not self._served.knows(key):
            self._try_answer(key[0], self._served.refusal(key, Unavailable(
                f"too many calls are open on {self.info.name}")))
            return
        call = self._served.open(key, request)
        if call is None:
            self.counters.requests_asked_twice += 1
            answer = self._served.again(key)
            if answer is not None:
                self._try_answer(key[0], answer)
            return
        if request.server not in (0, self.info.incarnation):
            call.fail(Timeout(f"'{request.method}' went to incarnation {request.server} of "
                              f"{self.info.name}, which is gone"))
            return
        handler = self._resend if request.method == RESEND else \
            self._handlers.get(request.method)
        if handler is None:
            call.fail(NotFound(f"no method '{request.method}' on node {self.info.name}"))
        else:
            self.counters.requests_served += 1
            try:
                handler(call)
            except TidemarkError as failure:
                call.fail(InvalidArgument(failure.message) if isinstance(failure, Malformed)
                          else failure)
            except Exception as failure:
                log.exception("bus: the handler of %s threw", request.method)
                call.fail(Failed(f"the handler of '{request.method}' threw: {failure}"))

    def _resend(self, call: Call) -> None:
        row = Row(unpack(call.payload), "resend")
        found = self._out.again(row.number(0), row.number(1), row.number(2), row.number(3))
        for each in found:
            call.progress(each)
        self.counters.frames_sent_again += len(found)
        call.done(b"")

    def _send_answer(self, key: Key, data: bytes, deadline: float, final: bool) -> None:
        """From whatever thread a handler answers on."""
        def send() -> None:
            if final:
                self._served.close(key, data)
            if deadline <= time.monotonic():
                return
            if key[0] in self._slow or not self._try_answer(key[0], data):
                self._keep_answer(key[0], deadline, data)

        self.post(send)

    def _keep_answer(self, caller: bytes, deadline: float, data: bytes) -> None:
        size = self._slow_bytes.get(caller, 0) + len(data)
        if size > WAITING_BYTES_MAX:
            self.counters.dropped += 1
            return
        self._slow.setdefault(caller, deque()).append((deadline, data))
        self._slow_bytes[caller] = size

    def _send_slow(self) -> None:
        now = time.monotonic()
        for caller in list(self._slow):
            queue = self._slow[caller]
            while queue and (queue[0][0] <= now or self._try_answer(caller, queue[0][1])):
                self._slow_bytes[caller] -= len(queue.popleft()[1])
            if not queue:
                del self._slow[caller], self._slow_bytes[caller]

    def _try_answer(self, caller: bytes, data: bytes) -> bool:
        """False when there is no room now; a caller who is gone gets nothing."""
        router = self._sockets.router
        assert router is not None
        try:
            router.send_multipart([caller, data], zmq.NOBLOCK)
            self.counters.bytes_sent += len(data)
        except zmq.Again:
            return False
        except zmq.ZMQError:
            pass
        return True


def ask_again(link: Link, node: int, stream: int, incarnation: int, first: int, last: int,
              on_frames: Callable[[list[Frame] | TidemarkError], None]) -> None:
    """Asks a publisher for frames that were lost on the way."""
    found: list[Frame] = []

    def on_progress(payload: bytes) -> None:
        try:
            frame = frames.decode(payload)
        except Malformed:
            return
        if (frame.node, frame.stream) == (node, stream):
            found.append(frame)

    def on_answer(answer: Answer) -> None:
        on_frames(answer if isinstance(answer, TidemarkError) else found)

    link.request(node, RESEND, pack([stream, incarnation, first, last]), 1.0, on_answer,
                 on_progress)
