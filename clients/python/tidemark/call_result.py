"""One call of an event on many subsystems, as a pure function of what comes back.

    pending ──► in progress ──► done | rejected | failed | timed out | lost | cancelled
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from .errors import Cancelled, NotFound, Refused, TidemarkError, Timeout, Unavailable

PENDING = "pending"
IN_PROGRESS = "in progress"
DONE = "done"
REJECTED = "rejected"
FAILED = "failed"
TIMED_OUT = "timed out"
LOST = "lost"
CANCELLED = "cancelled"


@dataclass(frozen=True)
class Target:
    state: str = PENDING
    text: str = ""  # the reason, or the last feedback
    value: Any = None  # of done, or of the last feedback

    @property
    def ended(self) -> bool:
        return self.state not in (PENDING, IN_PROGRESS)


class CallResult:
    """What each target has said. `targets` maps names to Target."""

    def __init__(self, targets: list[str], nobody: TidemarkError | None = None):
        self.targets: dict[str, Target] = {name: Target() for name in targets}
        # Why nobody was asked, and so nobody has agreed: NotFound, nobody handles it; Unavailable,
        # "directory not settled", nobody knows yet who does; Cancelled. None: somebody was asked.
        self.nobody: TidemarkError | None = nobody
        if not targets and nobody is None:
            self.nobody = NotFound("nobody was asked")
        self._cancelled = False

    def feedback(self, name: str, text: str, value: Any) -> None:
        self._put(name, Target(IN_PROGRESS, text, value))

    def done(self, name: str, value: Any) -> None:
        self._put(name, Target(DONE, "", value))

    def error(self, name: str, error: TidemarkError) -> None:
        """The kind of the error says which end it is. After cancel(), what was given up is cancelled."""
        state = FAILED
        if isinstance(error, Refused):
            state = REJECTED
        elif isinstance(error, Cancelled):
            state = CANCELLED
        elif isinstance(error, Timeout):
            state = CANCELLED if self._cancelled else TIMED_OUT
        elif isinstance(error, Unavailable):
            state = CANCELLED if self._cancelled else LOST
        self._put(name, Target(state, error.message))

    def cancel(self) -> None:
        self._cancelled = True

    @property
    def ended(self) -> bool:
        return all(each.ended for each in self.targets.values())

    @property
    def all_done(self) -> bool:
        """Somebody was asked, and each of them did it."""
        return self.nobody is None and all(each.state == DONE for each in self.targets.values())

    @property
    def objections(self) -> str:
        """Who did not, with why: "shutter.2 rejected: interlock open"; or why nobody was asked."""
        if self.nobody is not None:
            return self.nobody.message
        return "; ".join(f"{name} {each.state}" + (f": {each.text}" if each.text else "")
                         for name, each in sorted(self.targets.items()) if each.state != DONE)

    def __bool__(self) -> bool:
        return self.all_done

    def __getitem__(self, name: str) -> Target:
        return self.targets[name]

    def _put(self, name: str, target: Target) -> None:
        if name in self.targets and not self.targets[name].ended:
            self.targets[name] = target
