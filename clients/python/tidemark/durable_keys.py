"""Keys of others out of the journal, for who must miss nothing: each update that it recorded, once
and in order, with its line.

    a page is asked for ──► link's loop ──► take(), by the listener's thread ──► the next page

One page is under way at a time, and the next is asked for when it was taken: a slow listener misses
nothing. All there is to remember is the next line, so a journal that restarts costs nothing either.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from concurrent.futures import Future

from . import glob
from .errors import (Conflict, Malformed, NotFound, Refused, TidemarkError, Timeout,
                     Unavailable)
from .journal import ANSWER_PATIENCE, FOLLOW_WAIT, Kind, Moment, Query
from .messages import LogLine, LogPage, Surface
from .remote_keys import Update
from .session import Session
from .values import Timestamp

DURABLE = "durable"
PAGE = 256  # lines; other callbacks wait for so many
RETRY = 0.2  # seconds, before a journal that is away is asked again
LOOK = 1.0  # seconds from one look at what is journaled to the next

AWAY = (Unavailable, NotFound, Timeout)


class DurableKeys:
    """One listener: `ready` is called when there is something to take(). Threads: any, but what is
    not guarded is touched by one at a time, whoever has the page.

    `on_problem` is called by take(), with
        Refused      a key that fits is not journaled, once each
        Unavailable  the journal is away, once each time; goes on when it is back
        Conflict     the journal ends before a line that was seen, once: is it another one?
    Any other error take() raises, and it is over. Among the updates that it returns, in their
    place, are
        NotFound     lines with updates that may have fitted have expired, for each stretch of them
    """

    def __init__(self, session: Session, pattern: str, since_line: int | None,
                 since: Moment | None, ready: Callable[[], object],
                 on_problem: Callable[[TidemarkError], object]):
        subsystem, slash, key = pattern.partition("/")
        self._subsystem = subsystem
        self._key = key if slash else "*"
        self._session = session
        self._ready = ready
        self._on_problem = on_problem
        self._since = since
        # Line 0: not known yet.
        self._next = since_line or (1 if since is not None else 0)
        self._away = False
        self._shorter = False
        self._told: dict[str, tuple[int, int]] = {}  # incarnation and sequence, by key
        self._looked = 0.0
        self._surfaces: dict[bytes, int] = {}  # that were looked at: their hashes
        self._unrecorded: set[str] = set()  # keys of which it was said
        self._lock = threading.Lock()
        # Guarded by _lock.
        self._answer: Future[bytes] | None = None
        self.closed = False

    def begin(self) -> None:
        """Once, when the session is on the bus."""
        if self._next == 0:
            wanted = Query(first=0, newest_first=True, limit=1)
            wait = 0.0
        else:
            wanted = Query(first=self._next, kinds=(Kind.KV_UPDATE,), since=self._since,
                           subject=f"{self._subsystem}/{self._key}", limit=PAGE)
            wait = 0.0 if self._away else FOLLOW_WAIT
        try:
            answer = self._session.ask("journal", "journal.read", wanted.packed(wait),
                                       wait + ANSWER_PATIENCE)
        except Unavailable:
            return  # has left the bus
        answer.add_done_callback(self._answered)

    def take(self) -> list[Update | TidemarkError]:
        """What came, and asks for more. One thread at a time."""
        with self._lock:
            answer, self._answer = self._answer, None
            if answer is None or self.closed:
                return []
        try:
            page = LogPage.unpacked(answer.result())
        except AWAY as error:
            if not self._away:
                self._away = True
                self._on_problem(Unavailable(f"the journal is away ({error}); waiting"))
            self._later(self.begin)
            return []
        except TidemarkError:
            self.closed = True
            raise
        self._away = False
        self._look()
        if self._next == 0:
            self._next = page.last_line + 1
            self.begin()
            return []
        if page.last_line + 1 < self._next and not self._shorter:
            self._shorter = True
            self._on_problem(Conflict(f"the journal ends at line {page.last_line}, before line "
                                      f"{self._next - 1} that was seen: is it another one?"))
        found: list[Update | TidemarkError] = []
        for line in page.lines:
            if line.line >= self._next:
                self._next = line.line + 1
                found += self._told_of(line)
        self._next = max(self._next, page.next)
        self.begin()
        return found

    def close(self) -> None:
        with self._lock:
            self.closed = True
            self._answer = None

    def _answered(self, answer: Future[bytes]) -> None:
        with self._lock:
            if self.closed or self._session.ended.is_set():
                return
            self._answer = answer
        self._wake()

    def _wake(self) -> None:
        if self._ready() is False:  # too much waits there
            self._later(self._wake)

    def _later(self, what: Callable[[], None]) -> None:
        try:
            self._session.link.after(RETRY, what)
        except Unavailable:
            pass  # has left the bus

    def _told_of(self, line: LogLine) -> list[Update | TidemarkError]:
        if line.kind == Kind.EXPIRED:
            return [NotFound(line.text)]
        if line.kind != Kind.KV_UPDATE or len(line.record) < 6:
            return []
        _, key, value, at, writer, sequence = line.record[:6]
        subsystem, _, name = key.partition("/")
        if not self._fits(subsystem, name):
            return []
        incarnation, last = self._told.get(key, (0, 0))
        goes_on = incarnation == line.incarnation and sequence > last
        self._told[key] = (line.incarnation, sequence)
        return [Update(key, value, Timestamp(at), sequence, "good", writer,
                       sequence - last - 1 if goes_on else 0, line.incarnation, line.line)]

    def _fits(self, subsystem: str, key: str) -> bool:
        return glob.matches(self._subsystem, subsystem) and glob.matches(self._key, key)

    def _look(self) -> None:
        """Says which keys that fit are not journaled."""
        now = time.monotonic()
        if now < self._looked + LOOK:
            return
        self._looked = now
        for node in self._session.directory().nodes:
            seen = hash(node.surface)
            if not node.surface or self._surfaces.get(node.uuid.bytes) == seen:
                continue
            self._surfaces[node.uuid.bytes] = seen
            try:
                surface = Surface.unpacked(node.surface)
            except Malformed:
                continue
            for spec in surface.keys:
                name = f"{node.name}/{spec.name}"
                if spec.journaled or not self._fits(node.name, spec.name):
                    self._unrecorded.discard(name)
                elif name not in self._unrecorded:
                    self._unrecorded.add(name)
                    self._on_problem(Refused(f"{name} is not journaled: only what others write "
                                             "to it is recorded"))
