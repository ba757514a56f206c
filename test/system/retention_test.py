#!/usr/bin/env python3
"""What expires of a running site, what stays, and what is said of it.

Segments have 524 288 lines, and the newest stay in any case. So beside the machine somebody fills
the journal, as a monitor does: with updates of one PV, in the largest batches that there are.
"""

import array
import json
import os
import signal
import subprocess
import sys
import time
import unittest
import uuid
from pathlib import Path

from support import ROOT, MachineTest, wait_until

sys.path.insert(0, str(ROOT / "clients/python"))

from tidemark import Client  # noqa: E402  (the path comes first)
from tidemark.packing import Row, pack, unpack  # noqa: E402

PEER = Path(os.environ["TIDEMARK_BUILD"]) / "test/system/past_peer"
SEGMENT = 524_288
BATCH = 65_536
QUAD = "QUAD:LI21:101:BDES"


class Filler:
    """Updates of one PV, numbered from 0: the number is the value."""

    def __init__(self, site, address):
        self.client = Client(site.file).start(20)
        self.origin, self.count, self.last = uuid.uuid4().bytes, 0, 0
        answer = self.client.session.ask("keeper", "keeper.channels", pack([]), 20).result(30)
        channel = next(number for number, name in unpack(answer)[1] if name == address)
        self.channels = array.array("I", [channel]) * BATCH
        self.steps = array.array("q", [0]) + array.array("q", [1000]) * (BATCH - 1)

    def close(self):
        self.client.stop(0)

    def batch(self):
        """Returns when it is durable."""
        values = array.array("d", range(self.count, self.count + BATCH))
        now = time.time_ns()
        updates = pack([1, BATCH, now, self.channels.tobytes(), self.steps.tobytes(),
                        b"\1" * BATCH, bytes(2 * BATCH), values.tobytes(), [], b""])
        answer = self.client.session.ask("journal", "journal.append", pack(
            [self.origin, "filler", 0, self.count, [[self.count + 1, BATCH, 1, now, updates]],
             self.count]), 20).result(30)
        self.count += BATCH
        self.last = Row(unpack(answer), "append").number(1)

    def until(self, line):
        while self.last < line:
            self.batch()


