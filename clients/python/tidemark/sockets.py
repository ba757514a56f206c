"""Our ZeroMQ sockets, with the options that the protocol page asks for. Only on the loop thread.

    data      XPUB bound ──► SUB, one for all publishers
    requests  ROUTER bound ◄─► DEALER, one per server
"""

from __future__ import annotations

import os
import secrets
import socket as posix
import stat
from dataclasses import dataclass, replace
from pathlib import Path

import zmq

from .curve_keys import KEY_BYTES, CurveKeys
from .envelope import BYTES_MAX as ENVELOPE_BYTES_MAX
from .errors import Conflict, InvalidArgument
from .frame import PAYLOAD_BYTES_MAX
from .messages import NodeInfo
from .site import SOCKET_PATH_BYTES_MAX
from .zap import DOMAIN, ZapHandler

HIGH_WATER = 2000  # messages to one peer
LINGER_MS = 200
HANDSHAKE_MS = 2000
HEADER_SLACK = 4096  # a later version's longer header
SUBSCRIPTION_BYTES_MAX = 4096  # ZeroMQ keeps a prefix of any length, in 70 times its size

Socket = zmq.Socket[bytes]


@dataclass(frozen=True)
class LinkOptions:
    """Who we are and where we bind; a program that only asks binds nothing."""

    self_info: NodeInfo
    bind_data: str = ""
    bind_requests: str = ""
    keys: CurveKeys | None = None
    key_directory: Path | None = None
    insecure: bool = False


