"""What a life of a node said and the journal has not acknowledged, on disk, for the next life. One
file of one life; outbox_lives keeps a folder of them. The format is that of the protocol page, so a
life in C++ delivers what one in Python left, and the other way round.

    push() ──► [ head: whose, acknowledged through | frame | frame | … ]
                                      ▲ acknowledged() moves on; when all is, the frames go

A process that is killed leaves whole frames, and at the end perhaps half of one, which is not there
for whoever reads. Progress is written in place; an older number means that some is sent twice.
"""

from __future__ import annotations

import os
import struct
import zlib
from collections import deque
from dataclasses import dataclass, field
from pathlib import Path

from .errors import Corruption, Unavailable
from .outbox_queue import Section

MAGIC = b"TMSP"
FORMAT = 1
NAME_BYTES_MAX = 64
DEAD_BYTES_MAX = 1 << 20  # acknowledged, in front of what is not
FILE_BYTES_MAX = 1 << 36

_HEAD = struct.Struct("<4sIQQQ")  # magic, format, acknowledged, first and last that found no room
_PROGRESS = struct.Struct("<QQQ")
_AT_PROGRESS = 8
_OWNER = struct.Struct("<16sII")  # origin, incarnation, bytes of the name
_FRAME = struct.Struct("<II")  # bytes, and their CRC-32
_SECTION = struct.Struct("<QIBq")  # sequence, count, format, sent at


@dataclass(frozen=True)
class Owner:
    """As whom it is said: origin, node and incarnation of an append."""

    origin: bytes
    node: str
    incarnation: int


@dataclass
class Spooled:
    """What a file holds."""

    owner: Owner
    acknowledged: int = 0
    # Numbers of records that found no room; 0: none.
    lost_first: int = 0
    lost_last: int = 0
    sections: list[Section] = field(default_factory=list)  # beyond `acknowledged`, in sequence

    @property
    def last(self) -> int:
        """Of the last record that this life is known to have numbered."""
        return max(self.acknowledged, self.lost_last, *(each.last for each in self.sections[-1:]))


def decode(data: bytes) -> Spooled:
    """Raises Corruption: no head of a spool, or one of a later version."""
    at_name = _HEAD.size + _OWNER.size
    if len(data) < at_name or not data.startswith(MAGIC):
        raise Corruption("not the head of a spool")
    _, version, acknowledged, lost_first, lost_last = _HEAD.unpack_from(data)
    if version != FORMAT:
        raise Corruption("a spool of another version")
    origin, incarnation, name_bytes = _OWNER.unpack_from(data, _HEAD.size)
    at = at_name + name_bytes + 4
    if name_bytes > NAME_BYTES_MAX or len(data) < at or \
            zlib.crc32(data[_HEAD.size:at - 4]) != int.from_bytes(data[at - 4:at], "little"):
        raise Corruption("not the head of a spool")
    name = data[at_name:at - 4].decode(errors="replace")
    out = Spooled(Owner(origin, name, incarnation), acknowledged, lost_first, lost_last)
    before = 0
    while len(data) - at >= _FRAME.size:
        size, checksum = _FRAME.unpack_from(data, at)
        body = data[at + _FRAME.size:at + _FRAME.size + size]
        if size < _SECTION.size or len(body) < size or zlib.crc32(body) != checksum:
            break
        sequence, count, kind, sent_at = _SECTION.unpack_from(body)
        section = Section(sequence, count, sent_at, body[_SECTION.size:], format=kind)
        if count == 0 or sequence <= before or section.last >= 1 << 64:
            break
        before = section.last
        if section.last > acknowledged:
            out.sections.append(section)
        at += _FRAME.size + size
    return out


def read(path: Path) -> Spooled:
    """Raises Unavailable: it cannot be read, or is larger than a spool may be; and Corruption."""
    try:
        if path.stat().st_size > FILE_BYTES_MAX:
            raise Unavailable(f"{path} is too large for a spool")
        data = path.read_bytes()
    except OSError as failure:
        raise Unavailable(f"cannot read {path}: {failure.strerror}") from None
    try:
        return decode(data)
    except Corruption as failure:
        raise Corruption(f"{path}: {failure.message}") from None


