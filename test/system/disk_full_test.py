#!/usr/bin/env python3
"""The journal's disk is full, really: a small file system of its own, filled up under load.

What is promised (docs/operations.md): appends stop and everybody is told; reads go on; what comes
meanwhile is held back at its source and arrives once, in order; what there was no room for is in a
Gap record; there is room again, and all goes on by itself. Needs root, for a mount namespace.
"""

import base64
import ctypes
import json
import os
import shutil
import signal
import sys
import time
import unittest
import uuid

from kill_test import Account
from support import (NODES, ROOT, HarnessError, SimIoc, Site, each_line, logs_of, short_directory,
                     tidemark, wait_until)

sys.path.insert(0, str(ROOT / "clients/python"))

from tidemark import Client  # noqa: E402  (the path comes first)
from tidemark.errors import Unavailable  # noqa: E402
from tidemark.packing import pack  # noqa: E402

PVS = 400  # counters, at 10 Hz
HELD_MAX = 3 << 20  # bytes, at the monitor: some half a minute of them
DISK = 512 << 20
MORE_DISK = 2 << 30  # a journal that was killed needs room to carry its log over
PATIENCE = 60
MESSAGES = 400  # in a request, of 16 KiB

CLONE_NEWNS, MS_REMOUNT, MS_REC, MS_PRIVATE = 0x20000, 0x20, 0x4000, 0x40000
libc = ctypes.CDLL(None, use_errno=True)


def mount(source, target, kind, flags, data=None):
    if libc.mount(source, os.fsencode(target), kind, ctypes.c_ulong(flags), data) != 0:
        raise OSError(ctypes.get_errno(), f"cannot mount at {target}")


def own_mounts():
    """From now on nobody sees what this process mounts but whom it starts. Why not, or None."""
    if libc.unshare(CLONE_NEWNS) != 0:
        return f"no mount namespace can be made here: {os.strerror(ctypes.get_errno())}"
    try:
        mount(None, "/", None, MS_REC | MS_PRIVATE)
    except OSError as error:
        return f"no mount namespace can be made here: {error}"
    return None


class SmallDisk:
    """A file system in memory, and the file that takes what is left of it."""

    def __init__(self, path):
        self.path = path
        path.mkdir(parents=True)
        mount(b"tidemark", path, b"tmpfs", 0, f"size={DISK}".encode())

    def fill(self):
        # As somebody else would, who does not know of us.
        with open(self.path / "ballast", "ab", buffering=0) as ballast:
            for piece in (1 << 20, 4096):
                try:
                    while True:
                        ballast.write(bytes(piece))
                except OSError:
                    pass

    def give_back(self):
        (self.path / "ballast").unlink()

    def grow(self):
        mount(b"tidemark", self.path, b"tmpfs", MS_REMOUNT, f"size={MORE_DISK}".encode())


class Talker:
    """Somebody who says much: the write-ahead log has room of its own, taken before, to be used up."""

    def __init__(self, site):
        self.client = Client(site.file).start(20)
        self.origin, self.said, self.waiting = uuid.uuid4().bytes, 0, None

    def push(self):
        """Whether the journal has taken the next messages. Those that it refused are said again."""
        if self.waiting is None:
            records = [[16, 1, "talker", base64.b85encode(os.urandom(13_000)).decode(), None, "", 0]
                       for _ in range(MESSAGES)]
            self.waiting = pack([self.origin, "talker", 0, self.said,
                                 [[self.said + 1, MESSAGES, 2, time.time_ns(), pack(records)]],
                                 self.said])
        try:
            self.client.session.ask("journal", "journal.append", self.waiting, 20).result(30)
        except Unavailable as refused:
            if "disk full" not in str(refused):
                raise
            return False
        self.said += MESSAGES
        self.waiting = None
        return True


