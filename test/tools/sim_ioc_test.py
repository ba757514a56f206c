#!/usr/bin/env python3
"""tools/sim-ioc does what tests and benchmarks rely on. Talks to it as any client does, through libca.

    .venv/bin/python test/tools/sim_ioc_test.py
"""

import csv
import ctypes
import json
import os
import select
import signal
import socket
import subprocess
import sys
import tempfile
import time
import unittest
from pathlib import Path

sys.dont_write_bytecode = True
ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tools"))

from sim import core as ioc_core  # noqa: E402  (the path comes first)

DEADLINE = 20.0  # Seconds for anything to happen; met in well under one on an idle machine.
PVS = 60
MAGNET = "QUAD:LI21:101"


def eventually(what, condition):
    """Asks until `condition` gives something true, and returns that."""
    end = time.monotonic() + DEADLINE
    while True:
        result = condition()
        if result:
            return result
        if time.monotonic() > end:
            raise AssertionError(f"not within {DEADLINE:.0f} s: {what}")
        time.sleep(0.01)


def is_running(pid):
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except FileNotFoundError:
        return False


class Simulation:
    """A sim-ioc process that serves; ended with end()."""

    def __init__(self, *arguments):
        self.dir = tempfile.TemporaryDirectory(prefix="tidemark-sim-test-")
        self.process = subprocess.Popen(
            [sys.executable, str(ROOT / "tools" / "sim-ioc"), "--json", "--quiet", "--dir", self.dir.name, *arguments],
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE)
        try:
            if not select.select([self.process.stdout], [], [], DEADLINE)[0]:
                raise AssertionError("sim-ioc was not ready in time")
            line = self.process.stdout.readline()
            if not line:
                raise AssertionError("sim-ioc ended before it was ready")
            self.ready = json.loads(line)
        except BaseException:
            self.end()
            raise

    def end(self):
        if self.process.poll() is None:
            self.process.terminate()
        try:
            self.process.wait(DEADLINE)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.process.stdout.close()
        self.dir.cleanup()


class EventArgs(ctypes.Structure):
    """struct event_handler_args of cadef.h"""

    _fields_ = [("usr", ctypes.c_void_p), ("chid", ctypes.c_void_p), ("type", ctypes.c_long), ("count", ctypes.c_long),
                ("dbr", ctypes.c_void_p), ("status", ctypes.c_int)]


