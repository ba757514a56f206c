"""What a simulated machine is made of, and how it is written down.

A Device is a few records that belong together and stay on one IOC (their links are local), and the
CSV rows that describe them. Profiles make devices; nothing here knows a profile.
"""

import csv
import json
import math
from dataclasses import dataclass, field

CSV_HEADER = ("Setpoint", "Readback", "Region", "Area", "Subsystem", "Device", "Description",
              "AbsTolerance", "RelTolerance", "ReadOnly")

# READONLY refuses every write over the network. TRAPWRITE reports each accepted one to the put log.
SECURITY = """\
ASG(DEFAULT) {
  RULE(1, READ)
  RULE(1, WRITE, TRAPWRITE)
}
ASG(READONLY) {
  RULE(1, READ)
}
"""


@dataclass(slots=True)
class Row:
    """A row of the import CSV. Region, area and subsystem hold tag names, comma separated."""

    setpoint: str = ""
    readback: str = ""
    region: str = ""
    area: str = ""
    subsystem: str = ""
    device: str = ""
    description: str = ""
    abs_tolerance: float = 0.0
    rel_tolerance: float = 0.0
    read_only: bool = False

    def cells(self):
        return (self.setpoint, self.readback, self.region, self.area, self.subsystem, self.device,
                self.description, f"{self.abs_tolerance:g}", f"{self.rel_tolerance:g}",
                "true" if self.read_only else "false")


@dataclass(slots=True)
class Device:
    """Database text of `names`, in that order, and the rows that describe them."""

    names: list = field(default_factory=list)
    text: list = field(default_factory=list)
    rows: list = field(default_factory=list)

    def record(self, kind, name, **fields):
        """Adds a record. A list becomes a constant array link, a Const a constant link, the rest its text."""
        parts = "".join(f' field({key},{_value(value)})' for key, value in fields.items())
        self.text.append(f'record({kind},"{name}") {{{parts} }}\n')
        self.names.append(name)
        return name


@dataclass(frozen=True, slots=True)
class Const:
    """A text as a constant link: the start value of long string records, which take none in VAL."""

    text: str


def _value(value):
    if isinstance(value, Const):
        return "{const:" + json.dumps(value.text) + "}"
    if isinstance(value, list):
        return "[" + ",".join(repr(element) for element in value) + "]"
    if isinstance(value, str):
        return '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'
    return f'"{value!r}"'


def split(devices, ioc_count):
    """Deals the devices out to the IOCs in turn, so that each IOC gets its part of every area."""
    return [devices[i::ioc_count] for i in range(ioc_count)]


def dead_rows(live_count, fraction):
    """Rows whose names no IOC serves; at least one when `fraction` is above zero."""
    if fraction <= 0 or live_count == 0:
        return []
    count = max(1, round(live_count * fraction / (1 - fraction)))
    return [Row(setpoint=f"DEAD:LI{20 + i // 1000}:{i:04d}:BDES",
                readback=f"DEAD:LI{20 + i // 1000}:{i:04d}:BACT",
                region="Gone", area=f"LI{20 + i // 1000}", subsystem="Magnets",
                device=f"DEAD:LI{20 + i // 1000}:{i:04d}", description="Taken out of the tunnel",
                abs_tolerance=0.01)
            for i in range(count)]


def write_csv(path, devices, dead_fraction):
    """Writes the import CSV, dead rows spread evenly. Returns (rows, dead rows)."""
    live = [row for device in devices for row in device.rows]
    dead = dead_rows(len(live), dead_fraction)
    step = math.ceil(len(live) / (len(dead) + 1)) if dead else 0
    with open(path, "w", encoding="utf-8", newline="") as out:
        writer = csv.writer(out, lineterminator="\r\n")  # RFC 4180
        writer.writerow(CSV_HEADER)
        if not dead:
            writer.writerows(row.cells() for row in live)
        else:
            for i, row in enumerate(dead):
                writer.writerows(r.cells() for r in live[i * step:(i + 1) * step])
                writer.writerow(row.cells())
            writer.writerows(r.cells() for r in live[len(dead) * step:])
    return len(live) + len(dead), len(dead)
