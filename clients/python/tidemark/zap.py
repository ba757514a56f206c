"""Who may connect to us with CURVE: answers what the sockets ask (ZeroMQ RFC 27). The list is read
again at most once a second. Only on the loop thread.
"""

from __future__ import annotations

import time
from pathlib import Path

import zmq

from . import curve_keys
from .errors import Unavailable

ENDPOINT = "inproc://zeromq.zap.01"
DOMAIN = b"tidemark"
READ_INTERVAL = 1.0


class ZapHandler:
    """Bound before any socket with server keys is."""

    def __init__(self, context: zmq.Context[zmq.Socket[bytes]], directory: Path):
        self.socket: zmq.Socket[bytes] = context.socket(zmq.REP)
        self.socket.bind(ENDPOINT)
        self.refused = 0
        self._directory = directory
        self._allowed: frozenset[bytes] = frozenset()
        self._read_at = 0.0

    def answer(self) -> None:
        """Call when the socket can be read."""
        try:
            parts = self.socket.recv_multipart(zmq.NOBLOCK)
        except zmq.Again:
            return
        fine = len(parts) == 7 and parts[0] == b"1.0" and parts[2] == DOMAIN and \
            parts[5] == b"CURVE" and self._is_allowed(parts[6])
        if not fine:
            self.refused += 1
        # 300 and not 400: the client tries again, and gets in when it is allowed.
        status = (b"200", b"OK") if fine else (b"300", b"the key is not allowed")
        request = parts[1] if len(parts) > 1 else b""
        self.socket.send_multipart([b"1.0", request, *status, b"", b""])

    def _is_allowed(self, key: bytes) -> bool:
        now = time.monotonic()
        if now - self._read_at >= READ_INTERVAL:
            self._read_at = now
            try:
                self._allowed = curve_keys.allowed_keys(self._directory)
            except Unavailable:
                self._allowed = frozenset()
        return key in self._allowed
