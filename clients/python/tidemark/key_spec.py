"""What a subsystem says once about each of its keys, and whether a value may go into one.

Owners and writers judge by the same function, so both give the same reason.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from typing import Any

from . import types
from .errors import InvalidArgument
from .packing import Row
from .types import Type
from .values import Choice, Duration, Timestamp, number_text, plain, to_text

NAME_BYTES_MAX = 255
_ELEMENTS_SHOWN = 4
_ALLOWED = re.compile(r"[A-Za-z0-9_\-.:]")


@dataclass(frozen=True)
class KeySpec:
    name: str
    type: Type = Type()
    readable: bool = True
    writable: bool = False
    published: bool = False
    journaled: bool = False
    unit: str = ""
    description: str = ""
    # For numbers, and each element of arrays of them, in `unit`. Steps count from `low`, or 0.
    low: float | None = None
    high: float | None = None
    step: float | None = None
    default: Any = None

    def to_wire(self) -> list[Any]:
        return [self.name, self.type.to_wire(), self.readable, self.writable, self.published,
                self.journaled, self.unit, self.description, self.low, self.high, self.step,
                self.default]

    @staticmethod
    def from_wire(raw: Any) -> KeySpec:
        row = Row(raw, "key")
        return KeySpec(row.text(0), Type.from_wire(row.any(1, [])), row.flag(2, True),
                       row.flag(3), row.flag(4), row.flag(5), row.text(6), row.text(7),
                       row.real(8), row.real(9), row.real(10), row.any(11))


def check_name(name: str) -> None:
    """Raises InvalidArgument, naming the first offending character."""
    size = len(name.encode(errors="surrogateescape"))
    if not 1 <= size <= NAME_BYTES_MAX:
        raise InvalidArgument(f"key name of {size} bytes; expected 1 to {NAME_BYTES_MAX}")
    before = "/"
    for at, each in enumerate(name):
        if each == "/" and (before == "/" or at + 1 == len(name)):
            raise InvalidArgument(f"key name '{name}' has an empty segment at offset {at}")
        if each != "/" and not _ALLOWED.match(each):
            raise InvalidArgument(f"key name '{name}' has '{each}', which is not allowed, at "
                                  f"offset {at}")
        before = each


def check_spec(spec: KeySpec) -> None:
    """Raises InvalidArgument, naming the key."""
    check_name(spec.name)
    try:
        spec.type.check()
    except InvalidArgument as failure:
        raise InvalidArgument(f"{spec.name}: {failure.message}") from None
    if not (spec.readable or spec.writable or spec.published):
        raise InvalidArgument(f"{spec.name}: neither readable, writable nor published")
    _check_limits(spec)
    if spec.default is not None:
        try:
            conform(spec, spec.default)
        except InvalidArgument as failure:
            raise InvalidArgument(f"default of {failure.message}") from None


def conform(spec: KeySpec, value: Any) -> Any:
    """`value` in the type of the key.

    Taken besides the type itself: an integer for a double when it is exactly that; an enum by
    index or label. A float is never taken for an integer, NaN never passes a limit, and None only
    passes for `any`.

    Raises InvalidArgument, such as "trace[3]: 140 A is above the limit of 100 A".
    """
    try:
        value = plain(value)
    except InvalidArgument as failure:
        raise InvalidArgument(f"{spec.name}: {failure.message}") from None
    return _fit(spec, spec.type, value, spec.name)


def _holds_numbers(kind: Type) -> bool:
    if kind.element is not None:
        return _holds_numbers(kind.element)
    return kind.kind in (types.INT64, types.UINT64, types.DOUBLE)


def _check_limits(spec: KeySpec) -> None:
    def wrong(why: str) -> InvalidArgument:
        return InvalidArgument(f"{spec.name}: {why}")

    low, high, step = spec.low, spec.high, spec.step
    if low is None and high is None and step is None:
        return
    if not _holds_numbers(spec.type):
        raise wrong(f"limits are for numbers, not for {spec.type}")
    if (low is not None and math.isnan(low)) or (high is not None and math.isnan(high)):
        raise wrong("a limit is nan")
    if low is not None and high is not None and low > high:
        raise wrong(f"the low limit {number_text(low)} is above the high limit "
                    f"{number_text(high)}")
    if step is not None and not (step > 0 and math.isfinite(step)):
        raise wrong(f"the step {number_text(step)} is not a positive number")
    if step is not None and low is not None and math.isinf(low):
        raise wrong("no step counts from an infinite limit")


def _kind_text(value: Any) -> str:
    if value is None:
        return "none"
    kind = {bool: "bool", int: "int64", float: "double", str: "string", bytes: "bytes",
            Choice: "enum", Timestamp: "timestamp", Duration: "duration", list: "array",
            dict: "struct"}[type(value)]
    if kind == "int64" and value >= 1 << 63:
        kind = "uint64"
    return f"{kind} {to_text(value, _ELEMENTS_SHOWN)}"


_PYTHON = {types.BOOL: bool, types.STRING: str, types.BYTES: bytes, types.TIMESTAMP: Timestamp,
           types.DURATION: Duration}


def _fit(spec: KeySpec, kind: Type, value: Any, path: str) -> Any:
    def not_a() -> InvalidArgument:
        return InvalidArgument(f"{path}: expected {kind}, not {_kind_text(value)}")

    if kind.kind == types.ANY:
        return value
    if kind.kind in (types.INT64, types.UINT64, types.DOUBLE):
        number = _number(kind.kind, value)
        if number is None:
            raise not_a()
        _within(spec, number, path)
        return number
    if kind.kind == types.ENUM:
        index = _index(kind, value)
        if index is None:
            raise not_a()
        return Choice(index, kind.labels[index])
    if kind.kind == types.ARRAY:
        if type(value) is not list:
            raise not_a()
        if kind.length is not None and len(value) != kind.length:
            raise InvalidArgument(f"{path}: expected {kind.length} elements, not {len(value)}")
        assert kind.element is not None
        return [_fit(spec, kind.element, each, f"{path}[{at}]") for at, each in enumerate(value)]
    if kind.kind == types.STRUCT:
        if type(value) is not dict:
            raise not_a()
        return _struct(spec, kind, value, path)
    if type(value) is not _PYTHON[kind.kind]:
        raise not_a()
    return value


def _number(kind: int, value: Any) -> int | float | None:
    """The same number in that kind, or None when that would be another one."""
    if kind == types.DOUBLE:
        if type(value) is float:
            return value
        return float(value) if type(value) is int and int(float(value)) == value else None
    if type(value) is not int:
        return None
    low, high = (-(1 << 63), 1 << 63) if kind == types.INT64 else (0, 1 << 64)
    return value if low <= value < high else None


def _index(kind: Type, value: Any) -> int | None:
    if type(value) is str:
        return kind.labels.index(value) if value in kind.labels else None
    label = ""
    if type(value) is Choice:
        value, label = value.index, value.label
    if type(value) is not int or not 0 <= value < len(kind.labels):
        return None
    return value if label in ("", kind.labels[value]) else None


def _struct(spec: KeySpec, kind: Type, value: dict[str, Any], path: str) -> dict[str, Any]:
    fitted = {}
    for name, member in kind.members:
        if name not in value:
            raise InvalidArgument(f"{path}: the field {name} is missing")
        fitted[name] = _fit(spec, member, value[name], f"{path}.{name}")
    for name in value:
        if name not in fitted:
            raise InvalidArgument(f"{path}: the field {name} is unknown")
    return fitted


def _within(spec: KeySpec, number: int | float, path: str) -> None:
    def text(each: int | float) -> str:
        return number_text(each) + (f" {spec.unit}" if spec.unit else "")

    if spec.high is not None and number > spec.high:
        raise InvalidArgument(f"{path}: {text(number)} is above the limit of {text(spec.high)}")
    if spec.low is not None and number < spec.low:
        raise InvalidArgument(f"{path}: {text(number)} is below the limit of {text(spec.low)}")
    if math.isnan(number) and not (spec.low is spec.high is spec.step is None):
        raise InvalidArgument(f"{path}: nan is not within any limit")
    if spec.step is not None:
        steps = (number - (spec.low or 0)) / spec.step
        # 0.3 is three steps of 0.1 to everybody but a computer.
        tolerance = max(1e-6, 4 * 2.0 ** -52 * abs(steps))
        if math.isinf(steps) or abs(steps - round(steps)) > tolerance:
            begin = f" from {text(spec.low)}" if spec.low else ""
            raise InvalidArgument(f"{path}: {text(number)} is not a whole number of steps of "
                                  f"{text(spec.step)}{begin}")
