"""The header of a data frame: 48 bytes, then the payload. Its first eight bytes are what
subscribers ask for.
"""

from __future__ import annotations

import struct
import zlib
from dataclasses import dataclass

from .errors import Malformed

WIRE_MAJOR = 1
HEADER_BYTES = 48
PAYLOAD_BYTES_MAX = 16 << 20

STATE = ord("S")
EVENT = ord("E")
DIRECTORY = ord("D")
HEARTBEAT = ord("H")
REPLAY_STATE = ord("s")  # the past, played again: in small letters
REPLAY_NEWS = ord("e")
_CLASSES = (STATE, EVENT, DIRECTORY, HEARTBEAT, REPLAY_STATE, REPLAY_NEWS)

DIRECTORY_STREAM = 2
KEY_STREAM = 16
STATUS_STREAM = 17
REPLAY_STREAMS = 0x8000  # from here on, two for each replay

_AT_SENT_AT = 32
_PREFIX = struct.Struct(">BBIH")
_REST = struct.Struct("<IHBBQIIqHHI")


@dataclass(frozen=True)
class Frame:
    frame_class: int
    node: int
    stream: int
    incarnation: int
    sequence: int  # of the first item; of a heartbeat, the last one published
    count: int
    sent_at: int  # ns UTC, the publisher's clock
    payload: bytes = b""
    flags: int = 0
    schema: int = 0

    @property
    def is_heartbeat(self) -> bool:
        return self.frame_class == HEARTBEAT

    @property
    def is_jump(self) -> bool:
        """Of a replay: what was published before it is void."""
        return self.frame_class == REPLAY_STATE and not self.payload

    @property
    def last(self) -> int:
        """The last item that it holds, or tells of."""
        return self.sequence if self.is_heartbeat else self.sequence + self.count - 1

    @property
    def before(self) -> int:
        """The last item that must have been published before it."""
        return self.sequence if self.is_heartbeat else self.sequence - 1


def prefix(frame_class: int, node: int, stream: int) -> bytes:
    """What to subscribe to for one class of one stream."""
    return _PREFIX.pack(frame_class, WIRE_MAJOR, node, stream)


def encode(frame: Frame) -> bytes:
    return prefix(frame.frame_class, frame.node, frame.stream) + _REST.pack(
        frame.incarnation, frame.flags, HEADER_BYTES // 8, 0, frame.sequence, frame.count,
        zlib.crc32(frame.payload), frame.sent_at, frame.schema, 0,
        len(frame.payload)) + frame.payload


def age(data: bytes, now: int) -> float:
    """Seconds since it was sent, without reading more of it; 0 of what is no frame."""
    if len(data) < HEADER_BYTES:
        return 0.0
    return (now - int.from_bytes(data[_AT_SENT_AT:_AT_SENT_AT + 8], "little", signed=True)) / 1e9


def decode(data: bytes) -> Frame:
    """Raises Malformed, saying what was wrong."""
    if len(data) < HEADER_BYTES:
        raise Malformed(f"frame of {len(data)} bytes")
    frame_class, major, node, stream = _PREFIX.unpack_from(data, 0)
    (incarnation, flags, words, _, sequence, count, checksum, sent_at, schema, _,
     size) = _REST.unpack_from(data, _PREFIX.size)
    if major != WIRE_MAJOR:
        raise Malformed(f"frame of wire version {major}")
    if frame_class not in _CLASSES:
        raise Malformed(f"frame of class {frame_class}")
    begin = words * 8
    if begin < HEADER_BYTES or len(data) != begin + size or size > PAYLOAD_BYTES_MAX:
        raise Malformed("frame whose length is not what it says")
    is_heartbeat = frame_class == HEARTBEAT
    if is_heartbeat != (count == 0) or (is_heartbeat and size > 0) or \
            (not is_heartbeat and (sequence == 0 or sequence + count > 1 << 64)):
        raise Malformed("frame whose count does not fit its class")
    of_replay = frame_class in (REPLAY_STATE, REPLAY_NEWS)
    if not is_heartbeat and of_replay != (stream >= REPLAY_STREAMS):
        raise Malformed("frame whose class is not of its stream")
    payload = data[begin:]
    if zlib.crc32(payload) != checksum:
        raise Malformed("frame whose checksum is wrong")
    return Frame(frame_class, node, stream, incarnation, sequence, count, sent_at, payload,
                 flags, schema)
