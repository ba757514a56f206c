"""A listener that was stopped for a while: old frames are skipped, what can be had again is had
again, and of what cannot the journal gets a record.
"""

import json
import os
import signal
import subprocess
import sys
import time
import unittest
from pathlib import Path

from tidemark import Kind

from .real_site import SECONDS, SiteTest

LONG = 2.5  # beyond 1.5 s it was a standstill, and what was sent before is old


class AListenerThatWasStopped(SiteTest):
    def listener(self, name, pattern):
        process = subprocess.Popen(
            [sys.executable, "-m", "tests.listener", str(self.site.file), name, pattern],
            cwd=Path(__file__).resolve().parents[1], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        self.addCleanup(process.stdout.close)
        self.addCleanup(process.stdin.close)
        self.addCleanup(process.wait)
        self.addCleanup(process.kill)
        return process

    def ask(self, process):
        process.stdin.write(b"\n")
        process.stdin.flush()
        return json.loads(process.stdout.readline())

    def publisher(self, name, kind):
        made = self.subsystem(name)
        key = made.publish("v", kind)
        self.start(made)
        key.value = 0 if kind == "int64" else "begin"
        return made, key

    def stopped(self, process, publish):
        os.kill(process.pid, signal.SIGSTOP)
        publish()
        time.sleep(LONG)
        os.kill(process.pid, signal.SIGCONT)

    def gaps(self, name):
        return [each.record for each in self.lines(self.client(), kinds=(Kind.STREAM_GAP,))
                if each.record[1] == name]

    def test_skips_what_is_old_and_has_it_again_from_its_publisher(self):
        _, key = self.publisher("fast", "int64")
        process = self.listener("resumed", "fast/v")
        self.until(lambda: self.ask(process)["last"] == "0", "the current value")

        def publish():
            for each in range(1, 101):
                key.value = each
        self.stopped(process, publish)
        self.until(lambda: self.ask(process)["last"] == "100", "the last value")
        said = self.ask(process)
        self.assertGreater(said["skipped"], 0)
        self.assertEqual((said["count"], said["items_lost"]), (101, 0))
        self.assertGreater(said["repaired"], 0)
        self.assertGreaterEqual(said["gaps"], said["repaired"])
        self.assertEqual(self.gaps("resumed"), [])

    def test_records_what_its_publisher_does_not_have_any_more(self):
        large, key = self.publisher("large", "string")
        process = self.listener("lossy", "large/v")
        self.until(lambda: self.ask(process)["last"] == "begin", "the current value")

        def publish():
            for each in range(150):  # more than the 8 MiB that it keeps
                key.value = f"{each:9}" + "x" * 100_000
        self.stopped(process, publish)
        self.until(lambda: self.ask(process)["last"] == f"{149:9}", "the last value")
        self.assertLess(self.ask(process)["count"], 100)
        self.until(lambda: self.gaps("lossy"), "a record of it")
        (record,) = self.gaps("lossy")
        self.assertEqual(record[:5], [Kind.STREAM_GAP, "lossy", "large", 16, large.incarnation])
        first, last = record[5:7]
        self.assertEqual(self.ask(process)["items_lost"], last - first + 1)
        self.assertEqual((2 <= first <= 20, last), (True, 151))

    def test_records_lost_changes_of_status_items_too(self):
        doors = self.subsystem("doors")
        door = doors.status_item("door")
        self.start(doors)
        door.raise_("begin")
        process = self.listener("watches", "doors/*")
        self.until(lambda: self.ask(process)["item"] == "begin", "the item as it is")

        def publish():
            for each in range(150):
                door.raise_(f"{each:9}" + "x" * 100_000)
        self.stopped(process, publish)
        self.until(lambda: self.ask(process)["item"] == f"{149:9}", "the last change")
        self.until(lambda: self.gaps("watches"), "a record of it")
        (record,) = self.gaps("watches")
        self.assertEqual(record[1:5], ["watches", "doors", 17, doors.incarnation])


if __name__ == "__main__":
    unittest.main()
