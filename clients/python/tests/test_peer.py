"""A subsystem in Python and one on the library in C++ understand each other."""

import os
import signal
import subprocess
import time
import unittest
from pathlib import Path

from tidemark import (WARNING, Choice, Client, Duration, InvalidArgument, NotFound, Refused,
                      TidemarkError, Timeout, Timestamp)

from tidemark.ask_again import ask_again
from tidemark.frame import KEY_STREAM

from .real_site import SECONDS, Heard, SiteTest, wait_until

PEER = os.environ.get("TIDEMARK_PEER")


@unittest.skipUnless(PEER, "TIDEMARK_PEER names no program")
class APeerInCpp(SiteTest):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.peer = process = subprocess.Popen([PEER, str(cls.site.file)])
        cls.addClassCleanup(process.wait)
        cls.addClassCleanup(process.terminate)
        with Client(cls.site.file) as client:
            wait_until(lambda: any(each.name == "cpp" for each in client.peers()), SECONDS,
                       "it is there")

    def test_describes_itself(self):
        (peer,) = [each for each in self.client().peers() if each.name == "cpp"]
        self.assertEqual((peer.surface.description, peer.labels), ("in C++", ("peers",)))
        specs = {each.name: each for each in peer.surface.keys}
        self.assertEqual((specs["setpoint"].low, specs["setpoint"].high, specs["setpoint"].step),
                         (0.0, 100.0, 0.5))
        self.assertEqual(str(specs["struct"].type), "{x: double, n: int64[]}")
        self.assertEqual(str(specs["enum"].type), 'enum(off|on|"in position")')
        self.assertEqual(specs["current"].default, 1.5)
        self.assertEqual([each.name for each in peer.surface.events],
                         ["call", "count", "raise", "write"])

    def test_takes_values_of_every_kind_and_gives_them_back(self):
        client = self.client()
        for key, value in (("any", {"deep": [None, {"x": b"\0"}]}), ("any", 2 ** 64 - 1),
                           ("bool", True), ("int64", -2 ** 63), ("uint64", 2 ** 64 - 1),
                           ("uint64", 1), ("double", -0.0), ("double", 1e300), ("string", "über"),
                           ("bytes", bytes(range(256))), ("timestamp", Timestamp(-5)),
                           ("duration", Duration(2 ** 60)), ("enum", Choice(2, "in position")),
                           ("array", [1, 2, 3]), ("struct", {"x": 1.0, "n": [5]})):
            with self.subTest(key=key, value=value):
                taken = client.key(f"cpp/{key}").set(value)
                self.assertEqual(taken, value)
                self.assertEqual(repr(taken), repr(value))
                self.assertEqual(client.key(f"cpp/{key}").get(), value)
        self.assertEqual(client.key("cpp/enum").set("on"), Choice(1, "on"))
        self.assertEqual(client.key("cpp/enum").set(0), Choice(0, "off"))
        self.assertIs(type(client.key("cpp/double").set(3)), float)

    def test_does_not_do_late_what_was_asked_while_it_stood_still(self):
        client = self.client()
        setpoint = client.key("cpp/setpoint")
        setpoint.set(1, 5.0)  # connects: what is not connected is not sent

        # Shorter than its lease: with that the connection ends, and what waits in it.
        over = time.monotonic() + 2.3
        self.peer.send_signal(signal.SIGSTOP)
        try:
            threads = Path(f"/proc/{self.peer.pid}/task")
            self.until(lambda: all((each / "stat").read_text().rsplit(")", 1)[1].split()[0] == "T"
                                   for each in threads.iterdir()), "it stands still")
            with self.assertRaises(Timeout):
                setpoint.set(33, 1.0)
            self.until(lambda: time.monotonic() > over, "longer than a process stands still")
        finally:
            self.peer.send_signal(signal.SIGCONT)

        def is_in_time():
            try:
                return setpoint.set(3, 2.0) == 3
            except TidemarkError:
                return False
        self.until(is_in_time, "a write that is in time")
        self.assertEqual(setpoint.get(), 3)

        def written():
            return [each.text for each in self.lines(client, subject="cpp/setpoint")]
        self.until(lambda: any(each.startswith("3,") for each in written()), "it is journaled")
        self.assertFalse([each for each in written() if each.startswith("33")])

    def test_refuses_with_the_same_words(self):
        client = self.client()
        mine = self.subsystem("mine")
        mine.writable("setpoint", "double", unit="A", range=(0, 100), step=0.5)
        for key, kind in (("array", "int64[3]"), ("struct", "{x: double, n: int64[]}"),
                          ("int64", "int64"), ("string", "string"), ("uint64", "uint64"),
                          ("enum", 'enum(off|on|"in position")')):
            mine.writable(key, kind)
        self.start(mine)
        for key, value in (("setpoint", 140), ("setpoint", -0.5), ("setpoint", 0.3),
                           ("setpoint", float("nan")), ("setpoint", None), ("array", [1, 2]),
                           ("array", [1, 2, "x"]), ("struct", {}), ("struct", {"x": 1, "n": [0.5]}),
                           ("struct", {"x": 1, "n": [], "more": 1}), ("int64", 1.0),
                           ("int64", True), ("int64", 2 ** 63), ("string", b"\1\2"),
                           ("uint64", -1), ("enum", "moving"), ("enum", 3)):
            said = []
            for owner in ("cpp", "mine"):
                with self.assertRaises(InvalidArgument) as raised:
                    client.key(f"{owner}/{key}").set(value)
                said.append(raised.exception.message.removeprefix(owner))
            with self.subTest(key=key, value=value):
                self.assertEqual(said[0], said[1])
        with self.assertRaisesRegex(Refused, "^interlock open$"):
            client.key("cpp/setpoint").set(66)
        with self.assertRaises(NotFound):
            client.key("cpp/nothing").get()

    def test_is_heard(self):
        client, heard = self.client(), Heard()
        client.subscribe("cpp/current", heard, "all")
        self.until(lambda: heard, "the current value")
        for amps in range(20):
            client.key("cpp/setpoint").set(amps)
        self.until(lambda: heard[-1].value == 19.0, "the last")
        self.assertEqual(heard.values()[-20:], [float(each) for each in range(20)])
        self.assertEqual({each.missed for each in heard}, {0})

    def test_gives_lost_frames_again_as_we_do(self):
        client = self.client()
        mine = self.subsystem("again")
        value = mine.publish("v", "int64")
        self.start(mine)
        for each in range(3):
            value.set(each)
            client.key("cpp/setpoint").set(each)
        link = client.session.link
        for name in ("cpp", "again"):
            with self.subTest(name=name):
                node = client.session.directory().find(name)
                answers = []
                ask_again(link, node.number, KEY_STREAM, node.incarnation, 1, 2, answers.append)
                self.until(lambda: answers, "an answer")
                frames = answers[0]
                self.assertEqual(frames[0].sequence, 1)
                self.assertGreaterEqual(frames[-1].last, 2)
                ask_again(link, node.number, KEY_STREAM, node.incarnation - 1, 1, 2,
                          answers.append)
                self.until(lambda: len(answers) == 2, "an answer")
                self.assertIsInstance(answers[1], NotFound)

    def test_has_events_and_status_items(self):
        client, said, items = self.client(), [], []
        result = client.call("count", [1, "x"], label="peers", on_feedback=said.append)
        self.assertEqual(result["cpp"].value, [1, "x"])
        self.until(lambda: len(said) == 3, "the feedback")
        self.assertEqual([(each.text, each.progress) for each in said],
                         [("count 1", 1), ("count 2", 2), ("count 3", 3)])
        self.assertEqual(client.call("count").objections, "cpp rejected: nothing to count")
        client.watch_status("cpp", lambda name, item: items.append(item))
        client.call("raise", "door open")
        self.until(lambda: items and items[-1].active, "it is raised")
        self.assertEqual((items[-1].severity, items[-1].code, items[-1].text),
                         (WARNING, 3, "door open"))
        client.acknowledge("cpp", "door")
        self.until(lambda: items[-1].acknowledged_by == client.name, "it is acknowledged")

    def test_hears_writes_and_calls_a_subsystem_in_python(self):
        mine = self.subsystem("py")
        mine.publish("v", "{a: int64, e: enum(x|y)}").set({"a": 1, "e": "y"})
        setpoint = mine.writable("setpoint", "int64", range=(0, 5), published=False)
        door = mine.status_item("door")

        @setpoint.on_write
        def decide(value):
            if value == 3:
                raise Refused("not three")

        mine.on_event("py-event", lambda call: {"got": call.argument, "from": call.caller})
        self.start(mine)
        client = self.client()
        heard, status = client.key("cpp/heard"), client.key("cpp/status")
        self.until(lambda: heard.last and heard.last.value["value"] ==
                   {"a": 1, "e": Choice(1, "y")}, "it hears the value")
        self.assertEqual((heard.last.value["key"], heard.last.value["quality"]), ("py/v", "good"))
        door.raise_("open")
        self.until(lambda: status.last and status.last.value == ["door", "open", True],
                   "it sees the item")
        write = lambda value: client.call("write", value, to="cpp")["cpp"].value  # noqa: E731
        self.assertEqual(write(2), "taken")
        self.assertEqual((setpoint.value, setpoint.now.writer), (2, "cpp"))
        self.assertEqual(write(3), "not three")
        self.assertEqual(write(9), "py/setpoint: 9 is above the limit of 5")
        self.assertEqual(client.call("call", 7, to="cpp")["cpp"].value,
                         {"got": 7, "from": "cpp"})
        mine.stop()
        self.until(lambda: heard.last.value["quality"] == "disconnected", "it knows that we went")


if __name__ == "__main__":
    unittest.main()
