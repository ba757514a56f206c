"""What the benches share: their programs, a simulated machine, a site, and looks into /proc."""

import contextlib
import csv
import json
import os
import re
import shutil
import subprocess
import time
from datetime import datetime, timezone
from pathlib import Path

from harness import ROOT, HarnessError, SimIoc, Site, executable, short_directory

TICKS = os.sysconf("SC_CLK_TCK")


def program(name):
    """A program of bench/; TIDEMARK_BENCH_PROGRAMS names another folder of them."""
    folder = Path(os.environ.get("TIDEMARK_BENCH_PROGRAMS") or ROOT / "build/release/bench")
    path = folder / name
    if not path.exists():
        raise HarnessError(f"{path} is not there: build it first")
    return str(path)


def run_json(command, env=None, timeout=300):
    """Runs a program that prints one JSON document."""
    done = subprocess.run([str(part) for part in command], capture_output=True, text=True, env=env,
                          stdin=subprocess.DEVNULL, timeout=timeout)
    if done.returncode != 0 or not done.stdout.strip():
        raise HarnessError(f"{Path(command[0]).name} -> {done.returncode}: {done.stderr.strip()}")
    return json.loads(done.stdout)


class Machine:
    """Soft IOCs, and the names and CSV of what they serve (and, if asked, of what nobody serves)."""

    def __init__(self, directory, profile, pvs, iocs=1):
        self.directory = directory
        self.sim = SimIoc(directory / "sim", pvs, iocs=iocs, profile=profile, put_log=False)
        self.pvs = pvs
        self.csv = self.sim.csv
        self.env = self.sim.environment()
        with open(self.csv, newline="", encoding="utf-8") as rows:
            self.alive = [row["Setpoint"] or row["Readback"] for row in csv.DictReader(rows)]
        if len(self.alive) != pvs:
            raise HarnessError(f"the CSV has {len(self.alive)} names, not {pvs}")
        self.names = self._write_names("names.txt", self.alive)

    def _write_names(self, file, names):
        path = self.directory / file
        path.write_text("".join(f"{name}\n" for name in names))
        return path

    def with_dead(self, share):
        """CSV and list of names of which `share` are dead, spread among the living."""
        dead = round(self.pvs * share / (1 - share))
        step = self.pvs / dead
        names = []
        for i in range(dead):
            names += self.alive[round(i * step):round((i + 1) * step)]
            names.append(f"SIM:DEAD:{i:05d}")
        path = self.directory / f"pvs-{share}.csv"
        with open(path, "w", newline="", encoding="utf-8") as out:
            rows = csv.writer(out)
            rows.writerow(("Setpoint", "Readback", "Device", "AbsTolerance"))
            rows.writerows((name, "", name, "0.0001") for name in names)
        return path, self._write_names(f"names-{share}.txt", names)

    def raw(self, command, *more, names=None):
        """The plain libca client on these PVs."""
        return run_json([program("raw_ca"), command, names or self.names, *more], env=self.env)


@contextlib.contextmanager
def simulated(profile, pvs, iocs=1):
    """A Machine in a temporary folder of its own ($TMPDIR)."""
    directory = short_directory("tmb-")
    machine = None
    try:
        machine = Machine(directory, profile, pvs, iocs)
        yield machine
    finally:
        if machine:
            machine.sim.stop()
        shutil.rmtree(directory, ignore_errors=True)


@contextlib.contextmanager
def site_on(machine, table=None, up=True):
    """A site that has imported the machine's PVs (or `table`) and, if `up`, all their values."""
    with Site(executable("release"), machine.sim.addr_list) as site:
        site.up(60)
        site.cli("pv", "import", table or machine.csv, check=True, timeout=120)
        if up:
            ask(site, "live", machine.pvs)
        else:
            site.stop()
        yield site


def ask(site, *question, runs=None, timeout=300):
    more = [] if runs is None else ["--runs", runs]
    return run_json([program("ask"), site.file, *question, *more], env=site.env, timeout=timeout)


class Start:
    """A site from nothing to all values: when what was there. Times in seconds since 1970."""

    def __init__(self, site, pvs):
        self.began = time.time()
        up_s = site.up(120)
        answer = ask(site, "live", pvs)
        self.all_values_at = answer["ready_at_ns"] * 1e-9
        self.ready_s = max(up_s, self.all_values_at - self.began)
        self.monitor_pid = site.nodes()["monitor"]["pid"]
        self.monitor_at = started_at(site, "monitor", self.monitor_pid)
        self.monitor_s = self.all_values_at - self.monitor_at


def started_at(site, node, pid):
    """When the supervisor started that process: it says so in its log."""
    pattern = re.compile(rf"(\S+)Z? info \[supervisor\] started {node} as pid {pid}$", re.M)
    found = pattern.findall((site.directory / "up.log").read_text())
    if not found:
        raise HarnessError(f"the log does not say when {node} started as {pid}")
    when = datetime.fromisoformat(found[-1].rstrip("Z"))
    return when.replace(tzinfo=timezone.utc).timestamp()


def cpu_seconds(pid):
    """Of all threads, user and system."""
    after_name = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(after_name[11]) + int(after_name[12])) / TICKS


def rss_mib(pid):
    pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 2**20


class PeakRss:
    """By how much the memory of a process grew above what it was, at its highest."""

    def __init__(self, pid):
        self.pid = pid
        Path(f"/proc/{pid}/clear_refs").write_text("5")  # forgets the highest until now
        self.before = self._status("VmRSS")

    def growth_mib(self):
        return max(0.0, (self._status("VmHWM") - self.before) / 1024)

    def _status(self, field):
        text = Path(f"/proc/{self.pid}/status").read_text()
        return int(re.search(rf"^{field}:\s+(\d+) kB", text, re.M).group(1))


def pids(site):
    return {name: node["pid"] for name, node in site.nodes().items()}


def demand(truth, what):
    """A figure of something that went wrong is no figure."""
    if not truth:
        raise HarnessError(what)
