"""A node among the others: registers with every registry of the site, renews its leases, and keeps
a copy of the directory of the first registry that answers and knows everybody, which counts. Peers
that know each other go on when no registry answers at all.

Only on the loop thread, except for what says otherwise. MembershipPlan decides what to ask when.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterable
from dataclasses import replace

from . import frame as frames
from .directory import DirectoryCopy
from .errors import Conflict, InvalidArgument, NotFound, Refused, TidemarkError
from .link import Link
from .membership_plan import RENEWAL, Ask, MembershipPlan
from .messages import Directory, Lease, NodeInfo, node_list
from .packing import pack
from .requests import Answer
from .state_follower import StateFollower, WholeState

log = logging.getLogger("tidemark")

TICK = 0.1
SILENCE = 1.0  # five heartbeats
LEASE = 3.0
NOTHING = pack([])


def renewal(info: NodeInfo) -> bytes:
    """Proof of membership."""
    return pack([info.uuid.bytes, info.incarnation])


class _Registry:
    def __init__(self, info: NodeInfo):
        self.info = info
        self.copy = DirectoryCopy()
        self.has_copy = False
        self.introduced_at = -1e18
        self.follower: StateFollower | None = None


class Membership:
    def __init__(self, link: Link, registries: Iterable[NodeInfo], registers: bool,
                 on_changes: Callable[[Directory, list[NodeInfo]], None],
                 on_fenced: Callable[[TidemarkError], None]):
        """`on_fenced`: another incarnation of this node is there, or its name is taken."""
        self._link = link
        self._registries = [_Registry(info) for info in registries]
        self._plan = MembershipPlan(len(self._registries))
        self._registers = registers
        self._on_changes = on_changes
        self._on_fenced = on_fenced
        self._chosen = 0
        self._leaving = False
        self._refused = ""
        self._self = link.info
        link.set_peer(link.info)  # a node may listen to itself, and ask itself
        for registry in self._registries:
            link.set_peer(registry.info)
        link.post(self._begin)

    def set_surface(self, labels: tuple[str, ...], surface: bytes) -> None:
        """What this node belongs to and offers from now on. Threads: any."""
        def change() -> None:
            if not self._leaving:
                self._self = replace(self._self, labels=labels, surface=surface)
                self._act(self._plan.surface_changed(time.monotonic()))

        self._link.post(change)

    @property
    def settled(self) -> bool:
        """Whether everybody who lives is in the directory. Only on the loop thread."""
        settled_at = self._registries[self._chosen].copy.settled_at if self._registries else None
        return settled_at is not None and time.monotonic() >= settled_at

    def leave(self, patience: float) -> threading.Event:
        """Says goodbye to every registry, and registers no more. Set when all heard. Threads: any."""
        left = threading.Event()

        def say() -> None:
            self._leaving = True
            if not self._registers:
                left.set()
                return
            open_count = [len(self._registries)]

            def heard(_: Answer) -> None:
                open_count[0] -= 1
                if open_count[0] == 0:
                    left.set()

            for registry in self._registries:
                self._link.request(registry.info.number, "registry.goodbye",
                                   renewal(self._self), patience, heard)

        self._link.post(say)
        return left

    def _begin(self) -> None:
        for at in range(len(self._registries)):
            self._follow(at)
        self._tick()

    def _follow(self, at: int) -> None:
        registry = self._registries[at]

        def read_state(_: list[bytes], answer: bytes) -> WholeState:
            whole = Directory.unpacked(answer)
            return WholeState(whole.registry, whole.revision, [answer])

        def on_state(parts: list[bytes]) -> None:
            now = time.monotonic()
            whole = Directory.unpacked(parts[0])
            registry.has_copy = True
            self._take(at, registry.copy.take_whole(whole, now))
            if self._registers and not self._leaving:
                self._act(self._plan.heard(at, whole.registry, now))

        def on_items(payload: bytes) -> None:
            self._take(at, registry.copy.take_changes(node_list(payload)))

        registry.follower = StateFollower(
            self._link, frames.DIRECTORY, registry.info.number, frames.DIRECTORY_STREAM,
            "registry.directory", NOTHING, read_state, on_state, on_items)

    def _introduce(self, at: int, now: float) -> None:
        """Where a registry publishes is known when it has said so: with tcp its port changes."""
        registry = self._registries[at]
        if now - registry.introduced_at < SILENCE or registry.follower is None or \
                now - registry.follower.heard_at < SILENCE:
            return
        registry.introduced_at = now

        def on_answer(answer: Answer) -> None:
            if isinstance(answer, TidemarkError):
                return
            for node in Directory.unpacked(answer).nodes:
                if node.uuid == registry.info.uuid:
                    self._learn(node)

        self._link.request(registry.info.number, "registry.directory", NOTHING, SILENCE, on_answer)

    def _tick(self) -> None:
        self._link.after(TICK, self._tick)
        now = time.monotonic()
        if self._registers and not self._leaving:
            self._act(self._plan.tick(now))
        for at, registry in enumerate(self._registries):
            self._introduce(at, now)
            late = registry.copy.tick(now, time.time_ns())
            if late:
                self._take(at, late)
        self._choose()

    def _choose(self) -> None:
        chosen = self._which_counts(time.monotonic())
        if chosen is not None and chosen != self._chosen:
            self._chosen = chosen
            log.info("the directory of %s counts from now on", self._registries[chosen].info.name)
            self._tell(list(self._registries[chosen].copy.directory().nodes))

    def _which_counts(self, now: float) -> int | None:
        """Of the registries that answer the first one that knows everybody who lives: one that has
        just started does not, as long as another one does. None: the one that counted goes on.
        """
        answer = [at for at in range(len(self._registries)) if self._answers(at, now)]
        for at in answer:
            settled_at = self._registries[at].copy.settled_at
            if settled_at is not None and settled_at <= now:
                return at
        if answer:
            return answer[0]
        if not self._registries or self._registries[self._chosen].has_copy:
            return None
        return next((at for at, each in enumerate(self._registries) if each.has_copy), None)

    def _answers(self, at: int, now: float) -> bool:
        """And has shown its directory: of this life of it."""
        registry = self._registries[at]
        if not registry.has_copy or registry.follower is None:
            return False
        if not self._registers:
            return now - registry.follower.heard_at < LEASE
        return self._plan.holds(at, now) and \
            self._plan.incarnation(at) == registry.copy.registry

    def _take(self, at: int, changed: list[NodeInfo]) -> None:
        if at == self._chosen:
            self._tell(changed)
        else:
            self._choose()

    def _tell(self, changed: list[NodeInfo]) -> None:
        for node in changed:
            self._learn(node)
        self._on_changes(self._registries[self._chosen].copy.directory(), changed)

    def _learn(self, node: NodeInfo) -> None:
        if node.uuid == self._self.uuid:
            return
        # A registry is asked for ever where the site file says, whatever another one says of it.
        if node.is_gone and any(each.info.uuid == node.uuid for each in self._registries):
            return
        self._link.set_peer(node)

    def _act(self, asks: list[Ask]) -> None:
        for each in asks:
            self._ask(each)

    def _ask(self, ask: Ask) -> None:
        registry = self._registries[ask.registry].info

        def on_answer(answer: Answer) -> None:
            if self._leaving:
                return
            now = time.monotonic()
            if isinstance(answer, (Refused, Conflict)):
                self._on_fenced(answer)
            elif isinstance(answer, NotFound):
                self._act(self._plan.not_found(ask.registry, now))
            elif isinstance(answer, TidemarkError):
                if isinstance(answer, InvalidArgument) and str(answer) != self._refused:
                    self._refused = str(answer)  # asked again each second, and worth one line
                    log.error("the registry does not take %s: %s", self._self.name, answer)
                self._plan.silent(ask.registry)
            else:
                self._act(self._plan.granted(ask.registry, Lease.unpacked(answer), now))
                self._choose()

        if ask.registers:
            self._link.request(registry.number, "registry.register",
                               pack(self._self.to_wire()), RENEWAL, on_answer)
        else:
            self._link.request(registry.number, "registry.renew", renewal(self._self), RENEWAL,
                               on_answer)
