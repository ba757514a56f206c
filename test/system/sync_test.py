#!/usr/bin/env python3
"""What an acknowledgement of the journal promises is said: in the status and in the metrics."""

import re
import unittest
import urllib.request

from support import Site, tidemark, wait_until

FIGURE = "tidemark_journal_synced_before_answer"


class SyncMode(unittest.TestCase):
    def says(self, extra, mode, figure):
        site = Site(tidemark(), "", nodes=["registry", "journal", "gateway"], extra=extra)
        self.addCleanup(site.close)
        site.up(seconds=60)
        self.assertRegex(site.cli("status").stdout, rf"journal   line \d+, sync {mode}\n")
        self.assertEqual(site.nodes()["journal"]["status"]["facts"]["sync"], mode)
        self.assertEqual(site.figure("journal", FIGURE), figure)

        def scraped():
            with urllib.request.urlopen(f"{site.url}/metrics", timeout=10) as answer:
                return re.findall(rf'^{FIGURE}{{[^}}]*node="journal"[^}}]*}} (\S+)$',
                                  answer.read().decode(), re.M)

        wait_until(lambda: scraped(), 30, "the journal's figures in the gateway")
        self.assertEqual([float(each) for each in scraped()], [figure])

    def test_is_batch_when_nobody_says_otherwise(self):
        self.says("", "batch", 1)

    def test_of_an_interval_is_said(self):
        self.says('[journal]\nsync = "interval"\n', "interval", 0)


if __name__ == "__main__":
    unittest.main()
