"""An outbox queue that outlives its process: what this life of a node says is also on disk until
the journal has it, and what earlier lives left there is sent first, as theirs.

    push ──► queue of this life ──► spool on disk            next() ──► of the oldest life that
             queues of past lives ◄── spools found at start             has something, until it is
                                                                        acknowledged

One thread at a time.
"""

from __future__ import annotations

import logging
import time
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from . import spool as spools
from .errors import Corruption, TidemarkError, Unavailable
from .journal import Kind
from .messages import WARNING
from .outbox_queue import BYTES_MAX, OutboxQueue, Section
from .packing import pack
from .spool import Owner, Spool, Spooled

log = logging.getLogger("tidemark")

SUFFIX = ".spool"
LIVES_MAX = 256  # in a folder: a node that dies at every start
SPOOL_BYTES_MIN = 64 << 10  # of this life, however much others left


@dataclass(frozen=True)
class SpoolPlace:
    directory: Path  # of this origin alone
    bytes_max: int  # of all lives in it


@dataclass
class _Past:
    owner: Owner
    queue: OutboxQueue
    path: Path


class OutboxLives:
    def __init__(self, owner: Owner, place: SpoolPlace | None, kept_bytes_max: int = BYTES_MAX):
        """Reads what is in the place, and makes a spool for this life. What cannot be read is put
        aside as `….bad`; when the disk refuses, it goes on without a spool. Both are logged.
        """
        self._owner = owner
        self._kept_bytes_max = kept_bytes_max
        self._past: deque[_Past] = deque()  # oldest first; none of them idle
        self._queue = OutboxQueue(kept_bytes_max)
        self._spool: Spool | None = None
        if place is not None:
            self._open(place)

    def _open(self, place: SpoolPlace) -> None:
        try:
            place.directory.mkdir(parents=True, exist_ok=True)
            used = self._find_past(place.directory)
            self._spool = Spool(place.directory / f"{self._owner.incarnation}{SUFFIX}",
                                self._owner, max(SPOOL_BYTES_MIN, place.bytes_max - used))
        except OSError as failure:
            log.warning("going on without a spool: %s", failure)
        except Unavailable as failure:
            log.warning("going on without a spool: %s", failure.message)

    def _find_past(self, directory: Path) -> int:
        """Answers the bytes that are still needed there."""
        found = sorted(_earlier_lives(directory, self._owner),
                       key=lambda each: each[1].owner.incarnation)
        for path, _ in found[:-LIVES_MAX]:
            log.error("more than %d lives wait in %s: what %s holds is lost", LIVES_MAX, directory,
                      path)
            path.unlink(missing_ok=True)
        used = 0
        for path, spooled in found[-LIVES_MAX:]:
            _say_what_is_missing(spooled)
            if not spooled.sections:
                path.unlink(missing_ok=True)
                continue
            log.info("incarnation %d has left records for the journal: %d to %d",
                     spooled.owner.incarnation, spooled.sections[0].sequence, spooled.last)
            queue = OutboxQueue(self._kept_bytes_max, spooled.acknowledged, spooled.sections)
            used += queue.bytes
            self._past.append(_Past(spooled.owner, queue, path))
        return used

    # ---- of this life

    def push(self, count: int, sent_at: int, payload: bytes, updates: bool = False) -> None:
        section = self._queue.push(count, sent_at, payload, updates)
        if self._spool is not None:
            self._spool.push(section)

    def skip(self, count: int) -> None:
        self._queue.skip(count)

    @property
    def bytes(self) -> int:
        return self._queue.bytes

    @property
    def dropped(self) -> int:
        return self._queue.dropped

    # ---- of the life whose turn it is

    def next(self) -> list[Any] | None:
        """The next append, or None: nothing to send, or enough on the way."""
        queue = self._front
        owner = self._past[0].owner if self._past else self._owner
        after = queue.after
        sections = queue.next()
        if not sections:
            return None
        return [owner.origin, owner.node, owner.incarnation, after,
                [each.to_wire() for each in sections], queue.acknowledged_through, False,
                self._spool is not None]

    def acknowledged(self, through: int) -> bool:
        """True when that life has all of it: answers to its other requests mean nothing more."""
        self._front.acknowledged(through)
        if not self._past:
            if self._spool is not None:
                self._spool.acknowledged(through)
            self._say_what_was_dropped()
            return False
        if not self._front.idle:
            return False
        self._drop_past()
        return True

    def _say_what_was_dropped(self) -> None:
        """When the newest were, and nothing follows them: the journal sees the hole with this."""
        count = self._queue.hole
        if count == 0:
            return
        why = f"{count} updates were dropped: too much was held back for the journal"
        now = time.time_ns()
        record = [int(Kind.LOG_MESSAGE), WARNING, self._owner.node, why, None, "", now]
        self.push(1, now, pack([record]))

    def rewind(self) -> None:
        self._front.rewind()

    def give_up(self) -> bool:
        """The journal will never take what next() speaks for, when that is a past life: it is
        dropped. False when it is this life, or who has a successor."""
        if not self._past or _has_successor(self._past[0].path.parent, self._owner.incarnation):
            return False
        self._drop_past()
        return True

    @property
    def idle(self) -> bool:
        """Nothing waits, of no life."""
        return not self._past and self._queue.idle

    def close(self) -> None:
        """What the journal does not have stays on disk."""
        if self._spool is not None:
            self._spool.close()
            self._spool = None

    @property
    def _front(self) -> OutboxQueue:
        return self._past[0].queue if self._past else self._queue

    def _drop_past(self) -> None:
        self._past.popleft().path.unlink(missing_ok=True)


def _earlier_lives(directory: Path, owner: Owner) -> Iterator[tuple[Path, Spooled]]:
    for path in list(directory.iterdir()):
        if path.suffix == ".new":
            path.unlink(missing_ok=True)
        if path.suffix != SUFFIX:
            continue
        try:
            spooled = spools.read(path)
        except (Corruption, Unavailable) as failure:
            log.error("%s; put aside as %s.bad", failure.message, path)
            path.rename(path.with_name(path.name + ".bad"))
            continue
        if spooled.owner.origin == owner.origin and \
                spooled.owner.incarnation != owner.incarnation:
            yield path, spooled


def _has_successor(directory: Path, incarnation: int) -> bool:
    """A process with a successor is refused everything, which says nothing of the life that it
    speaks for."""
    return any(path.suffix == SUFFIX and path.stem.isdigit() and int(path.stem) > incarnation
               for path in directory.iterdir())


def _say_what_is_missing(spooled: Spooled) -> None:
    """The number behind a hole at the end, so that the journal sees the hole; and why it is there."""
    if spooled.lost_last == 0 or spooled.lost_last != spooled.last:
        return
    why = (f"records {spooled.lost_first} to {spooled.lost_last} of incarnation "
           f"{spooled.owner.incarnation} are lost: its spool was full when it ended")
    now = time.time_ns()
    record = [int(Kind.LOG_MESSAGE), WARNING, spooled.owner.node, why, None, "", now]
    spooled.sections.append(Section(spooled.lost_last + 1, 1, now, pack([record])))


def is_final(failure: TidemarkError) -> bool:
    """Whether sending the same again would get the same answer, for ever."""
    return failure.code in (1, 6, 7)
