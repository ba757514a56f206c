"""Reading the journal: what to ask for, and the names of the kinds of its lines."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass, replace
from enum import IntEnum

from .messages import DEBUG
from .packing import pack
from .values import Timestamp

LIMIT_MAX = 10_000
LINES_AT_ONCE = 1000
FOLLOW_WAIT = 5.0  # seconds that one question waits for a line
ANSWER_PATIENCE = 5.0  # beyond that


class Kind(IntEnum):
    PV_DEFINED = 1
    PV_UPDATE = 2
    PV_CONNECTED = 3
    PV_DISCONNECTED = 4
    KV_UPDATE = 5
    EVENT_CALLED = 6
    EVENT_FEEDBACK = 7
    EVENT_ANSWERED = 8
    JOB_ACCEPTED = 9
    JOB_PROGRESS = 10
    PUT_INTENDED = 11
    PUT_CONFIRMED = 12
    PUT_REFUSED = 13
    PUT_UNKNOWN = 14
    JOB_FINISHED = 15
    LOG_MESSAGE = 16
    MARK_BEGIN = 17
    MARK_END = 18
    SNAPSHOT_TAKEN = 19
    TAG_CHANGED = 20
    CATALOG_CHANGED = 21
    NODE_UP = 22
    NODE_DOWN = 23
    NODE_RESTARTED = 24
    GAP = 25
    KEYFRAME = 26
    STATUS_CHANGED = 27
    STREAM_GAP = 28
    EXPIRED = 29
    POLICY_CHANGED = 30


Moment = Timestamp | dt.datetime


@dataclass(frozen=True)
class Query:
    """Which lines. Newest first, `first` is the last line wanted, and 0 means the end."""

    first: int = 1
    last: int = 0  # 0: no bound
    newest_first: bool = False
    kinds: tuple[int, ...] = ()  # none: all
    level: int = DEBUG  # at least
    since: Moment | None = None
    until: Moment | None = None
    subject: str = ""  # a pattern
    text: str = ""  # part of it, in any case
    limit: int = LINES_AT_ONCE
    mark: str = ""  # only lines inside of it: a name (the newest of it), or an id
    regex: str = ""  # RE2, found in the text
    fields: tuple[str, ...] = ()  # tests of the content, all of them: "data.shot=4711"
    origin: str = ""  # a pattern for the node's name, or the UUID of the origin

    def begun_at(self, line: int) -> Query:
        return replace(self, first=line)

    def packed(self, wait: float = 0.0) -> bytes:
        kinds = 0xFFFF_FFFF
        if self.kinds:
            kinds = sum(1 << each for each in set(self.kinds))
        return pack([self.first, self.last, self.newest_first, kinds, self.level,
                     ns_of(self.since), ns_of(self.until), self.subject, self.text,
                     min(self.limit, LIMIT_MAX), int(wait * 1e9), self.mark,
                     self.regex, list(self.fields), self.origin])


def query(first: int, kinds: Iterable[int], level: int, since: Moment | None,
          until: Moment | None, subject: str, text: str, mark: str = "", regex: str = "",
          fields: Iterable[str] = (), origin: str = "") -> Query:
    return Query(first, 0, False, tuple(kinds), level, since, until, subject, text, mark=mark,
                 regex=regex, fields=tuple(fields), origin=origin)


def ns_of(moment: Moment | None) -> int | None:
    if moment is None:
        return None
    return moment.ns if isinstance(moment, Timestamp) else Timestamp.of(moment).ns
