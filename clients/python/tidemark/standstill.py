"""Whether a loop has just stood still (its process was stopped, swapped out, suspended), and for how
long: what arrives then is older than it looks. Pure: whoever asks says what time it is.
"""

from __future__ import annotations

STANDSTILL = 1.5  # a loop that stood still for so long has old frames before it
WAITED_THROUGH = 1.0  # requests that come within so long afterwards may have waited through all of it


class Standstill:
    def __init__(self, now: float):
        self._looked_at = now  # at the clock
        self._may_sleep = 0.0  # since then
        self._length = 0.0
        self._until = -1e18

    def may_sleep(self, seconds: float) -> None:
        """From the last look on: that is no standstill."""
        self._may_sleep = seconds

    def look(self, now: float) -> bool:
        """True when it stood still since the last look."""
        passed, self._looked_at = now - self._looked_at, now
        may_sleep, self._may_sleep = self._may_sleep, 0.0
        if passed <= may_sleep + STANDSTILL:
            return False
        self._length, self._until = passed, now
        return True

    def may_have_waited(self) -> float:
        """How much older than it looks a request may be that arrives now."""
        return self._length if self._looked_at - self._until <= WAITED_THROUGH else 0.0
