"""msgpack as the bus uses it: a struct is an array of its fields, and fields are only appended.

Bytes from outside are checked here, once. Text that is no UTF-8 is kept as it came.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import msgpack

from .errors import Malformed
from .values import ELEMENTS_MAX, FIELDS_MAX, ext_hook, struct_hook, wire_default

T = TypeVar("T")

BYTES_MAX = 64 << 20


def pack(value: Any) -> bytes:
    """Raises ValueError, OverflowError or TypeError for what msgpack cannot carry."""
    packed: bytes = msgpack.packb(value, use_bin_type=True, default=wire_default,
                                  strict_types=True, unicode_errors="surrogateescape")
    return packed


def pack_rows(rows: list[bytes]) -> bytes:
    """An array of what is packed already."""
    header: bytes = msgpack.Packer().pack_array_header(len(rows))
    return header + b"".join(rows)


def unpack(data: bytes) -> Any:
    """Raises Malformed."""
    try:
        return msgpack.unpackb(
            data, raw=False, unicode_errors="surrogateescape", strict_map_key=False,
            ext_hook=ext_hook, object_pairs_hook=struct_hook, timestamp=0,
            max_str_len=BYTES_MAX, max_bin_len=BYTES_MAX, max_array_len=ELEMENTS_MAX,
            max_map_len=FIELDS_MAX, max_ext_len=BYTES_MAX)
    except Malformed:
        raise
    except Exception as failure:  # msgpack has a dozen of its own
        raise Malformed(f"msgpack: {failure}") from None


class Row:
    """The fields of one struct, by position. Missing ones take their default, surplus ones are ignored."""

    def __init__(self, raw: Any, what: str):
        if not isinstance(raw, list):
            raise Malformed(f"{what}: expected an array")
        self._raw = raw
        self._what = what

    def __len__(self) -> int:
        return len(self._raw)

    def any(self, at: int, default: Any = None) -> Any:
        return self._raw[at] if at < len(self._raw) else default

    def _typed(self, at: int, kind: type | tuple[type, ...], default: Any) -> Any:
        if at >= len(self._raw):
            return default
        value = self._raw[at]
        if not isinstance(value, kind) or (isinstance(value, bool) and kind is int):
            raise Malformed(f"{self._what}: field {at} is not what it should be")
        return value

    def text(self, at: int, default: str = "") -> str:
        value: str = self._typed(at, str, default)
        return value

    def number(self, at: int, default: int = 0) -> int:
        value: int = self._typed(at, int, default)
        return value

    def flag(self, at: int, default: bool = False) -> bool:
        value: bool = self._typed(at, bool, default)
        return value

    def data(self, at: int, default: bytes = b"") -> bytes:
        value: bytes = self._typed(at, bytes, default)
        return value

    def uuid(self, at: int) -> bytes:
        value = self.data(at, bytes(16))
        if len(value) != 16:
            raise Malformed(f"{self._what}: field {at} is no UUID")
        return value

    def real(self, at: int) -> float | None:
        value = self._typed(at, (int, float, type(None)), None)
        return None if value is None else float(value)

    def items(self, at: int) -> list[Any]:
        value: list[Any] = self._typed(at, list, [])
        return value

    def texts(self, at: int) -> list[str]:
        values = self.items(at)
        if not all(isinstance(each, str) for each in values):
            raise Malformed(f"{self._what}: field {at} is no list of texts")
        return values

    def rows(self, at: int, read: Callable[[Any], T]) -> list[T]:
        return [read(each) for each in self.items(at)]
