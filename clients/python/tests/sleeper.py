"""A subsystem in a process of its own, to be killed: python -m tests.sleeper <site file> [<value>]."""

import sys

from tidemark import Subsystem


def sleep(call):
    print("called", flush=True)
    call.wait(60)


subsystem = Subsystem("sleeper", sys.argv[1])
subsystem.on_event("sleep", sleep)
subsystem.publish("v", "int64", default=int(sys.argv[2]) if len(sys.argv) > 2 else 0)
with subsystem:
    print("ready", flush=True)
    subsystem.wait(60)
