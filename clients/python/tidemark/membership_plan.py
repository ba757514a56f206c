"""When a node registers with which registry, and when it renews: a pure function of events and time.

               not found, or a new incarnation of the registry
    unknown ◄────────────────────────────────────── leased ──► renews once a second
       └── registers once a second ──────────────────► ▲
"""

from __future__ import annotations

from dataclasses import dataclass

from .messages import Lease

RENEWAL = 1.0


@dataclass(frozen=True)
class Ask:
    registry: int  # its position
    registers: bool  # else renews


@dataclass
class _State:
    registered: bool = False
    asking: bool = False
    once_more: bool = False  # what is being asked is out of date already
    incarnation: int = 0
    next: float = 0.0
    lease_until: float = 0.0


class MembershipPlan:
    def __init__(self, registries: int):
        self._states = [_State() for _ in range(registries)]

    def tick(self, now: float) -> list[Ask]:
        """Call some ten times a second."""
        asks = []
        for at, state in enumerate(self._states):
            if not state.asking and now >= state.next:
                asks += self._ask(at, now)
        return asks

    def surface_changed(self, now: float) -> list[Ask]:
        """What this node says of itself has changed."""
        asks = []
        for at, state in enumerate(self._states):
            state.registered = False
            asks += self._ask(at, now)
        return asks

    def granted(self, at: int, lease: Lease, now: float) -> list[Ask]:
        state = self._states[at]
        state.asking = False
        state.lease_until = now + lease.duration
        state.incarnation = lease.registry
        if state.once_more:
            return self._ask(at, now)
        state.registered = True
        return []

    def not_found(self, at: int, now: float) -> list[Ask]:
        self._states[at].asking = False
        self._states[at].registered = False
        return self._ask(at, now)

    def silent(self, at: int) -> None:
        state = self._states[at]
        state.asking = state.once_more = False
        state.registered = False  # It may have restarted: registering does no harm.

    def heard(self, at: int, incarnation: int, now: float) -> list[Ask]:
        """Its directory was heard of: a new incarnation knows nobody yet."""
        state = self._states[at]
        if incarnation <= state.incarnation:
            return []
        state.incarnation = incarnation
        state.registered = False
        return self._ask(at, now)

    def holds(self, at: int, now: float) -> bool:
        """Its lease is good."""
        return self._states[at].lease_until > now

    def incarnation(self, at: int) -> int:
        """The newest that it was heard of in."""
        return self._states[at].incarnation

    def _ask(self, at: int, now: float) -> list[Ask]:
        state = self._states[at]
        if state.asking:
            state.once_more = True
            return []
        state.asking = True
        state.once_more = False
        state.next = now + RENEWAL
        return [Ask(at, not state.registered)]
