"""Subsystems that are stopped (SIGSTOP) for longer than their lease, and go on: one that has a
successor by then is not heard, and its calls are refused; one that has none is back, and what waited
for it meanwhile it does not live through. In C++ and in Python.
"""

import os
import signal
import subprocess
import time
import unittest
from pathlib import Path

from live_peers import CPP, PYTHON, LivePeer, ends_of_logs
from support import HarnessError, Site, is_running, tidemark, wait_until

EXAMPLES = Path(os.environ["TIDEMARK_EXAMPLES"])
KEYS = 5
RATE = 200  # updates of each key a second
CALLS = 50  # a second
PATIENCE = 30.0
AWAY = 12.0  # Seconds: longer than the 10 s that a publisher keeps what it has sent.
# What had come before it was stopped, and is heard late. Of what was sent meanwhile its sockets
# hold more than two thousand frames from each publisher.
HEARD_LATE_MAX = 500


class Fenced(unittest.TestCase):
    def setUp(self):
        self.site = Site(tidemark(), "127.0.0.1", nodes=["registry", "journal"])
        self.addCleanup(self.site.close)
        self.site.up(30)
        self.started = 0

    def start(self, name, program=CPP):
        self.started += 1
        log = self.site.directory / f"{name}-{self.started}.log"
        peer = LivePeer(self.site.file, name, log, KEYS, RATE, CALLS, program)
        self.addCleanup(peer.stop)
        self.addCleanup(peer.process.send_signal, signal.SIGCONT)
        return peer

    def stop_for_a_while(self, peer):
        os.kill(peer.process.pid, signal.SIGSTOP)
        threads = Path(f"/proc/{peer.process.pid}/task")
        wait_until(lambda: all((each / "stat").read_text().rsplit(")", 1)[1].split()[0] == "T"
                               for each in threads.iterdir()), PATIENCE, f"{peer.name} is stopped")

    def wait_until(self, condition, what):
        try:
            return wait_until(condition, PATIENCE, what)
        except HarnessError:
            print(ends_of_logs(self.site.directory), flush=True)
            raise

    def wait_until_all_hear_all(self, *peers):
        self.wait_until(lambda: all(each["known"] == len(peers) - 1 and each["calls"] > 10 and
                                    each["keys"] >= (len(peers) - 1) * KEYS
                                    for each in [peer.account() for peer in peers]),
                        "all peers hear each other")

    def wait_until_seen(self, by, name, state, incarnation=None):
        def seen():
            its, number = by.account()["directory"].get(name, ["absent", 0])
            return its == state and incarnation in (None, number) and number
        return self.wait_until(seen, f"{by.name} sees {name} {state}")

    def test_one_that_has_a_successor_is_not_heard_and_its_calls_are_refused(self):
        self.expect_that_the_older_is_fenced("live.1", CPP)

    def test_so_it_is_with_one_in_python(self):
        self.expect_that_the_older_is_fenced("live.1", PYTHON)

    def expect_that_the_older_is_fenced(self, name, program):
        listener, first = self.start("live.0"), self.start(name, program)
        self.wait_until_all_hear_all(listener, first)
        older = self.wait_until_seen(listener, name, "alive")
        self.stop_for_a_while(first)
        self.wait_until_seen(listener, name, "disconnected", older)
        second = self.start(name, program)
        newer = self.wait_until_seen(second, name, "alive")
        self.assertGreater(newer, older)
        self.wait_until_seen(listener, name, "alive", newer)
        heard = listener.account()
        self.wait_until(lambda: listener.account()["updates"] > heard["updates"] + KEYS * RATE,
                        "the successor is heard")
        heard = listener.account()

        os.kill(first.process.pid, signal.SIGCONT)
        refused = f"is superseded by incarnation {newer}"
        self.wait_until(lambda: refused in first.log.read_text(), "its calls are refused")
        before = first.account()
        after = self.wait_until(
            lambda: (now := first.account())["calls"] > before["calls"] + 20 and now, "it goes on")
        self.assertEqual(after["failed"] - before["failed"], after["calls"] - before["calls"])
        now = listener.account()
        self.assertGreater(now["updates"], heard["updates"])
        self.assertEqual({each: now[each] for each in ("backward", "lost", "missed")},
                         {each: heard[each] for each in ("backward", "lost", "missed")},
                         "updates of the older were heard")

    def test_one_that_runs_ends_when_it_finds_its_successor(self):
        environment = dict(os.environ, TIDEMARK_SITE=str(self.site.file))

        def start():
            with open(self.site.directory / "psu.log", "ab") as log:
                process = subprocess.Popen([EXAMPLES / "power_supply", "psu.1"], env=environment,
                                           stdout=log, stderr=log)
            self.addCleanup(process.wait)
            self.addCleanup(process.kill)
            self.wait_until(lambda: any(each["pid"] == process.pid and each["state"] == "alive"
                                        for each in self.site.json("ls")), "it is there")
            return process

        first = start()
        os.kill(first.pid, signal.SIGSTOP)
        second = start()
        os.kill(first.pid, signal.SIGCONT)
        self.assertEqual(first.wait(PATIENCE), 1)
        self.assertIn("superseded by incarnation", (self.site.directory / "psu.log").read_text())
        self.assertTrue(is_running(second.pid))
        self.site.cli("event", "call", "degauss", "--to", "psu.1", check=True)

    def test_one_without_a_successor_is_back_and_skips_what_is_old(self):
        steady = [self.start("live.0"), self.start("live.1")]
        stopped = [self.start("live.2"), self.start("live.3", PYTHON)]
        self.wait_until_all_hear_all(*steady, *stopped)
        incarnations = [self.wait_until_seen(steady[0], each.name, "alive") for each in stopped]
        before = [each.account() for each in stopped]
        over = time.monotonic() + AWAY
        for each in stopped:
            self.stop_for_a_while(each)
        for by in steady:
            for each in stopped:
                self.wait_until_seen(by, each.name, "disconnected")
        since = steady[0].account()
        self.wait_until(lambda: time.monotonic() > over, "longer than what was sent is kept")
        self.assertGreater(steady[0].account()["failed"], since["failed"], "who is gone answers")
        for each in stopped:
            os.kill(each.process.pid, signal.SIGCONT)
        for by in steady:
            for each, incarnation in zip(stopped, incarnations):
                self.wait_until_seen(by, each.name, "alive", incarnation)
        for each, its in zip(stopped, before):
            with self.subTest(each.name):
                self.wait_until(lambda p=each, b=its: p.account()["missed"] > b["missed"],
                                "what it has not heard is counted")
                now = self.wait_until(
                    lambda p=each, b=its: (now := p.account())["updates"] > b["updates"] +
                    2 * KEYS * RATE and now["calls"] > b["calls"] + 20 and now, "it goes on")
                print(f"{each.name}: {now['missed'] - its['missed']} updates missed, "
                      f"{now['late'] - its['late']} heard late", flush=True)
                self.assertLess(now["late"] - its["late"], HEARD_LATE_MAX)
                self.assertEqual(now["lost"], now["missed"], "one was lost without a word")
                self.assertEqual(now["backward"], its["backward"])


if __name__ == "__main__":
    unittest.main(verbosity=2)
