"""Updates on their way to the disk."""

import json
import shutil
import subprocess
import time

from harness import HarnessError, short_directory

from .figures import Bench, Metric
from .machine import cpu_seconds, demand, pids, program, run_json, simulated, site_on


def e2e_ingest(scale, runs, report):
    seconds = scale["seconds"]
    with simulated("fast", scale["pvs"], scale["iocs"]) as machine:
        for _ in range(runs):
            raw = machine.raw("count", seconds)
            report("raw_updates_per_s", raw["events_per_s"])
            with site_on(machine) as site:
                time.sleep(1)  # past the first values and the import
                of = pids(site)
                began, cpu = time.time(), {name: cpu_seconds(of[name]) for name in of}
                time.sleep(seconds)
                ended, used = time.time(), {name: cpu_seconds(of[name]) - cpu[name] for name in of}
                demand(pids(site) == of, "a node died meanwhile")
                site.stop()
                counted = run_json([program("count_journal"), site.directory / "data/journal/store",
                                    "--from", int(began * 1e9), "--until", int(ended * 1e9)])
            demand(counted["channels"] == scale["pvs"], f"{counted['channels']} channels")
            demand(counted["seconds"] > 0.9 * seconds, f"the journal stood still: {counted}")
            report("updates_per_s", counted["updates_per_s"])
            report("lost", counted["lost"] + counted["hidden"])
            for name in ("monitor", "journal"):
                report(f"{name}_cpu", used[name] / (ended - began))
            report("cpu", (used["monitor"] + used["journal"]) / (ended - began))


def journal_append(scale, runs, report):
    directory = short_directory("tmb-")
    try:
        for run in range(runs):
            for mode in ("tidemark", "raw"):
                where = directory / f"{mode}-{run}"
                done = run_json([program("journal_append"), "--dir", where, "--updates",
                                 scale["updates"], "--group", scale["group"],
                                 *(["--raw"] if mode == "raw" else [])])
                shutil.rmtree(where)
                if mode == "raw":
                    report("raw_updates_per_s", done["updates_per_s"])
                else:
                    report("updates_per_s", done["updates_per_s"])
                    report("commit_p99_ms", done["commit_p99_ms"])
    finally:
        shutil.rmtree(directory, ignore_errors=True)


def follow_latency(scale, runs, report):
    """From the IOC's stamp, which is before libca's callback, to a line that `log follow` printed."""
    # An IOC does all of its 10 Hz at once: several of them are a stream, and not a burst.
    with simulated("fast", scale["pvs"], scale["iocs"]) as machine, site_on(machine) as site:
        time.sleep(1)  # past the first values and the import
        for _ in range(runs):
            raw = machine.raw("count", scale["seconds"])
            report("raw_p50_ms", raw["lag_p50_ms"])
            report("raw_p99_ms", raw["lag_p99_ms"])
            alone = follow(site, scale)
            report("p50_ms", alone["p50_ms"])
            report("p99_ms", alone["p99_ms"])
            with searches(site):
                report("searching_p99_ms", follow(site, scale)["p99_ms"])


def follow(site, scale):
    command = [site.executable, "-c", site.file, "--json", "log", "follow", "--kind", "PvUpdate",
               "--for", f"{scale['seconds'] + 1}s"]
    follower = subprocess.Popen([str(part) for part in command], stdout=subprocess.PIPE,
                                env=site.env)
    done = subprocess.run([program("follow_lag")], stdin=follower.stdout, capture_output=True,
                          text=True, timeout=60)
    follower.stdout.close()
    demand(follower.wait(10) == 0 and done.returncode == 0, f"the follower: {done.stderr}")
    lags = json.loads(done.stdout)
    demand(lags["wrong"] == 0, f"lines were missing, twice or out of order: {lags}")
    demand(lags["lines_per_s"] > 0.9 * 10 * scale["pvs"], f"too few lines: {lags}")
    return lags


class searches:
    """While it lasts, somebody searches all of the journal for what is not there."""

    def __init__(self, site):
        self.command = [str(site.executable), "-c", str(site.file), "log", "query", "--field",
                        "value=-1", "--limit", "1"]
        self.site = site

    def __enter__(self):
        loop = f"while :; do {' '.join(self.command)} >/dev/null || exit 1; done"
        self.process = subprocess.Popen(["sh", "-c", loop], env=self.site.env,
                                        start_new_session=True)

    def __exit__(self, *_):
        if self.process.poll() is not None:
            raise HarnessError("the searches ended")
        self.process.terminate()
        self.process.wait(10)


BENCHES = [
    Bench("e2e-ingest", "counters at 10 Hz from the soft IOC to the durable journal, which is read "
          "back and counted; cores of both nodes; raw: a libca client that only counts",
          (Metric("updates_per_s", "1/s", 100_000, "more"), Metric("lost", "updates", 0),
           Metric("monitor_cpu", "cores"), Metric("journal_cpu", "cores"),
           Metric("cpu", "cores", 1.0), Metric("raw_updates_per_s", "1/s")),
          {"pvs": 12_000, "iocs": 1, "seconds": 10}, {"pvs": 2_000, "iocs": 1, "seconds": 3},
          e2e_ingest),
    Bench("follow-latency", "counters at 10 Hz, 10,000 updates/s in all, until `log follow` has "
          "printed them, durable; raw: until a libca client has them; searching: while the "
          "journal is searched all the time",
          (Metric("p50_ms", "ms", 2), Metric("p99_ms", "ms", 10),
           Metric("searching_p99_ms", "ms"), Metric("raw_p50_ms", "ms"),
           Metric("raw_p99_ms", "ms")),
          {"pvs": 1_000, "iocs": 10, "seconds": 10}, {"pvs": 1_000, "iocs": 10, "seconds": 3},
          follow_latency),
    Bench("journal-append", "PV updates in groups, each synced before the next; raw: RocksDB, the "
          "same bytes",
          (Metric("updates_per_s", "1/s", 1_000_000, "more"), Metric("commit_p99_ms", "ms"),
           Metric("raw_updates_per_s", "1/s")),
          {"updates": 20_000_000, "group": 1000}, {"updates": 1_000_000, "group": 1000},
          journal_append),
]
