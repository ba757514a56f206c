"""A PV batch, as the live stream, replays and the journal have it: columns of a msgpack array."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import Any

from .errors import Malformed
from .packing import Row, unpack

FORMAT = 1
UPDATES_MAX = 65_536

VALUE, CONNECTED, DISCONNECTED = "value", "connected", "disconnected"
SEVERITIES = ("none", "minor", "major", "invalid")

SCALARS = {1: "d", 2: "f", 3: "i", 4: "h", 5: "B", 6: "H"}
_NOTHING = 0
STRING = 7
ARRAY = 16  # an array of type t has the code 16 + t
_CONNECTED = 64
_DISCONNECTED = 65


@dataclass(frozen=True)
class PvMeta:
    """What an IOC says of a PV."""

    native_type: str = ""
    host: str = ""
    units: str = ""
    precision: int = 0
    labels: tuple[str, ...] = ()  # of an enum


@dataclass(frozen=True)
class PvUpdate:
    channel: int
    event: str = VALUE
    value: Any = None  # a number, a text, or a list of them; of an enum its index
    taken_at: int = 0  # ns UTC, the IOC's clock
    severity: str = "none"
    status: int = 0
    meta: PvMeta | None = None  # of a connection


def decode(data: bytes) -> list[PvUpdate]:
    """Raises Malformed, saying what was wrong."""
    row = Row(unpack(data), "PV batch")
    if len(row) < 10 or row.number(0) != FORMAT:
        raise Malformed("PV batch of an unknown format")
    count = row.number(1)
    if not 0 <= count <= UPDATES_MAX:
        raise Malformed(f"PV batch of {count} updates")
    channels = _column(row.data(3), "I", count, "channels")
    times = _column(row.data(4), "q", count, "times")
    types = _column(row.data(5), "B", count, "types")
    alarms = _column(row.data(6), "B", 2 * count, "alarms")
    fixed, others, at = row.data(7), row.items(8), 0
    rest = iter(others)
    used = 0
    time = row.number(2)
    updates = []
    for i in range(count):
        time = _wrapped(time + times[i])
        severity = alarms[2 * i]
        if severity >= len(SEVERITIES):
            raise Malformed("PV batch: severities are from 0 to 3")
        event, value, meta = VALUE, None, None
        kind = types[i]
        if kind in SCALARS:
            try:
                (value,) = struct.unpack_from("<" + SCALARS[kind], fixed, at)
            except struct.error:
                raise Malformed("PV batch: fixed values are missing") from None
            at += struct.calcsize(SCALARS[kind])
        elif kind == _DISCONNECTED:
            event = DISCONNECTED
        elif kind != _NOTHING:
            if used == len(others):
                raise Malformed("PV batch: other contents are missing")
            used += 1
            content = next(rest)
            if kind == _CONNECTED:
                event, meta = CONNECTED, _meta(content)
            else:
                value = content_of(kind, content)
        updates.append(PvUpdate(channels[i], event, value, time, SEVERITIES[severity],
                                alarms[2 * i + 1], meta))
    if at != len(fixed) or used != len(others):
        raise Malformed("PV batch: more contents than rows")
    return updates


def _column(data: bytes, code: str, count: int, what: str) -> tuple[int, ...]:
    if len(data) != count * struct.calcsize("<" + code):
        raise Malformed(f"PV batch: the column of {what} does not fit")
    return struct.unpack(f"<{count}{code}", data)


def _wrapped(time: int) -> int:
    """Sums wrap as those of 64 bits do."""
    return (time + (1 << 63)) % (1 << 64) - (1 << 63)


def content_of(kind: int, content: Any) -> Any:
    if kind == STRING:
        if not isinstance(content, str):
            raise Malformed("PV batch: expected a text")
        return content
    row = Row(content, "PV array")
    element = kind - ARRAY
    if row.number(0) != kind or (element not in SCALARS and element != STRING):
        raise Malformed(f"PV batch: type {kind} is not what it holds, or unknown")
    if element == STRING:
        return row.texts(1)
    code, data = SCALARS[element], row.data(1)
    count, rest = divmod(len(data), struct.calcsize(code))
    if rest:
        raise Malformed("PV batch: an array of half an element")
    return list(struct.unpack(f"<{count}{code}", data))


def _meta(content: Any) -> PvMeta:
    row = Row(content, "PV meta")
    return PvMeta(row.text(0), row.text(4), row.text(5), row.number(6), tuple(row.texts(11)))
