"""Questions about the past, and their answers: the machine at a moment, what differs between two, what
happened to one PV, and who did it. All of it is asked of the journal.

Moments are a line, a time, a mark's name, or None: now. With a `lateness` times are those of the
sources: their clocks are trusted so far (docs/bus-protocol.md).
"""

from __future__ import annotations

import datetime as dt
import math
import threading
import uuid
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import Any, TypeVar

from . import pv_batch
from .errors import Malformed, TidemarkError
from .packing import Row, pack, unpack
from .pv_batch import SEVERITIES, PvMeta, PvUpdate
from .replay import At, moment, ns_of_span
from .session import Session
from .values import Duration, Timestamp

PATIENCE = 120.0  # a read of a long time takes its time
STATES = ("never connected", "connected", "disconnected")

Span = float | Duration | dt.timedelta
T = TypeVar("T")


@dataclass(frozen=True)
class Found:
    """The line that a moment was: the past is what it was after it. 0: before everything."""

    line: int
    recorded_at: Timestamp
    last_line: int  # of the journal

    @staticmethod
    def from_wire(raw: Any) -> Found:
        row = Row(raw, "moment")
        return Found(row.number(0), Timestamp(row.number(1)), row.number(2))


@dataclass(frozen=True)
class ExpiredLines:
    """Lines whose PV updates are kept no longer: what was asked of them nobody knows."""

    first: int
    last: int
    since: Timestamp
    until: Timestamp

    @staticmethod
    def from_wire(raw: Any) -> ExpiredLines:
        row = Row(raw, "expired lines")
        return ExpiredLines(row.number(1), row.number(2), Timestamp(row.number(3)),
                            Timestamp(row.number(4)))


@dataclass(frozen=True)
class DecimatedLines:
    """Lines whose PV updates have expired, and of which bins have what they were, in rows."""

    first: int
    last: int
    since: Timestamp
    until: Timestamp
    width: Duration  # of a row
    samples: int  # of all PVs

    @staticmethod
    def from_wire(raw: Any) -> DecimatedLines:
        row = Row(raw, "decimated lines")
        return DecimatedLines(row.number(0), row.number(1), Timestamp(row.number(2)),
                              Timestamp(row.number(3)), Duration(row.number(4)), row.number(5))


@dataclass(frozen=True)
class PastValue:
    """A PV as it was."""

    address: str
    state: str  # "never connected", "connected", or "disconnected": the value is the last one before
    value: Any  # a number, a text, or a list of them; of an enum its index; None: there was none
    severity: str
    status: int
    taken_at: Timestamp  # of the IOC's clock
    meta: PvMeta

    @property
    def connected(self) -> bool:
        return self.state == "connected"

    @staticmethod
    def from_wire(raw: Any) -> PastValue:
        row = Row(raw, "PV")
        severity, status = alarm_of(row.any(4))
        state = row.number(2)
        if not 0 <= state < len(STATES):
            raise Malformed(f"PV: {state} is no state")
        meta = PvMeta(row.text(10), row.text(11), row.text(7), row.number(8), tuple(row.texts(9)))
        return PastValue(row.text(0), STATES[state], pv_value(row.any(3)), severity, status,
                         Timestamp(row.number(5)), meta)


@dataclass(frozen=True)
class State:
    """The machine at a moment. Inside of expired lines the values are the last ones before them."""

    at: Found
    values: dict[str, PastValue]  # by address
    lines: dict[str, int]  # of each value; 0: there was none
    unknown: list[str]  # addresses that the journal has never heard of
    expired: list[ExpiredLines]


@dataclass(frozen=True)
class Change:
    address: str
    before: PastValue
    after: PastValue
    line: int  # of the last change


@dataclass(frozen=True)
class Changes:
    """What differs between two moments; what came and went between them is not in it."""

    before: Found
    after: Found
    changes: list[Change]
    looked_at: int  # PVs
    unknown: list[str]


@dataclass(frozen=True)
class Sample:
    line: int
    update: PvUpdate


@dataclass(frozen=True)
class History:
    """What happened to a PV, the update that was in force at the begin first."""

    begin: Found
    end: Found
    samples: list[Sample]
    cut: bool  # there are more than the limit
    now: PastValue  # its units, precision and labels
    expired: list[ExpiredLines]
    decimated: list[DecimatedLines] = field(default_factory=list)  # they are only in bins


