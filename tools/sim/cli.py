"""The command line of sim-ioc."""

import argparse
import json
import os
import random
import shutil
import signal
import sys
import tempfile
import time
from pathlib import Path

from . import core as ioc_core
from . import fleet, linac, plain, records

PVS_MIN, PVS_MAX = 1, 1_000_000  # The upper one: a gigabyte or two of IOC memory.
IOCS_MAX = 64  # Processes; more than that is a mistake on one machine.

DESCRIPTION = """\
Runs a simulated machine: real EPICS soft IOCs with generated databases, on loopback, until SIGINT or
SIGTERM. No IOC outlives it, even when it is killed.
"""

EPILOG = """\
profiles
  linac      a small linear accelerator: magnets whose readbacks follow, klystrons, beam position
             monitors, vacuum, temperatures; every CA type; alarms, limits, read-only PVs
             (--list-types tells more)
  setpoints  ao records SIM:SP:000000 ..., nothing moves; for snapshot and restore benchmarks
  fast       counters SIM:FAST:00000 ... at 10 Hz that step by exactly one, so that a lost update shows

files in the work folder (--dir, else a temporary one that is removed at the end)
  ready.json       written when all IOCs serve, removed at the end: ports, process ids, files, environment
  pvs.csv          what to import (--csv); a share of its rows names PVs that nobody serves (--dead)
  put.log          a line per put that an IOC accepted, with tabs between (--put-log; appended to):
                     2024-11-21T13:56:37.623456Z  QUAD:LI21:101:BDES  1.5  2.0  user@host
                   new lines are in the file within 0.2 s
  ioc-N.db, ioc-N.log, security.acf

signals
  SIGINT, SIGTERM  end
  SIGUSR1          start IOCs that died again, on their old ports (see also --restart-after)

examples
  tools/sim-ioc                                  1000 PVs; prints what clients must set
  tools/sim-ioc --pvs 50000 --iocs 4 --dir sim   50 000 PVs on four IOCs, files in sim/
  tools/sim-ioc --env-file ca.env &              then, in a shell: . ./ca.env; caget QUAD:LI21:101:BDES
  tools/sim-ioc --profile setpoints --pvs 40000  for restores
  tools/sim-ioc --json --port 15064 | head -1    a script reads the ready line and goes on
"""


