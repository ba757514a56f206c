"""Who was stopped for a while. A listener: old frames are skipped, what can be had again is had
again, and of what cannot the journal gets a record. A server: what its caller has given up meanwhile
is not done.
"""

import json
import os
import signal
import subprocess
import sys
import threading
import time
import unittest
from pathlib import Path

from tidemark import Kind, Refused, TidemarkError, Timeout

from .real_site import SECONDS, SiteTest

LONG = 2.5  # beyond 1.5 s it was a standstill, and what was sent before is old
# A standstill too. With 2 s its lease may be over, which ends connections and what waits in them.
WITHIN_LEASE = 1.8


class Stopped(SiteTest):
    def process(self, module, *arguments):
        """A subsystem in a process of its own: tests.<module>."""
        process = subprocess.Popen(
            [sys.executable, "-m", f"tests.{module}", str(self.site.file), *arguments],
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


class AListenerThatWasStopped(Stopped):
    def listener(self, name, pattern):
        return self.process("listener", name, pattern)

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
        self.until(lambda: self.ask(process)["repaired"] > 0, "the hole counts as repaired")
        said = self.ask(process)
        self.assertGreater(said["skipped"], 0)
        self.assertEqual((said["count"], said["items_lost"]), (101, 0))
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


class AServerThatWasStopped(Stopped):
    def setUp(self):
        self.name = self.id().rsplit("_", 1)[-1]  # nobody else has had it on this site
        self.server = self.process("server", self.name)
        self.key = self.client().key(f"{self.name}/v")
        self.assertEqual(self.key.set(1, SECONDS), 1)  # connects: what is not connected is not sent

    def stop(self):
        os.kill(self.server.pid, signal.SIGSTOP)
        threads = Path(f"/proc/{self.server.pid}/task")
        self.until(lambda: all((each / "stat").read_text().rsplit(")", 1)[1].split()[0] == "T"
                               for each in threads.iterdir()), "it stands still")
        return time.monotonic()

    def wait_until(self, at):
        self.until(lambda: time.monotonic() >= at, "it is that late")

    def resume(self, stopped_at):
        self.wait_until(stopped_at + WITHIN_LEASE)
        os.kill(self.server.pid, signal.SIGCONT)

    def write_in_time(self, value):
        def written():
            try:
                return self.key.set(value, 2.0) == value
            except TidemarkError:
                return False
        self.until(written, "a write that is in time")

    def write_later(self, value, budget):
        """A list that gets the value as it was taken, or the error."""
        said = []

        def write():
            try:
                said.append(self.key.set(value, budget))
            except TidemarkError as failure:
                said.append(failure)
        writing = threading.Thread(target=write)
        writing.start()
        self.addCleanup(writing.join)
        return said

    def test_does_not_do_late_what_its_caller_has_given_up(self):
        at = self.stop()
        with self.assertRaises(Timeout):
            self.key.set(33, 1.0)
        self.resume(at)
        self.write_in_time(3)
        self.assertEqual(self.ask(self.server), [1, 3])

    def test_does_not_do_what_may_have_waited_for_all_of_its_budget_and_says_so(self):
        at = self.stop()
        self.wait_until(at + 0.6)
        said = self.write_later(34, WITHIN_LEASE - 0.1)  # half a second of it will be left
        self.resume(at)
        self.until(lambda: said, "an answer")
        self.assertIsInstance(said[0], Timeout)
        self.assertEqual(said[0].message, f"'kv.write' may have waited too long while {self.name} "
                                          "stood still: it was not done")
        self.write_in_time(3)
        self.assertEqual(self.ask(self.server), [1, 3])

    def test_does_what_its_caller_has_time_left_for(self):
        at = self.stop()
        said = self.write_later(35, SECONDS)
        self.resume(at)
        self.until(lambda: said, "an answer")
        self.assertEqual((said, self.ask(self.server)), ([35], [1, 35]))


class ACallerThatHasASuccessor(SiteTest):
    def test_is_refused(self):
        done = []
        server = self.subsystem("callee")
        value = server.writable("v", "int64")
        value.on_write(done.append)
        server.on_event("do", lambda call: done.append("event"))
        self.start(server)
        older = self.start(self.subsystem("caller"))
        older.key("callee/v").set(1)
        newer = self.start(self.subsystem("caller"))
        self.until(lambda: any(each.name == "caller" and each.incarnation == newer.incarnation
                               for each in server.peers()), "the callee knows the newer")
        words = (f"^caller incarnation {older.incarnation} is superseded by incarnation "
                 f"{newer.incarnation}$")
        with self.assertRaisesRegex(Refused, words):
            older.key("callee/v").set(2)
        said = older.call("do", to="callee")["callee"]
        self.assertEqual(said.state, "rejected")
        self.assertRegex(said.text, words)
        newer.key("callee/v").set(3)
        self.assertEqual(done, [1, 3])
        self.assertGreaterEqual(server.stats().link.stale, 2)


if __name__ == "__main__":
    unittest.main()
