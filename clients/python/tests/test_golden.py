"""The payloads of test/golden/payloads.hex, which the tests of the bus in C++ hold themselves to as
well: what the client sends is what stands there, byte for byte, and what stands there it reads.
"""

import unittest
import uuid
from concurrent.futures import Future
from pathlib import Path
from unittest import mock

from tidemark import ERROR, WARNING, Choice, Duration, EventSpec, Key, KeySpec, StatusItem, Timestamp
from tidemark.ask_again import ask_again
from tidemark.client import Client
from tidemark.event_calls import EventCallRun
from tidemark.membership import renewal
from tidemark.messages import (GOOD, STALE, Directory, KeyUpdate, Lease, NodeInfo, StateEnd, Surface,
                               key_updates, node_list, pack_items, status_items)
from tidemark.own_events import OwnEvents
from tidemark.own_keys import OwnKeys
from tidemark.own_status import OwnStatus
from tidemark.packing import pack
from tidemark.types import parse

FILE = Path(__file__).resolve().parents[3] / "test/golden/payloads.hex"
MOMENT = 1767225600_500_000_000
NODE = uuid.UUID("1a2b3c4d-0102-8304-8506-0708090a0b0c")
CALL = uuid.UUID("00112233-4455-6677-8899-aabbccddeeff")


def payloads():
    """By name. "[name]", then lines of hexadecimal; a comment begins with '#'."""
    found = {}
    for line in FILE.read_text(encoding="utf-8").splitlines():
        if line.startswith("["):
            name = line[1:-1]
            found[name] = b""
        elif line and not line.startswith("#"):
            found[name] += bytes.fromhex(line)
    return found


GOLDEN = payloads()
SURFACE = Surface("a supply", (
    KeySpec("current", parse("double"), published=True, unit="A"),
    KeySpec("setpoint", parse("double"), writable=True, published=True, journaled=True, unit="A",
            description="what is wanted", low=0.0, high=100.0, step=0.5, default=0.0),
    KeySpec("mode", parse("enum(off|on)"), writable=True, default=Choice(0, "off")),
    KeySpec("reset", parse("bool"), readable=False, writable=True),
    KeySpec("trace", parse("int64[3]"), published=True),
    KeySpec("status", parse("{at: timestamp, took: duration, parts: {x: uint64, raw: bytes}[]}"),
            published=True)),
    (EventSpec("degauss", "three cycles"),
     EventSpec("ramp", "", parse("{to: double, note: string}"))))
INFO = NodeInfo("psu.1", "subsystem", NODE, 7,
                ("tcp://10.9.0.2:40001", "ipc:///run/tidemark/psu.1-7.data"),
                ("tcp://10.9.0.2:40002",), "lab-2", 4711, MOMENT, labels=("magnets",),
                surface=SURFACE.packed(), public_key=bytes(range(32)))
VALUES = (None, True, -1, 2 ** 64 - 1, 0.5, "über", b"\0\xff", Timestamp(MOMENT), Duration(-1),
          Choice(1, "on"), [1, [2.0]], {"x": 1, "y": {"z": []}})
UPDATES = [KeyUpdate(at, at + 1, MOMENT + at, STALE if at == 1 else GOOD,
                     "ops@desk" if at == 2 else "", value) for at, value in enumerate(VALUES)]
ITEMS = [StatusItem("interlock", ERROR, 12, "door open", MOMENT, True, True),
         StatusItem("air", WARNING, -3, "low", MOMENT, False, True, "ops@desk", MOMENT + 1)]


class Wire:
    """Takes what would go out, in the place of a link, a session, an outbox, or a call that we serve."""

    name = "ops@desk"
    deadline = 0.0
    cancelled = False
    info = INFO

    def __init__(self, payload=b""):
        self.payload = payload
        self.sent = []  # (what, payload)
        self.handlers = {}
        self.on_answer = self.on_progress = None

    def serve(self, method, handler):
        self.handlers[method] = handler

    def asked(self, method, payload):
        """What comes back for it, from the handler of that method."""
        call = Wire(payload)
        self.handlers[method](call)
        return call.sent

    def post(self, job):
        job()
        return True

    def request(self, node, method, payload, budget, on_answer, on_progress=None):
        self.sent.append((method, payload))
        self.on_answer, self.on_progress = on_answer, on_progress

    def ask(self, node, method, payload, patience):
        self.sent.append((method, payload))
        return Future()

    def publish(self, frame_class, stream, count, payload):
        self.sent.append((stream, payload))

    def progress(self, payload):
        self.sent.append(("progress", payload))

    def done(self, payload):
        self.sent.append(("done", payload))

    def declare_stream(self, stream):
        pass

    def record(self, *fields):
        pass


