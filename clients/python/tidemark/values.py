"""What a key holds and calls carry: None, bool, int, float, str, bytes, list, dict (a struct), and
three types of the bus that Python has no exact counterpart of.

A `datetime` is taken for a Timestamp and a `timedelta` for a Duration; what comes back is always
the exact one, in nanoseconds.
"""

from __future__ import annotations

import datetime as dt
import struct
from dataclasses import dataclass
from typing import Any

import msgpack

from .errors import InvalidArgument, Malformed

TIMESTAMP_EXT = 1
DURATION_EXT = 2
ENUM_EXT = 3

# What no reader takes: levels of arrays and structs in each other, a scalar being one, and
# elements and fields of a value in all, and fields of one struct.
DEPTH_MAX = 16
ELEMENTS_MAX = 1 << 20
FIELDS_MAX = 4096

_EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.timezone.utc)


@dataclass(frozen=True, order=True)
class Timestamp:
    """A moment, in nanoseconds since 1970-01-01 UTC."""

    ns: int

    def datetime(self) -> dt.datetime:
        """Rounded down to microseconds."""
        return _EPOCH + dt.timedelta(microseconds=self.ns // 1000)

    @staticmethod
    def of(moment: dt.datetime) -> Timestamp:
        """A naive `moment` is local time, as everywhere in Python."""
        return Timestamp((moment.astimezone(dt.timezone.utc) - _EPOCH)
                         // dt.timedelta(microseconds=1) * 1000)

    def __str__(self) -> str:
        whole, part = divmod(self.ns, 1_000_000_000)
        return f"{_EPOCH + dt.timedelta(seconds=whole):%Y-%m-%dT%H:%M:%S}.{part:09d}Z"


@dataclass(frozen=True, order=True)
class Duration:
    """A length of time in nanoseconds."""

    ns: int

    def timedelta(self) -> dt.timedelta:
        return dt.timedelta(microseconds=self.ns // 1000)

    @staticmethod
    def of(length: dt.timedelta) -> Duration:
        return Duration(length // dt.timedelta(microseconds=1) * 1000)

    def __str__(self) -> str:
        return f"{self.ns}ns"


@dataclass(frozen=True)
class Choice:
    """A value of an enum. To write one, its index or its label alone will do."""

    index: int
    label: str = ""

    def __str__(self) -> str:
        return self.label


def ext_hook(code: int, body: bytes) -> Any:
    if code in (TIMESTAMP_EXT, DURATION_EXT):
        if len(body) != 8:
            raise Malformed("expected 8 bytes of nanoseconds")
        (ns,) = struct.unpack(">q", body)
        return Timestamp(ns) if code == TIMESTAMP_EXT else Duration(ns)
    if code == ENUM_EXT:
        if len(body) < 2:
            raise Malformed("expected 2 bytes of enum index")
        return Choice(int.from_bytes(body[:2], "big"),
                      body[2:].decode("utf-8", "surrogateescape"))
    raise Malformed(f"unknown extension type {code}")


def struct_hook(pairs: list[tuple[Any, Any]]) -> dict[str, Any]:
    made = dict(pairs)
    if len(made) != len(pairs) or not all(isinstance(name, str) for name in made):
        raise Malformed("a struct whose field names are no strings, or there twice")
    return made


def wire_default(value: Any) -> Any:
    """For msgpack: our three types, and tuples."""
    if isinstance(value, Timestamp):
        return msgpack.ExtType(TIMESTAMP_EXT, struct.pack(">q", value.ns))
    if isinstance(value, Duration):
        return msgpack.ExtType(DURATION_EXT, struct.pack(">q", value.ns))
    if isinstance(value, Choice):
        return msgpack.ExtType(ENUM_EXT, struct.pack(">H", value.index)
                               + value.label.encode("utf-8", "surrogateescape"))
    if isinstance(value, tuple):
        return list(value)
    raise TypeError(f"{type(value).__name__} cannot be sent")


def plain(value: Any) -> Any:
    """`value` in the types above: of datetimes, tuples, arrays of numpy and subclasses of ours.

    Raises InvalidArgument for what is none of them, or larger than the limits above.
    """
    count = [0]
    return _plain(value, 1, count)


def _plain(value: Any, depth: int, count: list[int]) -> Any:
    if depth > DEPTH_MAX:
        raise InvalidArgument(f"a value of more than {DEPTH_MAX} levels")
    if value is None or type(value) in (bool, float, str, bytes, Choice):
        return value
    if type(value) in (Timestamp, Duration):
        if not -(1 << 63) <= value.ns < 1 << 63:
            raise InvalidArgument(f"{value.ns} ns is out of the range of 64 bits")
        return value
    if isinstance(value, int):
        if isinstance(value, bool):
            return bool(value)
        if not -(1 << 63) <= value < 1 << 64:
            raise InvalidArgument(f"{value} is out of the range of 64 bits")
        return int(value)
    if isinstance(value, dict):
        _count(count, len(value))
        if len(value) > FIELDS_MAX:
            raise InvalidArgument(f"a struct of more than {FIELDS_MAX} fields")
        if not all(isinstance(name, str) for name in value):
            raise InvalidArgument("the field names of a struct are strings")
        return {str(name): _plain(each, depth + 1, count) for name, each in value.items()}
    if isinstance(value, (list, tuple)):
        _count(count, len(value))
        return [_plain(each, depth + 1, count) for each in value]
    if isinstance(value, (bytearray, memoryview)):
        return bytes(value)
    if isinstance(value, dt.datetime):
        return Timestamp.of(value)
    if isinstance(value, dt.timedelta):
        return Duration.of(value)
    if hasattr(value, "tolist"):  # numpy: arrays and scalars
        return _plain(value.tolist(), depth, count)
    if isinstance(value, float):
        return float(value)
    if isinstance(value, str):
        return str.__str__(value)
    if isinstance(value, bytes):
        return bytes(value)
    raise InvalidArgument(f"a {type(value).__name__} is no value")


def _count(count: list[int], more: int) -> None:
    count[0] += more
    if count[0] > ELEMENTS_MAX:
        raise InvalidArgument(f"a value of more than {ELEMENTS_MAX} elements")


def number_text(number: float) -> str:
    text = repr(number)
    return text[:-2] if text.endswith(".0") else text


def to_text(value: Any, elements_max: int = 1 << 30) -> str:
    """For people, as the command line shows values."""
    if value is None:
        return "none"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return number_text(value)
    if isinstance(value, bytes):
        return "0x" + value.hex()
    if isinstance(value, list):
        shown = [to_text(each, elements_max) for each in value[:elements_max]]
        if len(value) > elements_max:
            return f"[{', '.join(shown)}, … {len(value)}]"
        return f"[{', '.join(shown)}]"
    if isinstance(value, dict):
        return "{" + ", ".join(f"{name}: {to_text(each, elements_max)}"
                               for name, each in value.items()) + "}"
    return str(value)
