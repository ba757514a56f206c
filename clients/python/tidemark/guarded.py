"""Runs a callback of whoever uses the link."""

from __future__ import annotations

import logging
from collections.abc import Callable

log = logging.getLogger("tidemark")


def guarded(what: str, call: Callable[[], None]) -> None:
    """A callback's exception is its own problem: it is logged, and the loop goes on."""
    try:
        call()
    except Exception:
        log.exception("bus: a %s threw", what)
