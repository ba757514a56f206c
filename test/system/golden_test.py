#!/usr/bin/env python3
"""The journal that is committed in test/journal/golden reads as it did when it was written: every
line, with its time, its origin, its content and the types of its values.
"""

import json
import shutil
import subprocess
import unittest

from support import ROOT, short_directory, tidemark

GOLDEN = ROOT / "test/journal/golden"


class GoldenJournal(unittest.TestCase):
    def setUp(self):
        self.directory = short_directory("tm-")
        self.addCleanup(shutil.rmtree, self.directory, ignore_errors=True)
        shutil.copytree(GOLDEN / "journal", self.directory / "journal")

    def exported(self):
        done = subprocess.run([tidemark(), "log", "export", "--journal",
                               self.directory / "journal"],
                              capture_output=True, text=True, timeout=60)
        self.assertEqual(done.returncode, 0, done.stderr)
        return done.stdout.splitlines()[1:]  # The first says when, and with what.

    def test_reads_to_what_it_was(self):
        expected = (GOLDEN / "expected.ndjson").read_text().splitlines()
        exported = self.exported()
        for there, wanted in zip(map(json.loads, exported), map(json.loads, expected)):
            # A sentence for people, which may be put better one day.
            for line in (there, wanted):
                del line["text"]
            self.assertEqual(there, wanted)
        self.assertEqual(len(exported), len(expected))

    def test_has_something_of_everything(self):
        lines = [json.loads(line) for line in self.exported()]
        self.assertGreaterEqual(len({line["kind"] for line in lines}), 30)
        numbers = [line["line"] for line in lines]
        self.assertEqual((numbers[0], numbers[-1]), (1, 290))
        self.assertEqual(numbers, sorted(set(numbers)))


if __name__ == "__main__":
    unittest.main()
