"""What a link counts. Written by its loop thread; any thread may read it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass
class LinkCounters:
    frames_sent: int = 0
    frames_received: int = 0
    bytes_sent: int = 0
    bytes_received: int = 0
    malformed: int = 0
    stale: int = 0
    requests_sent: int = 0
    requests_served: int = 0
    requests_timed_out: int = 0
    requests_sent_again: int = 0
    requests_asked_twice: int = 0
    frames_sent_again: int = 0
    skipped: int = 0  # dropped unread after this process stood still
    refused: int = 0
    dropped: int = 0
