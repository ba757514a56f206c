"""The registry is killed again and again while subsystems live on each other: none of their updates
is lost, their calls go on, and the directory is whole again as soon as there is a registry.

    TIDEMARK_REGISTRY_KILLS  how often (4); every other time it stays away for a while
    TIDEMARK_REGISTRY_AWAY   seconds that it stays away at least (0.3); its lease is 3 s
"""

import json
import os
import signal
import time
import unittest
from pathlib import Path

from live_peers import LivePeer
from support import (HarnessError, Site, children_of, is_running, logs_of, overloaded, tidemark,
                     wait_until)

KILLS = int(os.environ.get("TIDEMARK_REGISTRY_KILLS", "4"))
AWAY = float(os.environ.get("TIDEMARK_REGISTRY_AWAY", "0.3"))
PEERS = 3
KEYS = 5
RATE = 500  # Updates of each key a second: 15 000 a second are heard in all.
WHOLE = 2.0  # Seconds from the start of the new registry's process.
CALL_MAX = 1.0  # Seconds, unless the machine is overloaded.
PATIENCE = 30.0


class RegistryAway(unittest.TestCase):
    def setUp(self):
        self.site = Site(tidemark(), "127.0.0.1", nodes=["registry", "journal"],
                         extra="\n[supervisor]\nrestarts_max = 1000\nbackoff_max = \"200ms\"\n")
        self.addCleanup(self.site.close)
        self.site.up(30)
        self.peers = []
        for i in range(PEERS):
            name = f"live.{i}"
            self.peers.append(LivePeer(self.site.file, name, self.site.directory / f"{name}.log",
                                       KEYS, RATE))
            self.addCleanup(self.peers[-1].stop)
        wait_until(self.all_hear_all, PATIENCE, "all peers hear each other")

    def accounts(self):
        return [peer.account() for peer in self.peers]

    def all_hear_all(self):
        # Each hears its own counters as well.
        return all(each["known"] == PEERS - 1 and each["keys"] == PEERS * KEYS
                   and each["calls"] > 10 for each in self.accounts())

    def all_have_gone_on(self, since):
        """Each has called, and has heard the others, a good many times more."""
        return all(now["calls"] >= before["calls"] + 20
                   and now["updates"] >= before["updates"] + 0.1 * RATE * KEYS * PEERS
                   for now, before in zip(self.accounts(), since))

    def registry(self):
        """The process id of the registry's process, or None."""
        for child in children_of(self.site.process.pid):
            try:
                words = Path(f"/proc/{child}/cmdline").read_bytes().split(b"\0")
            except OSError:
                continue
            if b"registry" in words and is_running(child):
                return child
        return None

    def alive(self):
        """Who is, as the registry of now tells somebody who knew nobody."""
        done = self.site.cli("--json", "ls", timeout=10)
        if done.returncode != 0:
            return set()
        return {node["name"] for node in map(json.loads, done.stdout.splitlines())
                if node["state"] == "alive"}

    def kill_registry(self):
        killed = wait_until(self.registry, PATIENCE, "there is a registry")
        os.kill(killed, signal.SIGKILL)
        wait_until(lambda: not is_running(killed), PATIENCE, "it is dead")

    def kill_for_a_while(self):
        """Nobody restarts it while the supervisor stands still."""
        os.kill(self.site.process.pid, signal.SIGSTOP)
        try:
            self.kill_registry()
            began = time.monotonic()
            since = self.accounts()
            wait_until(lambda: self.all_have_gone_on(since) and time.monotonic() - began >= AWAY,
                       PATIENCE, "the peers go on without a registry")
            self.assertIsNone(self.registry())
        finally:
            os.kill(self.site.process.pid, signal.SIGCONT)

    def seconds_until_whole(self):
        wait_until(self.registry, PATIENCE, "there is a registry again")
        began = time.monotonic()
        wanted = {"journal", "registry"} | {peer.name for peer in self.peers}
        wait_until(lambda: wanted <= self.alive(), PATIENCE, "the directory is whole")
        return time.monotonic() - began

    def test_costs_live_peers_no_update_and_no_call(self):
        whole = []
        try:
            for round in range(KILLS):
                if round % 2 == 0:
                    self.kill_registry()
                else:
                    self.kill_for_a_while()
                whole.append(self.seconds_until_whole())
                since = self.accounts()
                wait_until(lambda: self.all_have_gone_on(since), PATIENCE, "the peers go on")
        except HarnessError:
            print(*self.accounts(), logs_of(self.site), sep="\n", flush=True)
            raise
        accounts = self.accounts()
        updates = sum(each["updates"] for each in accounts)
        calls = sum(each["calls"] for each in accounts)
        longest = max(each["longest_call_ms"] for each in accounts) / 1000
        print(f"whole again after {', '.join(f'{each:.2f}' for each in whole)} s; {updates} "
              f"updates; {calls} calls, the longest {longest:.2f} s", flush=True)
        for peer, account in zip(self.peers, accounts):
            with self.subTest(peer.name):
                self.assertEqual({what: account[what] for what in
                                  ("lost", "backward", "missed", "failed", "absent")},
                                 dict(lost=0, backward=0, missed=0, failed=0, absent=0),
                                 f"{account}\n{peer.log.read_text()}")
        if overloaded():
            print("the machine is overloaded: the times are not judged")
            return
        self.assertLessEqual(max(whole), WHOLE)
        self.assertLessEqual(longest, CALL_MAX)


if __name__ == "__main__":
    unittest.main(verbosity=2)
