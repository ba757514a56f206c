"""Who a node is: its UUID, its number, and an incarnation that grows at every start."""

from __future__ import annotations

import hashlib
import os
import time
import uuid
from pathlib import Path

from .errors import Unavailable


def node_uuid(site: str, name: str) -> uuid.UUID:
    raw = bytearray(hashlib.blake2b(f"tidemark/node/{site}/{name}".encode(),
                                    digest_size=16).digest())
    raw[6] = (raw[6] & 0x0F) | 0x80
    raw[8] = (raw[8] & 0x3F) | 0x80
    return uuid.UUID(bytes=bytes(raw))


def node_number(identity: uuid.UUID) -> int:
    return int.from_bytes(identity.bytes[:4], "big")


def next_incarnation(directory: Path) -> int:
    """Larger than that of every start before, also when the file that remembers them was lost.

    Durability: synced. Raises Unavailable.
    """
    file = directory / "incarnation"
    try:
        directory.mkdir(parents=True, exist_ok=True)
        try:
            last = int(file.read_text())
        except (FileNotFoundError, ValueError):
            last = 0
        following = max(last + 1, int(time.time()))
        aside = file.with_suffix(".new")
        with open(aside, "w", encoding="ascii") as out:
            out.write(f"{following}\n")
            out.flush()
            os.fsync(out.fileno())
        aside.rename(file)
    except OSError as failure:
        raise Unavailable(f"cannot write {file}: {failure.strerror}") from None
    return following
