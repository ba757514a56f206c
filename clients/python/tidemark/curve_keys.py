"""Key files of CURVE: one key in z85 and a newline. `<name>.secret` belongs to its owner alone."""

from __future__ import annotations

import os
import stat
from dataclasses import dataclass
from pathlib import Path

import zmq
from zmq.utils import z85

from .errors import InvalidArgument, Refused, Unavailable

KEY_BYTES = 32
Z85_BYTES = 40
ALLOWED_FILES_MAX = 10_000


@dataclass(frozen=True)
class CurveKeys:
    public: bytes
    secret: bytes


def own_keys(directory: Path, name: str) -> CurveKeys:
    """Raises Unavailable, InvalidArgument, or Refused: others may read the secret."""
    secret = _read(directory / f"{name}.secret", secret=True)
    public: bytes = zmq.curve_public(z85.encode(secret))
    return CurveKeys(_decoded(public), secret)


def public_key(directory: Path, name: str) -> bytes:
    return _read(directory / f"{name}.public", secret=False)


def allowed_keys(directory: Path) -> frozenset[bytes]:
    """Of those who may connect to the nodes of this host. What is no key is passed over."""
    found = set()
    try:
        files = sorted((directory / "allowed").iterdir())[:ALLOWED_FILES_MAX]
    except OSError as failure:
        raise Unavailable(f"cannot read the allowed keys: {failure}") from None
    for file in files:
        if file.suffix == ".public":
            try:
                found.add(_read(file, secret=False))
            except (Unavailable, InvalidArgument):
                continue
    return frozenset(found)


def _read(file: Path, secret: bool) -> bytes:
    try:
        with open(file, "rb") as opened:
            mode = os.fstat(opened.fileno()).st_mode
            text = opened.read(Z85_BYTES + 2)
    except OSError as failure:
        raise Unavailable(f"cannot read key {file}: {failure.strerror}") from None
    if secret and mode & (stat.S_IRWXG | stat.S_IRWXO):
        raise Refused(f"others than its owner may read {file}: chmod 600 {file}")
    try:
        return _decoded(text.removesuffix(b"\n"))
    except ValueError:
        raise InvalidArgument(f"{file} holds no key: expected 40 characters of z85") from None


def _decoded(text: bytes) -> bytes:
    if len(text) != Z85_BYTES:
        raise ValueError("not 40 characters")
    try:
        raw: bytes = z85.decode(text)
    except Exception:  # it raises whatever its tables do
        raise ValueError("no z85") from None
    return raw
