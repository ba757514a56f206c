#!/usr/bin/env python3
"""The past, played again on a running site: exactly what it was, at any speed, and to nobody else."""

import json
import os
import pty
import select
import signal
import subprocess
import threading
import time
import unittest

from support import MachineTest, Operator, wait_until

QUAD = "QUAD:LI21:101:BDES"
CORRECTOR = "XCOR:LI21:103:BDES"


def shown(document):
    """What a PV is, in the words that both a replay and `state` have."""
    alarm = document.get("alarm") or {}
    return (document.get("value"), document.get("label"), document["state"],
            json.dumps(alarm, sort_keys=True), document["taken_at"])


class Replay:
    """`tidemark --json replay …` in the background: its documents as they come."""

    def __init__(self, site, *arguments, hold=False):
        self.documents = []
        self.times = []
        self.ended = None
        self.may_read = threading.Event()
        if not hold:
            self.may_read.set()
        self.process = subprocess.Popen(
            [site.executable, "-c", str(site.file), "--json", *arguments],
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=site.env)
        self.thread = threading.Thread(target=self._read, daemon=True)
        self.thread.start()

    def _read(self):
        self.may_read.wait()
        for text in self.process.stdout:
            self.documents.append(json.loads(text))
            self.times.append(time.monotonic())

    def pvs(self):
        """Each PV as it was said last."""
        return {each["address"]: shown(each) for each in list(self.documents) if "address" in each}

    def values(self, address):
        return [each["value"] for each in list(self.documents) if each.get("address") == address]

    def wait(self, seconds=60):
        if self.ended:
            return self.ended
        self.may_read.set()
        code = self.process.wait(seconds)
        self.thread.join(10)
        said = self.process.stderr.read().decode()
        self.process.stdout.close()
        self.process.stderr.close()
        self.ended = code, said
        return self.ended

    def end(self, how=signal.SIGINT):
        if self.process.poll() is None:
            self.process.send_signal(how)
        return self.wait()


