"""What becomes of a status item when it is raised, cleared or acknowledged. Pure.

    latched: cleared and not acknowledged yet ──► still shown, until somebody has seen it
"""

from __future__ import annotations

from dataclasses import replace

from .messages import INFO, StatusItem


def raised(item: StatusItem, severity: int, code: int, text: str, now: int) -> StatusItem:
    """The cause is there. An item that changes or comes back needs to be acknowledged again."""
    if item.active and (item.severity, item.code, item.text) == (severity, code, text):
        return item
    since = now if item.severity != severity or not item.active else item.since
    return replace(item, severity=severity, code=code, text=text, since=since, active=True,
                   acknowledged_by="", acknowledged_at=0)


def cleared(item: StatusItem, now: int) -> StatusItem:
    """The cause is gone. Without a latch, or once acknowledged, so is the item."""
    return _at_rest(replace(item, active=False), now)


def acknowledged(item: StatusItem, who: str, now: int) -> StatusItem:
    return _at_rest(replace(item, acknowledged_by=who, acknowledged_at=now), now)


def _at_rest(item: StatusItem, now: int) -> StatusItem:
    if item.shown or item.severity == INFO:
        return item
    return replace(item, severity=INFO, code=0, text="", since=now)
