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
from dataclasses import replace

import zmq

from . import envelope as envelopes
from .envelope import Envelope
from .errors import (Failed, InvalidArgument, Malformed, NotFound, Refused, TidemarkError, Timeout,
                     Unavailable)
from .frame import Frame
from .guarded import guarded
from .in_streams import InStreams, Subscription
from .link_counters import LinkCounters
from .messages import NodeInfo
from .out_streams import OutStreams
from .packing import Row, unpack
from .peers import Peers
from .requests import Answer, Asked, Requests
from .served_calls import Call, Key, ServedCalls
from .slow_callers import SlowCallers
from .sockets import LinkOptions, Socket, Sockets
from .standstill import Standstill
from .stream_reader import Counters as StreamCounters

log = logging.getLogger("tidemark")

MESSAGES_PER_TURN = 256  # of one socket, before the others have their turn
TURN_MAX = 1.0
ANSWER_RETRY = 0.002  # a ROUTER cannot say when one of its peers has room
RESEND = "bus.resend"


class Link:
    def __init__(self, options: LinkOptions):
        """Binds. Raises Conflict or InvalidArgument."""
        self._sockets = Sockets(options)
        self.info = self._sockets.info
        self.number = self.info.number
        self.counters = LinkCounters()
        self.stream_counters = StreamCounters()  # of all that follow streams over it
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
        self._peers = Peers()
        self._in = InStreams(self._sockets, self._peers, self.counters)
        self._requests = Requests(self._sockets, self._peers, self.info.incarnation, self.counters)
        self._served = ServedCalls(self.info.incarnation, self._send_answer)
        self._slow_callers = SlowCallers(self._sockets, self.counters)
        self._timers: list[tuple[float, int, Callable[[], None]]] = []
        self._timer_order = itertools.count()
        self._stopping = False
        self._standstill = Standstill(time.monotonic())
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

    def counted(self) -> LinkCounters:
        """What it has counted until now."""
        return replace(self.counters, dropped=self.counters.dropped + self._out.dropped)

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
        self.post(lambda: self._in.subscribe(made))
        return made

    def unsubscribe(self, subscription: Subscription) -> None:
        subscription.gone = True
        self.post(lambda: self._in.unsubscribe(subscription))

    def set_peer(self, info: NodeInfo) -> None:
        """Where a node is, or that it is gone: then calls to it end at once."""
        self.post(lambda: self._learn(info))

    def request(self, node: int, method: str, payload: bytes, budget: float,
                on_answer: Callable[[Answer], None],
                on_progress: Callable[[bytes], None] | None = None) -> bytes:
        """`on_answer` is called exactly once, with the answer or an error. Returns the call."""
        call = envelopes.call_id(self.number, self.info.incarnation, next(self._counter))
        asked = Asked(node, method, payload, budget, time.monotonic() + budget, on_answer,
                      on_progress)
        with self._lock:
            closed = self._closed
            if not closed:
                self._jobs.append(lambda: self._requests.ask(call, asked))
        if closed:
            asked.end(Unavailable("the link was closed"))
        else:
            self._wake()
        return call

    def cancel(self, call: bytes) -> None:
        """Tells the server that nobody waits any more; its answer or the timeout still comes."""
        self.post(lambda: self._requests.cancel(call))

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
            guarded("timer", timer)
        self._run_jobs()
        self._send_frames()
        self._requests.send_waiting()
        self._requests.send_again()
        self._slow_callers.send_waiting()
        self._requests.expire()
        self._served.expire()

    def _run_jobs(self) -> None:
        with self._lock:
            jobs, self._jobs = self._jobs, deque()
        for job in jobs:
            guarded("job", job)

    def _finish(self) -> None:
        self._run_jobs()
        self._send_frames()
        self._slow_callers.send_waiting()
        with self._lock:
            self._closed = True
            jobs, self._jobs = self._jobs, deque()
        self._requests.close()
        for job in jobs:
            guarded("job", job)

    def _learn(self, info: NodeInfo) -> None:
        change = self._peers.learn(info)
        if change is None:
            self.counters.stale += 1
            return
        self._requests.on_peer(info.number, change)
        self._in.on_peer(info.number, change)

    def _wait(self) -> float:
        now = time.monotonic()
        following = self._out.next_heartbeat() if self._sockets.publisher is not None else 1e18
        following = min(following, self._requests.next_event())
        if self._timers:
            following = min(following, self._timers[0][0])
        if self._slow_callers:
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
        for number, dealer, waits in self._requests.connections():
            dealers[dealer] = number
            poller.register(dealer, zmq.POLLIN | (zmq.POLLOUT if waits else 0))
        self._look_at_clock()
        self._standstill.may_sleep(wait)
        # Rounded up: a loop that wakes a moment early would spin until the time has come.
        ready = dict(poller.poll(int(wait * 1000) + (1 if wait > 0 else 0)))
        self._look_at_clock()
        if self._wakeup_read in ready:
            self._awake = False
            try:
                os.read(self._wakeup_read, 4096)
            except BlockingIOError:
                pass
        if sockets.subscriber in ready:
            self._drain(sockets.subscriber, self._in.on_frame)
        if sockets.publisher is not None and sockets.publisher in ready:
            self._drain(sockets.publisher, self._on_subscribed)
        if sockets.router is not None and sockets.router in ready:
            self._drain(sockets.router, self._on_request)
        if sockets.zap is not None and sockets.zap.socket in ready:
            sockets.zap.answer()
            self.counters.refused = sockets.zap.refused
        for dealer, number in dealers.items():
            if ready.get(dealer, 0) & zmq.POLLIN:
                self._drain(dealer, functools.partial(self._requests.on_answer, number))

    def _look_at_clock(self) -> None:
        """Before what arrives is read: mostly a process is stopped while it waits."""
        if self._standstill.look(time.monotonic()):
            self._in.stood_still()

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

    def _on_subscribed(self, parts: list[bytes]) -> None:
        if len(parts) != 1 or parts[0][:1] not in (b"\0", b"\1"):
            raise Malformed("no subscription")
        if parts[0][:1] == b"\1":
            self._out.subscribed(parts[0][1:])

    # ---- calls of others

    def _on_request(self, parts: list[bytes]) -> None:
        self._look_at_clock()
        if len(parts) != 2:
            raise Malformed("an envelope in many parts")
        request = envelopes.decode(parts[1])
        key = (parts[0], request.call)
        if request.kind == envelopes.CANCEL:
            self._served.cancel(key)
            return
        if request.kind != envelopes.REQUEST:
            raise Malformed("an answer where requests come")
        refused = self._refusal(key, request)
        if refused is not None:
            self._slow_callers.send_now(key[0], self._served.refusal(key, refused))
            return
        # Its budget counts from when its caller sent it, and nobody knows when that was.
        waited = int(self._standstill.may_have_waited() * 1e9)
        too_late = request.method != RESEND and request.budget <= waited
        if request.method != RESEND and not too_late:
            request = replace(request, budget=request.budget - waited)
        call = self._served.open(key, request)
        if call is None:
            self.counters.requests_asked_twice += 1
            answer = self._served.again(key)
            if answer is not None:
                self._slow_callers.send_now(key[0], answer)
            return
        if request.server not in (0, self.info.incarnation):
            call.fail(Timeout(f"'{request.method}' went to incarnation {request.server} of "
                              f"{self.info.name}, which is gone"))
            return
        if too_late:
            call.fail(Timeout(f"'{request.method}' may have waited too long while "
                              f"{self.info.name} stood still: it was not done"))
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

    def _refusal(self, key: Key, request: Envelope) -> TidemarkError | None:
        """Why it is not even opened."""
        # A life that was frozen, and has a successor, must not act any more, whatever it asks.
        caller = self._peers.find(envelopes.caller_of(request.call))
        if caller is not None and request.incarnation < caller.incarnation:
            self.counters.stale += 1
            return Refused(f"{caller.name} incarnation {request.incarnation} is superseded by "
                           f"incarnation {caller.incarnation}")
        if self._served.full and not self._served.knows(key):
            return Unavailable(f"too many calls are open on {self.info.name}")
        return None

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
            self._slow_callers.send(key[0], deadline, data)

        self.post(send)
