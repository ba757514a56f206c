"""Patterns: `*` is any run of characters, `?` any one. Nothing else is special."""

from __future__ import annotations

import functools
import re


@functools.lru_cache(maxsize=1024)
def _compiled(pattern: str) -> re.Pattern[str]:
    # Runs of stars would make a backtracking matcher slow.
    once = re.sub(r"\*+", "*", pattern)
    return re.compile("".join({"*": ".*?", "?": "."}.get(each, re.escape(each)) for each in once),
                      re.DOTALL)


def matches(pattern: str, text: str) -> bool:
    """True when the whole of `text` fits."""
    return _compiled(pattern).fullmatch(text) is not None
