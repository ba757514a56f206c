"""Two registries: one is killed, the other goes on, and the first comes back. Nobody who lives loses
an update, a call, or sight of anybody, and who starts meanwhile is seen by all.
"""

import json
import signal
import subprocess
import time
import unittest
import zlib

from live_peers import CPP, ENVIRONMENT, PYTHON, LivePeer, ends_of_logs
from support import HarnessError, Site, overloaded, tidemark, wait_until

REGISTRIES = ("registry", "registry-2")
KEYS, RATE, CALLS = 5, 100, 50  # of each peer; updates and calls a second
PATIENCE = 30.0
# Seconds, unless the machine is overloaded.
CALL_MAX = 1.0
COMMAND_MAX = 1.0
WATCHED = "live.*/count0"
WATCHER = """
import sys, threading, tidemark
with tidemark.Client(sys.argv[1]) as site:
    site.subscribe(sys.argv[2], lambda update: print(update.key, flush=True))
    threading.Event().wait()
"""


class TwoRegistries(unittest.TestCase):
    """We are the supervisor: what is killed stays away as long as we like."""

    def setUp(self):
        self.site = Site(tidemark(), "127.0.0.1", nodes=[*REGISTRIES, "journal"])
        self.addCleanup(self.site.close)
        self.nodes, self.peers = {}, {}
        self.addCleanup(self.close)
        for node in (*REGISTRIES, "journal"):
            self.start_node(node)
        self.wait_until(lambda: self.directory_of("ls").keys() == self.nodes.keys(),
                        "the nodes are there")
        for name, program in (("live.0", CPP), ("live.1", CPP), ("live.2", PYTHON)):
            self.start_peer(name, program)
        self.wait_until_all_see({})

    def close(self):
        for peer in self.peers.values():
            peer.stop()
        for node in self.nodes.values():
            node.kill()
            node.wait()

    def start_node(self, name):
        with open(self.site.directory / f"{name}.log", "ab") as log:
            self.nodes[name] = subprocess.Popen(
                [self.site.executable, "-c", str(self.site.file), "node", name], env=self.site.env,
                stdin=subprocess.DEVNULL, stdout=log, stderr=log)

    def start_peer(self, name, program):
        self.peers[name] = LivePeer(
            self.site.file, name, self.site.directory / f"{name}.log", KEYS, RATE, CALLS, program)
        self.wait_until(lambda: self.directory_of("ls").get(name, "absent") == "alive",
                        f"{name} is there")

    def end_node(self, name, number):
        self.nodes[name].send_signal(number)
        self.nodes[name].wait(PATIENCE)

    def wait_until(self, condition, what):
        try:
            return wait_until(condition, PATIENCE, what)
        except HarnessError:
            print(ends_of_logs(self.site.directory), flush=True)
            raise

    def start_watchers(self):
        """Programs that do not register, and print what they hear."""
        self.watchers = []
        for command in ([self.site.executable, "-c", str(self.site.file), "kv", "watch", WATCHED],
                        [PYTHON[0], "-c", WATCHER, str(self.site.file), WATCHED]):
            log = self.site.directory / f"watcher-{len(self.watchers)}.log"
            with open(log, "ab") as output:
                process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=output,
                                           stderr=output, env=ENVIRONMENT)
            self.addCleanup(process.wait)
            self.addCleanup(process.kill)
            self.watchers.append(log)

    def wait_until_watchers_hear(self, key):
        for log in self.watchers:
            self.wait_until(lambda i=log: key in i.read_text(), f"{log.name} has {key}")

    # ---- what everybody sees

    def directory_of(self, viewer):
        """States by name: as the command line sees them, a peer by its own copy, or a registry."""
        if viewer == "ls":
            done = self.site.cli("--json", "ls", timeout=10)
            nodes = map(json.loads, done.stdout.splitlines())
            return {each["name"]: each["state"] for each in nodes}
        if viewer in REGISTRIES:
            whole = self.peers["live.2"].account()["registries"].get(viewer) or {}
        else:
            whole = self.peers[viewer].account()["directory"]
        return {name: state for name, (state, _) in whole.items()}

    def wait_until_all_see(self, gone):
        """Everybody alive but for `gone`, states by name: the living registries say so, and all who
        have a copy of their own."""
        expected = {**dict.fromkeys([*self.nodes, *self.peers], "alive"), **gone}
        viewers = ["ls", *self.peers, *(each for each in REGISTRIES if each not in gone)]
        for viewer in viewers:
            self.wait_until(lambda v=viewer: self.directory_of(v) == expected,
                            f"{viewer} sees {expected}")

    def expect_calls_to_go_on(self):
        since = {name: peer.account() for name, peer in self.peers.items()}
        self.wait_until(lambda: all(peer.account()["calls"] > since[name]["calls"] + 20 and
                                    peer.account()["updates"] > since[name]["updates"] + KEYS * RATE
                                    for name, peer in self.peers.items()), "the peers go on")

    # ---- the stories

    def test_one_is_killed_and_the_other_goes_on_until_it_is_back(self):
        self.start_watchers()
        self.wait_until_watchers_hear("live.0/count0")
        for number, name in enumerate(REGISTRIES, start=3):
            with self.subTest(name):
                self.end_node(name, signal.SIGKILL)
                self.assertEqual({each for each, state in self.directory_of("ls").items()
                                  if state == "alive"} | {name}, {*self.nodes, *self.peers})
                began = time.monotonic()
                self.assertEqual(self.site.cli("ls").returncode, 0)
                if not overloaded():
                    self.assertLess(time.monotonic() - began, COMMAND_MAX)
                self.expect_calls_to_go_on()
                self.start_peer(f"live.{number}", CPP)  # with the help of the other one
                self.wait_until_watchers_hear(f"live.{number}/count0")
                self.wait_until_all_see({name: "disconnected"})
                self.expect_calls_to_go_on()
                self.start_node(name)
                self.expect_nobody_to_be_lost_from_sight(2.0)
                self.wait_until_all_see({})
                self.expect_calls_to_go_on()
        self.expect_nothing_was_lost()

    def test_one_that_was_stopped_in_good_order_is_done_without(self):
        self.end_node("registry", signal.SIGTERM)
        self.wait_until_all_see({"registry": "disconnected"})
        self.start_peer("live.3", CPP)
        self.wait_until_all_see({"registry": "disconnected"})
        self.expect_nothing_was_lost()

    def test_nodes_say_in_their_status_which_directory_they_have(self):
        whole = self.peers["live.2"].account()["directory"]
        there = sorted(f"{name} {incarnation}\n" for name, (_, incarnation) in whole.items())
        checksum = zlib.crc32("".join(there).encode())
        for node in (*REGISTRIES, "journal"):
            self.wait_until(lambda n=node: self.site.figure(n, "tidemark_directory_checksum") ==
                            checksum, f"{node} has the same directory")

    def expect_nobody_to_be_lost_from_sight(self, seconds):
        """Who is alive is so for everybody all the time, whichever registry counts."""
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            for viewer in self.peers:
                seen = self.directory_of(viewer)
                for name in self.peers:
                    self.assertEqual(seen.get(name, "absent"), "alive", f"{viewer} sees {name}")

    def expect_nothing_was_lost(self):
        for name, peer in self.peers.items():
            account = peer.account()
            with self.subTest(name):
                self.assertEqual({what: account[what] for what in
                                  ("lost", "backward", "missed", "failed", "absent")},
                                 dict(lost=0, backward=0, missed=0, failed=0, absent=0),
                                 f"{account}\n{peer.log.read_text()[-2000:]}")
                if not overloaded():
                    self.assertLess(account["longest_call_ms"], CALL_MAX * 1000)


if __name__ == "__main__":
    unittest.main(verbosity=2)