@dataclass(frozen=True)
class Bin:
    """Numbers are NaN where `count` is 0. Texts and arrays only count as samples."""

    begin: Timestamp
    samples: int
    count: int  # of them, numbers
    first: float
    last: float
    min: float
    max: float
    mean: float
    deviation: float  # standard, of the population
    worst: str  # severity
    disconnected: bool  # at some time in it
    median: float | None  # when it was asked for, and there is one
    # Some of it, or all, are decimated rows that begin in it, each whole: they reach up to then.
    decimated_until: Timestamp | None = None

    @staticmethod
    def from_wire(raw: Any) -> Bin:
        row = Row(raw, "bin")
        numbers = [row.real(at) for at in range(3, 9)]
        first, last, least, most, mean, deviation = (
            math.nan if each is None else each for each in numbers)
        return Bin(Timestamp(row.number(0)), row.number(1), row.number(2), first, last, least, most,
                   mean, deviation, severity_of(row.number(9)), row.flag(10), row.real(11),
                   None if row.any(12) is None else Timestamp(row.number(12)))


@dataclass(frozen=True)
class Bins:
    begin: Found
    end: Found
    since: Timestamp  # where the first bin begins
    width: Duration
    bins: list[Bin]  # those with samples, by time
    now: PastValue
    expired: list[ExpiredLines]
    decimated: list[DecimatedLines] = field(default_factory=list)  # of these only rows are in the bins


@dataclass(frozen=True)
class BlamedChange:
    """A change, and who made it. No job: it was not written through Tidemark."""

    line: int
    recorded_at: Timestamp
    value: PastValue
    job: uuid.UUID | None
    type: str  # of the job: "snapshot_restore"
    title: str
    user: str
    snapshot: uuid.UUID | None  # that was restored
    clamped: bool  # the IOC took another number than the job had put

    @staticmethod
    def from_wire(raw: Any) -> BlamedChange:
        row = Row(raw, "change")
        return BlamedChange(row.number(0), Timestamp(row.number(1)), PastValue.from_wire(row.any(2)),
                            uuid_of(row, 3), row.text(4), row.text(5), row.text(6), uuid_of(row, 7),
                            row.flag(8))


@dataclass(frozen=True)
class Blame:
    changes: list[BlamedChange]  # newest first
    expired: list[ExpiredLines] = field(default_factory=list)  # there may have been more in them
    # Not 0: they are as many as one answer carries. `at=next` has the others.
    next: int = 0


