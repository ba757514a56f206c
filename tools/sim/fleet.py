"""The IOC processes: started, asked over Channel Access whether they serve, restarted, ended.

Each IOC has a port of its own: several sockets that share a UDP port on one host get a unicast search
at one of them only. All stay on loopback.
"""

import ctypes
import json
import os
import signal
import socket
import struct
import subprocess
import sys
import time
from pathlib import Path

PR_SET_PDEATHSIG = 1
LOOPBACK = "127.0.0.1"
KILL_AFTER = 3.0  # Seconds from SIGTERM to SIGKILL.


class StartFailed(Exception):
    """An IOC did not come up; the text holds the end of its log."""


def port_is_free(port):
    for kind in (socket.SOCK_STREAM, socket.SOCK_DGRAM):
        with socket.socket(socket.AF_INET, kind) as probe:
            if kind == socket.SOCK_STREAM:
                # As the IOC does: a connection in TIME_WAIT is no obstacle.
                probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((LOOPBACK, port))
            except OSError:
                return False
    return True


def free_ports(count):
    """Ports free for TCP and UDP. Held until all are found, so they differ."""
    held, ports = [], []
    try:
        while len(ports) < count:
            tcp = socket.socket()
            held.append(tcp)
            tcp.bind((LOOPBACK, 0))
            udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
            held.append(udp)
            try:
                udp.bind((LOOPBACK, tcp.getsockname()[1]))
            except OSError:
                continue
            ports.append(tcp.getsockname()[1])
        return ports
    finally:
        for each in held:
            each.close()


class Search:
    """Asks one server for one name by UDP, as a client does."""

    VERSION, SEARCH, MINOR = 0, 6, 13
    HEADER = struct.Struct(">HHHHII")

    def __init__(self, port, name):
        payload = name.encode() + b"\0"
        payload += b"\0" * (-len(payload) % 8)
        no_reply_if_unknown = 5
        self.request = (self.HEADER.pack(self.VERSION, 0, 0, self.MINOR, 0, 0) +
                        self.HEADER.pack(self.SEARCH, len(payload), no_reply_if_unknown, self.MINOR, port, port) +
                        payload)
        self.cid = port
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.connect((LOOPBACK, port))

    def answered(self, wait):
        try:
            self.socket.send(self.request)
            self.socket.settimeout(wait)
            reply = self.socket.recv(1024)
        except OSError:  # Nobody there yet, or silence.
            time.sleep(0.005)
            return False
        while len(reply) >= self.HEADER.size:
            command, size, _, _, _, second = self.HEADER.unpack_from(reply)
            if command == self.SEARCH and second == self.cid:
                return True
            reply = reply[self.HEADER.size + size:]
        return False

    def close(self):
        self.socket.close()


class Ioc:
    """One IOC process and what is needed to start it again."""

    def __init__(self, core, index, port, database, security, last_record, put_log, log):
        self.core = core
        self.index = index
        self.port = port
        self.database = database
        self.security = security
        self.last_record = last_record
        self.put_log = put_log
        self.log = log
        self.process = None
        self.died_at = None

    def start(self):
        environment = {name: value for name, value in os.environ.items()
                       if not name.startswith(("EPICS_CA_", "EPICS_CAS_", "EPICS_PVA"))}
        for name in ("EPICS_CA_REPEATER_PORT", "EPICS_CAS_BEACON_PORT"):  # Shared with the clients.
            if name in os.environ:
                environment[name] = os.environ[name]
        environment |= {
            "EPICS_CA_SERVER_PORT": str(self.port),
            "EPICS_CAS_SERVER_PORT": str(self.port),
            "EPICS_CAS_INTF_ADDR_LIST": LOOPBACK,
            "EPICS_CAS_BEACON_ADDR_LIST": LOOPBACK,
            "EPICS_CAS_AUTO_BEACON_ADDR_LIST": "NO",
            "EPICS_CA_ADDR_LIST": LOOPBACK,
            "EPICS_CA_AUTO_ADDR_LIST": "NO",
            "EPICS_IOC_NAME": f"sim-ioc-{self.index}",
        }
        if self.core.softioc:
            command = [self.core.softioc, "-S", "-a", self.security, "-d", self.database]
        else:
            config = dict(library_dir=self.core.library_dir, dbd_dir=self.core.dbd_dir, database=self.database,
                          security=self.security, put_log=self.put_log, parent=os.getpid())
            command = [sys.executable, "-E", "-s", str(Path(__file__).with_name("ioc_host.py")), json.dumps(config)]
        libc = ctypes.CDLL(None)
        deadly = signal.SIGKILL if self.core.softioc else signal.SIGTERM

        def before_exec():
            libc.prctl(PR_SET_PDEATHSIG, deadly, 0, 0, 0)
            # The host process waits for SIGTERM; the softIoc program must not find it blocked.
            signal.pthread_sigmask(signal.SIG_SETMASK, {signal.SIGTERM} if not self.core.softioc else ())

        with open(self.log, "ab") as log:
            self.process = subprocess.Popen(command, env=environment, stdin=subprocess.DEVNULL, stdout=log,
                                            stderr=subprocess.STDOUT, start_new_session=True,
                                            preexec_fn=before_exec)
        self.died_at = None

    def wait_until_serving(self, deadline):
        search = Search(self.port, self.last_record)
        try:
            while not search.answered(wait=0.05):
                if self.process.poll() is not None:
                    raise StartFailed(f"IOC {self.index} ended with status {self.process.returncode}:\n{self.tail()}")
                if time.monotonic() > deadline:
                    raise StartFailed(f"IOC {self.index} does not answer on port {self.port}:\n{self.tail()}")
        finally:
            search.close()

    def tail(self):
        with open(self.log, encoding="utf-8", errors="replace") as log:
            return "".join("  | " + line for line in log.readlines()[-15:])

    def alive(self):
        return self.process is not None and self.process.poll() is None


def end_all(iocs):
    """Ends every IOC that still runs, and reaps it."""
    running = [ioc for ioc in iocs if ioc.alive()]
    for ioc in running:
        ioc.process.send_signal(signal.SIGTERM)
        ioc.process.send_signal(signal.SIGCONT)  # A test may have stopped it.
    deadline = time.monotonic() + KILL_AFTER
    for ioc in running:
        try:
            ioc.process.wait(max(0.0, deadline - time.monotonic()))
        except subprocess.TimeoutExpired:
            ioc.process.kill()
            ioc.process.wait()