class Client:
    """A Channel Access client without preemptive callbacks: they run inside ca_pend_event()."""

    DBR_STRING, DBR_DOUBLE = 0, 6
    DBE_VALUE = 1
    ECA_NORMAL, ECA_NOWTACCESS = 1, 376
    KIND = ctypes.CFUNCTYPE(None, EventArgs)

    def __init__(self, library_dir, environment):
        # A free port in use as that of the repeater: libca then starts none.
        self.no_repeater = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.no_repeater.bind(("", 0))
        os.environ.update(environment, EPICS_CA_REPEATER_PORT=str(self.no_repeater.getsockname()[1]))
        ctypes.CDLL(os.path.join(library_dir, "libCom.so"), ctypes.RTLD_GLOBAL)
        self.ca = ctypes.CDLL(os.path.join(library_dir, "libca.so"), ctypes.RTLD_GLOBAL)
        for name in ("ca_pend_io", "ca_pend_event"):
            getattr(self.ca, name).argtypes = [ctypes.c_double]
        self.ca.ca_create_channel.argtypes = [ctypes.c_char_p, ctypes.c_void_p, ctypes.c_void_p, ctypes.c_uint,
                                              ctypes.c_void_p]
        self.ca.ca_array_get.argtypes = self.ca.ca_array_put.argtypes = [ctypes.c_long, ctypes.c_ulong,
                                                                         ctypes.c_void_p, ctypes.c_void_p]
        self.ca.ca_create_subscription.argtypes = [ctypes.c_long, ctypes.c_ulong, ctypes.c_void_p, ctypes.c_long,
                                                   self.KIND, ctypes.c_void_p, ctypes.c_void_p]
        self.ca.ca_clear_subscription.argtypes = [ctypes.c_void_p]
        self.ca.ca_write_access.argtypes = [ctypes.c_void_p]
        self.ca.ca_message.argtypes, self.ca.ca_message.restype = [ctypes.c_long], ctypes.c_char_p
        self.check(self.ca.ca_context_create(0))
        self.channels = {}

    def close(self):
        self.ca.ca_context_destroy()
        self.no_repeater.close()

    def check(self, status):
        if status != self.ECA_NORMAL:
            raise AssertionError(self.ca.ca_message(status).decode())

    def channel(self, name, wait=DEADLINE):
        if name not in self.channels:
            channel = ctypes.c_void_p()
            self.check(self.ca.ca_create_channel(name.encode(), None, None, 0, ctypes.byref(channel)))
            self.check(self.ca.ca_pend_io(wait))
            self.channels[name] = channel
        return self.channels[name]

    def get(self, name, field_type=DBR_DOUBLE):
        value = ctypes.c_double() if field_type == self.DBR_DOUBLE else ctypes.create_string_buffer(40)
        self.check(self.ca.ca_array_get(field_type, 1, self.channel(name), ctypes.byref(value)))
        self.check(self.ca.ca_pend_io(DEADLINE))
        return value.value if field_type == self.DBR_DOUBLE else value.value.decode()

    def put(self, name, value):
        """Returns the status of the request."""
        status = self.ca.ca_array_put(self.DBR_DOUBLE, 1, self.channel(name), ctypes.byref(ctypes.c_double(value)))
        self.ca.ca_flush_io()
        return status

    def can_write(self, name):
        return bool(self.ca.ca_write_access(self.channel(name)))

    def events_until(self, name, enough, act=lambda: None):
        """Subscribes, does `act` after the first event, and returns the values up to one that is enough."""
        values = []

        def received(args):
            if args.status == self.ECA_NORMAL:
                values.append(ctypes.c_double.from_address(args.dbr).value)

        callback, subscription = self.KIND(received), ctypes.c_void_p()
        self.check(self.ca.ca_create_subscription(self.DBR_DOUBLE, 1, self.channel(name), self.DBE_VALUE, callback,
                                                  None, ctypes.byref(subscription)))
        end = time.monotonic() + DEADLINE
        acted = False
        try:
            while not (acted and enough(values)):
                if time.monotonic() > end:
                    raise AssertionError(f"{name} sent {values[-5:]}")
                self.ca.ca_pend_event(0.02)
                if values and not acted:
                    acted = True
                    act()
        finally:
            self.check(self.ca.ca_clear_subscription(subscription))
        return values


