"""Snapshots of a machine: take, read, compare, plan, restore."""

import contextlib
import http.client
import json
import time
from datetime import datetime

from harness import HarnessError, wait_until

from .figures import Bench, Metric
from .machine import PeakRss, ask, demand, pids, simulated, site_on

SETPOINTS = {"pvs": 40_000, "iocs": 1}
FEW = {"pvs": 4_000, "iocs": 1}
HEADERS = {"Content-Type": "application/json"}


@contextlib.contextmanager
def gateway(site):
    """One connection that stays, as a browser's does."""
    connection = http.client.HTTPConnection("127.0.0.1", site.port, timeout=30)
    connection.connect()
    try:
        yield connection
    finally:
        connection.close()


def call(connection, method, path, body=None):
    connection.request(method, path, body=None if body is None else json.dumps(body),
                       headers=HEADERS if body is not None else {})
    answer = connection.getresponse()
    content = answer.read()
    if answer.status >= 300:
        raise HarnessError(f"{method} {path} -> {answer.status} {content[:200]!r}")
    return content


def take(connection, title):
    """POST to job completed, asking for the job without a pause. (seconds, snapshot id)"""
    began = time.perf_counter()
    job = json.loads(call(connection, "POST", "/v1/snapshots", {"title": title}))["jobId"]
    while True:
        state = json.loads(call(connection, "GET", f"/v1/jobs/{job}"))
        if state["status"] in ("completed", "failed"):
            break
    took = time.perf_counter() - began
    demand(state["status"] == "completed", f"the snapshot failed: {state}")
    return took, state["resultId"]


def snapshot_live(scale, runs, report):
    with simulated("setpoints", **scale) as machine, site_on(machine) as site, \
            gateway(site) as connection:
        take(connection, "warm")
        for run in range(max(runs, 5)):
            took, made = take(connection, f"run {run}")
            report("total_ms", took * 1e3)
            header = json.loads(call(connection, "GET", f"/v1/snapshots/{made}?limit=1"))
            demand(header["pvCount"] == scale["pvs"], f"a snapshot of {header['pvCount']} PVs")


def http_snapshot(scale, runs, report):
    with simulated("setpoints", **scale) as machine, site_on(machine) as site, \
            gateway(site) as connection:
        _, made = take(connection, "to read")
        pid = pids(site)["gateway"]
        for _ in range(max(runs, 5)):
            memory = PeakRss(pid)
            began = time.perf_counter()
            content = call(connection, "GET", f"/v1/snapshots/{made}")
            report("total_ms", (time.perf_counter() - began) * 1e3)
            report("rss_growth_mib", memory.growth_mib())
            demand(len(json.loads(content)["pvValues"]) == scale["pvs"], "values are missing")


def compare(scale, runs, report):
    with simulated("setpoints", **scale) as machine, site_on(machine) as site, \
            gateway(site) as connection:
        _, left = take(connection, "left")
        change(machine, site, left)
        _, right = take(connection, "right")
        for other, metric in ((right, "snapshot_snapshot_ms"), ("live", "snapshot_live_ms")):
            answer = ask(site, "compare", left, other, runs=max(runs, 5) + 1)
            demand(answer["different"] == scale["pvs"], f"{answer['different']} are different")
            for took in answer["ms"][1:]:
                report(metric, took)


def restore_plan(scale, runs, report):
    with simulated("setpoints", **scale) as machine, site_on(machine) as site, \
            gateway(site) as connection:
        _, saved = take(connection, "before")
        change(machine, site, saved)
        answer = ask(site, "plan", saved, runs=max(runs, 5) + 1)
        demand(answer["writes"] == scale["pvs"], f"the plan writes {answer['writes']}")
        for took in answer["ms"][1:]:
            report("total_ms", took)


def change(machine, site, saved):
    """All PVs another value than saved, and the live table knows."""
    put = machine.raw("put")
    demand(put["verified"] == machine.pvs, f"raw_ca put {put}")
    wait_until(lambda: ask(site, "plan", saved, runs=1)["writes"] == machine.pvs, 30,
               "all PVs differ from the snapshot")


def restore(scale, runs, report):
    with simulated("setpoints", **scale) as machine, site_on(machine) as site:
        with gateway(site) as connection:
            _, saved = take(connection, "before")
        # The least, with nobody else listening.
        site.stop()
        for _ in range(runs):
            put = machine.raw("put")
            demand(put["verified"] == scale["pvs"], f"raw_ca put {put}")
            report("raw_ms", (put["put_s"] + put["get_s"]) * 1e3)
        site.up(60)
        ask(site, "live", scale["pvs"])
        for _ in range(runs):
            change(machine, site, saved)
            job = site.json("snapshot", "restore", saved, "--yes", timeout=120)
            outcome = job["restore"]
            demand(outcome["confirmed"] == outcome["verified"] == scale["pvs"],
                   f"the restore: {job['state']}, {job['message']}")
            # What the IOC's own monitors say, which the job did not ask.
            wait_until(lambda: ask(site, "plan", saved, runs=1)["skips"] == scale["pvs"], 30,
                       "the live table has what was restored")
            report("total_ms", (utc(job["ended_at"]) - utc(job["created_at"])) * 1e3)


def utc(text):
    """Seconds since 1970; Python reads six digits of a second's fraction, not nine."""
    whole, _, fraction = text.rstrip("Z").partition(".")
    return datetime.fromisoformat(whole + "+00:00").timestamp() + float(f"0.{fraction or 0}")


BENCHES = [
    Bench("snapshot-live", "snapshot from the live table over HTTP, POST to job completed and durable",
          (Metric("total_ms", "ms", 40),), SETPOINTS, FEW, snapshot_live),
    Bench("http-snapshot-40k", "GET of a snapshot with all its values, to the last byte; growth of the "
          "gateway's memory meanwhile",
          (Metric("total_ms", "ms", 80), Metric("rss_growth_mib", "MiB", 8)),
          SETPOINTS, FEW, http_snapshot),
    Bench("compare", "two snapshots of which all values differ, or one and now, over the bus",
          (Metric("snapshot_snapshot_ms", "ms", 20), Metric("snapshot_live_ms", "ms", 20)),
          SETPOINTS, FEW, compare),
    Bench("restore-plan", "the plan of a restore that writes everything, over the bus",
          (Metric("total_ms", "ms", 50),), SETPOINTS, FEW, restore_plan),
    Bench("restore", "all values different: intents durable, puts with completion, outcomes durable, "
          "read back; raw: libca puts with completion, 256 in flight, and gets",
          (Metric("total_ms", "ms", 1500), Metric("raw_ms", "ms")), SETPOINTS, FEW, restore),
]