class Past:
    """The questions. Each returns at once; the future fails as the journal says."""

    def __init__(self, session: Session):
        self._session = session

    def find(self, at: At) -> Future[Found]:
        return self._asked("journal.moment", moment(at), lambda end, _: Found.from_wire(end))

    def state(self, patterns: tuple[str, ...], at: At, lateness: Span | None) -> Future[State]:
        def read(raw: Any, parts: list[Row]) -> State:
            end = Row(raw, "end of a state")
            check_parts(end.number(1), parts)
            values: dict[str, PastValue] = {}
            lines: dict[str, int] = {}
            for part in parts:
                for each, line in zip(part.rows(0, PastValue.from_wire), numbers(part, 1)):
                    values[each.address] = each
                    lines[each.address] = line
            return State(Found.from_wire(end.any(0)), values, lines, end.texts(2),
                         end.rows(4, ExpiredLines.from_wire))

        return self._asked("journal.state", [moment(at), list(patterns), ns_or_none(lateness)], read)

    def changes(self, before: At, after: At, patterns: tuple[str, ...],
                lateness: Span | None) -> Future[Changes]:
        def read(raw: Any, parts: list[Row]) -> Changes:
            end = Row(raw, "end of changes")
            check_parts(end.number(2), parts)
            found = [Change(was.address, was, became, line) for part in parts
                     for was, became, line in zip(part.rows(0, PastValue.from_wire),
                                                  part.rows(1, PastValue.from_wire), numbers(part, 2))]
            return Changes(Found.from_wire(end.any(0)), Found.from_wire(end.any(1)), found,
                           end.number(3), end.texts(4))

        return self._asked("journal.changes", [moment(before), moment(after), list(patterns),
                                               ns_or_none(lateness)], read)

    def history(self, address: str, begin: At, end: At, limit: int, points: int,
                lateness: Span | None) -> Future[History]:
        def read(raw: Any, parts: list[Row]) -> History:
            last = Row(raw, "end of a history")
            check_parts(last.number(2), parts)
            samples = [Sample(line, update) for part in parts
                       for update, line in zip(pv_batch.decode(part.data(0)), numbers(part, 1))]
            return History(Found.from_wire(last.any(0)), Found.from_wire(last.any(1)), samples,
                           last.flag(3), PastValue.from_wire(last.any(4)),
                           last.rows(7, ExpiredLines.from_wire),
                           last.rows(8, DecimatedLines.from_wire))

        return self._asked("journal.history", [address, moment(begin), moment(end), limit, points,
                                               ns_or_none(lateness)], read)

    def bins(self, address: str, begin: At, end: At, count: int, median: bool,
             lateness: Span | None) -> Future[Bins]:
        def read(raw: Any, _: list[Row]) -> Bins:
            row = Row(raw, "bins")
            return Bins(Found.from_wire(row.any(0)), Found.from_wire(row.any(1)),
                        Timestamp(row.number(2)), Duration(row.number(3)),
                        row.rows(4, Bin.from_wire), PastValue.from_wire(row.any(5)),
                        row.rows(7, ExpiredLines.from_wire), row.rows(8, DecimatedLines.from_wire))

        return self._asked("journal.bins", [address, moment(begin), moment(end), count, median,
                                            ns_or_none(lateness)], read)

    def blame(self, address: str, at: At, count: int) -> Future[Blame]:
        def read(raw: Any, _: list[Row]) -> Blame:
            row = Row(raw, "blame")
            return Blame(row.rows(0, BlamedChange.from_wire), row.rows(1, ExpiredLines.from_wire),
                         row.number(2))

        return self._asked("journal.blame", [address, moment(at), count], read)

    def _asked(self, method: str, request: list[Any],
               read: Callable[[Any, list[Row]], T]) -> Future[T]:
        """`read` makes the answer of the end and the parts; Malformed when it cannot."""
        parts: list[bytes] = []
        guard = threading.Lock()
        made: Future[T] = Future()

        def take(part: bytes) -> None:
            with guard:
                parts.append(part)

        def ended(answer: Future[bytes]) -> None:
            if not made.set_running_or_notify_cancel():
                return
            try:
                with guard:
                    rows = [Row(unpack(part), f"part of {method}") for part in parts]
                made.set_result(read(unpack(answer.result()), rows))
            except TidemarkError as failure:
                made.set_exception(failure)

        self._session.ask("journal", method, pack(request), PATIENCE, take).add_done_callback(ended)
        return made


def check_parts(said: int, parts: list[Row]) -> None:
    if said != len(parts):
        raise Malformed(f"{len(parts)} of {said} parts came")


def numbers(row: Row, at: int) -> list[int]:
    found = row.items(at)
    if not all(isinstance(each, int) for each in found):
        raise Malformed("a line is no number")
    return found


def ns_or_none(span: Span | None) -> int | None:
    return None if span is None else ns_of_span(span)


def uuid_of(row: Row, at: int) -> uuid.UUID | None:
    found = uuid.UUID(bytes=row.uuid(at))
    return found if found.int else None


def severity_of(number: int) -> str:
    if not 0 <= number < len(SEVERITIES):
        raise Malformed("severities are from 0 to 3")
    return SEVERITIES[number]


def alarm_of(raw: Any) -> tuple[str, int]:
    row = Row(raw, "alarm")
    return severity_of(row.number(0)), row.number(1)


def pv_value(raw: Any) -> Any:
    """[type, content], as everywhere but in batches."""
    row = Row(raw, "PV value")
    kind = row.number(0)
    if kind == 0:
        return None
    if kind > pv_batch.ARRAY:
        return pv_batch.content_of(kind, raw)
    if kind == pv_batch.STRING:
        return row.text(1)
    if kind in (1, 2):
        return row.real(1)
    if kind in pv_batch.SCALARS:
        return row.number(1)
    raise Malformed(f"PV value of type {kind}")