class FullDisk(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        if os.geteuid() != 0:
            raise unittest.SkipTest("only root can mount a small file system")
        why = own_mounts()
        if why:
            raise unittest.SkipTest(why)
        directory = short_directory("tm-")
        cls.addClassCleanup(shutil.rmtree, directory, ignore_errors=True)
        cls.sim = SimIoc(directory / "sim", pvs=PVS, profile="fast", put_log=False)
        cls.addClassCleanup(cls.sim.stop)
        cls.site = Site(tidemark(), cls.sim.addr_list, directory / "site",
                        extra=f"[monitor]\nholdback_bytes_max = {HELD_MAX}\n"
                              "[supervisor]\nrestarts_max = 1000\n")
        cls.addClassCleanup(cls.site.close)
        cls.disk = SmallDisk(directory / "site/data/journal")
        cls.addClassCleanup(lambda: libc.umount2(os.fsencode(cls.disk.path), 2))
        cls.site.up(seconds=30)
        cls.site.cli("pv", "import", cls.sim.csv, check=True)
        cls.site.wait_connected(cls.sim.ready["pvs"], 60)
        cls.talker = Talker(cls.site)
        cls.addClassCleanup(lambda: cls.talker.client.stop(0))

    def until(self, condition, what):
        try:
            return wait_until(condition, PATIENCE, what)
        except HarnessError:
            print(json.dumps(self.site.nodes(), indent=1), logs_of(self.site))
            raise

    def warnings(self):
        return (self.site.nodes().get("journal", {}).get("status") or {}).get("warnings", [])

    def held(self):
        return self.site.figure("monitor", "tidemark_outbox_bytes") or 0

    def dropped(self):
        return self.site.figure("monitor", "tidemark_outbox_dropped_total") or 0

    def last_line(self):
        return self.site.figure("journal", "tidemark_journal_last_line") or 0

    def fill(self):
        self.disk.fill()
        self.until(lambda: not self.talker.push(), "the journal refuses what is said")
        self.until(lambda: any("disk full" in each for each in self.warnings()),
                   "the journal says that its disk is full")

    def reads_go_on(self):
        for asked in (["log", "query", "--limit", "1", "--kind", "PvUpdate"],
                      ["state", "SIM:FAST:00000", "--at", "now"]):
            answer = self.site.cli("--json", *asked, check=True).stdout.splitlines()
            self.assertEqual(len(answer), 1, answer)

    def all_is_well(self):
        self.until(lambda: not any("disk full" in each for each in self.warnings()),
                   "the warning is gone")
        self.until(lambda: self.held() < HELD_MAX / 20, "what was held back is in the journal")
        self.until(self.talker.push, "the journal takes what it had refused")

    def test_nothing_is_lost_in_silence_and_all_goes_on_by_itself(self):
        # Full for a while: the sources hold back all of it.
        self.fill()
        self.assertIn("disk full", self.site.cli("status").stdout)
        stood = self.last_line()
        self.until(lambda: self.held() > HELD_MAX / 10, "the monitor holds back")
        self.reads_go_on()
        self.assertEqual(self.last_line(), stood)
        self.disk.give_back()
        self.all_is_well()
        self.assertEqual(self.dropped(), 0)
        whole = self.last_line()

        # Full for longer than they can.
        self.fill()
        self.until(lambda: self.dropped() > 1000, "the monitor drops the oldest")
        self.reads_go_on()
        self.disk.give_back()
        self.all_is_well()
        dropped = self.dropped()

        # Full, and killed. It starts when there is room.
        self.fill()
        killed = self.site.nodes()["journal"]["pid"]
        os.kill(killed, signal.SIGKILL)
        self.disk.give_back()
        self.disk.grow()
        self.until(lambda: self.site.well() and self.site.nodes()["journal"]["pid"] != killed,
                   "the journal is back")
        self.all_is_well()

        self.sim.stop()
        self.until(lambda: self.site.figure("keeper", "tidemark_live_connected") == 0,
                   "the machine is gone")
        self.until(lambda: self.held() == 0, "nothing is held back any more")
        self.account_for_all(whole, dropped, self.dropped())

    def account_for_all(self, whole, dropped, dropped_in_all):
        account = Account()
        said = set()
        for line in each_line(self.site):
            account.take(line)
            if line["kind"] == "LogMessage":
                said.add(line["text"][-30:])
        self.assertEqual(account.wrong_lines[:5], [], "lines are not contiguous")
        holes = []
        for (origin, incarnation), count in account.sequences.items():
            self.assertEqual(count.backwards[:5], [], f"{origin} {incarnation}: stored twice")
            if origin == "monitor":
                holes += count.holes
            else:
                self.assertEqual(count.holes[:5], [], f"{origin}: records are missing")
        gaps = [gap for gap in account.gaps if gap["subject"] == "monitor"]
        print(f"{account.last} lines, {len(holes)} holes, {len(gaps)} gaps, "
              f"{dropped_in_all} updates dropped", flush=True)
        self.assertEqual(sum(last - first + 1 for first, last in holes), dropped_in_all)
        self.assertGreaterEqual(dropped_in_all, dropped)
        self.assertEqual(len(gaps), len(holes))
        for gap in gaps:
            self.assertGreater(gap["line"], whole, "nothing went while there was room to hold it")
            self.assertIn("held back", gap["text"])
        missing = sum(value - before - 1 for *_, before, value in account.value_holes)
        self.assertEqual(missing, dropped_in_all, "what is missing is what the gaps say")
        self.assertEqual(len({name for name, _ in account.counters}), PVS)
        self.assertTrue(any(text.endswith("there is room again") for text in said))
        self.assertGreaterEqual(len(said), self.talker.said, "what was said is there")
        for name in NODES:
            self.assertEqual(self.site.nodes()[name]["state"], "alive", name)
        self.assertEqual(self.site.stop(), 0)
        checked = self.site.cli("journal", "check", self.disk.path / "store", timeout=120)
        self.assertEqual(checked.returncode, 0, checked.stdout + checked.stderr)


if __name__ == "__main__":
    unittest.main()