class Sockets:
    """Raises Conflict or InvalidArgument when an endpoint cannot be bound."""

    def __init__(self, options: LinkOptions):
        self._keys = options.keys
        self._host = options.self_info.host
        self._identity = b"T" + options.self_info.uuid.bytes + \
            options.self_info.incarnation.to_bytes(4, "little")
        self.context: zmq.Context[Socket] = zmq.Context()
        self.zap: ZapHandler | None = None
        self.publisher: Socket | None = None
        self.router: Socket | None = None
        self.info = options.self_info
        if self._keys is not None:
            self.info = replace(self.info, public_key=self._keys.public)
        try:
            self._open(options)
        except Exception:
            self.close()
            raise

    def _open(self, options: LinkOptions) -> None:
        if self._keys is not None and options.bind_requests and options.key_directory:
            self.zap = ZapHandler(self.context, options.key_directory)
        self.subscriber = self._socket(zmq.SUB, PAYLOAD_BYTES_MAX + HEADER_SLACK)
        open_to_all = options.insecure or self._keys is not None
        if options.bind_data:
            self.publisher = self._socket(zmq.XPUB, SUBSCRIPTION_BYTES_MAX)
            self.publisher.setsockopt(zmq.XPUB_VERBOSE, 1)
            self.info = replace(self.info, data_endpoints=(
                self._bind(self.publisher, options.bind_data, open_to_all),))
        if options.bind_requests:
            self.router = self._socket(zmq.ROUTER, ENVELOPE_BYTES_MAX)
            self.router.setsockopt(zmq.ROUTER_MANDATORY, 1)
            self.router.setsockopt(zmq.ROUTER_HANDOVER, 1)
            self.info = replace(self.info, request_endpoints=(
                self._bind(self.router, options.bind_requests, open_to_all),))

    def close(self) -> None:
        self.context.destroy(linger=LINGER_MS)

    def data_endpoint(self, peer: NodeInfo) -> str | None:
        return self._usable(peer.data_endpoints, peer.host)

    def connect_data(self, peer: NodeInfo, endpoint: str) -> bool:
        return self._connect(self.subscriber, endpoint, peer)

    def dealer(self, peer: NodeInfo) -> Socket | None:
        """A new connection to a server, or None when none of its endpoints can be reached."""
        endpoint = self._usable(peer.request_endpoints, peer.host)
        if endpoint is None:
            return None
        made = self._socket(zmq.DEALER, ENVELOPE_BYTES_MAX)
        made.setsockopt(zmq.ROUTING_ID, self._identity + secrets.token_bytes(8))
        made.setsockopt(zmq.IMMEDIATE, 1)
        if self._connect(made, endpoint, peer):
            return made
        made.close()
        return None

    def _socket(self, kind: int, message_bytes_max: int) -> Socket:
        made = self.context.socket(kind)
        made.setsockopt(zmq.SNDHWM, HIGH_WATER)
        made.setsockopt(zmq.RCVHWM, HIGH_WATER)
        made.setsockopt(zmq.LINGER, LINGER_MS)
        made.setsockopt(zmq.HANDSHAKE_IVL, HANDSHAKE_MS)
        made.setsockopt(zmq.MAXMSGSIZE, message_bytes_max)
        made.setsockopt(zmq.RECONNECT_IVL, 50)
        return made

    @staticmethod
    def _keepalive(socket: Socket, endpoint: str) -> None:
        remote = endpoint.startswith("tcp://")
        socket.setsockopt(zmq.HEARTBEAT_IVL, 500 if remote else 0)
        socket.setsockopt(zmq.HEARTBEAT_TIMEOUT, 1500 if remote else 0)
        socket.setsockopt(zmq.HEARTBEAT_TTL, 1500 if remote else 0)
        socket.setsockopt(zmq.RECONNECT_IVL_MAX, 2000 if remote else 500)

    def _usable(self, endpoints: tuple[str, ...], host: str) -> str | None:
        for each in endpoints:
            if each.startswith("tcp://") or \
                    (each.startswith("ipc://") and (not host or host == self._host)):
                return each
        return None

    def _connect(self, socket: Socket, endpoint: str, peer: NodeInfo) -> bool:
        """False also for a peer on tcp whose key we should know and do not."""
        self._keepalive(socket, endpoint)
        if self._keys is None or not endpoint.startswith("tcp://"):
            socket.setsockopt(zmq.CURVE_SERVER, 0)
        elif len(peer.public_key) == KEY_BYTES:
            socket.setsockopt(zmq.CURVE_PUBLICKEY, self._keys.public)
            socket.setsockopt(zmq.CURVE_SECRETKEY, self._keys.secret)
            socket.setsockopt(zmq.CURVE_SERVERKEY, peer.public_key)
        else:
            return False
        try:
            socket.connect(endpoint)
        except zmq.ZMQError:
            return False
        return True

    def _bind(self, socket: Socket, endpoint: str, open_to_all: bool) -> str:
        self._keepalive(socket, endpoint)
        if endpoint.startswith("ipc://"):
            _prepare_file(endpoint)
            socket.setsockopt(zmq.CURVE_SERVER, 0)
        else:
            host = endpoint.removeprefix("tcp://").rsplit(":", 1)[0]
            if not open_to_all and not host.startswith("127."):
                raise InvalidArgument(f"cannot bind {endpoint}: only loopback addresses, as there "
                                      "are no keys")
            if self._keys is not None:
                socket.setsockopt(zmq.CURVE_SECRETKEY, self._keys.secret)
                socket.setsockopt(zmq.CURVE_SERVER, 1)
                socket.setsockopt(zmq.ZAP_DOMAIN, DOMAIN)
        try:
            socket.bind(endpoint)
        except zmq.ZMQError as failure:
            if failure.errno == zmq.EADDRINUSE:
                raise Conflict(f"{endpoint} is in use") from None
            raise InvalidArgument(f"cannot bind {endpoint}: {failure}") from None
        if endpoint.startswith("ipc://"):
            os.chmod(endpoint.removeprefix("ipc://"), 0o600)
            return endpoint
        bound = socket.getsockopt(zmq.LAST_ENDPOINT)
        assert isinstance(bound, bytes)
        return bound.rstrip(b"\0").decode()


def _prepare_file(endpoint: str) -> None:
    """Clears away what a dead process left; ZeroMQ would take it from a living one, too."""
    path = endpoint.removeprefix("ipc://")
    size = len(os.fsencode(path))
    if size > SOCKET_PATH_BYTES_MAX:
        raise InvalidArgument(f"cannot bind {endpoint}: a path of {size} bytes; a socket's may "
                              f"have {SOCKET_PATH_BYTES_MAX}")
    try:
        if not stat.S_ISSOCK(os.lstat(path).st_mode):
            raise Conflict(f"cannot bind {endpoint}: a file that is no socket is there")
    except FileNotFoundError:
        return
    with posix.socket(posix.AF_UNIX, posix.SOCK_STREAM) as probe:
        probe.setblocking(False)
        try:
            probe.connect(path)
        except ConnectionRefusedError:
            os.unlink(path)
            return
        except FileNotFoundError:
            return
        except OSError:
            pass  # its backlog is full, so somebody listens
    raise Conflict(f"{endpoint} is in use by a living process")
