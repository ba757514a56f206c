"""From nothing to all values, and back to well after a death."""

import time

from .figures import Bench, Metric
from .machine import Start, ask, demand, rss_mib, simulated, site_on

SETPOINTS = {"pvs": 50_000, "iocs": 1}
FEW = {"pvs": 5_000, "iocs": 1}
NODES = ("registry", "monitor", "journal", "keeper", "gateway")


def monitor_start(scale, runs, report):
    with simulated("setpoints", **scale) as machine, site_on(machine, up=False) as site:
        for _ in range(runs):
            raw = machine.raw("connect")
            demand(raw["connected"] == scale["pvs"], f"raw_ca connected {raw['connected']}")
            report("raw_ms", raw["first_values_s"] * 1e3)
            start = Start(site, scale["pvs"])
            report("total_ms", start.monitor_s * 1e3)
            report("rss_mib", rss_mib(start.monitor_pid))
            site.stop()


def monitor_start_dead(scale, runs, report):
    with simulated("setpoints", **scale) as machine:
        for percent in (1, 10):
            table, names = machine.with_dead(percent / 100)
            with site_on(machine, table, up=False) as site:
                for _ in range(runs):
                    if percent == 1:
                        raw = machine.raw("connect", scale["pvs"], names=names)
                        demand(raw["connected"] == scale["pvs"],
                               f"raw_ca connected {raw['connected']}")
                        report("raw_dead1_ms", raw["first_values_s"] * 1e3)
                    report(f"dead{percent}_ms", Start(site, scale["pvs"]).monitor_s * 1e3)
                    site.stop()


def site_start(scale, runs, report):
    with simulated("setpoints", **scale) as machine, site_on(machine, up=False) as site:
        for _ in range(runs):
            report("ready_ms", Start(site, scale["pvs"]).ready_s * 1e3)
            began = time.monotonic()
            status = site.stop()
            report("stop_ms", (time.monotonic() - began) * 1e3)
            demand(status == 0, f"`tidemark up` ended with {status}")


def node_recovery(scale, runs, report):
    with simulated("setpoints", **scale) as machine, site_on(machine) as site:
        for node in NODES:
            for _ in range(runs):
                report(f"{node}_ms", ask(site, "recover", node, scale["pvs"])["ms"])
                # A supervisor waits longer before each restart that comes soon after the last.
                time.sleep(1)


BENCHES = [
    Bench("monitor-start", "start of the monitor's process to all values in the keeper's live table; "
          "raw: libca connects and gets first monitors",
          (Metric("total_ms", "ms", 2000), Metric("raw_ms", "ms"), Metric("rss_mib", "MiB", 300)),
          SETPOINTS, FEW, monitor_start),
    Bench("monitor-start-dead", "the same for the living, when 1 % or 10 % of the names are dead",
          (Metric("dead1_ms", "ms", 3000), Metric("dead10_ms", "ms", 3000),
           Metric("raw_dead1_ms", "ms")), SETPOINTS, FEW, monitor_start_dead),
    Bench("site-start", "`tidemark up` to all nodes up and all values in the live table; stop: "
          "SIGTERM to its end",
          (Metric("ready_ms", "ms", 4000), Metric("stop_ms", "ms", 3000)),
          SETPOINTS, FEW, site_start),
    Bench("node-recovery", "kill -9 of a node until all nodes answer, the journal reads and the live "
          "tables are whole",
          tuple(Metric(f"{node}_ms", "ms", 3000) for node in NODES),
          {"pvs": 10_000, "iocs": 1}, {"pvs": 1_000, "iocs": 1}, node_recovery),
]
