#!/usr/bin/env python3
"""Who follows the journal gets every line once, in order, and holds nobody up."""

import json
import os
import signal
import subprocess
import unittest

from support import MachineTest, read_journal, wait_until

PATIENCE = 60


class Follower:
    """`log follow` of PV updates, into a file or a pipe."""

    def __init__(self, site, begin, file=None):
        self.file = file
        command = [site.executable, "-c", str(site.file), "--json", "log", "follow", "--kind",
                   "PvUpdate", "--from", str(begin)]
        with open(file or os.devnull, "wb") as out:
            self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL, env=site.env,
                                            stdout=out if file else subprocess.PIPE)

    def lines(self):
        """Their numbers, those that are whole. Read in one go: the file grows meanwhile."""
        whole, _, _ = self.file.read_text(encoding="utf-8").rpartition("\n")
        return [json.loads(line)["line"] for line in whole.splitlines()]

    def signal(self, number):
        self.process.send_signal(number)

    def end(self):
        """As Ctrl-C does; what it says then."""
        self.signal(signal.SIGINT)
        return self.process.wait(PATIENCE)

    def close(self):
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        if self.process.stdout:
            self.process.stdout.close()


class Followers(MachineTest):
    machine = dict(pvs=1000)

    def follower(self, begin, file=None):
        follower = Follower(self.site, begin, self.site.directory / file if file else None)
        self.addCleanup(follower.close)
        return follower

    def wait_beyond(self, follower, line, patience, what):
        wait_until(lambda: follower.lines() and follower.lines()[-1] > line, patience, what)

    def last_line(self):
        return self.site.json("log", "query", "--limit", "1")["line"]

    def test_a_slow_one_holds_nobody_up_and_misses_nothing(self):
        begin = self.last_line() + 1
        fast = self.follower(begin, "fast.ndjson")
        frozen = self.follower(begin, "frozen.ndjson")
        blocked = self.follower(begin)  # nobody reads its pipe
        wait_until(lambda: frozen.lines(), PATIENCE, "it follows")
        frozen.signal(signal.SIGSTOP)
        stopped_at = frozen.lines()[-1]
        self.wait_beyond(fast, stopped_at + 5000, PATIENCE, "the fast one goes on")
        # It is at the end of the journal, not somewhere behind.
        newest = self.last_line()
        self.wait_beyond(fast, newest, 5, "the fast one has the newest lines")
        self.assertLessEqual(frozen.lines()[-1], stopped_at + 1000)

        frozen.signal(signal.SIGCONT)
        until = fast.lines()[-1]
        wait_until(lambda: frozen.lines()[-1] >= until, PATIENCE, "the frozen one catches up")
        piped = []
        while not piped or piped[-1] < until:
            piped.append(json.loads(blocked.process.stdout.readline())["line"])
        for follower in (fast, frozen):
            self.assertEqual(follower.end(), 0)
        wanted = [line["line"] for line in read_journal(self.site, "--kind", "PvUpdate")
                  if begin <= line["line"] <= until]
        for lines in (fast.lines(), frozen.lines(), piped):
            self.assertEqual([line for line in lines if line <= until], wanted)


if __name__ == "__main__":
    unittest.main(verbosity=2)
