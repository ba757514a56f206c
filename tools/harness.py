"""A simulated machine and a site on it, for tools/demo, tools/bench and the system tests.

Everything runs on loopback, in folders and on ports of its own, and ends with the object that
started it. Standard library only.
"""

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


class HarnessError(Exception):
    """Something that must work did not; the message says what and where its log is."""


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def wait_until(condition, seconds, what):
    """Polls `condition` until it is true; returns what it returned."""
    deadline = time.monotonic() + seconds
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > deadline:
            raise HarnessError(f"not within {seconds} s: {what}")
        time.sleep(0.01)


def short_directory(prefix):
    """A temporary folder whose path leaves room for ipc sockets (107 bytes in all)."""
    base = tempfile.gettempdir()
    return Path(tempfile.mkdtemp(prefix=prefix, dir=base if len(base) < 50 else "/tmp"))


def stop_process(process, seconds=10):
    if process.poll() is None:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(seconds)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
    return process.returncode


def ends_with_us(command):
    """The same command, for a process that gets SIGTERM when this one dies, however it dies."""
    setpriv = shutil.which("setpriv")
    return [setpriv, "--pdeathsig", "TERM", *command] if setpriv else command


class SimIoc:
    """tools/sim-ioc, from its start until all its IOCs serve."""

    def __init__(self, directory, pvs, iocs=1, profile="linac", dead=None, put_log=True, more=()):
        self.directory = Path(directory)
        self.directory.mkdir(parents=True, exist_ok=True)
        command = [str(ROOT / "tools/sim-ioc"), "--pvs", str(pvs), "--iocs", str(iocs),
                   "--profile", profile, "--dir", str(self.directory), "--quiet", *more]
        if dead is not None:
            command += ["--dead", str(dead)]
        if not put_log:
            command.append("--no-put-log")
        self.log = open(self.directory / "sim-ioc.log", "ab")
        began = time.monotonic()
        self.process = subprocess.Popen(ends_with_us(command), stdin=subprocess.DEVNULL,
                                        stdout=self.log, stderr=subprocess.STDOUT,
                                        start_new_session=True)
        ready = self.directory / "ready.json"

        def is_ready():
            if self.process.poll() is not None:
                raise HarnessError(f"sim-ioc ended; see {self.log.name}")
            return ready.exists()

        try:
            wait_until(is_ready, 90, "sim-ioc serves")
        except BaseException:
            self.stop()
            raise
        self.seconds = time.monotonic() - began
        self.ready = json.loads(ready.read_text())
        self.addr_list = self.ready["addr_list"]
        self.csv = Path(self.ready["csv"])
        self.put_log = self.directory / "put.log"

    def environment(self):
        """What a Channel Access client of this machine needs."""
        return {**os.environ, "EPICS_CA_ADDR_LIST": self.addr_list,
                "EPICS_CA_AUTO_ADDR_LIST": "NO", "EPICS_CA_MAX_ARRAY_BYTES": "16777216",
                "EPICS_CA_REPEATER_PORT": str(free_port())}

    def stop(self):
        stop_process(self.process)
        self.log.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()


class Site:
    """A site of its own: its file, its `tidemark up`, and the command line on it."""

    def __init__(self, executable, addr_list, directory=None, port=0, name="site", extra="",
                 nodes=None):
        self.executable = str(executable)
        self.own_directory = directory is None
        self.directory = Path(directory) if directory else short_directory("tm-")
        self.directory.mkdir(parents=True, exist_ok=True)
        self.port = port or free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.file = self.directory / "site.toml"
        listed = f"nodes = {json.dumps(nodes)}\n" if nodes else ""
        self.file.write_text(
            f'[site]\nname = "{name}"\ndata = "data"\n{listed}\n'
            f'[epics]\naddr_list = "{addr_list}"\nauto_addr_list = false\n\n'
            f'[gateway]\nlisten = "127.0.0.1:{self.port}"\n{extra}')
        # The beacons of other machines on this host are none of our business.
        self.env = {**os.environ, "EPICS_CA_REPEATER_PORT": str(free_port())}
        self.process = None
        self.up_log = None

    def up(self, seconds=20, mode="up"):
        """Starts the site and waits until it says that all nodes are there. Returns seconds."""
        self.up_log = open(self.directory / "up.log", "ab")
        began = time.monotonic()
        at = self.up_log.tell()
        command = ends_with_us([self.executable, "-c", str(self.file), mode])
        self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=self.up_log,
                                        stderr=subprocess.STDOUT, start_new_session=True,
                                        env=self.env)

        def ready():
            if self.process.poll() is not None:
                raise HarnessError(f"`tidemark {mode}` ended with {self.process.returncode}; "
                                   f"see {self.up_log.name}")
            return b"nodes up" in Path(self.up_log.name).read_bytes()[at:]

        wait_until(ready, seconds, f"all nodes up; see {self.up_log.name}")
        return time.monotonic() - began

    def cli(self, *arguments, timeout=60, check=False, text=None):
        done = subprocess.run([self.executable, "-c", str(self.file), *map(str, arguments)],
                              stdin=subprocess.DEVNULL if text is None else None, input=text,
                              capture_output=True, text=True, timeout=timeout, env=self.env)
        if check and done.returncode != 0:
            raise HarnessError(f"tidemark {' '.join(map(str, arguments))} -> {done.returncode}\n"
                               f"{done.stdout}{done.stderr}")
        return done

    def json(self, *arguments, timeout=60, check=True):
        """The JSON document or documents that a command prints."""
        done = self.cli("--json", *arguments, timeout=timeout, check=check)
        try:
            return json.loads(done.stdout)
        except json.JSONDecodeError:
            return [json.loads(line) for line in done.stdout.splitlines() if line.strip()]

    def nodes(self):
        """Nodes by name, as `tidemark status --json` has them."""
        done = self.cli("--json", "status", timeout=10)
        if not done.stdout.strip():
            return {}
        return {node["name"]: node for node in json.loads(done.stdout)["nodes"]}

    def figure(self, node, name):
        """One figure of one node; None while it has none."""
        status = (self.nodes().get(node) or {}).get("status") or {}
        return (status.get("figures") or {}).get(name)

    def wait_connected(self, channels, seconds=30):
        """Until the keeper's live table has that many values."""
        wait_until(lambda: (self.figure("keeper", "tidemark_live_with_value") or 0) >= channels,
                   seconds, f"{channels} channels with a value")

    def well(self):
        nodes = self.nodes()
        wanted = ("registry", "journal", "keeper", "monitor", "gateway")
        return all(name in nodes and nodes[name]["state"] == "alive" and nodes[name]["status"]
                   for name in wanted)

    def stop(self):
        status = None
        if self.process is not None:
            status = stop_process(self.process, 30)
            self.process = None
            self.up_log.close()
        return status

    def close(self):
        self.stop()
        if self.own_directory:
            shutil.rmtree(self.directory, ignore_errors=True)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


def executable(preset):
    """The `tidemark` of a build; TIDEMARK_EXECUTABLE overrides."""
    given = os.environ.get("TIDEMARK_EXECUTABLE")
    path = Path(given) if given else ROOT / "build" / preset / "tools/tidemark"
    if not path.exists():
        sys.exit(f"{path} is not there: build it first")
    return path
