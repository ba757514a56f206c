"""Says things in a process of its own, to be killed.

    python -m tests.spooler bus <site file> <name> <count>   a subsystem: updates of a journaled key
    python -m tests.spooler file <path>                      pushes to a spool for ever, and tells it
"""

import sys
from pathlib import Path

from tidemark import Subsystem
from tidemark.outbox_queue import Section
from tidemark.packing import pack
from tidemark.spool import Owner, Spool


def on_the_bus(site, name, count):
    subsystem = Subsystem(name, site)
    value = subsystem.publish("v", "int64", journaled=True)
    with subsystem:
        for each in range(int(count)):
            value.value = each
        print("ready", flush=True)
        subsystem.wait(60)


def into_a_file(path):
    spool = Spool(Path(path), Owner(bytes(16), "spooler", 7), 1 << 30)
    number = 1
    while True:
        count = number % 3 + 1
        assert spool.push(Section(number, count, 5, pack([number] * count) + bytes(number % 5000)))
        number += count
        print(number - 1, flush=True)
        if number % 100 < 3:
            spool.acknowledged(number // 2)


if sys.argv[1] == "bus":
    on_the_bus(*sys.argv[2:])
else:
    into_a_file(sys.argv[2])
