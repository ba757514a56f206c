#!/usr/bin/env python3
"""Every node is killed again and again under load, and the journal loses nothing in silence.

    TIDEMARK_CRASH_ROUNDS  how often each node is killed in a row (3)
    TIDEMARK_CRASH_PVS     counters, at 10 Hz each (1000)
    TIDEMARK_CRASH_SEED    of the moments (printed)
"""

import json
import os
import random
import signal
import statistics
import sys
import time
import unittest
from collections import defaultdict

from support import (NODES, Follower, HarnessError, MachineTest, each_line, logs_of, overloaded,
                     wait_until)

ROUNDS = int(os.environ.get("TIDEMARK_CRASH_ROUNDS", "3"))
PVS = int(os.environ.get("TIDEMARK_CRASH_PVS", "1000"))
SEED = int(os.environ.get("TIDEMARK_CRASH_SEED", str(random.randrange(1 << 30))))
RECOVERY = 3.0  # Seconds, the median on a machine that has time.
DEADLINE = 10.0  # The same for each, unless the machine is overloaded.
PATIENCE = 60.0  # After that it counts as never.


class KilledNodes(MachineTest):
    """One load, five nodes to kill, one journal that must hold all of it."""

    machine = dict(pvs=PVS, profile="fast", put_log=False)
    # More kills than an operator would do in a minute; the pauses are those of every site.
    site_extra = "\n[supervisor]\nrestarts_max = 1000\n"

    def pids(self):
        return {name: node["pid"] for name, node in self.site.nodes().items()}

    def kill_and_wait(self, node):
        """Seconds from the kill until all nodes are there and answer."""
        killed = self.pids()[node]
        began = time.monotonic()
        os.kill(killed, signal.SIGKILL)

        def well():
            try:
                nodes = self.site.nodes()
            except json.JSONDecodeError:
                return False
            return all(name in nodes and nodes[name]["state"] == "alive" and nodes[name]["status"]
                       for name in NODES) and nodes[node]["pid"] != killed
        try:
            wait_until(well, PATIENCE, f"{node} is back")
        except HarnessError:
            print(json.dumps(self.site.nodes(), indent=1), logs_of(self.site), file=sys.stderr)
            raise
        took = time.monotonic() - began
        if took > DEADLINE:
            print(f"{node}: {took:.2f} s; why?", logs_of(self.site), file=sys.stderr)
        return took

    def counters_move(self):
        """Values of now come through all of it: IOC, monitor, bus, keeper."""
        name = f"SIM:FAST:{PVS - 1:05d}"

        def value():
            values = self.site.json("pv", "get", name)["values"]
            return values[0]["value"] if values and values[0]["state"] == "connected" else None
        # A keeper that has just started has no values yet.
        first = wait_until(lambda: (value() or 0), PATIENCE, f"{name} has a value")
        wait_until(lambda: (value() or 0) > first, PATIENCE, f"{name} moves")

    def test_nothing_is_lost_in_silence(self):
        print(f"seed {SEED}, {ROUNDS} rounds, {PVS} counters at 10 Hz", flush=True)
        moments = random.Random(SEED)
        follower = Follower(self.site, "--from", "1", keep=lambda _: False)
        self.addCleanup(follower.stop)
        recoveries = {}
        for node in ("registry", "monitor", "journal", "keeper", "gateway"):
            recoveries[node] = []
            for _ in range(ROUNDS):
                # The phase of the kill is what varies; nothing is waited for.
                time.sleep(moments.uniform(0, 0.3))
                recoveries[node].append(self.kill_and_wait(node))
            times = recoveries[node]
            print(f"{node}: back and answering after {statistics.median(times):.2f} s (median), "
                  f"{max(times):.2f} s (max)", flush=True)
            self.counters_move()
        with self.subTest("recovery"):
            for node, times in recoveries.items():
                if overloaded():
                    print("the machine is overloaded: the times are not judged")
                    break
                self.assertLessEqual(statistics.median(times), RECOVERY, node)
                self.assertLessEqual(max(times), DEADLINE, node)

        self.sim.stop()  # The journal comes to its end, and whoever reads it too.
        last = self.settled_last_line()
        print(f"{last} lines; the follower is at {follower.last()}", flush=True)
        with self.subTest("follower"):
            wait_until(lambda: follower.last() >= last, 180, f"the follower is at line {last}, "
                                                             f"not {follower.last()}")
            numbers = follower.numbers
            self.assertEqual(numbers[0], 1)
            wrong = [(a, b) for a, b in zip(numbers, numbers[1:]) if b != a + 1]
            self.assertEqual(wrong[:5], [], "a line twice, out of order, or missing")
        follower.stop()
        account = Account()
        for line in each_line(self.site):
            account.take(line)
        print(f"{account.last} lines, {account.values} values, {len(account.value_holes)} holes",
              flush=True)
        self.assertGreaterEqual(account.last, last)
        self.assertEqual(account.wrong_lines[:5], [], "lines are not contiguous")
        with self.subTest("sequences"):
            self.check_sequences(account)
        with self.subTest("gaps"):
            lives = [key for key in account.sequences if key[0] == "monitor"]
            # One that was killed before it had a value said nothing that could be lost.
            self.assertIn(len(lives), range(2, ROUNDS + 2))
            of_monitor = [gap for gap in account.gaps if gap["subject"] == "monitor"]
            self.assertEqual(len(of_monitor), len(lives) - 1, "one Gap for each life that ended: "
                             + json.dumps(account.gaps, indent=1))
        with self.subTest("counters"):
            self.assertEqual(account.value_holes[:5], [], f"{len(account.value_holes)} of "
                             f"{account.values} values do not follow theirs")
            self.assertEqual(len({name for name, _ in account.counters}), PVS)
        with self.subTest("node records"):
            self.assertEqual(account.restarted, {node: ROUNDS for node in NODES})

    def settled_last_line(self):
        """The end of the journal, once it stands still."""
        seen = [-1]

        def still():
            now = self.site.figure("journal", "tidemark_journal_last_line")
            seen.append(now)
            # The monitor needs a moment to see that the IOC is gone, and then says nothing more.
            live = self.site.figure("keeper", "tidemark_live_connected")
            return live == 0 and now is not None and now == seen[-2]
        wait_until(still, PATIENCE, "the journal stands still")
        return int(seen[-1])

    def check_sequences(self, account):
        """Each origin's own count, in each of its incarnations: no record twice, none missing."""
        for (origin, incarnation), count in account.sequences.items():
            self.assertEqual(count.backwards[:5], [], f"{origin} {incarnation}: stored twice")
            covered = [gap for gap in account.gaps
                       if gap["subject"] == origin and str(incarnation) in gap["text"]]
            if count.holes and not covered:
                self.fail(f"{origin} {incarnation}: {count.holes[:5]} missing, and no Gap says so")


