#!/usr/bin/env python3
"""The past on a running site: what the machine was, what differs, what happened, and who did it."""

import csv
import io
import json
import os
import signal
import subprocess
import unittest
from pathlib import Path

from support import MachineTest, Operator, wait_until

PEER = Path(os.environ["TIDEMARK_BUILD"]) / "test/system/past_peer"
QUAD = "QUAD:LI21:101:BDES"
CORRECTOR = "XCOR:LI21:103:BDES"
MODE = "KLYS:LI21:104:MODE"
NAME = "KLYS:LI21:104:NAME"


class Past(MachineTest):
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

    def state(self, name, at="now"):
        value, = self.documents("state", name, "--at", at)
        return value

    def last_line(self):
        line, = self.documents("log", "query", "--limit", "1")
        return line["line"]

    def change(self, name, value):
        """An operator writes it, past Tidemark. Returns the last line of the journal by then."""
        self.operator.put(name, value)
        wait_until(lambda: self.state(name)["value"] == value, 20, "the journal has the value")
        return self.last_line()

    # ---- state and diff -------------------------------------------------------------------------

    def test_state_is_what_it_was_and_what_it_is(self):
        before = self.change(QUAD, 1.25)
        after = self.change(QUAD, 2.5)
        was, now = self.state(QUAD, f"@{before}"), self.state(QUAD, f"@{after}")
        self.assertEqual((was["value"], was["units"], was["state"]), (1.25, "kG", "connected"))
        self.assertEqual(now["value"], 2.5)
        self.assertLess(was["line"], now["line"])
        self.assertLessEqual(now["line"], after)
        # By the time of the journal, and by that of the IOC's own clock just after.
        shown, = self.documents("log", "show", f"{now['line']}..{now['line']}")
        self.assertEqual(shown["subject"], QUAD)
        self.assertEqual(self.state(QUAD, shown["recorded_at"])["value"], 2.5)
        text = self.site.cli("state", QUAD, "--at", f"@{before}", check=True).stdout
        self.assertTrue(text.startswith(f"line {before}, 20"), text)
        self.assertIn("1.25000  kG", text)

    def test_state_now_is_that_of_the_live_table(self):
        live = self.site.json("pv", "get", "*:BDES")["values"]
        self.assertTrue(live)
        past = self.documents("state", "*:BDES", "--at", "now")
        self.assertEqual([(v["address"], v["value"], v["units"], v["type"]) for v in past],
                         [(v["address"], v["value"], v["units"], v["type"]) for v in live])

    def test_state_before_everything_is_empty(self):
        done = self.site.cli("state", "--at", "2020-01-01")
        self.assertEqual((done.returncode, done.stdout), (0, "before the first line\n"))

    def test_what_is_unknown_is_said_by_the_exit_code(self):
        self.fails(self.site.cli("state", "NO:SUCH", QUAD, "--at", "now"), 1, "NO:SUCH")
        self.fails(self.site.cli("diff", "-1m", "now", "NO:SUCH"), 1, "NO:SUCH")
        self.fails(self.site.cli("history", "NO:SUCH"), 1, "NO:SUCH")
        self.fails(self.site.cli("history", "NO:SUCH", "--plot"), 1, "NO:SUCH")
        self.fails(self.site.cli("blame", "NO:SUCH"), 1, "NO:SUCH")
        self.fails(self.site.cli("state", "--at", "@999999999"), 2, "is not there yet")
        self.fails(self.site.cli("state", "--at", "1 soon"), 2, "'1 soon' is no moment")
        self.fails(self.site.cli("state", "--at", "soon"), 1, "no mark of that name")

    def test_a_mark_is_a_moment(self):
        self.change(QUAD, 1.25)
        self.site.cli("log", "mark", "begin", "tuning", check=True)
        self.change(QUAD, 2.5)
        self.assertEqual(self.state(QUAD, "tuning")["value"], 1.25)
        self.assertEqual(self.state(QUAD)["value"], 2.5)

    def test_diff_has_what_was_written_in_between(self):
        self.change(CORRECTOR, 0.0)
        before = self.change(QUAD, 1.25)
        after = self.change(QUAD, 2.5)
        self.change(QUAD, 9.0)
        changed, = self.documents("diff", f"@{before}", f"@{after}", QUAD, CORRECTOR)
        self.assertEqual((changed["address"], changed["before"]["value"],
                          changed["after"]["value"], changed["delta"]), (QUAD, 1.25, 2.5, 1.25))
        done = self.site.cli("diff", f"@{before}", f"@{after}", QUAD, CORRECTOR, check=True)
        self.assertIn("+1.25", done.stdout)
        self.assertIn("1 of 2 PVs differ", done.stdout)
        command = ("diff", f"@{before}", f"@{after}", "--exit-code")
        self.assertEqual(self.site.cli(*command, QUAD).returncode, 1)
        self.assertEqual(self.site.cli(*command, CORRECTOR).returncode, 0)

    # ---- history --------------------------------------------------------------------------------

    def test_history_begins_with_what_was_in_force_and_has_every_value(self):
        before = self.change(QUAD, 1.25)
        for value in (2.0, 3.0, 4.0):
            after = self.change(QUAD, value)
        span = ("history", QUAD, "--since", f"@{before}", "--until", f"@{after}")
        samples = self.documents(*span)
        self.assertEqual([sample["value"] for sample in samples], [1.25, 2.0, 3.0, 4.0])
        self.assertEqual(samples, sorted(samples, key=lambda sample: sample["line"]))
        rows = list(csv.DictReader(io.StringIO(self.site.cli(*span, "--csv", check=True).stdout)))
        self.assertEqual([float(row["value"]) for row in rows], [1.25, 2.0, 3.0, 4.0])
        self.assertEqual([int(row["line"]) for row in rows], [s["line"] for s in samples])
        some = self.site.cli(*span, "--limit", "2", check=True)
        self.assertIn("more than 2", some.stderr)
        bins = self.documents(*span, "--bins", "10")
        self.assertEqual(sum(each["count"] for each in bins), 3)
        self.assertEqual((min(each["min"] for each in bins), max(each["max"] for each in bins)),
                         (2.0, 4.0))
        self.fails(self.site.cli("history", QUAD, "--since", f"@{after}", "--until", f"@{before}"),
                   2, "ends before it begins")

    def test_a_history_is_reduced(self):
        before = self.change(QUAD, 1.25)
        for value in (2.0, 9.0, 4.0):
            after = self.change(QUAD, value)
        span = ("history", QUAD, "--since", f"@{before}", "--until", f"@{after}", "--bins")
        self.assertEqual([each["value"] for each in self.documents(*span, "50", "--reduce", "lttb")],
                         [2.0, 9.0, 4.0])
        few = self.documents(*span, "50", "--reduce", "optimized")
        self.assertEqual([each["value"] for each in few], [1.25, 2.0, 9.0, 4.0])
        whole, = self.documents(*span, "1", "--reduce", "optimized")
        self.assertEqual((whole["min"], whole["max"], whole["mean"]), (2.0, 9.0, 5.0))
        median, = self.documents(*span, "1", "--reduce", "median")
        self.assertEqual(median["median"], 4.0)

    def test_by_the_iocs_time_it_is_what_the_ioc_said_by_then(self):
        self.change(QUAD, 1.25)
        after = self.change(QUAD, 2.5)
        was, now = self.documents("history", QUAD, "--since", "-1m", "--until",
                                  f"@{after}")[-2:]
        self.assertEqual((was["value"], now["value"]), (1.25, 2.5))
        by = ("--by", "ioc-time", "--lateness", "10s")
        self.assertEqual(self.documents("state", QUAD, "--at", now["taken_at"], *by)[0]["value"], 2.5)
        self.assertEqual(self.documents("state", QUAD, "--at", was["taken_at"], *by)[0]["value"],
                         1.25)
        samples = self.documents("history", QUAD, "--since", was["taken_at"], "--until",
                                 now["taken_at"], *by)
        self.assertEqual([each["value"] for each in samples], [1.25, 2.5])
        changed, = self.documents("diff", was["taken_at"], now["taken_at"], QUAD, *by)
        self.assertEqual(changed["delta"], 1.25)
        text = self.site.cli("state", QUAD, "--at", now["taken_at"], *by, check=True).stdout
        self.assertIn("by IOC time, clocks trusted within 10 s", text)

    def test_a_long_history_is_what_the_log_has(self):
        name = "BPMS:LI21:102:X"  # ten a second

        def samples(until):
            return self.documents("history", name, "--since", "@1", "--until", until)
        wait_until(lambda: len(samples("now")) > 150, 60, "some pages of samples")
        last = self.last_line()
        logged = [line for line in self.documents(
            "log", "query", "--kind", "PvUpdate", "--subject", name, "--oldest-first", "--limit",
            "0") if line["line"] <= last]
        values = [each for each in samples(f"@{last}") if each["event"] == "value"]
        self.assertEqual([(v["line"], v["value"], v["taken_at"]) for v in values],
                         [(v["line"], v["value"], v["taken_at"]) for v in logged])

    def test_history_is_plotted(self):
        self.change(QUAD, -8.0)
        self.change(QUAD, 8.0)
        done = self.site.cli("history", QUAD, "--plot", "--since", "-1m", check=True)
        lines = done.stdout.splitlines()
        self.assertTrue(lines[0].startswith(QUAD))
        self.assertIn("kG", lines[1])
        self.assertTrue(any("\u2801" <= c <= "\u28ff" for c in done.stdout), done.stdout)
        self.assertTrue(all(len(line) <= 80 for line in lines), done.stdout)
        # A PV that says nothing keeps its value; an enum has its labels.
        self.assertIn("20.000", self.site.cli("history", "QUAD:LI21:101:BMAX", "--plot", "--since",
                                              "-1s", check=True).stdout)
        self.change(MODE, 2)
        label = self.state(MODE)["label"]
        self.assertIn(f"{label} ┤", self.site.cli("history", MODE, "--plot", check=True).stdout)
        self.fails(self.site.cli("history", NAME, "--plot"), 2, "cannot be plotted")

    # ---- blame ----------------------------------------------------------------------------------

    def test_blame_names_the_job_that_wrote_it(self):
        self.change(QUAD, 5.0)
        title = "before the blame"
        self.site.json("snapshot", "create", title)
        self.change(QUAD, 6.0)
        put = self.site.json("pv", "put", QUAD, "7", "--comment", "why not")
        restored = self.site.json("snapshot", "restore", title, "--name", QUAD, "--yes")
        wait_until(lambda: self.state(QUAD)["value"] == 5.0, 20, "the journal has it restored")
        newest, second, third = self.documents("blame", QUAD, "-n", "3")
        self.assertEqual([each["value"] for each in (newest, second, third)], [5.0, 7.0, 6.0])
        self.assertEqual((newest["job"]["id"], newest["job"]["type"]),
                         (restored["id"], "snapshot_restore"))
        self.assertIn(title, newest["job"]["title"])
        self.assertEqual((second["job"]["id"], second["job"]["type"], second["job"]["user"]),
                         (put["id"], "pv_put", put["user"]))
        self.assertIsNone(third["job"], "an operator wrote it past us")
        text = self.site.cli("blame", QUAD, "-n", "2", check=True).stdout
        self.assertIn(f"(job {restored['id'][:8]}, snapshot ", text)
        earlier, = self.documents("blame", QUAD, "-n", "1", "--at", f"@{second['line']}")
        self.assertEqual(earlier, second)

    # ---- the public library ---------------------------------------------------------------------

    def test_a_program_is_told_the_same(self):
        before = self.change(QUAD, 1.25)
        for value in (2.0, 9.0, 4.0):
            after = self.change(QUAD, value)
        was = self.state(QUAD, f"@{before}")
        lines = [each["line"] for each in self.documents(
            "history", QUAD, "--since", f"@{before}", "--until", f"@{after}")]
        peer = subprocess.Popen([PEER, self.site.file, QUAD, str(before), str(after)],
                                stdout=subprocess.PIPE, text=True, env=self.site.env)
        with peer:
            self.addCleanup(peer.kill)
            told = []
            for line in peer.stdout:
                told.append(line.rstrip("\n"))
                if line == "follows\n":
                    self.change(QUAD, 5.0)
        self.assertEqual(peer.returncode, 0, told)
        followed = told.pop()
        self.assertRegex(followed, r"^followed \d+ connected 5 NO_ALARM$")
        self.assertGreater(int(followed.split()[1]), after)
        values = ("1.25", "2", "9", "4")
        samples = [f"{line} connected {value} NO_ALARM" for line, value in zip(lines, values)]
        # The first was in force by then; it may have that very line.
        inside = [(line, value) for line, value in zip(lines, values) if line >= before]
        self.assertEqual(told, [
            f"found {before}", f"state {was['line']} connected 1.25 NO_ALARM {QUAD} kG",
            "unknown NO:SUCH", f"changed {samples[3]} before 1.25",
            *(f"sample {each}" for each in samples), "bin 3 2 9 4 kG",
            f"sourced {was['line']} connected 1.25 NO_ALARM",
            *(f"sourced sample {each}" for each in samples), "sourced bin 3",
            "late lateness: 0 to 60 s",
            *(f"blamed {each} nobody" for each in samples[:0:-1]),
            *(f"line {line} {value}" for line, value in inside),
            *(f"back {line} {value}" for line, value in reversed(inside)),
            "nonsense 'Nonsense' is no kind of record", "follows"])

    # ---- a journal that dies --------------------------------------------------------------------

    def test_the_past_outlives_a_killed_journal(self):
        line = self.change(QUAD, 3.5)
        whole = self.documents("state", "--at", f"@{line}")
        self.change(QUAD, 4.5)
        pid = self.site.nodes()["journal"]["pid"]
        os.kill(pid, signal.SIGKILL)

        def answers():
            node = self.site.nodes().get("journal") or {}
            return (node.get("state") == "alive" and node.get("pid") != pid and
                    self.site.cli("state", QUAD, "--at", f"@{line}").returncode == 0)
        wait_until(answers, 30, "the journal is back")
        self.assertEqual(self.documents("state", "--at", f"@{line}"), whole)
        self.change(QUAD, 5.5)


if __name__ == "__main__":
    unittest.main()
