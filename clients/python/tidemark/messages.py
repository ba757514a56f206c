"""What travels in frames and envelopes, as values: who is there, keys, status items, journal lines."""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import Any

from .errors import Malformed
from .identity import node_number
from .key_spec import KeySpec
from .packing import Row, pack, unpack
from .types import Type

NODE_STATES = ("alive", "suspect", "disconnected", "stopped", "forgotten")
ALIVE, SUSPECT, DISCONNECTED, STOPPED, FORGOTTEN = range(5)

GOOD, STALE, GONE = range(3)
QUALITIES = ("good", "stale", "disconnected")

DEBUG, INFO, WARNING, ERROR = range(4)
LEVELS = ("debug", "info", "warning", "error")


@dataclass(frozen=True)
class EventSpec:
    name: str
    description: str = ""
    argument: Type = Type()

    def to_wire(self) -> list[Any]:
        return [self.name, self.description, self.argument.to_wire()]

    @staticmethod
    def from_wire(raw: Any) -> EventSpec:
        row = Row(raw, "event")
        return EventSpec(row.text(0), row.text(1), Type.from_wire(row.any(2, [])))


@dataclass(frozen=True)
class Surface:
    """What the directory says of a subsystem, beside where it is."""

    description: str = ""
    keys: tuple[KeySpec, ...] = ()
    events: tuple[EventSpec, ...] = ()

    def packed(self) -> bytes:
        return pack([self.description, [each.to_wire() for each in self.keys],
                     [each.to_wire() for each in self.events]])

    @staticmethod
    def unpacked(data: bytes) -> Surface:
        """Raises Malformed. Nothing is a surface without anything."""
        row = Row(unpack(data) if data else [], "surface")
        return Surface(row.text(0), tuple(row.rows(1, KeySpec.from_wire)),
                       tuple(row.rows(2, EventSpec.from_wire)))


@dataclass(frozen=True)
class NodeInfo:
    name: str = ""
    kind: str = ""
    uuid: uuid.UUID = uuid.UUID(int=0)
    incarnation: int = 0
    data_endpoints: tuple[str, ...] = ()
    request_endpoints: tuple[str, ...] = ()
    host: str = ""
    pid: int = 0
    started_at: int = 0
    state: int = ALIVE
    state_since: int = 0
    labels: tuple[str, ...] = ()
    surface: bytes = b""
    public_key: bytes = b""

    @property
    def number(self) -> int:
        return node_number(self.uuid)

    @property
    def is_gone(self) -> bool:
        return self.state >= DISCONNECTED

    def with_state(self, state: int, since: int) -> NodeInfo:
        return replace(self, state=state, state_since=since)

    def to_wire(self) -> list[Any]:
        return [self.name, self.kind, self.uuid.bytes, self.incarnation,
                list(self.data_endpoints), list(self.request_endpoints), self.host, self.pid,
                self.started_at, self.state, self.state_since, list(self.labels), self.surface,
                self.public_key]

    @staticmethod
    def from_wire(raw: Any) -> NodeInfo:
        row = Row(raw, "node")
        return NodeInfo(row.text(0), row.text(1), uuid.UUID(bytes=row.uuid(2)), row.number(3),
                        tuple(row.texts(4)), tuple(row.texts(5)), row.text(6), row.number(7),
                        row.number(8), row.number(9), row.number(10), tuple(row.texts(11)),
                        row.data(12), row.data(13))


@dataclass(frozen=True)
class Directory:
    revision: int = 0
    registry: int = 0  # its incarnation
    nodes: tuple[NodeInfo, ...] = ()
    settles_in: float = 0.0  # seconds until the registry knows everybody who lives

    def find(self, name: str) -> NodeInfo | None:
        """The living one of that name, else a gone one."""
        found = None
        for node in self.nodes:
            if node.name == name:
                if not node.is_gone:
                    return node
                found = node
        return found

    @staticmethod
    def unpacked(data: bytes) -> Directory:
        row = Row(unpack(data), "directory")
        return Directory(row.number(0), row.number(1), tuple(row.rows(2, NodeInfo.from_wire)),
                         row.number(3) / 1e9)


def node_list(data: bytes) -> list[NodeInfo]:
    """What a frame of the directory's stream holds."""
    return [NodeInfo.from_wire(each) for each in _list(data, "nodes")]