class SimulatedLinac(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.core = ioc_core.find()
        if not cls.core.library_dir:
            raise unittest.SkipTest("this client needs the libraries that the simulated machine has, not a softIoc")
        cls.simulation = Simulation("--pvs", str(PVS))
        cls.addClassCleanup(cls.simulation.end)
        cls.ready = cls.simulation.ready
        cls.client = Client(cls.core.library_dir, cls.ready["env"])
        cls.addClassCleanup(cls.client.close)

    def test_ready_file_tells_where_it_serves(self):
        ready = json.loads((Path(self.simulation.dir.name) / "ready.json").read_text())
        self.assertTrue(ready["ready"])
        self.assertEqual(ready["pvs"], PVS)
        self.assertEqual(sum(ioc["records"] for ioc in ready["iocs"]), PVS)
        self.assertEqual(ready["env"], {"EPICS_CA_ADDR_LIST": f"127.0.0.1:{ready['iocs'][0]['port']}",
                                        "EPICS_CA_AUTO_ADDR_LIST": "NO"})
        self.assertTrue(is_running(ready["iocs"][0]["pid"]))

    def test_readback_follows_its_setpoint_with_a_lag(self):
        setpoint = self.client.get(f"{MAGNET}:BDES")
        wanted = -4.0 if setpoint > 0 else 4.0
        self.client.events_until(f"{MAGNET}:BACT", lambda seen: abs(seen[-1] - setpoint) < 0.01)  # At rest.
        values = self.client.events_until(f"{MAGNET}:BACT", lambda seen: abs(seen[-1] - wanted) < 0.01,
                                          act=lambda: self.client.put(f"{MAGNET}:BDES", wanted))
        self.assertGreater(len(values), 2, "it went there in one step")

    def test_read_only_pv_refuses_a_put(self):
        before = self.client.get(f"{MAGNET}:BMAX")
        self.assertFalse(self.client.can_write(f"{MAGNET}:BMAX"))
        self.assertTrue(self.client.can_write(f"{MAGNET}:BDES"))
        self.assertEqual(self.client.put(f"{MAGNET}:BMAX", 1.0), Client.ECA_NOWTACCESS)
        self.assertEqual(self.client.get(f"{MAGNET}:BMAX"), before)

    def test_drive_limits_clamp_a_setpoint(self):
        self.client.put(f"{MAGNET}:BDES", 1e6)
        self.assertEqual(self.client.get(f"{MAGNET}:BDES"), self.client.get(f"{MAGNET}:BDES.DRVH"))
        self.client.put(f"{MAGNET}:BDES", -1e6)
        self.assertEqual(self.client.get(f"{MAGNET}:BDES"), self.client.get(f"{MAGNET}:BDES.DRVL"))

    def test_put_log_has_a_put_with_old_and_new_value(self):
        self.client.put(f"{MAGNET}:BDES", 2.5)
        self.client.put(f"{MAGNET}:BDES", 3.25)

        def line():
            lines = [line.split("\t") for line in Path(self.ready["put_log"]).read_text().splitlines()]
            return [line for line in lines if line[1:4] == [f"{MAGNET}:BDES", "2.5", "3.25"]]

        when, _, _, _, who = eventually("the put is in the log", line)[-1]
        self.assertRegex(when, r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z$")
        self.assertIn("@", who)

    def test_enum_has_labels(self):
        self.assertEqual(self.client.get(f"{MAGNET}:CTRL", Client.DBR_STRING), "Ready")

    def test_csv_parses_and_its_live_names_are_served(self):
        with open(self.ready["csv"], encoding="utf-8", newline="") as file:
            rows = list(csv.DictReader(file, strict=True))
        self.assertEqual(len(rows), self.ready["csv_rows"])
        dead = [row for row in rows if row["Setpoint"].startswith("DEAD:")]
        self.assertEqual(len(dead), self.ready["csv_dead_rows"])
        self.assertGreater(len(dead), 0)
        self.assertTrue(any(row["Setpoint"] == "" and row["Readback"] for row in rows))
        self.assertTrue(any("," in row["Subsystem"] for row in rows), "no cell with two tags")
        self.assertTrue(any(row["ReadOnly"] == "true" for row in rows))
        names = [row[column] for row in rows if row not in dead for column in ("Setpoint", "Readback") if row[column]]
        self.assertEqual(len(set(names)), PVS)
        for name in names:
            self.client.channel(name)  # Fails when nobody serves it.
        with self.assertRaises(AssertionError):
            self.client.channel(dead[0]["Setpoint"], wait=0.3)


class SimulatedLinacProcesses(unittest.TestCase):
    def test_each_ioc_has_a_port_and_none_outlives_a_term(self):
        simulation = Simulation("--pvs", str(PVS), "--iocs", "3")
        try:
            iocs = simulation.ready["iocs"]
            self.assertEqual(len({ioc["port"] for ioc in iocs}), 3)
            self.assertTrue(all(is_running(ioc["pid"]) for ioc in iocs))
            simulation.process.terminate()
            self.assertEqual(simulation.process.wait(DEADLINE), 0)
            self.assertFalse(any(is_running(ioc["pid"]) for ioc in iocs))
        finally:
            simulation.end()

    def test_no_ioc_outlives_a_kill(self):
        simulation = Simulation("--pvs", str(PVS), "--iocs", "2")
        try:
            simulation.process.kill()
            for ioc in simulation.ready["iocs"]:
                eventually("the IOC is gone", lambda pid=ioc["pid"]: not is_running(pid))
        finally:
            simulation.end()

    def test_a_dead_ioc_is_started_again_on_its_port(self):
        simulation = Simulation("--pvs", str(PVS), "--iocs", "2", "--restart-after", "0")
        try:
            before = simulation.ready["iocs"][1]
            os.kill(before["pid"], signal.SIGKILL)

            def started_again():
                state = json.loads((Path(simulation.dir.name) / "ready.json").read_text())
                after = state["iocs"][1]
                return after if after["alive"] and after["pid"] != before["pid"] else None

            after = eventually("the IOC runs again", started_again)
            self.assertEqual(after["port"], before["port"])
        finally:
            simulation.end()


if __name__ == "__main__":
    unittest.main()
