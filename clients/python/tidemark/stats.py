"""What a program on the bus has counted since it started: what Client.stats() gives."""

from __future__ import annotations

from dataclasses import dataclass, field

from .link_counters import LinkCounters


@dataclass
class ListenerCounters:
    """Of all listeners. Written by the loop's thread and the callbacks'; a count may be late."""

    conflated: int = 0
    missed: int = 0


@dataclass(frozen=True)
class Stats:
    # Streams of others that are followed: the directory, keys, status items, replays.
    gaps: int = 0  # holes in the numbers of items
    repaired: int = 0  # of them, those whose items came again
    items_lost: int = 0  # that did not; the whole state was taken instead
    states: int = 0  # whole states that were taken, the first of each stream among them

    # Listeners here.
    conflated: int = 0  # values that a "latest" listener did not see: a newer one was there
    missed: int = 0  # updates for which there was no room until a slow listener would take them

    # Records on their way into the journal.
    records_held_bytes: int = 0  # not acknowledged yet
    records_dropped: int = 0  # for which there was no room; the journal records the gap

    link: LinkCounters = field(default_factory=LinkCounters)  # as of the protocol page
