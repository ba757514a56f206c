"""The header of a request or an answer: 40 bytes (48 when a request is sent again), then the method's
name (requests only), then the payload.
"""

from __future__ import annotations

import struct
import zlib
from dataclasses import dataclass

from .errors import Malformed, TidemarkError, error_of
from .packing import Row, pack, unpack

WIRE_MAJOR = 1
HEADER_BYTES = 40
BYTES_MAX = 64 << 20
METHOD_BYTES_MAX = 64
BUDGET_MAX = (1 << 63) - 1

REQUEST = ord("Q")
PROGRESS = ord("P")
DONE = ord("D")
FAILED = ord("F")
CANCEL = ord("C")
_KINDS = (REQUEST, PROGRESS, DONE, FAILED, CANCEL)

_HEADER = struct.Struct("<BBBBI16sqII")
_TAIL = struct.Struct("<II")


@dataclass(frozen=True)
class Envelope:
    kind: int
    call: bytes
    incarnation: int  # of the sender
    method: str = ""
    budget: int = 0  # ns, from now on
    payload: bytes = b""
    parts: int = 0  # of a done: how many progresses were sent before it
    server: int = 0  # of a request that is sent again: the incarnation that got it first


def call_id(node: int, incarnation: int, counter: int) -> bytes:
    return struct.pack(">I", node) + struct.pack("<IQ", incarnation, counter)


def caller_of(call: bytes) -> int:
    return int.from_bytes(call[:4], "big")


def encode(envelope: Envelope) -> bytes:
    method = envelope.method.encode()
    tail = _TAIL.pack(envelope.server, 0) if envelope.server else b""
    return _HEADER.pack(envelope.kind, WIRE_MAJOR, (HEADER_BYTES + len(tail)) // 8, len(method),
                        envelope.incarnation, envelope.call,
                        envelope.parts if envelope.kind == DONE else envelope.budget,
                        len(envelope.payload),
                        zlib.crc32(envelope.payload, zlib.crc32(method))) \
        + tail + method + envelope.payload


def decode(data: bytes) -> Envelope:
    """Raises Malformed, saying what was wrong."""
    if len(data) < HEADER_BYTES:
        raise Malformed(f"envelope of {len(data)} bytes")
    kind, major, words, method_bytes, incarnation, call, budget, size, checksum = \
        _HEADER.unpack_from(data, 0)
    if major != WIRE_MAJOR:
        raise Malformed(f"envelope of wire version {major}")
    if kind not in _KINDS:
        raise Malformed(f"envelope of kind {kind}")
    begin = words * 8
    if begin < HEADER_BYTES or len(data) != begin + method_bytes + size:
        raise Malformed("envelope whose length is not what it says")
    if (kind == REQUEST) != (1 <= method_bytes <= METHOD_BYTES_MAX) or \
            (kind != REQUEST and method_bytes > 0):
        raise Malformed("envelope whose method does not fit its kind")
    if budget < 0:
        raise Malformed("envelope with a budget below nothing")
    if zlib.crc32(data[begin:]) != checksum:
        raise Malformed("envelope whose checksum is wrong")
    try:
        method = data[begin:begin + method_bytes].decode()
    except UnicodeDecodeError:
        raise Malformed("envelope whose method is no text") from None
    server = 0
    if kind == REQUEST and begin >= HEADER_BYTES + _TAIL.size:
        server, _ = _TAIL.unpack_from(data, HEADER_BYTES)
    return Envelope(kind, call, incarnation, method, budget if kind == REQUEST else 0,
                    data[begin + method_bytes:], budget if kind == DONE else 0, server)


def pack_failure(error: TidemarkError) -> bytes:
    return pack([error.code, error.message])


def unpack_failure(payload: bytes) -> TidemarkError:
    try:
        row = Row(unpack(payload), "failure")
        return error_of(row.number(0), row.text(1))
    except Malformed:
        return error_of(7, "a failed answer without a reason")