def parse(arguments):
    parser = argparse.ArgumentParser(prog="sim-ioc", description=DESCRIPTION, epilog=EPILOG,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    add = parser.add_argument
    add("--profile", choices=("linac", "setpoints", "fast"), default="linac", help="what is simulated (linac)")
    add("--pvs", type=int, default=1000, metavar="N", help="records, that is process variables (1000)")
    add("--iocs", type=int, default=1, metavar="M", help="IOC processes; each has a port of its own (1)")
    add("--port", type=int, metavar="P", help="port of the first IOC, the next ones follow (free ones)")
    add("--dir", type=Path, metavar="D", help="work folder, made when absent (a temporary one)")
    add("--csv", type=Path, metavar="FILE", help="where to write the CSV for import (D/pvs.csv)")
    add("--dead", type=float, metavar="SHARE",
        help="share of CSV rows whose PVs do not exist (0.01; setpoints and fast: 0)")
    add("--put-log", type=Path, metavar="FILE", help="where puts are logged (D/put.log)")
    add("--no-put-log", action="store_true", help="log no puts")
    add("--env-file", type=Path, metavar="FILE", help="write EPICS_CA_* for clients, to be sourced by a shell")
    add("--rate-share", type=float, default=0.03, metavar="SHARE",
        help="linac: share of all records that move at 10 Hz, up to 0.1 (0.03)")
    add("--seed", type=int, default=1, help="start values; the same seed gives the same databases (1)")
    add("--restart-after", type=float, metavar="S", help="start an IOC that died again after S seconds (never)")
    add("--start-timeout", type=float, default=60, metavar="S", help="give up when not all IOCs serve by then (60)")
    add("--json", action="store_true", help="print the ready line as JSON")
    add("--quiet", action="store_true", help="no progress on standard error")
    add("--list-types", action="store_true", help="print what the linac consists of, and end")
    options = parser.parse_args(arguments)
    if not PVS_MIN <= options.pvs <= PVS_MAX:
        parser.error(f"--pvs must be {PVS_MIN} to {PVS_MAX}")
    if not 1 <= options.iocs <= min(IOCS_MAX, options.pvs):
        parser.error(f"--iocs must be 1 to {IOCS_MAX}, and not more than --pvs")
    if options.port is not None and not 1024 <= options.port <= 65536 - options.iocs:
        parser.error("--port must leave room for all IOCs between 1024 and 65535")
    if options.dead is None:
        options.dead = 0.01 if options.profile == "linac" else 0.0
    if not 0 <= options.dead <= 0.9:
        parser.error("--dead must be 0 to 0.9")
    if not 0 <= options.rate_share <= 1:
        parser.error("--rate-share must be 0 to 1")
    return options


class Simulation:
    def __init__(self, options):
        self.options = options
        self.began = time.monotonic()
        self.iocs = []
        self.made_dir = None
        self.ready_file = None

    def say(self, text):
        if not self.options.quiet:
            print(f"sim-ioc: {text}", file=sys.stderr, flush=True)

    def prepare(self):
        """Makes the folder, picks core and ports."""
        options = self.options
        self.core = ioc_core.find()
        if options.dir is None:
            self.made_dir = Path(tempfile.mkdtemp(prefix="tidemark-sim-"))
        self.dir = (options.dir or self.made_dir).absolute()
        self.dir.mkdir(parents=True, exist_ok=True)
        self.csv = (options.csv or self.dir / "pvs.csv").absolute()
        self.put_log = None
        if not options.no_put_log:
            if self.core.can_log_puts:
                self.put_log = (options.put_log or self.dir / "put.log").absolute()
                self.put_log.parent.mkdir(parents=True, exist_ok=True)
                self.put_log.touch()
            else:
                print(f"sim-ioc: warning: no put log: {self.core.source} cannot report puts", file=sys.stderr)
        self.security = self.dir / "security.acf"
        self.security.write_text(records.SECURITY)
        (self.dir / "ready.json").unlink(missing_ok=True)
        if options.port is None:
            self.ports = fleet.free_ports(options.iocs)
        else:
            self.ports = [options.port + i for i in range(options.iocs)]
            taken = [port for port in self.ports if not fleet.port_is_free(port)]
            if taken:
                raise fleet.StartFailed("ports in use: " + ", ".join(map(str, taken)))

    def start(self):
        options = self.options
        self.say(f"{options.pvs} PVs, profile {options.profile}, {options.iocs} IOC(s) from {self.core.source}")
        chance = random.Random(options.seed)
        if options.profile == "linac":
            devices = linac.linac(options.pvs, chance, options.rate_share)
        else:
            devices = getattr(plain, options.profile)(options.pvs, chance)
        devices = list(devices)
        shares = records.split(devices, options.iocs)
        if not all(shares):
            raise fleet.StartFailed(f"{options.pvs} PVs make only {len(devices)} devices: too few for "
                                    f"{options.iocs} IOCs")
        for index, (port, share) in enumerate(zip(self.ports, shares)):
            database = self.dir / f"ioc-{index}.db"
            with open(database, "w", encoding="utf-8") as out:
                for device in share:
                    out.writelines(device.text)
            log = self.dir / f"ioc-{index}.log"
            log.unlink(missing_ok=True)
            ioc = fleet.Ioc(self.core, index, port, str(database), str(self.security), share[-1].names[-1],
                            str(self.put_log or ""), str(log))
            ioc.records = sum(len(device.names) for device in share)
            ioc.start()
            self.iocs.append(ioc)
        self.rows, self.dead_rows = records.write_csv(self.csv, devices, options.dead)
        self.say(f"databases and {self.csv.name} written ({self.rows} rows, {self.dead_rows} of them dead); "
                 "the IOCs load")
        deadline = self.began + options.start_timeout
        for ioc in self.iocs:
            ioc.wait_until_serving(deadline)

    def environment(self):
        return {"EPICS_CA_ADDR_LIST": " ".join(f"127.0.0.1:{port}" for port in self.ports),
                "EPICS_CA_AUTO_ADDR_LIST": "NO"}

    def state(self):
        return {"ready": True, "profile": self.options.profile, "pvs": self.options.pvs,
                "seed": self.options.seed, "source": self.core.source, "pid": os.getpid(), "dir": str(self.dir),
                "csv": str(self.csv), "csv_rows": self.rows, "csv_dead_rows": self.dead_rows,
                "put_log": str(self.put_log) if self.put_log else None,
                "iocs": [{"index": ioc.index, "port": ioc.port, "pid": ioc.process.pid, "records": ioc.records,
                          "alive": ioc.alive(), "log": ioc.log} for ioc in self.iocs],
                "addr_list": self.environment()["EPICS_CA_ADDR_LIST"], "env": self.environment()}

    def write_state(self):
        """Atomically: who sees ready.json sees all of it."""
        self.ready_file = self.dir / "ready.json"
        fresh = self.dir / "ready.json.new"
        fresh.write_text(json.dumps(self.state(), indent=1) + "\n")
        fresh.replace(self.ready_file)

    def announce(self):
        seconds = time.monotonic() - self.began
        environment = self.environment()
        if self.options.env_file:
            self.options.env_file.write_text("".join(f'export {name}="{value}"\n'
                                                     for name, value in environment.items()))
        self.write_state()
        if self.options.json:
            print(json.dumps(self.state() | {"start_seconds": round(seconds, 3)}), flush=True)
            return
        print(f"sim-ioc: ready: {self.options.pvs} PVs on {len(self.iocs)} IOC(s) after {seconds:.1f} s\n"
              f"sim-ioc: csv: {self.csv}\n"
              f"sim-ioc: put log: {self.put_log or 'none'}\n" +
              "\n".join(f'export {name}="{value}"' for name, value in environment.items()), flush=True)

    def restart(self, dead):
        for ioc in dead:
            self.say(f"IOC {ioc.index} starts again on port {ioc.port}")
            ioc.start()
        for ioc in dead:
            ioc.wait_until_serving(time.monotonic() + self.options.start_timeout)
            self.say(f"IOC {ioc.index} serves again (pid {ioc.process.pid})")
        self.write_state()

    def serve(self, signals):
        """Until told to end: notes IOCs that died, and starts them again when asked to."""
        while True:
            received = signal.sigtimedwait(signals, 0.2)
            number = received.si_signo if received else 0
            if number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
                return
            now = time.monotonic()
            changed = False
            for ioc in self.iocs:
                if not ioc.alive() and ioc.died_at is None:
                    ioc.died_at = now
                    changed = True
                    self.say(f"IOC {ioc.index} (pid {ioc.process.pid}) died, status {ioc.process.returncode}")
            if changed:
                self.write_state()
            after = 0 if number == signal.SIGUSR1 else self.options.restart_after
            if after is not None:
                due = [ioc for ioc in self.iocs if ioc.died_at is not None and now - ioc.died_at >= after]
                if due:
                    self.restart(due)

    def end(self):
        fleet.end_all(self.iocs)
        if self.ready_file:
            self.ready_file.unlink(missing_ok=True)
        if self.made_dir:
            shutil.rmtree(self.made_dir, ignore_errors=True)


def main(arguments=None):
    options = parse(arguments)
    if options.list_types:
        print(linac.describe())
        return 0
    # Blocked, and asked for in serve(): no handler can cut anything short half-way. During the start
    # the first ones act as an exception.
    signals = {signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGCHLD, signal.SIGUSR1}

    def interrupted(number, _):
        raise KeyboardInterrupt(signal.Signals(number).name)

    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, interrupted)
    simulation = Simulation(options)
    try:
        simulation.prepare()
        simulation.start()
        signal.pthread_sigmask(signal.SIG_BLOCK, signals)
        simulation.announce()
        simulation.serve(signals)
    except (fleet.StartFailed, ioc_core.NoCore, OSError) as error:
        print(f"sim-ioc: error: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    finally:
        signal.pthread_sigmask(signal.SIG_BLOCK, signals)
        simulation.say("ending")
        simulation.end()
    return 0
