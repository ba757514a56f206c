"""What a life could not deliver, its next one does: the file, and on a real bus with kills."""

import os
import random
import signal
import subprocess
import sys
import tempfile
import time
import unittest
import uuid
from pathlib import Path
from types import SimpleNamespace

from tidemark import Kind
from tidemark.errors import Corruption, Unavailable
from tidemark.outbox import LOG_MESSAGE, Outbox
from tidemark.outbox_lives import SUFFIX, OutboxLives, SpoolPlace
from tidemark.outbox_queue import Section
from tidemark.packing import pack, unpack
from tidemark.spool import Owner, Spool, decode, read

from .real_site import SECONDS, SiteTest, wait_until

ME = Owner(bytes(range(16)), "psu.1", 7)
NEXT = Owner(ME.origin, ME.node, 8)


def start_spooler(test, *arguments):
    process = subprocess.Popen([sys.executable, "-m", "tests.spooler", *map(str, arguments)],
                               cwd=Path(__file__).resolve().parents[1], stdout=subprocess.PIPE)
    test.addCleanup(process.stdout.close)
    test.addCleanup(process.wait)
    test.addCleanup(process.kill)
    return process


class InAFolder(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)
        self.path = self.folder / "7.spool"


class ASpool(InAFolder):
    def spool(self, bytes_max=1 << 20):
        return Spool(self.path, ME, bytes_max)

    def test_has_the_bytes_of_the_protocol_page(self):
        self.spool().push(Section(1, 2, -5, b"xyz"))
        self.assertEqual(self.path.read_bytes().hex(" ", -16).split(), [
            "544d5350010000000000000000000000", "00000000000000000000000000000000",
            "000102030405060708090a0b0c0d0e0f", "07000000050000007073752e31ec1b45",
            "7b180000009e6a821b01000000000000", "000200000002fbffffffffffffff7879", "7a"])

    def test_gives_back_what_the_journal_does_not_have(self):
        spool = self.spool()
        sections = [Section(1, 2, 5, b"a"), Section(3, 1, 6, b"b" * 1000), Section(9, 3, 7, b"")]
        for each in sections:
            self.assertTrue(spool.push(each))
        spool.acknowledged(2)
        found = read(self.path)
        self.assertEqual((found.owner, found.acknowledged, found.last), (ME, 2, 11))
        self.assertEqual(found.sections, sections[1:])

    def test_goes_when_the_journal_has_all_of_it(self):
        spool = self.spool()
        empty = spool.bytes
        spool.push(Section(1, 2, 5, b"a"))
        spool.acknowledged(2)
        self.assertEqual((spool.bytes, self.path.stat().st_size), (empty, empty))
        spool.push(Section(3, 1, 5, b"b"))
        spool.close()
        self.assertTrue(self.path.exists())
        with self.assertRaises(Unavailable):
            self.spool()

    def test_says_which_numbers_found_no_room_and_goes_on_behind_them(self):
        spool = self.spool(400)
        took = [spool.push(Section(each, 1, 0, bytes(100))) for each in range(1, 6)]
        self.assertEqual(took, [True, True, False, False, False])
        found = read(self.path)
        self.assertEqual((found.lost_first, found.lost_last, found.last), (3, 5, 5))
        spool.acknowledged(4)
        self.assertFalse(spool.push(Section(6, 1, 0, b"")))
        spool.acknowledged(6)
        self.assertTrue(spool.push(Section(7, 1, 0, b"")))
        self.assertEqual([each.sequence for each in read(self.path).sections], [7])

    def test_forgets_what_is_acknowledged_when_that_takes_the_room(self):
        spool = self.spool(3 << 20)
        for each in range(1, 41):
            self.assertTrue(spool.push(Section(each, 1, 0, bytes(256 << 10))), each)
            spool.acknowledged(each - 1)
        self.assertEqual([each.sequence for each in read(self.path).sections], [40])

    def test_that_was_cut_anywhere_has_all_that_was_whole_and_nothing_else_is_raised(self):
        spool = self.spool()
        for each in range(1, 5):
            spool.push(Section(each, 1, 0, bytes([each]) * 20))
        data = self.path.read_bytes()
        counts = []
        for size in range(len(data) + 1):
            try:
                counts.append(len(decode(data[:size]).sections))
            except Corruption:
                self.assertEqual(counts, [])
        self.assertEqual(sorted(set(counts)), [0, 1, 2, 3, 4])
        self.assertEqual(counts, sorted(counts))
        rng = random.Random(4711)
        for _ in range(2000):
            broken = bytearray(data)
            broken[rng.randrange(len(data))] ^= 1 << rng.randrange(8)
            try:
                decode(bytes(broken))
            except Corruption:
                pass

    def test_has_all_that_was_pushed_when_its_process_is_killed(self):
        for at in range(5):
            path = self.folder / f"killed-{at}"
            process = start_spooler(self, "file", path)
            while int(process.stdout.readline()) < 300 * at:
                pass
            process.kill()
            told = [int(line) for line in process.stdout.read().splitlines()[:-1]]
            process.wait()
            found = read(path)
            if told:
                self.assertGreaterEqual(found.last, told[-1])
            due = None
            for section in found.sections:
                if due is not None:
                    self.assertEqual(section.sequence, due)
                due = section.last + 1
                self.assertEqual(unpack(section.payload[:len(section.payload) -
                                                        section.sequence % 5000]),
                                 [section.sequence] * section.count)
            self.assertLessEqual(found.sections[0].sequence, found.acknowledged + 1)