class Spool:
    """Threads: one at a time."""

    def __init__(self, path: Path, owner: Owner, bytes_max: int):
        """Makes the file. Raises Unavailable, also when there is one already."""
        self._path = path
        self._bytes_max = bytes_max
        self._frames: deque[tuple[int, int]] = deque()  # last record, and where: not acknowledged
        self._acknowledged = 0
        self._lost = (0, 0)
        name = owner.node.encode()[:NAME_BYTES_MAX]
        whose = _OWNER.pack(owner.origin, owner.incarnation, len(name)) + name
        head = _HEAD.pack(MAGIC, FORMAT, 0, 0, 0) + whose + zlib.crc32(whose).to_bytes(4, "little")
        self._begin = self.bytes = len(head)  # of the frames, and of the file
        try:
            self._file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o644)
        except OSError as failure:
            raise Unavailable(f"cannot make {path}: {failure.strerror}") from None
        try:
            _write_at(self._file, 0, head)
        except OSError as failure:
            os.close(self._file)
            path.unlink(missing_ok=True)
            raise Unavailable(f"cannot write {path}: {failure.strerror}") from None

    def push(self, section: Section) -> bool:
        """False when there is no room: the file then says which numbers it lacks.

        Durability: what was taken is there after any end of this process; not after a power cut.
        """
        body = _SECTION.pack(section.sequence, section.count, section.format,
                             section.sent_at) + section.payload
        frame = _FRAME.pack(len(body), zlib.crc32(body)) + body
        if self.bytes + len(frame) > self._bytes_max and self._frames:
            self._compact()
        first, last = self._lost
        # Behind a hole nothing is taken until the hole is past: one range says what is missing.
        if last == 0 and self.bytes + len(frame) <= self._bytes_max:
            try:
                _write_at(self._file, self.bytes, frame)
            except OSError:
                pass  # the disk is full; what was written of it is written over
            else:
                self._frames.append((section.last, self.bytes))
                self.bytes += len(frame)
                return True
        self._lost = (first or section.sequence, section.last)
        self._write_progress()
        return False

    def acknowledged(self, through: int) -> None:
        """Every record up to `through` is in the journal."""
        if through <= self._acknowledged:
            return
        self._acknowledged = through
        had = bool(self._frames) or self._lost[1] != 0
        while self._frames and self._frames[0][0] <= through:
            self._frames.popleft()
        if self._lost[1] <= through:
            self._lost = (0, 0)
        if not had:
            return
        self._write_progress()
        if not self._frames:
            try:
                os.ftruncate(self._file, self._begin)
                self.bytes = self._begin
            except OSError:
                pass  # acknowledged frames in it cost room only
            return
        dead = self._frames[0][1] - self._begin
        if dead > DEAD_BYTES_MAX and dead > self.bytes - self._frames[0][1]:
            self._compact()

    def close(self) -> None:
        """Removes the file when all that was pushed is acknowledged."""
        if not self._frames and self._lost[1] == 0:
            self._path.unlink(missing_ok=True)
        os.close(self._file)

    def _write_progress(self) -> None:
        try:
            _write_at(self._file, _AT_PROGRESS, _PROGRESS.pack(self._acknowledged, *self._lost))
        except OSError:
            pass  # an older number does no harm

    def _compact(self) -> None:
        """Into a new file that takes the place of this one: a process that dies leaves either."""
        start = self._frames[0][1]
        if start == self._begin:
            return
        aside = self._path.with_name(self._path.name + ".new")
        try:
            data = os.pread(self._file, self._begin, 0) + \
                os.pread(self._file, self.bytes - start, start)
            made = os.open(aside, os.O_RDWR | os.O_CREAT | os.O_TRUNC, 0o644)
        except OSError:
            return
        try:
            _write_at(made, 0, data)
            aside.rename(self._path)
        except OSError:
            os.close(made)
            aside.unlink(missing_ok=True)
            return
        os.close(self._file)
        self._file = made
        self._frames = deque((last, at - start + self._begin) for last, at in self._frames)
        self.bytes = len(data)


def _write_at(file: int, at: int, data: bytes) -> None:
    rest = memoryview(data)
    while rest:
        done = os.pwrite(file, rest, at)
        at += done
        rest = rest[done:]
