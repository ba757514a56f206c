"""Asks a publisher for frames that were lost on the way."""

from __future__ import annotations

from collections.abc import Callable

from . import frame as frames
from .errors import Malformed, TidemarkError
from .frame import Frame
from .link import RESEND, Link
from .packing import pack
from .requests import Answer


def ask_again(link: Link, node: int, stream: int, incarnation: int, first: int, last: int,
              on_frames: Callable[[list[Frame] | TidemarkError], None]) -> None:
    """`on_frames` gets the frames that came, or why there are none."""
    found: list[Frame] = []

    def on_progress(payload: bytes) -> None:
        try:
            frame = frames.decode(payload)
        except Malformed:
            return
        if (frame.node, frame.stream) == (node, stream):
            found.append(frame)

    def on_answer(answer: Answer) -> None:
        on_frames(answer if isinstance(answer, TidemarkError) else found)

    link.request(node, RESEND, pack([stream, incarnation, first, last]), 1.0, on_answer,
                 on_progress)