class Lives(InAFolder):
    def lives(self, owner, bytes_max=1 << 20):
        return OutboxLives(owner, SpoolPlace(self.folder, bytes_max))

    def test_deliver_what_the_one_before_left_as_its_own_and_then_theirs(self):
        first = self.lives(ME)
        first.push(2, 5, b"a")
        first.next()
        first.push(1, 6, b"b")
        second = self.lives(NEXT)  # the first was killed
        second.push(1, 7, b"c")
        request = second.next()
        self.assertEqual(request[:6], [ME.origin, "psu.1", 7, 0,
                                       [[1, 2, 2, 5, b"a"], [3, 1, 2, 6, b"b"]], 0])
        self.assertEqual(request[6:], [False, True])
        self.assertIsNone(second.next())
        self.assertFalse(second.idle)
        self.assertTrue(second.acknowledged(3))
        self.assertFalse(self.path.exists())
        self.assertEqual(second.next()[2:5], [8, 0, [[1, 1, 2, 7, b"c"]]])
        self.assertFalse(second.acknowledged(1))
        self.assertTrue(second.idle)
        second.close()
        self.assertEqual(list(self.folder.iterdir()), [])

    def test_say_that_the_one_before_had_no_room(self):
        first = self.lives(ME, 1 << 16)
        for _ in range(3):
            first.push(1, 5, bytes(40_000))
        request = self.lives(NEXT).next()
        self.assertEqual([each[0] for each in request[4]], [1, 4])
        self.assertEqual(unpack(request[4][1][4])[0][3],
                         "records 2 to 3 of incarnation 7 are lost: its spool was full when it ended")

    def test_give_nothing_up_when_they_have_a_successor(self):
        self.lives(ME).push(1, 5, b"a")
        frozen = self.lives(NEXT)
        successor = self.lives(Owner(ME.origin, ME.node, 9))
        self.assertFalse(frozen.give_up())
        self.assertTrue(self.path.exists())
        self.assertTrue(successor.give_up())
        self.assertFalse(self.path.exists())

    def test_say_that_the_newest_were_dropped_when_nothing_follows_them(self):
        lives = OutboxLives(ME, None, 1000)
        lives.push(1, 5, bytes(1000))
        for _ in range(3):
            lives.push(2, 5, b"updates", True)
        self.assertEqual([each[0] for each in lives.next()[4]], [1])
        self.assertFalse(lives.acknowledged(1))
        request = lives.next()
        self.assertEqual((request[3], request[4][0][0]), (1, 8))
        self.assertIn("6 updates were dropped", unpack(request[4][0][4])[0][3])
        self.assertFalse(lives.acknowledged(8))
        self.assertTrue(lives.idle)

    def test_say_how_much_was_not_taken_when_they_ended(self):
        class Off:
            """A link whose loop has ended."""

            info = SimpleNamespace(uuid=uuid.UUID(bytes=ME.origin), name=ME.node,
                                   incarnation=ME.incarnation)

            def post(self, job):
                pass

        outbox = Outbox(Off(), 1, True, kept_bytes_max=1000, held_bytes_max=1000,
                        place=SpoolPlace(self.folder, 1 << 20))
        outbox.append(LOG_MESSAGE, 1, "psu.1", "x" * 2000, None, "", 0)
        for _ in range(3):
            outbox.record(LOG_MESSAGE, 1, "psu.1", "not taken", None, "", 0)
        outbox.close()
        last = read(self.path).sections[-1]
        self.assertEqual(last.sequence, 1 + 3 + 1)
        self.assertIn("3 records were not taken", unpack(last.payload)[0][3])

    def test_put_aside_what_they_cannot_read_and_leave_alone_what_is_not_theirs(self):
        other = OutboxLives(Owner(bytes(16), "other", 3), SpoolPlace(self.folder, 1 << 20))
        other.push(1, 5, b"a")
        (self.folder / "1.spool").write_bytes(b"rubbish")
        (self.folder / "2.spool.new").write_bytes(b"half")
        with self.assertLogs("tidemark", "ERROR"):
            lives = self.lives(NEXT)
        self.assertIsNone(lives.next())
        self.assertEqual(sorted(each.name for each in self.folder.iterdir()),
                         ["1.spool.bad", "3.spool", "8.spool"])

    def test_go_on_without_a_spool_when_the_disk_refuses(self):
        (self.folder / "file").touch()
        with self.assertLogs("tidemark", "WARNING"):
            lives = OutboxLives(ME, SpoolPlace(self.folder / "file", 1 << 20))
        lives.push(1, 5, b"a")
        self.assertEqual(lives.next()[7], False)
        self.assertFalse(lives.acknowledged(1))
        lives.close()


