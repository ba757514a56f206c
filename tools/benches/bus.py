"""The bus: between two links, and what the library makes of it on a site."""

import contextlib
import shutil
import subprocess

from harness import Site, executable, short_directory

from .figures import Bench, Metric
from .machine import demand, program, run_json, simulated, site_on


@contextlib.contextmanager
def bus_site():
    """A site without a machine."""
    with Site(executable("release"), "127.0.0.1", nodes=["registry", "journal"]) as site:
        site.up(30)
        yield site


def bus(*arguments):
    return run_json([program("bus"), *map(str, arguments)])


def bus_throughput(scale, runs, report):
    for _ in range(runs):
        report("raw_values_per_s", bus("throughput", "--count", scale["values"], "--raw")
               ["values_per_s"])
        report("values_per_s", bus("throughput", "--count", scale["values"])["values_per_s"])


def bus_latency(scale, runs, report):
    keys = short_directory("tmb-")
    try:
        subprocess.run([executable("release"), "keygen", "a", "b", "--directory", keys],
                       check=True, capture_output=True)
        (keys / "allowed").mkdir()
        for public in keys.glob("*.public"):
            shutil.copy(public, keys / "allowed")
        for _ in range(runs):
            raw = bus("latency", "--count", scale["updates"], "--raw")
            report("raw_p50_us", raw["p50_us"])
            report("raw_p99_us", raw["p99_us"])
            ours = bus("latency", "--count", scale["updates"])
            report("p50_us", ours["p50_us"])
            report("p99_us", ours["p99_us"])
            curve = bus("latency", "--count", scale["updates"], "--curve", keys)
            report("curve_p99_us", curve["p99_us"])
    finally:
        shutil.rmtree(keys, ignore_errors=True)


def bus_request(scale, runs, report):
    for _ in range(runs):
        done = bus("request", "--count", scale["requests"])
        report("p50_us", done["p50_us"])
        report("p99_us", done["p99_us"])


def bus_kv(scale, runs, report):
    with bus_site() as site:
        for _ in range(runs):
            done = bus("kv", site.file, "--count", scale["updates"])
            demand(done["missed"] == 0, f"{done['missed']} updates were missed")
            report("updates_per_s", done["updates_per_s"])


def bus_join(scale, runs, report):
    with simulated("setpoints", scale["pvs"]) as machine, site_on(machine) as site:
        for _ in range(runs):
            report("total_ms", bus("join", site.file, "--count", scale["pvs"])["total_ms"])


def bus_directory(scale, runs, report):
    with bus_site() as site:
        for _ in range(runs):
            done = bus("directory", site.file, "--count", scale["subsystems"], "--keys",
                       scale["keys"])
            report("total_ms", done["total_ms"])
            report("up_ms", done["up_ms"])


BENCHES = [
    Bench("bus-throughput", "PV batches from one link to another, decoded, into a live table; raw: "
          "PUB to SUB, the same bytes, counted",
          (Metric("values_per_s", "1/s", 2_000_000, "more"), Metric("raw_values_per_s", "1/s")),
          {"values": 20_000_000}, {"values": 2_000_000}, bus_throughput),
    Bench("bus-latency", "one update every 100 µs, from publish() to the callback, over ipc; with "
          "CURVE over tcp; raw: PUB to SUB",
          (Metric("p50_us", "µs", 80), Metric("p99_us", "µs", 500), Metric("curve_p99_us", "µs", 800),
           Metric("raw_p50_us", "µs"), Metric("raw_p99_us", "µs")),
          {"updates": 50_000}, {"updates": 10_000}, bus_latency),
    Bench("bus-request", "one question after the other, over ipc",
          (Metric("p50_us", "µs", 150), Metric("p99_us", "µs", 1500)),
          {"requests": 20_000}, {"requests": 2_000}, bus_request),
    Bench("bus-kv", "single updates of a key through the library, 64 bytes each, every one to its "
          "listener", (Metric("updates_per_s", "1/s", 500_000, "more"),),
          {"updates": 2_000_000}, {"updates": 200_000}, bus_kv),
    Bench("bus-join", "a late joiner, from its socket to a whole live table",
          (Metric("total_ms", "ms", 250),), {"pvs": 50_000}, {"pvs": 5_000}, bus_join),
    Bench("bus-directory", "200 subsystems come up together (up_ms, up to 5000); then the whole "
          "directory in one that has just come",
          (Metric("total_ms", "ms", 1000), Metric("up_ms", "ms", 5000)),
          {"subsystems": 200, "keys": 50}, {"subsystems": 20, "keys": 50}, bus_directory),
]
