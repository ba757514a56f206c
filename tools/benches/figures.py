"""Metrics, their bars, and how a figure is printed."""

import json
import os
import statistics
import subprocess
import time
from dataclasses import dataclass, field
from pathlib import Path


@dataclass(frozen=True)
class Metric:
    """One number of a bench. Without a bar it is there to compare with."""

    name: str
    unit: str
    bar: float | None = None
    better: str = "less"


@dataclass(frozen=True)
class Bench:
    """`run(scale, runs, report)` calls report(metric, value) for each value it measured."""

    name: str
    what: str
    metrics: tuple
    scale: dict
    quick: dict
    run: object

    def metric(self, name):
        for metric in self.metrics:
            if metric.name == name:
                return metric
        raise KeyError(f"{self.name} has no metric {name}")


@dataclass
class Figure:
    """The values of one metric: what was measured, and nothing else."""

    bench: Bench
    metric: Metric
    scale: dict
    values: list = field(default_factory=list)

    @property
    def value(self):
        return statistics.median(self.values)

    def document(self):
        document = {"bench": self.bench.name, "metric": self.metric.name,
                    "value": _rounded(self.value), "unit": self.metric.unit}
        if self.metric.bar is not None:
            document.update(bar=self.metric.bar, better=self.metric.better)
        document.update(min=_rounded(min(self.values)), max=_rounded(max(self.values)),
                        runs=len(self.values), scale=self.scale)
        return document

    def verdict(self):
        if self.metric.bar is None:
            return ""
        better = self.metric.better == "less"
        met = self.value <= self.metric.bar if better else self.value >= self.metric.bar
        return "met" if met else "missed"

    def cells(self):
        bar = "" if self.metric.bar is None else \
            f"{'≤' if self.metric.better == 'less' else '≥'} {_text(self.metric.bar)}"
        return [self.bench.name, self.metric.name, _text(self.value), self.metric.unit, bar,
                self.verdict(), _text(min(self.values)), _text(max(self.values)),
                str(len(self.values)), ", ".join(f"{v:,} {k}" for k, v in self.scale.items())]


HEAD = ["Bench", "Metric", "Median", "Unit", "Bar", "", "Min", "Max", "Runs", "Scale"]
RIGHT = {2, 4, 6, 7, 8}


def _rounded(value):
    """Four digits that count; whole numbers whole."""
    if value == int(value):
        return int(value)
    return float(f"{value:.4g}") if abs(value) < 1000 else round(value, 1)


def _text(value):
    value = _rounded(value)
    if abs(value) >= 1000:
        return f"{value:,.0f}"
    return str(value)


def json_line(figure):
    return json.dumps(figure.document(), ensure_ascii=False)


def table(figures):
    rows = [HEAD] + [figure.cells() for figure in figures]
    widths = [max(len(row[i]) for row in rows) for i in range(len(HEAD))]
    return "\n".join("  ".join(cell.rjust(width) if i in RIGHT else cell.ljust(width)
                               for i, (cell, width) in enumerate(zip(row, widths))).rstrip()
                     for row in rows)


def markdown(figures):
    lines = [f"{time.strftime('%Y-%m-%d', time.gmtime())}, {machine()}.", "",
             "| " + " | ".join(HEAD) + " |",
             "|" + "|".join("---:" if i in RIGHT else "---" for i in range(len(HEAD))) + "|"]
    lines += ["| " + " | ".join(figure.cells()) + " |" for figure in figures]
    return "\n".join(lines)


def machine():
    """The machine in a line: processor, cores, memory, system, disk."""
    model = "unknown processor"
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            model = line.split(":", 1)[1].strip()
            break
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    system = "Linux"
    for line in Path("/etc/os-release").read_text().splitlines():
        if line.startswith("PRETTY_NAME="):
            system = line.split("=", 1)[1].strip('"')
    return (f"{model}, {os.cpu_count()} cores, {memory:.0f} GiB, {system}, Linux "
            f"{os.uname().release}, {compiler()}")


def compiler():
    try:
        done = subprocess.run(["c++", "-dumpfullversion"], capture_output=True, text=True)
        return f"GCC {done.stdout.strip()}" if done.returncode == 0 else "unknown compiler"
    except OSError:
        return "unknown compiler"
