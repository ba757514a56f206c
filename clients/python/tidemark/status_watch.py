"""Everybody's status items: every item of every subsystem whose name fits, then each change."""

from __future__ import annotations

import uuid
from collections.abc import Callable

from . import frame as frames
from . import glob
from .link import Link
from .membership import NOTHING
from .messages import FORGOTTEN, NodeInfo, StatusItem, status_items
from .outbox import Outbox
from .state_follower import StateFollower, read_parts
from .stream_reader import Lost


class StatusWatch:
    """Only on the loop thread, except for close()."""

    def __init__(self, pattern: str, on_item: Callable[[str, StatusItem], None]):
        self._pattern = pattern
        self._on_item = on_item
        self._followers: dict[uuid.UUID, StateFollower] = {}
        self._told: dict[tuple[str, str], StatusItem] = {}
        self._outbox: Outbox | None = None
        self.closed = False

    def record_losses(self, outbox: Outbox) -> None:
        """From now on, of each change that was lost."""
        self._outbox = outbox

    def on_changes(self, link: Link, changed: list[NodeInfo]) -> None:
        for node in changed:
            follower = self._followers.get(node.uuid)
            if node.state == FORGOTTEN or self.closed:
                if follower is not None:
                    follower.stop()
                    del self._followers[node.uuid]
            # Tidemark's own nodes have no surface, and no status items.
            elif follower is None and node.surface and glob.matches(self._pattern, node.name):
                self._followers[node.uuid] = self._follow(link, node)

    def stop(self) -> None:
        self.closed = True
        for follower in self._followers.values():
            follower.stop()
        self._followers.clear()

    def _follow(self, link: Link, node: NodeInfo) -> StateFollower:
        def on_state(parts: list[bytes]) -> None:
            for part in parts:
                self._take(node.name, part)

        def on_lost(lost: Lost) -> None:
            if self._outbox is not None:
                self._outbox.record_lost(node.name, frames.STATUS_STREAM, lost)

        return StateFollower(link, frames.STATE, node.number, frames.STATUS_STREAM,
                             "status.state", NOTHING, read_parts, on_state,
                             lambda payload: self._take(node.name, payload), on_lost)

    def _take(self, subsystem: str, payload: bytes) -> None:
        for item in status_items(payload):
            # A repaired hole shows everything again.
            if not self.closed and self._told.get((subsystem, item.name)) != item:
                self._told[subsystem, item.name] = item
                self._on_item(subsystem, item)
