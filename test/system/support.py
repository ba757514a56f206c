"""What the system tests share: a machine with a site on it, an operator who writes to the machine
past Tidemark, the journal as a list, and HTTP.

Everything that may take a while is asked for again until a deadline; nothing sleeps in the hope
that something has happened meanwhile.
"""

import ctypes
import http.client
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
import unittest
from pathlib import Path

sys.dont_write_bytecode = True
ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tools"))

import harness  # noqa: E402  (the path comes first)
from harness import HarnessError, SimIoc, Site, free_port, short_directory, wait_until  # noqa: E402,F401
from sim import core as ioc_core  # noqa: E402

NODES = ("registry", "journal", "keeper", "monitor", "gateway")
SANITIZED = os.environ.get("TIDEMARK_SANITIZE")  # with which, if any
EXECUTABLE = None


def tidemark():
    """The program under test."""
    global EXECUTABLE
    if EXECUTABLE is None:
        EXECUTABLE = harness.executable("release")
    return EXECUTABLE


def is_running(pid):
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


def children_of(pid):
    """Process ids of what any of its threads started, ended ones too."""
    found = []
    for thread in Path(f"/proc/{pid}/task").iterdir():
        try:
            found += map(int, (thread / "children").read_text().split())
        except (FileNotFoundError, ProcessLookupError):
            pass  # a thread that has just ended
    return found


def processes_of(site):
    """Process ids of all that runs `tidemark` on this site."""
    found = []
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit():
            continue
        try:
            words = (entry / "cmdline").read_bytes().decode(errors="replace").split("\0")
        except OSError:
            continue
        if words and words[0].endswith("tidemark") and str(site.file) in words \
                and is_running(entry.name):
            found.append(int(entry.name))
    return found


def overloaded():
    """Whether so much else runs that a time measured now says little about us."""
    return os.getloadavg()[0] > 2 * (os.cpu_count() or 1)


class MachineTest(unittest.TestCase):
    """A simulated machine and a site of its own for each class. Set `machine` and `site_extra`."""

    machine = dict(pvs=300)
    site_extra = ""
    mode = "up"

    @classmethod
    def setUpClass(cls):
        program = tidemark()
        cls.directory = short_directory("tm-")
        cls.addClassCleanup(shutil.rmtree, cls.directory, ignore_errors=True)
        cls.sim = SimIoc(cls.directory / "sim", **cls.machine)
        cls.addClassCleanup(cls.sim.stop)
        cls.site = Site(program, cls.sim.addr_list, cls.directory / "site", extra=cls.site_extra)
        cls.addClassCleanup(cls.site.close)
        try:
            cls.site.up(seconds=30, mode=cls.mode)
            cls.site.cli("pv", "import", cls.sim.csv, check=True)
            cls.site.wait_connected(cls.sim.ready["pvs"], 60)
        except Exception:
            print(logs_of(cls.site), file=sys.stderr)
            raise

    def fails(self, done, status, *parts):
        """The command ended with `status`, and standard error has each of `parts`."""
        said = done.stdout + done.stderr
        self.assertEqual(done.returncode, status, said)
        for part in parts:
            self.assertIn(part, done.stderr, said)


def logs_of(site, lines=40):
    """The ends of all logs of a site, for the output of a test that failed."""
    out = []
    for log in [site.directory / "up.log", *sorted((site.directory / "data/log").glob("*.log"))]:
        if log.exists():
            tail = log.read_text(errors="replace").splitlines()[-lines:]
            out.append(f"==== {log.name}\n" + "\n".join(tail))
    return "\n".join(out)


# ---- the journal --------------------------------------------------------------------------------

def read_journal(site, *filters, timeout=120):
    """All lines, oldest first."""
    done = site.cli("--json", "log", "query", "--oldest-first", "--limit", "0", *filters,
                    timeout=timeout, check=True)
    return [json.loads(line) for line in done.stdout.splitlines()]


def each_line(site):
    """All lines, oldest first, as they come: for journals that are too long for a list."""
    with subprocess.Popen([site.executable, "-c", str(site.file), "--json", "log", "query",
                           "--oldest-first", "--limit", "0"], stdin=subprocess.DEVNULL,
                          stdout=subprocess.PIPE, env=site.env) as process:
        for text in process.stdout:
            yield json.loads(text)
    if process.returncode != 0:
        raise HarnessError(f"tidemark log query -> {process.returncode}")


def job_of(line):
    """Which job a record about a put or a job belongs to. What a node says of one is no such."""
    if line["kind"] == "LogMessage":
        return None
    for word in (line["subject"] + " " + line["text"]).replace(":", " ").split():
        if len(word) == 36 and word.count("-") == 4:
            return word
    return None


class Follower:
    """`tidemark log follow --json` in the background. Collects its lines as they come."""

    def __init__(self, site, *arguments, keep=lambda line: True):
        self.lines = []  # what `keep` wants, as JSON
        self.numbers = []  # of all lines
        self.errors = open(site.directory / "follow.log", "ab")
        self.process = subprocess.Popen(
            [site.executable, "-c", str(site.file), "--json", "log", "follow", *arguments],
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=self.errors, env=site.env)
        self.keep = keep
        self.thread = threading.Thread(target=self._read, daemon=True)
        self.thread.start()

    def _read(self):
        for text in self.process.stdout:
            # The line number is always first: parsing each line whole would cost more than it tells.
            self.numbers.append(int(text[len(b'{"line":'):text.index(b",")]))
            if self.keep(text):
                self.lines.append(json.loads(text))

    def last(self):
        return self.numbers[-1] if self.numbers else 0

    def stop(self):
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGINT)
            try:
                self.process.wait(10)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        self.thread.join(30)
        self.process.stdout.close()
        self.errors.close()
        return self.process.returncode


