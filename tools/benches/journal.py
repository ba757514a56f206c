"""The journal alone: what it costs to keep everything, and how fast the past is found again."""

import shutil
import signal
import subprocess

from harness import Site, executable, free_port, short_directory

from .figures import Bench, Metric
from .machine import program, run_json


def past(*arguments):
    return run_json([program("journal_past"), *map(str, arguments)])


def journal_size(scale, runs, report):
    for _ in range(runs):
        directory = short_directory("tmb-")
        try:
            done = past("fill", "--dir", directory / "j", "--updates", scale["updates"])
            report("bytes_per_update", done["bytes_per_update"])
            report("projection_bytes_per_update", done["projection_bytes_per_update"])
            for family in ("log", "history", "segments", "projections"):
                report(f"{family}_bytes_per_update", done["by_family"][family])
            report("write_amplification",
                   done["written_bytes_per_update"] / done["bytes_per_update"])
            report("rss_mib", done["peak_mib"])
            report("updates_per_s", done["updates_per_s"])
        finally:
            shutil.rmtree(directory, ignore_errors=True)


def journal_state_at(scale, runs, report):
    directory = short_directory("tmb-")
    try:
        small, large = scale["updates"] // 10, scale["updates"]
        for name, updates in (("10m", small), ("100m", large)):
            past("fill", "--dir", directory / name, "--updates", updates, "--profile", "uniform")
            for _ in range(runs):
                done = past("state", "--dir", directory / name, "--count", 100)
                report(f"p50_ms_{name}", done["p50_ms"])
                report(f"p99_ms_{name}", done["p99_ms"])
    finally:
        shutil.rmtree(directory, ignore_errors=True)


def journal_scan(scale, runs, report):
    directory = short_directory("tmb-")
    try:
        past("fill", "--dir", directory / "j", "--updates", scale["updates"])
        for _ in range(runs):
            report("updates_per_s", past("scan", "--dir", directory / "j")["updates_per_s"])
    finally:
        shutil.rmtree(directory, ignore_errors=True)


def journal_restart(scale, runs, report):
    directory = short_directory("tmb-")
    try:
        past("fill", "--dir", directory / "j", "--updates", scale["updates"])
        for _ in range(runs):
            kill_while_writing(directory / "j")
            done = past("serve", "--dir", directory / "j")
            report("serving_ms", done["serving_ms"])
            report("caught_up_ms", done["caught_up_ms"])
    finally:
        shutil.rmtree(directory, ignore_errors=True)


def kill_while_writing(directory):
    writer = subprocess.Popen([program("journal_past"), "forever", "--dir", directory],
                              stdout=subprocess.PIPE)
    try:
        writer.stdout.readline()
        try:
            writer.wait(5)  # long enough for the write-ahead log to be as large as it gets
        except subprocess.TimeoutExpired:
            pass
    finally:
        writer.send_signal(signal.SIGKILL)
        writer.wait()
        writer.stdout.close()


def journal_history(scale, runs, report):
    directory = short_directory("tmb-")
    try:
        past("fill", "--dir", directory / "j", "--updates", 20 * scale["samples"], "--profile",
             "day")
        for _ in range(runs):
            report("total_ms", past("history", "--dir", directory / "j", "--count", 40)["p50_ms"])
    finally:
        shutil.rmtree(directory, ignore_errors=True)


def journal_query(scale, runs, report):
    directory = short_directory("tmb-")
    try:
        past("fill", "--dir", directory / "j", "--updates", scale["records"] * 9 // 10,
             "--profile", "log")
        for _ in range(runs):
            done = past("query", "--dir", directory / "j", "--count", 20)
            report("first_page_ms", done["level"]["p50_ms"])
            report("text_first_page_ms", done["text"]["p50_ms"])
    finally:
        shutil.rmtree(directory, ignore_errors=True)


def replay(scale, runs, report):
    """A site whose journal has a past that it did not see itself."""
    with Site(executable("release"), f"127.0.0.1:{free_port()}") as site:
        store = site.directory / "data/journal/store"
        store.parent.mkdir(parents=True)
        past("fill", "--dir", store, "--updates", scale["updates"])
        site.up(60)
        begin = scale["pvs"]  # behind their definitions
        for _ in range(runs):
            done = run_json([program("replay"), site.file, begin, begin + scale["updates"]],
                            env=site.env)
            report("updates_per_s", done["updates_per_s"])


BENCHES = [
    Bench("journal-size", "an hour of the simulated linac (20 000 updates a second), as fast as "
          "it goes: log, chunks and keyframes",
          (Metric("bytes_per_update", "B", 12), Metric("projection_bytes_per_update", "B"),
           Metric("log_bytes_per_update", "B"), Metric("history_bytes_per_update", "B"),
           Metric("segments_bytes_per_update", "B"), Metric("projections_bytes_per_update", "B"),
           Metric("write_amplification", ""), Metric("rss_mib", "MiB", 512),
           Metric("updates_per_s", "1/s")),
          {"pvs": 50_000, "updates": 72_000_000}, {"pvs": 50_000, "updates": 4_000_000},
          journal_size),
    Bench("journal-state-at", "the whole machine at a random line, every PV changing in turn",
          (Metric("p50_ms_10m", "ms"), Metric("p99_ms_10m", "ms"), Metric("p50_ms_100m", "ms", 50),
           Metric("p99_ms_100m", "ms", 100)),
          {"pvs": 50_000, "updates": 100_000_000}, {"pvs": 50_000, "updates": 10_000_000},
          journal_state_at),
    Bench("journal-scan", "every update read and unpacked, by line",
          (Metric("updates_per_s", "1/s", 3_000_000, "more"),), {"updates": 20_000_000},
          {"updates": 2_000_000}, journal_scan),
    Bench("replay", "the past of 50 000 PVs replayed over the bus into a live table, as fast as "
          "it goes",
          (Metric("updates_per_s", "1/s", 3_000_000, "more"),),
          {"pvs": 50_000, "updates": 20_000_000}, {"pvs": 50_000, "updates": 2_000_000}, replay),
    Bench("journal-restart", "killed in full flight: until the whole machine's state is answered",
          (Metric("serving_ms", "ms", 2000), Metric("caught_up_ms", "ms")),
          {"updates": 100_000_000}, {"updates": 4_000_000}, journal_restart),
    Bench("journal-history", "a day of one PV at 10 Hz in 1 000 bins",
          (Metric("total_ms", "ms", 50),), {"samples": 864_000, "bins": 1000},
          {"samples": 86_400, "bins": 1000}, journal_history),
    Bench("journal-query", "the newest 100 of 1 000 warnings, among 10 million records: by level, "
          "and by text",
          (Metric("first_page_ms", "ms", 100), Metric("text_first_page_ms", "ms")),
          {"records": 10_000_000}, {"records": 1_000_000}, journal_query),
]
