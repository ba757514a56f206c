#!/usr/bin/env python3
"""A node that hangs is not dead, and yet it must go: the supervisor replaces it."""

import os
import signal
import time
import unittest

from support import HarnessError, MachineTest, is_running, logs_of, overloaded, wait_until

WELL_AGAIN = 10.0  # Seconds. The lease takes three.
PATIENCE = 60.0


class FrozenNode(MachineTest):
    machine = dict(pvs=200)

    def pid_of(self, node):
        return self.site.nodes()[node]["pid"]

    def replaced(self, node, frozen):
        """Seconds from the freeze until the site is well with another process."""
        began = time.monotonic()
        os.kill(frozen, signal.SIGSTOP)

        def well():
            nodes = self.site.nodes()
            return node in nodes and nodes[node]["pid"] != frozen and self.site.well()
        try:
            wait_until(well, PATIENCE, f"{node} is replaced and all is well")
        except HarnessError:
            print(logs_of(self.site))
            raise
        finally:
            try:
                os.kill(frozen, signal.SIGCONT)  # If anything is left of it.
            except ProcessLookupError:
                pass
        return time.monotonic() - began

    def check(self, node):
        frozen = self.pid_of(node)
        took = self.replaced(node, frozen)
        print(f"{node}: frozen, replaced and well again after {took:.1f} s", flush=True)
        if not overloaded():
            self.assertLess(took, WELL_AGAIN)
        wait_until(lambda: not is_running(frozen), 10, f"pid {frozen} is gone")
        fresh = self.pid_of(node)
        # The values move on, so the new process does its work.
        line = self.site.figure("journal", "tidemark_journal_last_line")
        wait_until(lambda: (self.site.figure("journal", "tidemark_journal_last_line") or 0)
                   > line + 20, 30, "the journal goes on")
        self.assertTrue(self.site.well())
        self.assertEqual(self.pid_of(node), fresh, "it was replaced once more")

    def test_a_frozen_monitor_is_replaced(self):
        self.check("monitor")
        self.site.wait_connected(self.sim.ready["pvs"], 30)

    def test_a_frozen_keeper_is_replaced(self):
        self.check("keeper")
        self.assertEqual(self.site.json("pv", "list", "--limit", "1")["total"],
                         self.sim.ready["csv_rows"])

    def test_a_frozen_journal_is_replaced(self):
        self.check("journal")

    def test_a_monitor_frozen_for_a_moment_is_left_alone(self):
        pid = self.pid_of("monitor")
        os.kill(pid, signal.SIGSTOP)
        time.sleep(1.0)  # Shorter than the lease: the length of the freeze is what is tested.
        os.kill(pid, signal.SIGCONT)
        line = self.site.figure("journal", "tidemark_journal_last_line") or 0
        wait_until(lambda: (self.site.figure("journal", "tidemark_journal_last_line") or 0)
                   > line + 20, 30, "the journal goes on")
        if not overloaded():
            self.assertEqual(self.pid_of("monitor"), pid)


if __name__ == "__main__":
    unittest.main()
