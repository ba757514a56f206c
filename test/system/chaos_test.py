"""Two hosts (network namespaces, a cable between them), and everything that can go wrong between
them for a while: subsystems, the journal and both registries are killed and frozen, the cable is cut.
Then all is mended, and everybody must agree on who is there, each by its own copy of the directory.

TIDEMARK_CHAOS_SECONDS (20) says for how long, TIDEMARK_SEED repeats a run. Needs root and `ip`.
"""

import json
import os
import random
import shutil
import signal
import subprocess
import time
import unittest
import zlib
from collections import Counter
from pathlib import Path

from hosts import can_make_namespaces, two_hosts
from live_peers import CPP, PYTHON, LivePeer, ends_of_logs
from support import (SANITIZED, HarnessError, children_of, is_running, short_directory, tidemark,
                     wait_until)

SECONDS = float(os.environ.get("TIDEMARK_CHAOS_SECONDS", "20"))
SEED = int(os.environ.get("TIDEMARK_SEED", random.SystemRandom().randrange(1 << 30)))
EXAMPLES = Path(os.environ["TIDEMARK_EXAMPLES"])
REGISTRIES = ("registry", "registry-2")  # one on each host
SUPPLIES = [f"psu.{i}" for i in range(4)]
PEERS = {"live.0": CPP, "live.1": CPP, "live.2": CPP, "live.3": CPP, "live.4": PYTHON,
         "live.5": PYTHON}
WITNESSES = ("live.0", "live.1", "live.4")  # never killed: who leaks would grow
KEYS, RATE, CALLS = 2, 20, 10  # of each peer; updates and calls a second
CALL_BUDGET = 3  # seconds; a command may take a few more to start and to say so
CALL_SLACK = 8
PEER_BUDGET = 10  # seconds: of the calls of live peers
FREEZE_MAX = 5
AGREED = 30
# What anybody may have grown by in the end, compared with when all had come up: a connection that is
# on its way, and, of 8 MiB that everybody keeps of what it sent on a stream, and the journal's write
# buffers, what has filled. After ten minutes it was no descriptor, and 4 MiB.
DESCRIPTORS_MAX = 8
MEMORY_MAX_MIB = {"journal": 64}
MEMORY_MAX_MIB_ELSE = 16


def command_of(pid):
    try:
        return Path(f"/proc/{pid}/cmdline").read_text().replace("\0", " ").strip()
    except OSError:
        return "gone meanwhile"


def zombies_of(pid):
    """Children of a process that ended, and that it has not asked about."""
    return [child for child in children_of(pid) if not is_running(child)]


def descriptors(pid):
    """But for tables of its store, which grow with what it has to keep."""
    found = 0
    for each in Path(f"/proc/{pid}/fd").iterdir():
        try:
            found += "/store/" not in os.readlink(each)
        except FileNotFoundError:
            pass  # closed meanwhile
    return found


def resident_mib(pid):
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 2**20


def checksum_of(directory):
    """As nodes of Tidemark say it of their own copies."""
    there = sorted(f"{name} {incarnation}\n" for name, (state, incarnation) in directory.items()
                   if state in ("alive", "suspect"))
    return zlib.crc32("".join(there).encode())


