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

from support import (NODES, Follower, HarnessError, MachineTest, logs_of, overloaded, read_journal,
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
    # Ten rounds with each of five nodes must not be taken for a crash loop.
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
        return time.monotonic() - began

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

        # After an orderly end nothing is under way any more.
        last = int(wait_until(lambda: self.site.figure("journal", "tidemark_journal_last_line"),
                              PATIENCE, "the journal has a last line"))
        with self.subTest("follower"):
            wait_until(lambda: follower.last() >= last, 120, f"the follower is at line {last}")
            numbers = list(follower.numbers)
            self.assertEqual(numbers[0], 1)
            wrong = [(a, b) for a, b in zip(numbers, numbers[1:]) if b != a + 1]
            self.assertEqual(wrong[:5], [], "a line twice, out of order, or missing")
        follower.stop()
        lines = read_journal(self.site, timeout=240)
        print(f"{len(lines)} lines in the journal", flush=True)
        self.check_lines(lines)
        gaps = [line for line in lines if line["kind"] == "Gap"]
        with self.subTest("sequences"):
            self.check_sequences(lines, gaps)
        with self.subTest("gaps"):
            self.check_monitor_gaps(lines, gaps)
        with self.subTest("counters"):
            self.check_counters(lines)
        with self.subTest("node records"):
            self.check_node_records(lines)

    def check_lines(self, lines):
        numbers = [line["line"] for line in lines]
        self.assertEqual(numbers, list(range(1, len(numbers) + 1)), "lines are not contiguous")

    def check_sequences(self, lines, gaps):
        """Each origin's own count, in each of its incarnations: no record twice, none missing."""
        sequences = defaultdict(list)
        for line in lines:
            sequences[line["origin"], line["incarnation"]].append(line["sequence"])
        for (origin, incarnation), seen in sequences.items():
            self.assertEqual(len(seen), len(set(seen)), f"{origin} {incarnation}: stored twice")
            self.assertEqual(seen, sorted(seen), f"{origin} {incarnation}: out of order")
            holes = [(a + 1, b - 1) for a, b in zip([0, *seen], seen) if b != a + 1]
            covered = [line for line in gaps
                       if line["subject"] == origin and str(incarnation) in line["text"]]
            if holes and not covered:
                self.fail(f"{origin} {incarnation}: {holes[:5]} missing, and no Gap says so")

    def check_monitor_gaps(self, lines, gaps):
        incarnations = sorted({line["incarnation"] for line in lines if line["origin"] == "monitor"})
        self.assertEqual(len(incarnations), ROUNDS + 1)
        of_monitor = [line for line in gaps if "monitor" in line["subject"]]
        self.assertEqual(len(of_monitor), ROUNDS,
                         "one Gap for each death of the monitor: " + json.dumps(gaps, indent=1))

    def check_counters(self, lines):
        """Within one life of the monitor every counter goes up by one, whoever else dies."""
        last, holes, values = {}, [], 0
        for line in lines:
            if line["kind"] != "PvUpdate" or line["value"] is None:
                continue
            key = line["subject"], line["incarnation"]
            value = line["value"]
            values += 1
            if key in last and value != last[key] + 1:
                holes.append((line["line"], line["recorded_at"], *key, last[key], value))
            last[key] = value
        print(f"{values} values, {len(holes)} holes", flush=True)
        self.assertEqual(holes[:5], [], f"{len(holes)} of {values} values do not follow theirs")
        self.assertEqual(len({name for name, _ in last}), PVS)

    def check_node_records(self, lines):
        """Who died and who was started again is in the journal."""
        restarted = defaultdict(int)
        for line in lines:
            if line["kind"] == "NodeRestarted":
                restarted[line["subject"]] += 1
        self.assertEqual(dict(restarted), {node: ROUNDS for node in NODES})


if __name__ == "__main__":
    unittest.main()