class Retention(MachineTest):
    machine = dict(pvs=20)
    site_extra = '[journal.retention.pv_updates]\nage = "1s"\ndecimate = "1h"\n'

    def documents(self, *arguments, status=0):
        def ask():
            # A machine with other things to do may take longer than a command waits.
            done = self.site.cli("--json", *arguments)
            return done if done.returncode not in (3, 4) else None  # unreachable, unknown
        done = wait_until(ask, 30, f"an answer to {arguments}")
        self.assertEqual(done.returncode, status, done.stdout + done.stderr)
        return [json.loads(line) for line in done.stdout.splitlines()]

    def expired(self):
        """The first two lines that say what expired."""
        return self.documents("log", "query", "--kind", "Expired", "--oldest-first", "--limit", "2")

    def three_are_closed(self):
        """Else more are needed behind them: a segment waits until its chunks are there."""
        closed = self.site.figure("journal", "tidemark_journal_segments_closed_total") or 0
        if closed < 3:
            self.filling.batch()
        return closed >= 3

    def kill_journal(self):
        pid = self.site.nodes()["journal"]["pid"]
        os.kill(pid, signal.SIGKILL)
        wait_until(lambda: self.site.well() and self.site.nodes()["journal"]["pid"] != pid, 30,
                   "the journal is back")

    def bins(self):
        """All of the PV in one bin, of updates and of what is left of some. Segments may go on expiring,
        and what was given a row is then in others, so only that which cannot change is looked at."""
        documents = self.documents("history", QUAD, "--since", "@1", "--until",
                                   f"@{self.filling.last}", "--bins", "1")
        decimated = [each["decimated"] for each in documents if "decimated" in each]
        found, = [each for each in documents if "samples" in each]
        self.assertEqual((decimated[0]["first"], decimated[0]["last"]), (1, SEGMENT))
        self.assertTrue(found["decimated_until"])
        told = self.filling.client.bins(QUAD, 1, self.filling.last, 1)
        self.assertEqual((told.decimated[0].first, told.decimated[0].last), (1, SEGMENT))
        self.assertEqual([each.count for each in told.bins], [found["count"]])
        self.expect_a_program_to_be_told(found, decimated)
        return {name: found[name] for name in ("samples", "count", "min", "max", "last")}

    def expect_a_program_to_be_told(self, found, decimated):
        """The same by the C++ library; more may have expired meanwhile."""
        done = subprocess.run([PEER, self.site.file, QUAD, "1", str(self.filling.last), "bin"],
                              capture_output=True, text=True, env=self.site.env, timeout=60)
        self.assertEqual(done.returncode, 0, done.stdout)
        words = [line.split() for line in done.stdout.splitlines()]
        self.assertEqual(words[0], ["bin", *(f"{found[name]:g}" if name in ("min", "max") else
                                             str(found[name])
                                             for name in ("samples", "count", "min", "max")),
                                    "none", "decimated"])
        told = [line for line in words if line[0] == "decimated"]
        self.assertEqual([line[1:3] for line in told[:1]], [["1", str(SEGMENT)]])
        self.assertGreaterEqual(len(told), len(decimated))
        for line in told:
            self.assertEqual((line[3], line[5:]), ("1", ["in", "time"]))
        self.assertEqual(int(told[0][4]), decimated[0]["samples"])

    def past_of(self, kept):
        """All that is asked of the past, as it is answered."""
        stats, = self.documents("journal", "stats")
        return {
            "expired": self.expired(),
            "inside": self.documents("state", QUAD, "--at", "@1000", status=1),
            "kept": self.documents("state", QUAD, "--at", f"@{kept}"),
            "floor": self.documents("state", QUAD, "--at", f"@{SEGMENT}"),
            "history": self.documents("history", QUAD, "--since", "@1000", "--until",
                                      f"@{SEGMENT + 10}"),
            "bins": self.bins(),
            "floors": [each["floor_line"] for each in stats["classes"]],
        }

    def test_updates_expire_but_what_a_mark_holds_and_a_restart_changes_nothing(self):
        self.filling = Filler(self.site, QUAD)
        self.addCleanup(self.filling.close)
        self.filling.until(SEGMENT + BATCH)
        self.site.cli("log", "mark", "begin", "run 7", "--tag", "keep", check=True)
        self.filling.batch()
        kept, value = self.filling.last, self.filling.count - 1
        self.site.cli("log", "mark", "end", "run 7", check=True)
        self.filling.until(6 * SEGMENT + 1)
        wait_until(self.three_are_closed, 60, "three segments are closed; the second has the run")
        wait_until(lambda: len(self.expired()) >= 2, 30, "updates have expired on both sides of it")

        past = self.past_of(kept)
        for line, lines in zip(past["expired"], [f"1 to {SEGMENT}", f"{2 * SEGMENT + 1} to [0-9]+"],
                               strict=True):
            self.assertRegex(line["text"], f"^lines {lines}, recorded 20.* to 20.*: "
                                           "[0-9]+ of pv_updates have expired by age, [0-9]+ bytes$")
        # What was kept is exact, and so is the end of what expired.
        self.assertEqual([each["value"] for each in past["kept"]], [value])
        self.assertLessEqual(past["floor"][0]["line"], SEGMENT)
        # In bins nothing is missing, but what the IOC said is of another origin.
        bins = past["bins"]
        self.assertEqual((bins["max"], bins["last"]), (self.filling.count - 1,) * 2)
        self.assertIn(bins["count"] - self.filling.count, range(1, 20))
        told = [each["expired"] for each in past["history"] if "expired" in each]
        self.assertEqual([(each["first"], each["last"]) for each in told], [(1, SEGMENT)])
        samples = [each for each in past["history"] if "line" in each]
        self.assertEqual(samples[-1]["line"], SEGMENT + 10)
        self.assertEqual(samples[-1]["value"] - samples[-10]["value"], 9)

        inside = self.site.cli("state", QUAD, "--at", "@1000")
        self.fails(inside, 1, "have expired", "what PVs were then is not known")
        refused = self.site.cli("diff", "@1000", "@2000", QUAD)
        self.fails(refused, 1, "lines 1 to 524288 have expired")
        shown = self.site.cli("history", QUAD, "--since", "@1000", "--until", f"@{SEGMENT + 10}",
                              check=True)
        self.assertIn("have expired", shown.stderr)
        self.assertIn("one row for each 1h 0m of a PV: --bins and --plot have them", shown.stderr)

        self.kill_journal()
        wait_until(lambda: self.past_of(kept) == past, 30, "all is as it was")

        checked, = self.documents("journal", "check")
        self.assertTrue(checked["sound"], checked)
        self.assertGreater(checked["expired_lines"], SEGMENT)
        self.assertGreater(checked["decimated"]["updates"], 2 * SEGMENT - 1000)


if __name__ == "__main__":
    unittest.main()