class GoldenPayloads(unittest.TestCase):
    maxDiff = None

    def sends(self, sent, *expected):
        self.assertEqual([(what, data.hex(" ")) for what, data in sent],
                         [(what, GOLDEN[name].hex(" ")) for what, name in expected])

    def test_of_the_registry(self):
        self.assertEqual(pack(INFO.to_wire()), GOLDEN["node info"])
        self.assertEqual(renewal(INFO), GOLDEN["renewal"])
        self.assertEqual(node_list(b"\x91" + GOLDEN["node info"]), [INFO])
        self.assertEqual(Lease.unpacked(GOLDEN["lease"]), Lease(3, 42, 3.0))
        self.assertEqual(Directory.unpacked(GOLDEN["directory"]), Directory(1, 3, (INFO,), 2.0))

    def test_of_what_a_subsystem_offers(self):
        self.assertEqual(SURFACE.packed(), GOLDEN["surface"])
        self.assertEqual(Surface.unpacked(GOLDEN["surface"]), SURFACE)

    def test_of_keys_as_they_are_asked_for(self):
        wire = Wire()
        Key(wire, "psu.1/setpoint").read_later()
        Key(wire, "psu.1/setpoint").set_later(12.5)
        self.sends(wire.sent, ("kv.read", "kv.read"), ("kv.write", "kv.write"))
        self.assertEqual(KeyUpdate.unpacked(GOLDEN["key update"]),
                         KeyUpdate(1, 9, MOMENT, GOOD, "ops@desk", 12.5))
        read = key_updates(GOLDEN["key updates"])
        self.assertEqual(read, UPDATES)
        self.assertEqual([type(each.value) for each in read], [type(each) for each in VALUES])
        self.assertEqual(StateEnd.unpacked(GOLDEN["state end"]), StateEnd(7, 12, 1))

    def test_of_keys_as_their_owner_answers(self):
        wire = Wire()
        keys = OwnKeys("psu.1", wire)
        for each in SURFACE.keys:
            keys.add(each)
        keys.open(wire, wire)
        with mock.patch("time.time_ns", return_value=MOMENT):
            for each in range(7):
                keys.set(1, float(each))  # after its default it is the eighth
            self.sends(wire.asked("kv.write", GOLDEN["kv.write"]), ("done", "key update"))
        self.sends(wire.asked("kv.read", GOLDEN["kv.read"]), ("done", "key update"))

    def test_of_keys_as_they_are_published(self):
        wire = Wire()
        keys = OwnKeys("psu.1", wire)
        for at in range(len(UPDATES)):
            keys.add(KeySpec(f"key{at}", writable=True, published=True))
        keys.open(wire, wire)
        for at, update in enumerate(UPDATES):
            for before in range(update.sequence - 1):
                keys.set(at, before)
            with mock.patch("time.time_ns", return_value=update.time):
                if update.writer:
                    wire.asked("kv.write", pack([f"key{at}", update.value, update.writer]))
                else:
                    keys.set(at, update.value, update.quality)
        progress, done = wire.asked("kv.state", pack([]))
        self.sends([progress], ("progress", "key updates"))
        sequence = sum(each.sequence for each in UPDATES)
        self.assertEqual(done, ("done", StateEnd(7, sequence, 1).packed()))
        self.assertEqual(StateEnd(7, 12, 1).packed(), GOLDEN["state end"])

    def test_of_a_call_as_it_is_made(self):
        wire, heard = Wire(), []
        with mock.patch("uuid.uuid4", return_value=CALL):
            run = EventCallRun(wire, None, "ramp", {"to": 12.5, "note": "slowly"}, "ops@desk", 5.0,
                               lambda: {"psu.1": 1}, heard.append)
        self.sends(wire.sent, ("event.call", "event.call"))
        wire.on_progress(GOLDEN["event feedback"])
        self.assertEqual([(each.text, each.progress) for each in heard], [("cycle 1 of 3", 1)])
        wire.on_answer(GOLDEN["event result"])
        self.assertEqual(run.future.result()["psu.1"].value, {"reached": 12.5})

    def test_of_a_call_as_it_is_answered(self):
        wire, heard = Wire(), []

        def ramp(call):
            heard.append((call.id, call.event, call.argument, call.caller))
            call.feedback("cycle 1 of 3", 1)
            return {"reached": 12.5}
        events = OwnEvents("psu.1")
        events.add(SURFACE.events[1], ramp)
        events.open(wire)
        sent = wire.asked("event.call", GOLDEN["event.call"])
        events.close()  # waits for the handler
        self.assertEqual(heard, [(CALL, "ramp", {"to": 12.5, "note": "slowly"}, "ops@desk")])
        self.sends(sent, ("progress", "event feedback"), ("done", "event result"))

    def test_of_status_items(self):
        self.assertEqual(pack_items(ITEMS), GOLDEN["status items"])
        self.assertEqual(status_items(GOLDEN["status items"]), ITEMS)

    def test_of_an_acknowledgement(self):
        wire = Wire()
        status = OwnStatus("psu.1")
        status.add("interlock", latches=True)
        status.open(wire, wire)
        status.raise_item("interlock", ERROR, 12, "door open")
        self.assertEqual(wire.asked("status.ack", GOLDEN["status.ack"]), [("done", pack([]))])
        self.assertEqual(status.get("interlock").acknowledged_by, "ops@desk")
        client = Client()
        with mock.patch.object(client, "_session", wire), \
                mock.patch("tidemark.client.user_at_host", return_value="ops@desk"):
            client.acknowledge_later("psu.1", "interlock")
        self.sends(wire.sent[-1:], ("status.ack", "status.ack"))

    def test_of_what_is_asked_for_again(self):
        wire = Wire()
        ask_again(wire, 1, 16, 7, 42, 43, lambda found: None)
        self.sends(wire.sent, ("bus.resend", "bus.resend"))

    def test_none_is_looked_at_by_nobody(self):
        text = Path(__file__).read_text(encoding="utf-8")
        self.assertEqual([name for name in GOLDEN if f'"{name}"' not in text], [])


if __name__ == "__main__":
    unittest.main()
