"""live_peer on the library in Python: the same arguments, and the same answers. Besides, it answers
what each registry that lives says itself, whoever's directory counts here.

Usage: live_peer.py <site file> live.<number> <keys> <updates of each a second> <calls a second>
"""

import json
import sys
import threading
import time
from collections import Counter

from tidemark import Subsystem, TidemarkError
from tidemark.membership import NOTHING
from tidemark.messages import NODE_STATES, Directory

PATIENCE = 10.0
ASK_PATIENCE = 2.0
LATE = 2.0  # seconds; old for an update, when it is heard

site, name, keys, rate, call_rate = sys.argv[1], sys.argv[2], *map(int, sys.argv[3:6])
lock = threading.Lock()
account = Counter()  # guarded by lock
longest = 0.0  # guarded by lock
last = {}  # guarded by lock
stopping = threading.Event()
self = Subsystem(name, site)
counters = [self.publish(f"count{each}", "uint64") for each in range(keys)]
self.on_event("ping", lambda call: None)


def hear(now):
    if now.value is None:
        return  # not set yet
    with lock:
        account["updates"] += 1
        account["missed"] += now.missed
        account["late"] += now.quality == "good" and time.time_ns() - now.time.ns > LATE * 1e9
        before = last.get(now.key, now.value)
        last[now.key] = now.value
        account["backward"] += now.value < before
        account["lost"] += max(0, now.value - before - 1)


def others():
    return [each for each in self.peers() if each.name.startswith("live.") and each.name != name]


def count():
    # By the clock, so that a machine that is busy for a while gets as many.
    due, number = time.monotonic(), 0
    while not stopping.wait(max(0.0, due - time.monotonic())):
        number, due = number + 1, due + 1 / rate
        for each in counters:
            each.value = number


def call():
    global longest
    while not stopping.wait(1 / call_rate):
        for peer in others():
            began = time.monotonic()
            result = self.call("ping", to=peer.name, timeout=PATIENCE)
            took = time.monotonic() - began
            if stopping.is_set():
                return
            with lock:
                account["calls"] += 1
                account["absent"] += peer.state != "alive"
                account["failed"] += not result.all_done
                longest = max(longest, took)
            if not result.all_done:
                print(result.objections, file=sys.stderr, flush=True)
            stopping.wait(1 / call_rate)


def directory_of(nodes):
    return {each.name: [NODE_STATES[each.state], each.incarnation] for each in nodes}


def ask(registry):
    """What it answers itself, or None."""
    try:
        answer = self.session.ask(registry, "registry.directory", NOTHING, ASK_PATIENCE).result()
    except TidemarkError as failure:
        print(registry, failure, file=sys.stderr, flush=True)
        return None
    return directory_of(Directory.unpacked(answer).nodes)


with self:
    hearing = self.subscribe("live.*/count*", hear, "all")
    threads = [threading.Thread(target=each) for each in (count, call)]
    for each in threads:
        each.start()
    for _ in sys.stdin:
        registries = {each.name: ask(each.name) for each in self.peers()
                      if each.kind == "registry" and each.state in ("alive", "suspect")}
        known = len(others())
        with lock:
            print(json.dumps({
                "known": known, "keys": len(last), "longest_call_ms": int(longest * 1000),
                **{each: account[each] for each in ("updates", "lost", "backward", "missed", "late",
                                                    "calls", "failed", "absent")},
                "directory": directory_of(self.session.directory().nodes),
                "registries": registries}), flush=True)
    stopping.set()
    for each in threads:
        each.join()