class Replays(MachineTest):
    machine = dict(pvs=100)

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.operator = Operator(cls.sim)
        cls.addClassCleanup(cls.operator.close)

    # ---- helpers --------------------------------------------------------------------------------

    def documents(self, *arguments):
        done = self.site.cli("--json", *arguments, check=True)
        return [json.loads(line) for line in done.stdout.splitlines()]

    def last_line(self):
        line, = self.documents("log", "query", "--limit", "1")
        return line["line"]

    def state(self, at, *names):
        return {each["address"]: shown(each) for each in self.documents("state", *names, "--at", at)}

    def live(self, name):
        return self.site.json("pv", "get", name)["values"][0]["value"]

    def change(self, name, value):
        self.operator.put(name, value)
        wait_until(lambda: self.documents("state", name, "--at", "now")[0]["value"] == value, 20,
                   "the journal has the value")
        return self.last_line()

    def replay(self, *arguments, **options):
        made = Replay(self.site, "replay", *arguments, **options)
        self.addCleanup(made.end, signal.SIGKILL)
        return made

    def replays(self):
        return self.documents("replay", "list")

    def the_replay(self):
        def only():
            found = self.replays()
            return found[0] if len(found) == 1 and found[0]["phase"] != "waiting" else None
        return wait_until(only, 20, "the replay is under way")

    def setUp(self):
        # That of the test before is gone at once, or when its lease is over.
        wait_until(lambda: not self.replays(), 30, "no replay is under way")

    def same_as_then(self, replay, line):
        """The replay's PVs become those of `line`; none of those of then is missing or other."""
        then = self.state(f"@{line}")
        wait_until(lambda: replay.pvs().items() >= then.items(), 20,
                   f"the replay has the machine of line {line}")

    # ---- what it says ---------------------------------------------------------------------------

    def test_as_fast_as_it_goes_it_says_all_that_happened_in_its_order(self):
        begin = self.change(QUAD, 1.0)
        self.site.cli("log", "mark", "begin", "replayed", check=True)
        for value in (2.0, -3.5, 4.25):
            end = self.change(QUAD, value)
        done = self.replay(f"@{begin}", f"@{end}", "--speed", "max")
        code, said = done.wait()
        self.assertEqual(code, 0, said)
        self.assertEqual(done.values(QUAD), [1.0, 2.0, -3.5, 4.25])
        self.same_as_then(done, end)
        marks = [each for each in done.documents if each.get("kind") == "MarkBegin"]
        self.assertEqual([each["subject"] for each in marks], ["replayed"])
        logged, = self.documents("log", "show", f"{marks[0]['line']}..{marks[0]['line']}")
        self.assertEqual(marks[0], logged)
        phases = [each["phase"] for each in done.documents if "replay" in each]
        self.assertEqual(phases[-1], "finished")
        self.assertEqual(self.replays(), [])

    def test_step_by_step_it_is_the_machine_as_it_was(self):
        begin = self.change(QUAD, 1.5)
        for value in (2.5, 3.5):
            self.change(QUAD, value)
            end = self.change(CORRECTOR, value / 100)  # It is clamped at 0.06.
        done = self.replay(f"@{begin}", f"@{end}", "--paused")
        name = self.the_replay()["replay"]
        self.same_as_then(done, begin)
        line = begin

        def stepped():
            found = self.replays()
            return (found or ["over"]) if not found or found[0]["line"] > line else None

        while True:
            self.documents("replay", "step", name, "block")
            replay = wait_until(stepped, 20, "the step is done")[0]
            if replay == "over" or replay["phase"] == "finished":
                break
            line = replay["line"]
            self.same_as_then(done, line)
            # Somebody who joins now has the same.
            joined = self.site.json("pv", "get", "*", "--replay", name)
            self.assertEqual(joined["replay"]["line"], line)
            self.assertEqual({each["address"]: shown(each) for each in joined["values"]},
                             self.state(f"@{line}", "*"))
        self.assertEqual(done.wait()[0], 0)
        self.same_as_then(done, end)

    def test_at_the_speed_of_then_it_takes_as_long_as_then(self):
        begin = self.change(QUAD, 1.0)
        for value in (2.0, 3.0, 4.0):
            end = self.change(QUAD, value)
            wait_until(lambda: self.last_line() >= end, 5, "it is durable")
        updates = [each for each in self.documents("log", "query", "--subject", QUAD, "--kind",
                                                    "PvUpdate", "--oldest-first", "--limit", "0")
                   if begin < each["line"] <= end]
        self.assertEqual(len(updates), 3)
        def seconds(each):
            minute, second = each["recorded_at"].rstrip("Z").split(":")[1:]
            return int(minute) * 60 + float(second)
        then = [(seconds(each) - seconds(updates[0])) % 3600 for each in updates]
        done = self.replay(f"@{updates[0]['line'] - 1}", f"@{end}", QUAD)
        code, said = done.wait()
        self.assertEqual(code, 0, said)
        times = [at for at, each in zip(done.times, done.documents) if each.get("address") == QUAD]
        # The first one is the state before.
        for wanted, at in zip(then, times[-3:]):
            self.assertGreaterEqual(at - times[-3] + 0.15, wanted)
            self.assertLess(at - times[-3], wanted + 5)

    def test_pauses_goes_on_and_jumps(self):
        first = self.change(QUAD, 10.0)
        second = self.change(QUAD, 20.0)
        self.change(QUAD, 15.0)  # It is clamped at 20.
        end = self.change(CORRECTOR, 0.05)
        done = self.replay(f"@{first}", f"@{end}", QUAD, "--speed", "max", "--paused")
        name = self.the_replay()["replay"]
        wait_until(lambda: done.values(QUAD) == [10.0], 20, "the state of the begin")
        self.documents("replay", "seek", name, f"@{second}")
        wait_until(lambda: done.values(QUAD) == [10.0, 20.0], 20, "the state after the jump")
        self.documents("replay", "seek", name, f"@{first}")
        wait_until(lambda: done.values(QUAD) == [10.0, 20.0, 10.0], 20, "the state of before")
        self.documents("replay", "speed", name, "max")
        self.documents("replay", "resume", name)
        self.assertEqual(done.wait()[0], 0)
        self.assertEqual(done.values(QUAD), [10.0, 20.0, 10.0, 20.0, 15.0])

    # ---- who reads it ---------------------------------------------------------------------------

    def test_others_may_look_on_and_the_present_hears_nothing(self):
        begin = self.change(QUAD, 5.0)
        end = self.change(QUAD, 6.0)
        self.change(QUAD, 7.0)
        now = Replay(self.site, "pv", "watch", QUAD)
        self.addCleanup(now.end, signal.SIGKILL)
        wait_until(lambda: now.values(QUAD) == [7.0], 20, "the value of now")
        done = self.replay(f"@{begin}", f"@{end}", QUAD, "--paused")
        name = self.the_replay()["replay"]
        past = Replay(self.site, "pv", "watch", QUAD, "--replay", name)
        self.addCleanup(past.end, signal.SIGKILL)
        wait_until(lambda: past.values(QUAD) == [5.0], 20, "the value of then")
        wait_until(lambda: self.the_replay()["readers"] == 2, 20, "both are readers")
        self.assertEqual(self.live(QUAD), 7.0)
        self.documents("replay", "speed", name, "max")
        self.documents("replay", "resume", name)
        wait_until(lambda: past.values(QUAD) == [5.0, 6.0], 20, "the value moves in the past")
        self.assertEqual(done.wait()[0], 0)
        code, said = past.wait()
        self.assertIn("the replay is over", said)
        self.assertEqual(self.live(QUAD), 7.0)
        self.assertEqual(self.operator.get(QUAD), 7.0)
        self.change(QUAD, 8.0)
        wait_until(lambda: 8.0 in now.values(QUAD), 20, "the present goes on")
        self.assertEqual(now.values(QUAD), [7.0, 8.0])
        table = self.site.json("snapshot", "create", "of the present")
        self.assertTrue(table)
        self.assertEqual(self.site.json("pv", "get", QUAD)["values"][0]["value"], 8.0)

    def test_a_slow_reader_misses_nothing_and_holds_nothing_up(self):
        names = [each["address"] for each in self.documents("state", "*:BDES", "--at", "now")
                 if each["state"] == "connected"][:20]
        self.assertGreater(len(names), 5)
        begin = self.change(QUAD, 0.0)
        rounds = 200
        for i in range(1, rounds + 1):
            value = i % 40 - 20.0  # Beyond 20 they are clamped.
            self.operator.put_all({name: value for name in names if name != QUAD})
            self.operator.put(QUAD, value)
        end = self.change(QUAD, 0.5)
        said = [each["value"] for each in self.documents(
            "log", "query", "--subject", QUAD, "--kind", "PvUpdate", "--oldest-first", "--limit",
            "0") if begin < each["line"] <= end]
        slow = self.replay(f"@{begin}", f"@{end}", "--speed", "max", hold=True)
        wait_until(lambda: self.replays() and self.replays()[0]["readers"] == 1, 20,
                   "the slow one has begun")
        # The pipe is full, and the journal has better things to do than to wait.
        began = time.monotonic()
        self.change(QUAD, 0.75)
        self.assertLess(time.monotonic() - began, 10)
        quick = self.replay(f"@{begin}", f"@{end}", "--speed", "max")
        self.assertEqual(quick.wait()[0], 0)
        code, errors = slow.wait()
        self.assertEqual(code, 0, errors)
        for each in (slow, quick):
            self.assertEqual(each.values(QUAD)[1:], said)
            self.same_as_then(each, end)

    def test_ends_when_its_owner_is_killed(self):
        begin = self.change(QUAD, 1.0)
        end = self.change(QUAD, 2.0)
        done = self.replay(f"@{begin}", f"@{end}", "--paused")
        name = self.the_replay()["replay"]
        past = Replay(self.site, "pv", "watch", QUAD, "--replay", name)
        self.addCleanup(past.end, signal.SIGKILL)
        wait_until(lambda: past.values(QUAD) == [1.0], 20, "somebody looks on")
        done.end(signal.SIGKILL)
        wait_until(lambda: not self.replays(), 30, "its lease is over")
        code, said = past.wait()
        self.assertIn("its owner has not been heard of", said)

    def test_ends_with_its_journal(self):
        begin = self.change(QUAD, 1.0)
        end = self.change(QUAD, 2.0)
        done = self.replay(f"@{begin}", f"@{end}", "--paused")
        self.the_replay()
        pid = self.site.nodes()["journal"]["pid"]
        os.kill(pid, signal.SIGKILL)
        code, said = done.wait()
        self.assertEqual(code, 3, said)
        self.assertIn("the replay is over", said)
        wait_until(lambda: (self.site.nodes().get("journal") or {}).get("pid") not in (None, pid)
                   and self.site.cli("replay", "list").returncode == 0, 30, "the journal is back")

    # ---- on a terminal --------------------------------------------------------------------------

    def test_on_a_terminal_it_is_a_page_with_keys(self):
        begin = self.change(QUAD, 1.25)
        end = self.change(QUAD, 2.25)
        master, slave = pty.openpty()
        self.addCleanup(os.close, master)
        process = subprocess.Popen(
            [self.site.executable, "-c", str(self.site.file), "replay", f"@{begin}", f"@{end}",
             QUAD, "--paused"], stdin=slave, stdout=slave, stderr=subprocess.PIPE,
            env={**self.site.env, "TERM": "xterm"}, start_new_session=True)
        os.close(slave)
        self.addCleanup(process.stderr.close)
        self.addCleanup(lambda: process.poll() is None and process.kill())
        screen = bytearray()

        def shows(*texts):
            def look():
                while select.select([master], [], [], 0)[0]:
                    try:
                        screen.extend(os.read(master, 65536))
                    except OSError:
                        break
                page = screen.decode(errors="replace").split("\x1b[H")[-1]
                return all(text in page for text in texts)
            wait_until(look, 20, f"the page shows {texts}")

        shows("paused x1", "1.25000 kG", "q quit")
        os.write(master, b"\x1b[A")
        shows("paused x2")
        os.write(master, b"m")
        shows("paused max")
        os.write(master, b".")
        wait_until(lambda: self.the_replay()["line"] > begin, 20, "a line further")
        os.write(master, b" ")
        shows("finished", "2.25000 kG")
        os.write(master, b" ")  # else it would run on from where it is set to
        os.write(master, b"\x1b[H")
        shows("paused", "1.25000 kG")
        os.write(master, b"q")
        self.assertEqual(process.wait(20), 0)
        look = screen.decode(errors="replace")
        self.assertIn("\x1b[?1049h", look)
        while select.select([master], [], [], 0)[0]:
            try:
                screen.extend(os.read(master, 65536))
            except OSError:
                break
        self.assertTrue(screen.decode(errors="replace").rstrip().endswith("\x1b[?1049l"))

    # ---- what is wrong --------------------------------------------------------------------------

    def test_what_means_nothing_is_said(self):
        self.fails(self.site.cli("replay"), 2, "FROM and TO are needed")
        self.fails(self.site.cli("replay", "@1", "1 soon"), 2, "TO: ")
        self.fails(self.site.cli("replay", "@2", "@1"), 2, "before it begins")
        self.fails(self.site.cli("replay", "@1", "now", "--speed", "fast"), 2, "--speed: ")
        self.fails(self.site.cli("replay", "stop", "12345678"), 1, "there is no replay")
        self.fails(self.site.cli("replay", "step", "12345678", "mile"), 2, "STEP: ")
        self.fails(self.site.cli("pv", "watch", QUAD, "--replay", "12345678"), 1, "no replay")
        done = self.site.cli("replay", "@1", "@2", "NO:SUCH", "--speed", "max")
        self.fails(done, 1, "NO:SUCH")


if __name__ == "__main__":
    unittest.main()
