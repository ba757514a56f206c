"""The steps of tools/demo. Each says what it shows, does it, checks it, and prints its time."""

import argparse
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import harness
from harness import HarnessError, SimIoc, Site, wait_until

COLOUR = sys.stdout.isatty()
CHANGED = 5  # setpoints that the "operator" moves


def paint(code, text):
    return f"\033[{code}m{text}\033[0m" if COLOUR else text


class Demo:
    def __init__(self, options):
        self.options = options
        self.steps = []
        self.failed = []

    def step(self, title, action):
        """Runs one step and prints it; a step that raises has failed."""
        print(paint(1, f"\n[{len(self.steps) + 1}] {title}"), flush=True)
        began = time.monotonic()
        try:
            action()
            verdict = paint(32, "done")
        except (HarnessError, subprocess.TimeoutExpired, LookupError, TypeError, ValueError, OSError) as failure:
            print(paint(31, f"    {failure}"))
            verdict = paint(31, "FAILED")
            self.failed.append(title)
        seconds = time.monotonic() - began
        self.steps.append((title, seconds))
        print(f"    {verdict} in {seconds:.2f} s", flush=True)

    # What is shown ----------------------------------------------------------------------------

    def show(self, *arguments, lines=12, statuses=(0,)):
        """Runs a command in front of the audience."""
        print(paint(36, "    $ tidemark " + " ".join(map(str, arguments))))
        done = self.site.cli(*arguments, timeout=120)
        text = (done.stdout + done.stderr).rstrip().splitlines()
        for line in text[:lines]:
            print("    " + line)
        if len(text) > lines:
            print(f"    … {len(text) - lines} more lines")
        if done.returncode not in statuses:
            raise HarnessError(f"exit status {done.returncode}")
        return done

    def start_machine(self):
        options = self.options
        iocs = options.iocs or (4 if options.pvs >= 20_000 else 1)
        self.sim = SimIoc(self.directory / "machine", options.pvs, iocs)
        rows = len(self.sim.csv.read_text().splitlines()) - 1
        print(f"    {options.pvs} records on {iocs} soft IOC(s), and a CSV of {rows} rows to import,")
        print("    some of them dead names, as every site has them")

    def start_site(self):
        port = self.options.port
        if port == 0:
            port = 8080 if port_is_free(8080) else harness.free_port()
        self.site = Site(self.executable, self.sim.addr_list, self.directory / "site", port, "demo")
        seconds = self.site.up()
        wait_until(self.site.well, 20, "every node answers")
        print(f"    registry, journal, keeper, monitor and gateway are up after {seconds:.2f} s")

    def import_pvs(self):
        self.show("pv", "import", self.sim.csv)
        self.site.wait_connected(self.options.pvs, 60)
        wait_until(lambda: self.site.figure("monitor", "tidemark_monitor_connected") ==
                   self.options.pvs, 10, "the monitor says so too")
        self.show("status", lines=20)

    def watch_values(self):
        done = self.show("pv", "watch", "BPMS:*:X", "--for", "2s", "--count", "6")
        if len(done.stdout.splitlines()) < 6:
            raise HarnessError("no value changed within two seconds")

    def take_snapshot(self):
        self.show("snapshot", "create", "before", "--description", "as the machine was found")

    def change_setpoints(self):
        pvs = self.site.json("snapshot", "show", "before", "--name", "QUAD:*:BDES")["values_of"]
        saved = [(pv["name"], pv["setpoint"]["value"]) for pv in pvs if is_number(pv)]
        if len(saved) < CHANGED:
            raise HarnessError(f"the snapshot has only {len(saved)} magnets with a value")
        # Half way to zero and a bit: far from any tolerance, within every limit.
        self.changed = {name: value / 2 + 0.5 for name, value in saved[:: len(saved) // CHANGED][:CHANGED]}
        caput(self.sim, self.changed)
        for name, value in self.changed.items():
            print(f"    caput {name} {value:.4f}")

    def compare(self):
        def found():
            self.differences = self.site.json("snapshot", "compare", "before", "live", check=False)
            return {pv["name"] for pv in self.differences["pvs"]
                    if pv.get("setpoint") and pv["setpoint"]["difference"] not in
                    ("equal", "within tolerance")}
        expected = set(self.changed)
        wait_until(lambda: found() == expected, 10,
                   f"the comparison finds exactly the setpoints {sorted(expected)}")
        self.show("snapshot", "compare", "before", "live", "--name", "QUAD:*", statuses=(1,))
        print(f"    the {len(expected)} setpoints that were changed, and no other")

    def dry_run(self):
        self.plan = self.site.json("snapshot", "restore", "before", "--dry-run", check=False)
        writes = {step["address"] for step in self.plan["steps"] if step["action"] == "write"}
        self.show("snapshot", "restore", "before", "--dry-run", statuses=(0, 1))
        if writes != set(self.changed):
            raise HarnessError(f"the plan writes {sorted(writes)}")

    def restore(self):
        self.show("snapshot", "restore", "before", "--yes", "--plan-hash", self.plan["hash"],
                  lines=20)

    def verify(self):
        job = self.site.json("job", "list")
        job = (job if isinstance(job, list) else [job])[0]
        outcome = job["restore"]
        if job["state"] != "completed" or outcome["verified"] != len(self.changed):
            raise HarnessError(f"the job says {job['state']}: {job['message']}")
        puts = wait_until(lambda: puts_by_tidemark(self.sim, self.changed), 5,
                          "the IOC's own log of puts shows ours")
        print(f"    read back from the IOCs: {outcome['verified']} within tolerance;")
        print(f"    the IOCs' own log shows {puts} puts, one for each")

        def restored():
            found = self.site.json("snapshot", "compare", "before", "live", check=False)
            return not any(pv.get("setpoint") and pv["setpoint"]["difference"] not in
                           ("equal", "within tolerance") for pv in found["pvs"])
        wait_until(restored, 10, "no setpoint differs any more")

    def show_journal(self):
        self.show("log", "query", "--kind", "JobAccepted", "--kind", "PutIntended", "--kind",
                  "PutConfirmed", "--kind", "JobFinished", "--kind", "SnapshotTaken",
                  "--limit", "14", lines=14)

    def kill_node(self):
        before = self.site.nodes()["monitor"]
        print(f"    kill -9 {before['pid']} (the monitor)")
        os.kill(before["pid"], signal.SIGKILL)
        began = time.monotonic()

        def back():
            monitor = self.site.nodes().get("monitor", {})
            return (monitor.get("state") == "alive" and monitor["pid"] != before["pid"] and
                    self.site.well() and
                    (self.site.figure("keeper", "tidemark_live_with_value") or 0) >=
                    self.options.pvs)
        wait_until(back, 15, "the monitor is back, with every value")
        print(f"    back after {time.monotonic() - began:.2f} s, with every value")
        self.show("log", "query", "--kind", "NodeRestarted", "--kind", "NodeDown", "--kind", "Gap",
                  "--limit", "3")

    def ask_gateway(self):
        with urllib.request.urlopen(self.site.url + "/health", timeout=5) as answer:
            print(f"    GET /health            {answer.read().decode()}")
        with urllib.request.urlopen(self.site.url + "/v1/pvs/paged?pageSize=1", timeout=5) as answer:
            page = json.load(answer)
            print(f"    GET /v1/pvs/paged      totalCount {page['totalCount']}")
        with urllib.request.urlopen(self.site.url + "/metrics", timeout=5) as answer:
            metrics = answer.read().decode()
        line = re.search(r"^tidemark_journal_last_line\{.*", metrics, re.M)
        if not line:
            raise HarnessError("/metrics does not tell the journal's last line")
        print(f"    GET /metrics           {line.group(0)}")

    # The whole --------------------------------------------------------------------------------

    def run(self):
        options = self.options
        self.executable = harness.executable("release")
        self.directory = Path(options.keep).resolve() if options.keep else harness.short_directory("tm-")
        self.sim = self.site = None
        began = time.monotonic()
        status = 1
        try:
            for title, action in (
                    ("A simulated machine of real EPICS records", self.start_machine),
                    ("Tidemark on it", self.start_site),
                    ("Import the PVs from a spreadsheet's CSV", self.import_pvs),
                    ("Values are changing", self.watch_values),
                    ("A snapshot", self.take_snapshot),
                    ("An operator changes some setpoints (plain Channel Access)", self.change_setpoints),
                    ("What is different from the snapshot?", self.compare),
                    ("What would a restore do? (dry run)", self.dry_run),
                    ("Restore", self.restore),
                    ("Did it arrive?", self.verify),
                    ("All of that is in the journal", self.show_journal),
                    ("A node dies", self.kill_node),
                    ("The same over HTTP", self.ask_gateway)):
                self.step(title, action)
                if self.failed and (self.sim is None or self.site is None):
                    break
            seconds = time.monotonic() - began
            if not options.once and not self.failed:
                self.stay()
            status = 1 if self.failed else 0
        except KeyboardInterrupt:
            print("\ninterrupted")
        finally:
            self.end()
        print()
        for title, taken in self.steps:
            mark = "FAILED" if title in self.failed else "ok"
            print(f"  {taken:7.2f} s  {mark:6}  {title}")
        done = len(self.steps) - len(self.failed)
        print(f"demo: {done} of {len(self.steps)} steps did what they say, {options.pvs} PVs, "
              f"{seconds if self.steps else 0:.1f} s")
        return status

    def stay(self):
        tidemark = f"{self.executable} -c {self.site.file}"
        print(paint(1, "\nIt stays up. Try, in another terminal:"))
        print(f"  {tidemark} pv watch 'BPMS:*:X'")
        print(f"  {tidemark} log follow --kind PutIntended --kind PutConfirmed")
        print(f"  {tidemark} snapshot compare before live")
        print(f"  {self.site.url}/metrics   {self.site.url}/v1/snapshots")
        print("Ctrl-C ends everything.", flush=True)
        try:
            while self.site.process.poll() is None:
                time.sleep(0.5)
        except KeyboardInterrupt:
            print("\nstopping")

    def end(self):
        if self.site is not None:
            self.site.stop()
        if self.sim is not None:
            self.sim.stop()
        if not self.options.keep and not self.failed:
            shutil.rmtree(self.directory, ignore_errors=True)
        elif self.failed:
            print(f"data and logs are kept in {self.directory}")


def is_number(pv):
    value = (pv.get("setpoint") or {}).get("value")
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def port_is_free(port):
    import socket
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) != 0


def caput(sim, values):
    """Writes as any Channel Access client would; epicscorelibs' own, in a process of its own."""
    words = [word for name, value in values.items() for word in (name, str(value))]
    done = subprocess.run([sys.executable, "-m", "sim.caput", *words], text=True,
                          capture_output=True, timeout=30,
                          env={**sim.environment(), "PYTHONPATH": str(harness.ROOT / "tools")})
    if done.returncode != 0:
        raise HarnessError(f"caput: {done.stderr.strip()}")


def puts_by_tidemark(sim, changed):
    """How many puts of these PVs the IOCs logged after the operator's; 0 until one for each is there."""
    count = {name: 0 for name in changed}
    for line in sim.put_log.read_text().splitlines():
        fields = line.split("\t")
        if len(fields) > 1 and fields[1] in count:
            count[fields[1]] += 1
    # One by the operator, one by us.
    return sum(count.values()) - len(count) if all(n == 2 for n in count.values()) else 0


def main():
    parser = argparse.ArgumentParser(prog="tools/demo", add_help=False)
    parser.add_argument("--once", action="store_true")
    parser.add_argument("--pvs", type=int, default=1000)
    parser.add_argument("--iocs", type=int, default=0)
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--keep")
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    sys.stdout.reconfigure(line_buffering=True)
    sys.exit(Demo(parser.parse_args()).run())


if __name__ == "__main__":
    main()
