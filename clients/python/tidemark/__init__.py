"""Tidemark in Python: a laboratory's own nodes, and programs that talk to them.

    Client      reads and writes keys of others, listens, calls events, reads the journal
    Subsystem   offers keys, events and status items besides
    aio         the same for asyncio
"""

from .call_result import CallResult, Target
from .client import Client, Mark, Peer, RunningCall, Subscription
from .errors import (Cancelled, Conflict, Corruption, Failed, InCallback, InvalidArgument,
                     NotFound, Refused, TidemarkError, Timeout, Unavailable)
from .event_calls import Feedback
from .journal import Kind, Query
from .key import Key
from .key_spec import KeySpec
from .link_counters import LinkCounters
from .messages import (DEBUG, ERROR, INFO, WARNING, EventSpec, LogLine, LogPage, StatusItem,
                       Surface)
from .own_events import EventCall
from .past import (Bin, Bins, Blame, BlamedChange, Change, Changes, DecimatedLines, ExpiredLines,
                   Found, History, PastValue, Sample, State)
from .pv_batch import PvMeta, PvUpdate
from .remote_keys import Update
from .replay import PvChange, Replay, ReplayStatus
from .stats import Stats
from .subsystem import OwnKey, OwnStatusItem, Subsystem, WritableKey
from .types import Type, array_of, enum_of, struct_of
from .values import Choice, Duration, Timestamp

__all__ = [
    "Bin", "Bins", "Blame", "BlamedChange", "CallResult", "Cancelled", "Change", "Changes",
    "Choice", "Client", "Conflict", "Corruption", "DEBUG", "DecimatedLines", "Duration", "ERROR",
    "EventCall", "EventSpec", "ExpiredLines", "Failed", "Feedback", "Found", "History", "INFO",
    "InCallback",
    "InvalidArgument", "Key", "KeySpec", "Kind", "LinkCounters", "LogLine", "LogPage", "Mark",
    "NotFound", "OwnKey", "OwnStatusItem", "PastValue", "Peer", "PvChange", "PvMeta", "PvUpdate",
    "Query", "Refused", "Replay", "ReplayStatus", "RunningCall", "Sample", "State", "Stats",
    "StatusItem", "Subscription", "Subsystem", "Surface", "Target", "TidemarkError", "Timeout",
    "Timestamp", "Type", "Unavailable", "Update", "WARNING", "WritableKey", "array_of", "enum_of",
    "struct_of",
]