# ---- HTTP ---------------------------------------------------------------------------------------

class Http:
    """The gateway of a site, with a connection for each request."""

    def __init__(self, site):
        self.port = site.port

    def ask(self, method, path, body=None, headers=None):
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=20)
        try:
            text = None if body is None else json.dumps(body)
            connection.request(method, path, text,
                               {"Content-Type": "application/json", **(headers or {})})
            answer = connection.getresponse()
            return answer.status, answer.read().decode()
        finally:
            connection.close()

    def json(self, method, path, body=None, headers=None):
        status, text = self.ask(method, path, body, headers)
        if status != 200:
            raise HarnessError(f"{method} {path} -> {status} {text[:500]}")
        return json.loads(text)


# ---- an operator --------------------------------------------------------------------------------

class Operator:
    """Writes to the machine as any Channel Access client does, with libca and past Tidemark.

    One at a time in a process: libca takes its settings from the environment.
    """

    STRING, DOUBLE, CHAR, LONG = 0, 6, 4, 5
    C_TYPES = {DOUBLE: ctypes.c_double, CHAR: ctypes.c_uint8, LONG: ctypes.c_int32}
    NORMAL = 1
    WAIT = 20.0

    def __init__(self, sim):
        library = ioc_core.find().library_dir
        if not library:
            raise unittest.SkipTest("there is no libca here, only a softIoc")
        # A free port in use as that of the repeater: libca then starts none.
        self.no_repeater = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.no_repeater.bind(("", 0))
        os.environ.update(EPICS_CA_ADDR_LIST=sim.addr_list, EPICS_CA_AUTO_ADDR_LIST="NO",
                          EPICS_CA_MAX_ARRAY_BYTES="16777216",
                          EPICS_CA_REPEATER_PORT=str(self.no_repeater.getsockname()[1]))
        ctypes.CDLL(os.path.join(library, "libCom.so"), ctypes.RTLD_GLOBAL)
        self.ca = ca = ctypes.CDLL(os.path.join(library, "libca.so"), ctypes.RTLD_GLOBAL)
        pointer = ctypes.c_void_p
        ca.ca_pend_io.argtypes = ca.ca_pend_event.argtypes = [ctypes.c_double]
        ca.ca_create_channel.argtypes = [ctypes.c_char_p, pointer, pointer, ctypes.c_uint, pointer]
        ca.ca_array_get.argtypes = ca.ca_array_put.argtypes = [ctypes.c_long, ctypes.c_ulong,
                                                               pointer, pointer]
        ca.ca_message.argtypes, ca.ca_message.restype = [ctypes.c_long], ctypes.c_char_p
        self.check(ca.ca_context_create(0))
        self.channels = {}

    def close(self):
        self.ca.ca_context_destroy()
        self.no_repeater.close()

    def check(self, status):
        if status != self.NORMAL:
            raise HarnessError(self.ca.ca_message(status).decode())

    def channel(self, name):
        if name not in self.channels:
            channel = ctypes.c_void_p()
            self.check(self.ca.ca_create_channel(name.encode(), None, None, 0,
                                                 ctypes.byref(channel)))
            self.check(self.ca.ca_pend_io(self.WAIT))
            self.channels[name] = channel
        return self.channels[name]

    def put_all(self, values):
        """Many numbers at once; returns when the IOC has them."""
        for name in values:
            if name not in self.channels:
                channel = self.channels[name] = ctypes.c_void_p()
                self.check(self.ca.ca_create_channel(name.encode(), None, None, 0,
                                                     ctypes.byref(channel)))
        self.check(self.ca.ca_pend_io(self.WAIT))
        for name, value in values.items():
            self.check(self.ca.ca_array_put(self.DOUBLE, 1, self.channels[name],
                                            ctypes.byref(ctypes.c_double(value))))
        self.get(name)

    def get(self, name, kind=DOUBLE):
        value = ctypes.create_string_buffer(40) if kind == self.STRING else self.C_TYPES[kind]()
        self.check(self.ca.ca_array_get(kind, 1, self.channel(name), ctypes.byref(value)))
        self.check(self.ca.ca_pend_io(self.WAIT))
        return value.value.decode() if kind == self.STRING else value.value

    def put(self, name, value, kind=DOUBLE):
        """Returns when the IOC has it: it serves a client's requests in their order."""
        channel = self.channel(name)
        if isinstance(value, str):
            kind, count, data = self.STRING, 1, ctypes.create_string_buffer(value.encode(), 40)
        else:
            values = value if isinstance(value, (list, bytes)) else [value]
            count = len(values)
            data = (self.C_TYPES[kind] * count)(*values)
        self.check(self.ca.ca_array_put(kind, count, channel, ctypes.byref(data)))
        self.get(name, self.STRING)
