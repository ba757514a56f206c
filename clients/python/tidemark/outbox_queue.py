"""What we said and the journal has not acknowledged: numbered, in order, bounded. Pure.

    push ──► [ sent, unacknowledged | not sent yet ] ──► next()      acknowledged() forgets
                 ▲ rewind(): send all of it again

When it is full the oldest updates of keys go first, never other records. What went has its numbers
all the same: the journal sees the hole, and records the gap.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any

BYTES_MAX = 64 << 20  # beyond, updates go
REQUEST_BYTES_MAX = 1 << 20  # of one request, unless one section is larger
REQUEST_SECTIONS_MAX = 1000  # more the journal does not take at once
REQUESTS_MAX = 8  # on the way at once
SECTION_BYTES = 128  # what one costs besides its payload
RECORDS_FORMAT = 2


@dataclass(frozen=True)
class Section:
    sequence: int  # of its first record
    count: int
    sent_at: int
    payload: bytes
    updates: bool = False  # of keys: others follow their values, and the newest counts most
    format: int = RECORDS_FORMAT
    # There was no room for it any more while it was on the way: the answer tells whether the
    # journal has it, and only its numbers are kept until then.
    gone: bool = False

    @property
    def last(self) -> int:
        return self.sequence + self.count - 1

    @property
    def weight(self) -> int:
        return len(self.payload) + SECTION_BYTES

    def to_wire(self) -> list[Any]:
        return [self.sequence, self.count, self.format, self.sent_at, self.payload]


class OutboxQueue:
    def __init__(self, bytes_max: int = BYTES_MAX, acknowledged: int = 0,
                 sections: Iterable[Section] = ()):
        """`sections`: what a life that is over had said, beyond `acknowledged`."""
        self._bytes_max = bytes_max
        self._sections = deque(sections)
        self._sent = 0  # of them, from the front
        self._requests = 0
        self._next = 1
        self._acknowledged = acknowledged
        self.bytes = sum(each.weight for each in self._sections)
        self.dropped = 0  # records that went or were skipped

    def push(self, count: int, sent_at: int, payload: bytes, updates: bool = False) -> Section:
        """`updates`: of keys, which may go when there is no room."""
        section = Section(self._next, count, sent_at, payload, updates)
        self._sections.append(section)
        self._next += count
        self.bytes += section.weight
        if self.bytes > self._bytes_max:
            self._make_room()
        return section

    def skip(self, count: int) -> None:
        """Numbers records that nobody could take. The hole shows with the next record."""
        self._next += count
        self.dropped += count

    def _make_room(self) -> None:
        at = 0
        while at < len(self._sections) and self.bytes > self._bytes_max:
            section = self._sections[at]
            if not section.updates or section.gone:
                at += 1
                continue
            self.bytes -= section.weight
            if at < self._sent:
                self._sections[at] = replace(section, payload=b"", gone=True)
                at += 1
                continue
            self.dropped += section.count
            del self._sections[at]

    @property
    def after(self) -> int:
        """The last record before what next() gives."""
        return self._acknowledged if self._sent == 0 else self._sections[self._sent - 1].last

    @property
    def acknowledged_through(self) -> int:
        return self._acknowledged

    @property
    def idle(self) -> bool:
        return not self._sections

    @property
    def hole(self) -> int:
        """So many numbers nobody sees to be missing, since nothing that waits follows them."""
        return 0 if self._sections else self._next - 1 - self._acknowledged

    def next(self) -> list[Section]:
        """The sections of the next request, or none: nothing to send, or enough on the way."""
        taken: list[Section] = []
        size = 0
        while self._requests < REQUESTS_MAX and self._sent < len(self._sections):
            section = self._sections[self._sent]
            if taken and (len(taken) >= REQUEST_SECTIONS_MAX
                          or size + section.weight > REQUEST_BYTES_MAX):
                break
            size += section.weight
            taken.append(section)
            self._sent += 1
        self._requests += bool(taken)
        return taken

    def acknowledged(self, through: int) -> None:
        """Every record up to `through` is in the journal; one request has been answered."""
        self._requests = max(0, self._requests - 1)
        self._acknowledged = max(self._acknowledged, through)
        while self._sections and self._sections[0].last <= self._acknowledged:
            section = self._sections.popleft()
            self.bytes -= 0 if section.gone else section.weight
            self._sent = max(0, self._sent - 1)

    def rewind(self) -> None:
        """A request failed: what is not acknowledged is sent again, from the oldest on."""
        gone = [each for each in self._sections if each.gone]
        if gone:
            self._sections = deque(each for each in self._sections if not each.gone)
            self.dropped += sum(each.count for each in gone)
        self._sent = 0
        self._requests = 0
