"""Runs benches and prints their figures. tools/bench starts it, after building."""

import argparse
import signal
import subprocess
import sys

from harness import HarnessError

from . import bus, ingest, journal, snapshots, start
from .figures import Figure, json_line, markdown, table

BENCHES = {bench.name: bench
           for module in (start, snapshots, ingest, journal, bus) for bench in module.BENCHES}


def parse(arguments):
    parser = argparse.ArgumentParser(prog="tools/bench")
    parser.add_argument("names", nargs="*")
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--markdown", action="store_true")
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--list", action="store_true")
    parser.add_argument("--runs", type=int, default=0)
    parser.add_argument("--check", action="store_true", help="the arguments only")
    options = parser.parse_args(arguments)
    unknown = [name for name in options.names if name not in BENCHES]
    if unknown:
        parser.error(f"no such bench: {', '.join(unknown)}; tools/bench --list names all")
    if options.runs and options.runs < 3 and not options.quick:
        parser.error("--runs below 3 only with --quick")
    return options


def measure(bench, options):
    """The figures of one bench; raises when it cannot be measured."""
    scale = bench.quick if options.quick else bench.scale
    figures = {metric.name: Figure(bench, metric, scale) for metric in bench.metrics}

    def report(metric, value):
        bench.metric(metric)
        figures[metric].values.append(float(value))
        print(f"bench: {bench.name} {metric} {value:.6g}", file=sys.stderr, flush=True)

    bench.run(scale, options.runs or (1 if options.quick else 5), report)
    silent = [name for name, figure in figures.items() if not figure.values]
    if silent:
        raise HarnessError(f"did not measure {', '.join(silent)}")
    return list(figures.values())


def main(arguments):
    options = parse(arguments)
    if options.check:
        return 0
    if options.list:
        width = max(map(len, BENCHES))
        for bench in BENCHES.values():
            print(f"{bench.name:{width}}  {bench.what}")
        return 0
    done, failed = [], []
    for name in options.names or BENCHES:
        try:
            figures = measure(BENCHES[name], options)
        except (HarnessError, OSError, KeyError, ValueError, subprocess.SubprocessError) as failure:
            failed.append(name)
            print(f"bench: {name} cannot be measured: {failure!r}", file=sys.stderr, flush=True)
            continue
        done += figures
        if options.json:
            for figure in figures:
                print(json_line(figure), flush=True)
    if done and options.markdown:
        print(markdown(done))
    elif done and not options.json:
        print(table(done))
    if failed:
        print(f"bench: not measured: {', '.join(failed)}", file=sys.stderr)
    return 1 if failed else 0


if __name__ == "__main__":
    # Whoever ends us with a signal wants the IOCs and the nodes gone too.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    try:
        sys.exit(main(sys.argv[1:]))
    except KeyboardInterrupt:
        sys.exit(130)