class OnTheBus(SiteTest):
    def journal_stops(self):
        pid = self.site.nodes()["journal"]["pid"]
        os.kill(pid, signal.SIGSTOP)
        self.addCleanup(os.kill, pid, signal.SIGCONT)
        return lambda: os.kill(pid, signal.SIGCONT)

    def spools(self, name):
        folder = self.site.directory / "data/subsystems" / name / "spool"
        return sorted(folder.glob("*" + SUFFIX)) if folder.exists() else []

    def records(self, name):
        return sum(each.count for path in self.spools(name) for each in read(path).sections)

    def updates(self, client, name, kinds=(Kind.KV_UPDATE,)):
        return self.lines(client, origin=name, kinds=kinds, limit=10_000)

    def test_what_a_killed_subsystem_said_comes_once_and_without_a_gap(self):
        client = self.client()
        go_on = self.journal_stops()
        process = start_spooler(self, "bus", self.site.file, "killed", 300)
        self.assertEqual(process.stdout.readline(), b"ready\n")
        wait_until(lambda: self.records("killed") == 300, SECONDS, "all is on disk")
        process.kill()
        process.wait()
        before = read(self.spools("killed")[0]).owner.incarnation
        go_on()
        again = start_spooler(self, "bus", self.site.file, "killed", 10)
        self.assertEqual(again.stdout.readline(), b"ready\n")
        self.until(lambda: len(self.updates(client, "killed")) == 310, "all updates")
        lines = self.updates(client, "killed")
        self.assertEqual([each.record[2] for each in lines], [*range(300), *range(10)])
        self.assertEqual({each.incarnation for each in lines[:300]}, {before})
        self.assertGreater(lines[300].incarnation, before)
        self.assertEqual([each for each in self.lines(client, kinds=(Kind.GAP,))
                          if each.record[2] == "killed"], [])
        self.until(lambda: self.records("killed") == 0, "the spool is empty")
        self.assertEqual(len(self.spools("killed")), 1)

    def test_what_a_subsystem_had_to_say_when_it_stopped_waits_for_its_next_start(self):
        client = self.client()
        psu = self.subsystem("stopped")
        value = psu.publish("v", "int64", journaled=True)
        self.start(psu)
        go_on = self.journal_stops()
        for each in range(5):
            value.value = each
        psu.stop(0)
        self.assertEqual(self.records("stopped"), 5)
        go_on()
        psu = self.start(self.subsystem("stopped"))
        self.until(lambda: len(self.updates(client, "stopped")) == 5, "all updates")
        psu.stop()
        self.assertEqual(self.spools("stopped"), [])

    @unittest.skipUnless(os.environ.get("TIDEMARK_PEER"), "TIDEMARK_PEER names no program")
    def test_a_life_in_cpp_delivers_what_one_in_python_left_and_the_other_way_round(self):
        client = self.client()

        def start_cpp():
            process = subprocess.Popen([os.environ["TIDEMARK_PEER"], str(self.site.file)])
            self.addCleanup(process.wait)
            self.addCleanup(process.kill)
            self.until(lambda: any(each.name == "cpp" and each.pid == process.pid
                                   for each in client.peers()), "it is there")
            return process

        go_on = self.journal_stops()
        python = start_spooler(self, "bus", self.site.file, "cpp", 20)
        self.assertEqual(python.stdout.readline(), b"ready\n")
        wait_until(lambda: self.records("cpp") == 20, SECONDS, "all is on disk")
        python.kill()
        python.wait()
        cpp = start_cpp()
        go_on()
        self.until(lambda: len(self.updates(client, "cpp")) == 20, "all updates")
        self.until(lambda: self.records("cpp") == 0, "nothing waits")

        go_on = self.journal_stops()
        for each in range(3):
            client.key("cpp/int64").set(each)
        wait_until(lambda: self.records("cpp") == 3, SECONDS, "the writes are on disk")
        cpp.kill()
        cpp.wait()
        psu = self.subsystem("cpp")
        self.start(psu)
        go_on()
        self.until(lambda: len(self.updates(client, "cpp")) == 23, "the writes too")
        self.assertEqual([each.record[2] for each in self.updates(client, "cpp")],
                         [*range(20), 0, 1, 2])
        self.assertEqual([each for each in self.lines(client, kinds=(Kind.GAP,))
                          if each.record[2] == "cpp"], [])


if __name__ == "__main__":
    unittest.main()
