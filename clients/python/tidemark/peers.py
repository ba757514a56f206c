"""The nodes that a link was told of, each in its newest incarnation, and what one more piece of
news about a node changes. Only on the loop thread.
"""

from __future__ import annotations

from dataclasses import dataclass

from .messages import NodeInfo


@dataclass(frozen=True)
class Change:
    was_alive: bool = False
    restarted: bool = False  # was alive, as another incarnation
    data_moved: bool = False
    requests_moved: bool = False


class Peers:
    def __init__(self) -> None:
        self._peers: dict[int, NodeInfo] = {}

    def __getitem__(self, number: int) -> NodeInfo:
        return self._peers[number]

    def find(self, number: int) -> NodeInfo | None:
        return self._peers.get(number)

    def learn(self, info: NodeInfo) -> Change | None:
        """None: it is about an older incarnation than the one that is known, and changes nothing."""
        before = self._peers.get(info.number)
        if before is not None and info.incarnation < before.incarnation:
            return None
        self._peers[info.number] = info
        if before is None:
            return Change()
        was_alive = not before.is_gone
        return Change(
            was_alive=was_alive,
            # A registry is known before its incarnation is: that is no restart.
            restarted=was_alive and 0 != before.incarnation != info.incarnation,
            data_moved=before.data_endpoints != info.data_endpoints,
            requests_moved=before.request_endpoints != info.request_endpoints)
