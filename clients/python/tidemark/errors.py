"""What can go wrong, sorted by what the caller does next. The codes are those of the wire."""

from __future__ import annotations


class TidemarkError(Exception):
    """Any of the below. `code` is its number on the bus."""

    code = 8

    @property
    def message(self) -> str:
        return str(self.args[0]) if self.args else ""


class InvalidArgument(TidemarkError):
    """The call is wrong; repeating it unchanged fails again."""

    code = 1


class NotFound(TidemarkError):
    """It is not there, or there is no such method."""

    code = 2


class Conflict(TidemarkError):
    """Somebody else holds it, or it exists already; the message says who."""

    code = 3


class Timeout(TidemarkError):
    """Nobody knows the outcome; the effect may still happen."""

    code = 4


class Unavailable(TidemarkError):
    """Not now: nobody there, or over a limit. Try later."""

    code = 5


class Refused(TidemarkError):
    """Understood, and the answer is no; the message is the reason. Raise it in a handler to say no."""

    code = 6


class Corruption(TidemarkError):
    """Bytes are not what was written."""

    code = 7


class Failed(TidemarkError):
    """It broke; so does every error whose code is not known."""

    code = 8


class Cancelled(TidemarkError):
    """Whoever asked took it back before it was done. Raise it in a handler that came to an end early."""

    code = 9


class InCallback(TidemarkError, RuntimeError):
    """A call that waits, inside a callback: what it waits for could not arrive."""


class Malformed(TidemarkError):
    """Bytes that are not what the protocol page says. Counted and dropped, never shown to users."""

    code = 7


_BY_CODE: dict[int, type[TidemarkError]] = {
    each.code: each
    for each in (InvalidArgument, NotFound, Conflict, Timeout, Unavailable, Refused, Corruption,
                 Failed, Cancelled)
}


def error_of(code: int, message: str) -> TidemarkError:
    """The error for a code from the bus; unknown ones mean that it failed."""
    return _BY_CODE.get(code, Failed)(message)