@unittest.skipUnless(can_make_namespaces(), "needs root and network namespaces that can be entered")
class Chaos(unittest.TestCase):
    def setUp(self):
        self.directory = short_directory("tm-chaos-")
        self.hosts, self.programs, self.peers = [], {}, {}
        self.addCleanup(self.close)
        self.hosts = two_hosts(self.directory)
        self.a, self.b = self.hosts
        registries = [f"tcp://{host.address}:5610" for host in self.hosts]
        self.a.write_site(["registry", "journal"], registries)
        self.b.write_site(["registry-2"], registries)
        # Only one host can have a supervisor: on the other one we are it.
        self.programs["up"] = self.site = self.a.start(tidemark(), "up")
        wait_until(lambda: len(self.a.json_lines("ls")) >= 3, AGREED, "the site is up")
        for name in ("registry-2", *SUPPLIES, *PEERS):
            self.launch(name)
        self.done = Counter()  # what was done to whom
        self.expected = {*REGISTRIES, "journal", "supervisor", *SUPPLIES, *PEERS}
        self.wait_until_all_agree()

    def launch(self, name):
        if name in self.peers:
            self.peers.pop(name).stop()
        if name in PEERS:
            host = self.hosts[int(name[-1]) % 2]
            peer = self.peers[name] = LivePeer(host.site, name, host.log(name), KEYS, RATE, CALLS,
                                               PEERS[name], host.within)
            self.programs[name] = peer.process
        elif name in SUPPLIES:
            host = self.hosts[int(name[-1]) % 2]
            self.programs[name] = host.start(EXAMPLES / "power_supply", name)
        else:
            self.programs[name] = self.b.start(tidemark(), "node", name)

    def close(self):
        for process in self.programs.values():
            if process.poll() is None:
                process.send_signal(signal.SIGCONT)
        for peer in self.peers.values():
            peer.stop()
        for process in reversed(self.programs.values()):  # the supervisor is the first
            if process.poll() is None:
                process.terminate()
                try:
                    process.wait(15)
                except subprocess.TimeoutExpired:
                    process.kill()
                    process.wait()
        try:
            self.expect_nobody_left()
        finally:
            for host in self.hosts:
                host.close()
            shutil.rmtree(self.directory, ignore_errors=True)

    def expect_nobody_left(self):
        """Whatever was started has ended: on these hosts there is nobody else."""
        try:
            wait_until(lambda: not any(host.processes() for host in self.hosts), 5, "all have ended")
        except HarnessError:
            left = {pid: command_of(pid) for host in self.hosts for pid in host.processes()}
            for pid in left:
                os.kill(pid, signal.SIGKILL)
            self.assertEqual(left, {}, "orphans")
        self.assertEqual(zombies_of(os.getpid()), [], "zombies")

    # ---- what is done to them

    def pid_of(self, name):
        """None while there is no such process. The supervisor starts the nodes of its host."""
        if name in self.programs:
            process = self.programs[name]
            return process.pid if process.poll() is None else None
        for child in children_of(self.site.pid):
            if is_running(child) and command_of(child).endswith(f" node {name}"):
                return child
        return None

    def kill(self, name):
        pid = self.pid_of(name)
        if pid is None:
            return
        os.kill(pid, signal.SIGKILL)
        if name in self.programs:
            self.programs[name].wait()
            if name in self.peers:
                self.peers.pop(name).stop()
            # A registry that nobody supervises stays away for a while.
            pause = self.chance.uniform(0, 4) if name in REGISTRIES else 0
            self.mend_later(pause, lambda: self.launch(name))

    def freeze(self, name):
        pid = self.pid_of(name)
        if pid is None:
            return
        os.kill(pid, signal.SIGSTOP)

        def resume():
            if self.pid_of(name) == pid:  # else the supervisor has killed it
                os.kill(pid, signal.SIGCONT)

        self.mend_later(self.chance.uniform(0.5, FREEZE_MAX), resume)

    def cut(self):
        self.b.plug(False)
        self.mend_later(self.chance.uniform(0.5, 4), lambda: self.b.plug(True))

    def mend_later(self, pause, mend):
        self.to_mend.append((time.monotonic() + pause, mend))

    def mend(self, until):
        for each in [each for each in self.to_mend if each[0] <= until]:
            self.to_mend.remove(each)
            each[1]()

    def do_something(self):
        what = self.chance.choice(("kill", "kill", "freeze", "freeze", "cut", "nothing"))
        if what in ("kill", "freeze"):
            nodes = (*REGISTRIES, "journal")
            name = self.chance.choice(nodes if self.chance.random() < 0.5 else
                                      (*SUPPLIES, *PEERS))
            if name in WITNESSES:
                what = "freeze"
            self.done[f"{what} {name}" if name in nodes else f"{what} a subsystem"] += 1
            (self.kill if what == "kill" else self.freeze)(name)
        elif what == "cut":
            self.done["cut"] += 1
            self.cut()

    def wreak_havoc(self):
        """Answers how many calls were made meanwhile from the command line, and how many done."""
        self.chance, self.to_mend = random.Random(SEED), []
        calls = done = 0
        until = time.monotonic() + SECONDS
        while (now := time.monotonic()) < until:
            self.mend(now)
            self.do_something()
            began = time.monotonic()
            call = self.chance.choice(self.hosts).cli(
                "--timeout", f"{CALL_BUDGET}s", "event", "call", "degauss", "--to",
                self.chance.choice(SUPPLIES), timeout=CALL_BUDGET + CALL_SLACK + 4)
            calls += 1
            done += call.returncode == 0
            self.assertIn(call.returncode, range(0, 5), call.stderr)
            self.assertLess(time.monotonic() - began, CALL_BUDGET + CALL_SLACK, "a call hung")
        self.mend(float("inf"))
        return calls, done

    # ---- what everybody sees

    def views(self):
        """Who sees what: names, states and incarnations, of everybody who can say."""
        views = {f"ls on {host.name[-1]}": {node["name"]: [node["state"], node["incarnation"]]
                                            for node in host.json_lines("ls")}
                 for host in self.hosts}
        for name, peer in self.peers.items():
            try:
                said = peer.account()
            except HarnessError as failure:  # it has ended, and is started again
                views[name] = str(failure)
                continue
            views[name] = said["directory"]
            for registry, its in said.get("registries", {}).items():
                views[f"{registry}, asked by {name}"] = its
        return views

    def checksums(self):
        """What the nodes say of their own copies."""
        return {node["name"]: int(node["status"]["figures"]["tidemark_directory_checksum"])
                for report in self.a.json_lines("status") for node in report["nodes"]
                if node.get("status")}

    def agreed(self, gone=None):
        """Everybody sees the same, with all of them alive but for `gone`: their states by name."""
        self.assertIsNone(self.site.poll(), "the supervisor has ended")
        for name, process in list(self.programs.items()):
            if process.poll() is not None and name not in (gone or {}):
                self.launch(name)  # It ends by its own rule, as when no registry answers its start.
        self.seen = views = self.views()
        first = views["ls on a"]
        if any(view != first for view in views.values()):
            return False
        states = {name: state for name, (state, _) in first.items()}
        if states != {**dict.fromkeys(self.expected, "alive"), **(gone or {})}:
            return False
        # An odd one out of these would have to agree by accident.
        self.seen["checksums"] = checksums = self.checksums()
        return checksums.keys() == {*REGISTRIES, "journal", "supervisor"} and \
            set(checksums.values()) == {checksum_of(first)}

    def wait_until_all_agree(self, gone=None):
        try:
            wait_until(lambda: self.agreed(gone), AGREED, "everybody agrees")
        except HarnessError:
            for viewer, view in getattr(self, "seen", {}).items():
                print(viewer, json.dumps(view), flush=True)
            print(ends_of_logs(self.directory), flush=True)
            raise

    def figures(self):
        """Descriptors and MiB of memory of everybody, by name."""
        names = (*self.programs, "registry", "journal")
        pids = {name: wait_until(lambda n=name: self.pid_of(n), AGREED, f"{name} runs")
                for name in names}
        return {name: (descriptors(pid), resident_mib(pid)) for name, pid in pids.items()}

    # ---- the story

    def test_everybody_agrees_in_the_end_and_no_call_hangs(self):
        print(f"seed {SEED}, {SECONDS:.0f} s", flush=True)
        before = self.figures()
        witnesses = {name: self.pid_of(name) for name in ("up", *WITNESSES)}
        calls, done = self.wreak_havoc()
        began = time.monotonic()
        self.wait_until_all_agree()
        print(", ".join(f"{what}: {count}" for what, count in sorted(self.done.items())))
        print(f"{done} of {calls} calls were done; all agreed after "
              f"{time.monotonic() - began:.1f} s", flush=True)
        self.assertEqual({name: self.pid_of(name) for name in witnesses}, witnesses)
        self.expect_calls_to_be_done()
        self.expect_level(before, self.figures())
        self.expect_all_to_see_who_goes()
        wait_until(lambda: not zombies_of(self.site.pid), 5, "the supervisor has no zombies")

    def expect_calls_to_be_done(self):
        for name in SUPPLIES:
            for host in self.hosts:
                done_now = host.cli("--timeout", "10s", "event", "call", "degauss", "--to", name)
                self.assertEqual(done_now.returncode, 0, done_now.stdout + done_now.stderr)
        since = self.calls_go_on(2)  # so that what was asked before has ended
        now = self.calls_go_on(20)
        print("calls of peers:", {name: each["calls"] for name, each in now.items()}, "failed:",
              {name: each["failed"] for name, each in now.items()}, "longest:",
              f"{max(each['longest_call_ms'] for each in now.values()) / 1000:.1f} s", flush=True)
        for name, each in now.items():
            with self.subTest(name):
                self.assertEqual(each["failed"], since[name]["failed"], "all is mended")
                self.assertLess(each["longest_call_ms"] / 1000,
                                PEER_BUDGET + FREEZE_MAX + CALL_SLACK, "a call hung")

    def calls_go_on(self, count):
        """The accounts of all peers when each has made so many more."""
        since = {name: peer.account()["calls"] for name, peer in self.peers.items()}

        def gone_on():
            now = {name: peer.account() for name, peer in self.peers.items()}
            return all(now[name]["calls"] >= since[name] + count for name in now) and now
        return wait_until(gone_on, AGREED, "the calls of all peers go on")

    def expect_level(self, before, after):
        """Nobody has grown: not who lived through all of it, nor who has started anew."""
        self.assertEqual(before.keys(), after.keys())
        for name in sorted(before):
            print(f"{name}: {before[name][0]} to {after[name][0]} descriptors, "
                  f"{before[name][1]:.0f} to {after[name][1]:.0f} MiB", flush=True)
            with self.subTest(name):
                self.assertLess(after[name][0], before[name][0] + DESCRIPTORS_MAX,
                                "descriptors leak")
                if SANITIZED:
                    continue  # it keeps what was freed
                self.assertLess(after[name][1],
                                before[name][1] + MEMORY_MAX_MIB.get(name, MEMORY_MAX_MIB_ELSE),
                                "memory leaks")

    def expect_all_to_see_who_goes(self):
        """One dies, and one says goodbye: both registries, and everybody, see the difference."""
        killed, stopped = "live.2", "live.3"
        self.programs[killed].kill()
        self.programs[killed].wait()
        self.peers.pop(killed).stop()
        self.assertEqual(self.peers.pop(stopped).stop(), 0)
        self.wait_until_all_agree({killed: "disconnected", stopped: "stopped"})


if __name__ == "__main__":
    unittest.main(verbosity=2)
