"""Our own copy of a registry's directory: the whole of it, then its changes. Pure.

A registry that has just started does not know everybody yet: who is missing there stays, until he
has had time to register again, and is disconnected then: only who said goodbye is forgotten with
the registry that heard it.
"""

from __future__ import annotations

import uuid

from .messages import DISCONNECTED, FORGOTTEN, STOPPED, Directory, NodeInfo

CONFIRM_WITHIN = 6.0  # two leases: whoever lives has registered by then


class DirectoryCopy:
    def __init__(self) -> None:
        self._nodes: dict[uuid.UUID, NodeInfo] = {}
        self._unconfirmed: dict[uuid.UUID, float] = {}
        self.registry = 0
        self.revision = 0
        self.settled_at: float | None = None  # from when on everybody who lives is here

    def directory(self) -> Directory:
        return Directory(self.revision, self.registry, tuple(self._nodes.values()))

    def take_whole(self, whole: Directory, now: float) -> list[NodeInfo]:
        """Answers who has changed by it; so do the others."""
        restarted = whole.registry != self.registry
        here = {node.uuid for node in whole.nodes}
        changed = [node for node in whole.nodes if self._nodes.get(node.uuid) != node]
        for node in self._nodes.values():
            if node.uuid in here:
                continue
            if restarted and node.state != STOPPED:
                self._unconfirmed.setdefault(node.uuid, now)
            elif node.uuid not in self._unconfirmed:
                changed.append(node.with_state(FORGOTTEN, node.state_since))
        for node in changed:
            self._put(node)
        for each in here:
            self._unconfirmed.pop(each, None)
        self.registry = whole.registry
        self.revision = whole.revision
        self.settled_at = now + min(max(whole.settles_in, 0.0), CONFIRM_WITHIN)
        return changed

    def take_changes(self, changes: list[NodeInfo]) -> list[NodeInfo]:
        for node in changes:
            self._put(node)
        self.revision += len(changes)
        return changes

    def tick(self, now: float, utc: int) -> list[NodeInfo]:
        """Call some times a second: who was not confirmed in time is disconnected."""
        changed = []
        for each, since in self._unconfirmed.items():
            if now - since < CONFIRM_WITHIN:
                continue
            node = self._nodes.get(each)
            if node is not None and not node.is_gone:
                self._nodes[each] = node.with_state(DISCONNECTED, utc)
                changed.append(self._nodes[each])
        return changed

    def _put(self, node: NodeInfo) -> None:
        self._unconfirmed.pop(node.uuid, None)
        if node.state == FORGOTTEN:
            self._nodes.pop(node.uuid, None)
        else:
            self._nodes[node.uuid] = node
