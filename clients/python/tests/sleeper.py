"""A subsystem in a process of its own, to be killed while it handles an event."""

import sys

from tidemark import Subsystem


def sleep(call):
    print("called", flush=True)
    call.wait(60)


subsystem = Subsystem("sleeper", sys.argv[1])
subsystem.on_event("sleep", sleep)
with subsystem:
    print("ready", flush=True)
    subsystem.wait(60)
