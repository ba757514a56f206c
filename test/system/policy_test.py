#!/usr/bin/env python3
"""Policies and the storage guard on a running site: a PV at 10 Hz, and a waveform gone wild."""

import json
import time
import unittest

from support import MachineTest, Operator, read_journal, wait_until

BPM = "BPMS:LI21:102:X"  # ten a second, noise of 0.1
WAVE = "KLYS:LI21:104:WFDES"  # 64 doubles: 535 bytes an update
BUDGET = 10_000  # bytes/s


class Policies(MachineTest):
    machine = dict(pvs=100)
    site_extra = f"[guard]\npv_bytes_per_s_max = {BUDGET}\n"

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.operator = Operator(cls.sim)
        cls.addClassCleanup(cls.operator.close)

    # ---- helpers --------------------------------------------------------------------------------

    def policy(self, *arguments):
        return self.site.json("policy", *arguments)

    def last_line(self):
        line, = self.documents("log", "query", "--limit", "1")
        return line["line"]

    def documents(self, *arguments):
        done = self.site.cli("--json", *arguments, check=True)
        return [json.loads(line) for line in done.stdout.splitlines()]

    def archived(self, name, since, until):
        samples = self.documents("history", name, "--since", f"@{since}", "--until", f"@{until}",
                                 "--limit", "1000")
        return [each for each in samples if each["event"] == "value" and each["line"] > since]

    def watch(self, name, seconds):
        """What the live stream has of `name` meanwhile."""
        return self.documents("pv", "watch", name, "--for", f"{seconds}s")

    def rates(self):
        return {each["address"]: each for each in self.site.json("pv", "rates", "--top", "500")
                ["noisiest"]}

    def thinned(self):
        return self.site.figure("monitor", "tidemark_monitor_thinned_channels") or 0

    # ---- policies -------------------------------------------------------------------------------

    def test_a_rate_thins_the_journal_and_not_the_live_stream(self):
        set_it = ("policy", "set", "slow", "--glob", BPM, "--rate", "1/s")
        self.fails(self.site.cli(*set_it), 2, "--yes")
        self.assertEqual(self.site.json(*set_it, "--yes")["channels"], 1)
        self.addCleanup(self.site.cli, "policy", "remove", "slow", "--yes")
        wait_until(lambda: self.thinned() == 1, 20, "the monitor carries it out")
        hidden = self.site.figure("monitor", "tidemark_monitor_thinned_total")
        before, began = self.last_line(), time.monotonic()
        seen = self.watch(BPM, 5)
        after, seconds = self.last_line(), time.monotonic() - began
        archived = self.archived(BPM, before, after)
        self.assertGreater(len(seen), 20, "the live stream has all ten a second")
        self.assertGreaterEqual(len(archived), 3)
        self.assertLessEqual(len(archived), seconds + 2)
        # One every second or so, each of them a value that came.
        times = {each["taken_at"] for each in seen}
        inside = [each for each in archived
                  if min(times) <= each["taken_at"] <= max(times)]
        self.assertTrue(inside)
        self.assertLessEqual({each["taken_at"] for each in inside}, times)
        wait_until(lambda: self.site.figure("monitor", "tidemark_monitor_thinned_total")
                   >= hidden + len(seen) - len(archived) - 10, 20, "what was hidden is counted")

        explained = self.policy("explain", BPM)
        self.assertEqual((explained["policy"], explained["updates_per_s_max"]), ("slow", 1))
        self.assertGreater(explained["seen"]["updates_per_s"],
                           explained["archived"]["updates_per_s"])
        self.assertIsNone(self.policy("explain", WAVE)["policy"])
        self.assertEqual([(p["name"], p["channels"]) for p in self.policy("list")], [("slow", 1)])

        self.site.cli("policy", "remove", "slow", "--yes", check=True)
        wait_until(lambda: self.thinned() == 0, 20, "the monitor carries the removal out")
        before = self.last_line()
        seen = self.watch(BPM, 2)
        archived = self.archived(BPM, before, self.last_line())
        self.assertLessEqual({each["taken_at"] for each in seen[1:10]},  # the first was there
                             {each["taken_at"] for each in archived})
        changes = read_journal(self.site, "--kind", "PolicyChanged", "--subject", "policy slow")
        self.assertEqual(len(changes), 2)
        self.assertIn("at most 1 updates/s", changes[0]["text"])
        self.assertIn("removed", changes[1]["text"])

    def test_a_preview_knows_what_a_deadband_would_save(self):
        wait_until(lambda: self.rates().get(BPM, {"seen": {"updates_per_s": 0}})
                   ["seen"]["updates_per_s"] > 5, 30, "the rate is known")
        wide = self.policy("preview", "wide", "--glob", BPM, "--deadband", "5")
        self.assertEqual(wide["channels"], 1)
        self.assertGreater(wide["before"]["updates_per_s"], 5)
        self.assertLess(wide["after"]["updates_per_s"], 1)
        narrow = self.policy("preview", "narrow", "--glob", BPM, "--deadband", "0")
        self.assertGreater(narrow["after"]["updates_per_s"], 5)
        self.assertEqual(self.policy("list"), [])

    def test_a_policy_outlives_a_restart(self):
        self.site.cli("policy", "set", "off", "--glob", "*:TMIT", "--off", "--yes", check=True)
        self.addCleanup(self.site.cli, "policy", "remove", "off", "--yes")
        wait_until(lambda: self.thinned() > 0, 20, "the monitor carries it out")
        count = self.thinned()
        self.site.stop()
        self.site.up(seconds=30)
        self.site.wait_connected(self.sim.ready["pvs"], 60)
        wait_until(lambda: self.thinned() == count, 20, "the monitor carries it out again")
        before = self.last_line()
        self.watch(BPM, 3)
        lines = read_journal(self.site, "--kind", "PvUpdate", "--subject", "*:TMIT")
        self.assertEqual([line for line in lines if line["line"] > before], [])

    # ---- the guard ------------------------------------------------------------------------------

    def test_one_noisy_waveform_cannot_fill_the_disk(self):
        wild = [float(i) for i in range(64)]

        def write_on(seconds):
            """Some two hundred a second, past Tidemark."""
            until = time.monotonic() + seconds
            while time.monotonic() < until:
                wild[0] += 1
                self.operator.put(WAVE, wild)
                time.sleep(0.002)

        def held():
            write_on(1)
            return self.rates()[WAVE]["guarded"]

        wait_until(held, 60, "the guard thins it")
        warning, = [line for line in read_journal(self.site, "--kind", "LogMessage",
                                                  "--level", "warning")
                    if WAVE in line["text"]]
        self.assertIn("exceeds the storage guard's budget", warning["text"])
        status = self.site.nodes()["monitor"]["status"]
        self.assertTrue(any(WAVE in each for each in status["warnings"]), status["warnings"])
        before, began = self.last_line(), time.monotonic()
        write_on(5)
        after, seconds = self.last_line(), time.monotonic() - began
        archived = self.archived(WAVE, before, after)
        self.assertTrue(archived)
        self.assertLess(len(archived) * 535 / seconds, 1.3 * BUDGET)
        # The newest comes by itself, and others are archived as before.
        wait_until(lambda: self.documents("state", WAVE, "--at", "now")[0]["value"] == wild, 20,
                   "the newest value is archived")
        self.assertGreater(len(self.archived(BPM, before, after)), 20)
        explained = self.policy("explain", WAVE)
        self.assertTrue(explained["guarded"])
        self.assertIsNone(explained["policy"])
        self.assertIn("guard", self.site.cli("pv", "rates", "--top", "500", check=True).stdout)


if __name__ == "__main__":
    unittest.main(verbosity=2)