@dataclass(frozen=True)
class Lease:
    registry: int
    revision: int
    duration: float  # seconds

    @staticmethod
    def unpacked(data: bytes) -> Lease:
        row = Row(unpack(data), "lease")
        return Lease(row.number(0), row.number(1), row.number(2) / 1e9)


@dataclass(frozen=True)
class StateEnd:
    incarnation: int
    sequence: int
    parts: int

    def packed(self) -> bytes:
        return pack([self.incarnation, self.sequence, self.parts])

    @staticmethod
    def unpacked(data: bytes) -> StateEnd:
        row = Row(unpack(data), "end of a state")
        return StateEnd(row.number(0), row.number(1), row.number(2))


@dataclass(frozen=True)
class KeyUpdate:
    key: int
    sequence: int = 0
    time: int = 0
    quality: int = GOOD
    writer: str = ""
    value: Any = None

    def to_wire(self) -> list[Any]:
        return [self.key, self.sequence, self.time, self.quality, self.writer, self.value]

    def packed(self) -> bytes:
        return pack(self.to_wire())

    @staticmethod
    def from_wire(raw: Any) -> KeyUpdate:
        row = Row(raw, "update")
        return KeyUpdate(row.number(0), row.number(1), row.number(2), row.number(3), row.text(4),
                         row.any(5))

    @staticmethod
    def unpacked(data: bytes) -> KeyUpdate:
        return KeyUpdate.from_wire(unpack(data))


def key_updates(data: bytes) -> list[KeyUpdate]:
    return [KeyUpdate.from_wire(each) for each in _list(data, "updates")]


@dataclass(frozen=True)
class StatusItem:
    """One thing that may be wrong with a subsystem. `severity` 1, info, is: nothing is wrong."""

    name: str
    severity: int = INFO
    code: int = 0  # the subsystem's own number
    text: str = ""
    since: int = 0  # of this severity
    active: bool = False  # the cause is there
    latches: bool = False  # stays until it is acknowledged
    acknowledged_by: str = ""
    acknowledged_at: int = 0

    @property
    def acknowledged(self) -> bool:
        return bool(self.acknowledged_by)

    @property
    def shown(self) -> bool:
        """Whether anybody needs to see it: its cause is there, or nobody has seen it yet."""
        return self.active or (self.latches and self.severity > INFO and not self.acknowledged)

    def to_wire(self) -> list[Any]:
        return [self.name, self.severity, self.code, self.text, self.since, self.active,
                self.latches, self.acknowledged_by, self.acknowledged_at]

    @staticmethod
    def from_wire(raw: Any) -> StatusItem:
        row = Row(raw, "status item")
        return StatusItem(row.text(0), row.number(1, INFO), row.number(2), row.text(3),
                          row.number(4), row.flag(5), row.flag(6), row.text(7), row.number(8))


def pack_items(items: Iterable[StatusItem]) -> bytes:
    return pack([each.to_wire() for each in items])


def status_items(data: bytes) -> list[StatusItem]:
    return [StatusItem.from_wire(each) for each in _list(data, "status items")]


@dataclass(frozen=True)
class LogLine:
    """A line of the journal. `record` holds the fields of a record as they were sent."""

    line: int
    recorded_at: int = 0
    origin: str = ""
    incarnation: int = 0
    sequence: int = 0
    kind: int = 0
    level: int = INFO
    subject: str = ""
    text: str = ""
    value: Any = None  # of a PV
    alarm: Any = None
    taken_at: int = 0
    record: list[Any] = field(default_factory=list)

    @staticmethod
    def from_wire(raw: Any) -> LogLine:
        row = Row(raw, "line")
        packed = row.data(12)
        records = _list(packed, "record") if packed else []
        record = records[0] if records and isinstance(records[0], list) else []
        return LogLine(row.number(0), row.number(1), row.text(2), row.number(3), row.number(4),
                       row.number(5), row.number(6, INFO), row.text(7), row.text(8), row.any(9),
                       row.any(10), row.number(11), record)


@dataclass(frozen=True)
class LogPage:
    lines: list[LogLine]
    next: int  # ask on from here
    last_line: int  # durable now
    end: bool  # nothing further matches now

    @staticmethod
    def unpacked(data: bytes) -> LogPage:
        row = Row(unpack(data), "page of the journal")
        return LogPage(row.rows(0, LogLine.from_wire), row.number(1), row.number(2), row.flag(3))


def _list(data: bytes, what: str) -> list[Any]:
    raw = unpack(data)
    if not isinstance(raw, list):
        raise Malformed(f"{what}: expected an array")
    return raw