class Count:
    """A sequence that should go up by one."""

    def __init__(self):
        self.last = 0
        self.holes = []
        self.backwards = []

    def take(self, number):
        if number <= self.last:
            self.backwards.append((self.last, number))
        elif number != self.last + 1:
            self.holes.append((self.last + 1, number - 1))
        self.last = number


class Account:
    """What a journal must answer for, taken line by line."""

    def __init__(self):
        self.last = 0
        self.wrong_lines = []
        self.sequences = defaultdict(Count)  # by origin and incarnation
        self.gaps = []
        self.restarted = defaultdict(int)
        self.counters = {}  # by PV and incarnation of the monitor
        self.value_holes = []
        self.values = 0

    def take(self, line):
        if line["line"] != self.last + 1:
            self.wrong_lines.append((self.last, line["line"]))
        self.last = line["line"]
        self.sequences[line["origin"], line["incarnation"]].take(line["sequence"])
        if line["kind"] == "PvUpdate" and line["value"] is not None:
            self.take_value(line)
        elif line["kind"] == "Gap":
            self.gaps.append(line)
        elif line["kind"] == "NodeRestarted":
            self.restarted[line["subject"]] += 1

    def take_value(self, line):
        """Within one life of the monitor every counter goes up by one, whoever else dies."""
        key = line["subject"], line["incarnation"]
        value = line["value"]
        self.values += 1
        if key in self.counters and value != self.counters[key] + 1:
            self.value_holes.append((line["line"], line["recorded_at"], *key, self.counters[key],
                                     value))
        self.counters[key] = value


if __name__ == "__main__":
    unittest.main()
