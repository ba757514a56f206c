"""Two hosts (network namespaces, a cable between them), and everything that can go wrong between
them for a while: processes are killed and frozen, the registry dies, the cable is cut. Then all is
mended, and everybody must agree.

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
from pathlib import Path

from support import HarnessError, children_of, is_running, short_directory, tidemark, wait_until

SECONDS = float(os.environ.get("TIDEMARK_CHAOS_SECONDS", "20"))
SEED = int(os.environ.get("TIDEMARK_SEED", random.SystemRandom().randrange(1 << 30)))
EXAMPLES = Path(os.environ["TIDEMARK_EXAMPLES"])
SUBSYSTEMS = 4
CALL_BUDGET = 3  # seconds; a command may take a few more to start and to say so
FREEZE_MAX = 5
# What a process that lives through all of it may grow by. The journal fills its write buffers, and
# everybody keeps 8 MiB of what it sent on a stream; compared with when all had come up.
DESCRIPTORS_MAX = 50
MEMORY_MAX_MIB = {"journal": 64}
MEMORY_MAX_MIB_ELSE = 32


def ip(*arguments):
    subprocess.run(["ip", *map(str, arguments)], check=True, capture_output=True)


def can_make_namespaces():
    if os.geteuid() != 0 or shutil.which("ip") is None:
        return False
    probe = f"tm-probe-{os.getpid()}"
    if subprocess.run(["ip", "netns", "add", probe], capture_output=True).returncode != 0:
        return False
    try:  # In a chroot one can be made, and not be entered.
        ip("-n", probe, "link", "set", "lo", "up")
        ip("netns", "exec", probe, "true")
    except subprocess.CalledProcessError:
        return False
    finally:
        ip("netns", "delete", probe)
    return True


class Host:
    """A network namespace with one end of the cable, and a site file of its own."""

    def __init__(self, name, cable, address, registry, directory):
        self.name, self.cable = name, cable
        self.directory = directory
        directory.mkdir()
        ip("netns", "add", name)
        ip("link", "set", cable, "netns", name)
        ip("-n", name, "link", "set", "lo", "up")
        ip("-n", name, "address", "add", f"{address}/24", "dev", cable)
        ip("-n", name, "link", "set", cable, "up")
        self.site = directory / "site.toml"
        self.site.write_text(
            '[site]\nname = "chaos"\ndata = "data"\nnodes = ["registry", "journal"]\n'
            f'[bus]\ntransport = "tcp"\naddress = "{address}"\nregistry = "{registry}"\n'
            'insecure = true\n[supervisor]\nrestarts_max = 1000\n')

    def start(self, *command):
        log = open(self.directory / f"{Path(command[0]).name}-{command[-1]}.log".replace("/", ""),
                   "ab")
        with log:
            return subprocess.Popen(["ip", "netns", "exec", self.name, *map(str, command)],
                                    stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                                    env=dict(os.environ, TIDEMARK_SITE=str(self.site)),
                                    cwd=self.directory)

    def cli(self, *arguments, timeout=30):
        return subprocess.run(
            ["ip", "netns", "exec", self.name, str(tidemark()), "-c", str(self.site),
             *map(str, arguments)], capture_output=True, text=True, timeout=timeout,
            stdin=subprocess.DEVNULL)

    def directory_of_nodes(self):
        """Names, states and incarnations, as somebody on this host sees them."""
        done = self.cli("--json", "ls")
        if done.returncode != 0:
            return {}
        return {node["name"]: (node["state"], node["incarnation"])
                for node in map(json.loads, done.stdout.splitlines())}

    def plug(self, is_in):
        ip("-n", self.name, "link", "set", self.cable, "up" if is_in else "down")

    def processes(self):
        """Process ids of all that runs here, whoever started it."""
        done = subprocess.run(["ip", "netns", "pids", self.name], capture_output=True, text=True)
        return [int(pid) for pid in done.stdout.split()]

    def close(self):
        subprocess.run(["ip", "netns", "delete", self.name], capture_output=True)


def command_of(pid):
    try:
        return Path(f"/proc/{pid}/cmdline").read_text().replace("\0", " ").strip()
    except OSError:
        return "gone meanwhile"


def zombies_of(pid):
    """Children of a process that ended, and that it has not asked about."""
    return [child for child in children_of(pid) if not is_running(child)]


def descriptors(pid):
    return len(os.listdir(f"/proc/{pid}/fd"))


def resident_mib(pid):
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 2**20


@unittest.skipUnless(can_make_namespaces(), "needs root and network namespaces that can be entered")
class Chaos(unittest.TestCase):
    def setUp(self):
        tag = f"{os.getpid() % 10000}"
        self.directory = short_directory("tm-chaos-")
        ip("link", "add", f"tma{tag}", "type", "veth", "peer", "name", f"tmb{tag}")
        registry = "tcp://10.97.3.1:5610"
        self.hosts = []
        self.addCleanup(self.close)
        self.hosts.append(Host(f"tm-{tag}-a", f"tma{tag}", "10.97.3.1", registry,
                               self.directory / "a"))
        self.hosts.append(Host(f"tm-{tag}-b", f"tmb{tag}", "10.97.3.2", registry,
                               self.directory / "b"))
        self.a, self.b = self.hosts
        self.site = self.a.start(tidemark(), "up")
        wait_until(lambda: len(self.a.directory_of_nodes()) >= 2, 20, "the site is up")
        self.places = {}
        self.subsystems = {}
        for i in range(SUBSYSTEMS):
            name = f"psu.{i}"
            self.places[name] = self.hosts[i % 2]
            self.launch(name)
        wait_until(lambda: self.agreed(), 20, "all subsystems are there")

    def launch(self, name):
        self.subsystems[name] = self.places[name].start(EXAMPLES / "power_supply", name)

    def close(self):
        for process in [*getattr(self, "subsystems", {}).values(), getattr(self, "site", None)]:
            if process is not None and process.poll() is None:
                process.send_signal(signal.SIGCONT)
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

    def long_lived(self):
        """Process ids by name; "up" is the supervisor."""
        found = {name: process.pid for name, process in self.subsystems.items()}
        found["up"] = self.site.pid
        for node in map(json.loads, self.a.cli("--json", "ls").stdout.splitlines()):
            if node["name"] in ("journal", "registry"):
                found[node["name"]] = int(node["pid"])
        return found

    def figures(self):
        """Descriptors and MiB of memory, by name and process id."""
        return {(name, pid): (descriptors(pid), resident_mib(pid))
                for name, pid in self.long_lived().items() if is_running(pid)}

    def all_are_well(self):
        """Whoever has ended is started again: that is its own rule, when it is superseded."""
        for name, process in self.subsystems.items():
            if process.poll() is not None:
                self.launch(name)
        return self.agreed()

    def agreed(self):
        """Both hosts see the same directory, with every subsystem alive."""
        seen = [host.directory_of_nodes() for host in self.hosts]
        return seen[0] == seen[1] and all(
            seen[0].get(name, ("",))[0] == "alive" for name in self.subsystems)

    def test_everybody_agrees_in_the_end_and_no_call_hangs(self):
        print(f"seed {SEED}, {SECONDS:.0f} s", flush=True)
        chance = random.Random(SEED)
        registry = lambda: int(next(  # noqa: E731
            node["pid"] for node in map(json.loads, self.a.cli("--json", "ls").stdout.splitlines())
            if node["name"] == "registry"))
        before = self.figures()
        calls = done = 0
        pending = []  # what has to be mended, and when
        until = time.monotonic() + SECONDS
        registry_pid = registry()
        while time.monotonic() < until:
            now = time.monotonic()
            for each in [each for each in pending if each[0] <= now]:
                pending.remove(each)
                each[1]()
            name = chance.choice(sorted(self.subsystems))
            process = self.subsystems[name]
            what = chance.choice(("kill", "freeze", "cut", "registry", "nothing", "nothing"))
            if what == "kill":
                process.send_signal(signal.SIGCONT)
                process.kill()
                process.wait()
                self.launch(name)
            elif what == "freeze" and process.poll() is None:
                process.send_signal(signal.SIGSTOP)
                pending.append((now + chance.uniform(0.5, FREEZE_MAX),
                                lambda p=process: p.poll() is None and p.send_signal(signal.SIGCONT)))
            elif what == "cut":
                self.b.plug(False)
                pending.append((now + chance.uniform(0.5, 4), lambda: self.b.plug(True)))
            elif what == "registry" and is_running(registry_pid):
                os.kill(registry_pid, signal.SIGKILL)
            host = chance.choice(self.hosts)
            began = time.monotonic()
            call = host.cli("--timeout", f"{CALL_BUDGET}s", "event", "call", "degauss", "--to",
                            chance.choice(sorted(self.subsystems)), timeout=CALL_BUDGET + 12)
            calls += 1
            done += call.returncode == 0
            self.assertIn(call.returncode, range(0, 5), call.stderr)
            self.assertLess(time.monotonic() - began, CALL_BUDGET + 8, "a call hung")
            nodes = self.a.directory_of_nodes()
            if nodes.get("registry", ("",))[0] == "alive":
                registry_pid = registry()

        for _, mend in pending:
            mend()
        self.b.plug(True)
        began = time.monotonic()
        for name, process in self.subsystems.items():
            process.send_signal(signal.SIGCONT)
        try:
            wait_until(self.all_are_well, 30, "both hosts agree")
        except HarnessError:
            for host in self.hosts:
                seen = host.cli("ls")
                print(host.name, seen.stdout, seen.stderr, flush=True)
            for log in sorted(self.directory.rglob("*.log")):
                print(f"---- {log.name}", *log.read_text().splitlines()[-8:], sep="\n", flush=True)
            raise
        print(f"{done} of {calls} calls were done; agreed after {time.monotonic() - began:.1f} s",
              flush=True)
        self.assertGreater(done, 0)
        for name in self.subsystems:
            for host in self.hosts:
                done_now = host.cli("--timeout", "10s", "event", "call", "degauss", "--to", name)
                self.assertEqual(done_now.returncode, 0, done_now.stdout + done_now.stderr)
        self.expect_level(before, self.figures())
        wait_until(lambda: not zombies_of(self.site.pid), 5, "the supervisor has no zombies")

    def expect_level(self, before, after):
        """Nobody who lived through all of it has grown. That the supervisor did is certain."""
        survivors = sorted(before.keys() & after.keys())
        self.assertIn("up", [name for name, _ in survivors])
        for each in survivors:
            name = each[0]
            print(f"{name}: {before[each][0]} to {after[each][0]} descriptors, "
                  f"{before[each][1]:.0f} to {after[each][1]:.0f} MiB", flush=True)
            with self.subTest(name):
                self.assertLess(after[each][0], before[each][0] + DESCRIPTORS_MAX,
                                "descriptors leak")
                self.assertLess(after[each][1],
                                before[each][1] + MEMORY_MAX_MIB.get(name, MEMORY_MAX_MIB_ELSE),
                                "memory leaks")


if __name__ == "__main__":
    unittest.main(verbosity=2)
