"""A program and its subsystems on a real site: keys, events, status items, and who is there."""

import os
import subprocess
import sys
import threading
import time
import unittest
import uuid
from pathlib import Path

from tidemark import (ERROR, Choice, Conflict, Failed, InCallback, InvalidArgument, NotFound,
                      Refused, Subsystem, Timeout, Unavailable)
from tidemark.identity import node_uuid
from tidemark.packing import pack
from tidemark.remote_keys import QUEUE_MAX
from tidemark.session import user_at_host

from .real_site import Heard, SiteTest


def start_sleeper(test, value=0):
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.sleeper", str(test.site.file), str(value)],
        cwd=Path(__file__).resolve().parents[1], stdout=subprocess.PIPE)
    test.addCleanup(process.stdout.close)
    test.addCleanup(process.wait)
    test.addCleanup(process.kill)
    test.assertEqual(process.stdout.readline(), b"ready\n")
    return process


class KeysOnTheBus(SiteTest):
    def test_are_read_and_written_by_name(self):
        psu = self.subsystem("psu.1", description="a supply", labels=["magnets"])
        current = psu.publish("current", "double", unit="A")
        setpoint = psu.writable("setpoint", "double", unit="A", range=(0, 100))
        mode = psu.writable("mode", "enum(off|on)", default="off")
        writers = []
        setpoint.on_write(lambda value, writer: writers.append((value, writer)))
        self.start(psu)
        client = self.client()

        current.value = 3
        self.assertEqual(client.key("psu.1/current").get(), 3.0)
        self.assertEqual(client.key("psu.1/setpoint").set(12), 12.0)
        self.assertEqual(writers, [(12.0, client.name)])
        self.assertEqual(setpoint.value, 12.0)
        self.assertEqual(setpoint.now.writer, client.name)
        self.assertEqual(client.key("psu.1/mode").set("on"), Choice(1, "on"))
        self.assertEqual(mode.value, Choice(1, "on"))

        peer = next(each for each in client.peers() if each.name == "psu.1")
        self.assertEqual((peer.kind, peer.state, peer.labels), ("subsystem", "alive", ("magnets",)))
        self.assertEqual(peer.surface.description, "a supply")
        self.assertEqual([each.name for each in peer.surface.keys], ["current", "setpoint", "mode"])

    def test_refuse_what_does_not_fit_and_say_why(self):
        psu = self.subsystem("psu.2")
        setpoint = psu.writable("setpoint", "double", unit="A", range=(0, 100))
        psu.publish("current", "double")
        broken = psu.writable("broken", "any")
        broken.on_write(lambda value: 1 / 0)
        slow = psu.writable("slow", "any")
        slow.on_write(lambda value: time.sleep(0.5))

        @setpoint.on_write
        def decide(value):
            if value == 66:
                raise Refused("interlock open")

        self.start(psu)
        client = self.client()
        for key, value, kind, why in (
                ("setpoint", 140, InvalidArgument,
                 "psu.2/setpoint: 140 A is above the limit of 100 A"),
                ("setpoint", "x", InvalidArgument, "psu.2/setpoint: expected double"),
                ("setpoint", 66, Refused, "interlock open"),
                ("current", 1, Refused, "psu.2/current cannot be written"),
                ("nothing", 1, NotFound, "psu.2 has no key 'nothing'"),
                ("broken", 1, Failed, "its on_write threw: division by zero")):
            with self.subTest(key=key, value=value), self.assertRaises(kind) as raised:
                client.key(f"psu.2/{key}").set(value)
            self.assertIn(why, raised.exception.message)
        with self.assertRaises(Timeout):
            client.key("psu.2/slow").set(1, timeout=0.2)
        with self.assertRaisesRegex(InvalidArgument, "psu.2/setpoint: -1 A is below"):
            setpoint.set(-1)
        self.assertIsNone(setpoint.value)
        with self.assertRaisesRegex(NotFound, "no subsystem 'nobody'"):
            client.key("nobody/x").get(timeout=0.2)

    def test_are_asked_of_their_owner_when_he_says_so(self):
        psu = self.subsystem("psu.3")
        psu.publish("now", "int64").on_read(lambda: 7)
        odd = psu.publish("odd", "int64")
        odd.on_read(lambda: "no number")
        self.start(psu)
        client = self.client()
        self.assertEqual(client.key("psu.3/now").get(), 7)
        with self.assertRaisesRegex(Failed, "its owner gave odd: expected int64"):
            client.key("psu.3/odd").get()

    def test_are_waited_for_when_their_subsystem_is_not_there_yet(self):
        client = self.client()
        heard = Heard()
        client.subscribe("late.*/v", heard)
        got = client.key("late.1/v").read_later(timeout=20)
        late = self.subsystem("late.1")
        late.publish("v", "int64", default=5)
        self.start(late)
        self.assertEqual(got.result(20).value, 5)
        self.until(lambda: heard.values() == [5], "the listener hears of it")

    def test_come_with_the_current_value_first_then_each_change(self):
        rf = self.subsystem("rf.1")
        voltage = rf.publish("voltage", "double", default=1)
        rf.publish("hidden", "double", published=False)
        rf.publish("phase", "double", default=0)
        self.start(rf)
        client = self.client()
        heard, all_of_them, own = Heard(), Heard(), Heard()
        listening = client.subscribe("rf.*/voltage", heard, "all")
        rf.subscribe("*/voltage", own, "all")
        client.subscribe("rf.1", all_of_them)
        self.until(lambda: heard, "the current value")
        for each in range(2, 200):
            voltage.set(each)
        self.until(lambda: heard.values()[-1] == 199, "the last value")
        self.assertEqual(heard.values(), list(range(1, 200)))
        self.until(lambda: own.values() == heard.values(), "its owner hears the same")
        self.assertEqual([each.sequence for each in heard], list(range(1, 200)))
        self.assertEqual({each.missed for each in heard}, {0})
        self.assertEqual({each.key for each in all_of_them}, {"rf.1/voltage", "rf.1/phase"})

        listening.close()
        seen = len(heard)
        voltage.set(500)
        self.until(lambda: 500 in all_of_them.values(), "others hear of it still")
        self.assertEqual(len(heard), seen)

    def test_of_a_slow_listener_are_the_newest_and_what_was_missed_is_counted(self):
        rf = self.subsystem("rf.slow")
        voltage = rf.publish("voltage", "int64", default=0)
        self.start(rf)
        client = self.client()
        heard, go_on = Heard(), threading.Event()

        def slow(update):
            heard(update)
            go_on.wait(20)

        client.subscribe("rf.slow/voltage", slow)
        self.until(lambda: heard, "the current value")
        fast = Heard()
        other = self.client()
        other.subscribe("rf.slow/voltage", fast)
        self.until(lambda: fast, "the other listens")
        for each in range(1, 101):
            voltage.set(each)
        self.until(lambda: fast.values()[-1] == 100, "the last value")
        go_on.set()
        self.until(lambda: heard.values()[-1] == 100, "the newest")
        self.assertLess(len(heard), 100)
        self.assertEqual(sum(each.missed + 1 for each in heard), 101)
        self.assertEqual(client.stats().conflated, sum(each.missed for each in heard))

    def test_are_told_in_the_end_to_a_listener_whose_thread_had_too_much_to_do(self):
        rf = self.subsystem("rf.busy")
        voltage = rf.publish("voltage", "int64", default=0)
        self.start(rf)
        client, heard, go_on = self.client(), Heard(), threading.Event()
        client.subscribe("rf.busy/voltage", heard)
        self.until(lambda: heard, "the current value")
        while client.session.executor.post(lambda: go_on.wait(20)):
            pass
        voltage.set(1)
        other = Heard()
        self.client().subscribe("rf.busy/voltage", other)
        self.until(lambda: other.values()[-1:] == [1], "somebody else hears it")
        go_on.set()
        self.until(lambda: heard.values() == [0, 1], "the value")

    def test_of_all_beyond_what_waits_are_missed_and_counted(self):
        rf = self.subsystem("rf.flood")
        voltage = rf.publish("voltage", "int64", default=0)
        self.start(rf)
        client, heard, go_on = self.client(), Heard(), threading.Event()

        def slow(update):
            heard(update)
            go_on.wait(60)

        self.assertEqual(client.stats().missed, 0)
        client.subscribe("rf.flood/voltage", slow, "all")
        self.until(lambda: heard, "the current value")
        last = QUEUE_MAX + 1000
        for each in range(1, last + 1):
            voltage.set(each)
        self.until(lambda: client.stats().missed == 1000, "all came, and so many found no room")
        go_on.set()
        self.until(lambda: heard.values()[-1] == last, "the newest")
        self.assertEqual(sum(each.missed for each in heard), 1000)
        self.assertEqual(len(heard), 1 + QUEUE_MAX)

    def test_say_that_their_owner_is_gone_and_that_he_is_back(self):
        owner = self.subsystem("gone")
        owner.publish("v", "int64", default=1)
        self.start(owner)
        client = self.client()
        key, heard = client.key("gone/v"), Heard()
        key.on_change(heard)
        self.until(lambda: heard, "the value")
        owner.stop()
        self.until(lambda: heard[-1].quality == "disconnected", "he is gone")
        self.assertEqual(key.last.value, 1)
        with self.assertRaises(Unavailable):
            key.get(timeout=0.2)
        back = self.subsystem("gone")
        back.publish("v", "int64", default=2)
        self.start(back)
        self.until(lambda: key.last.value == 2 and key.last.quality == "good", "he is back")

    def test_of_an_owner_who_is_back_before_he_was_missed_are_those_of_his_new_life(self):
        client, heard = self.client(), Heard()
        client.subscribe("sleeper/v", heard)
        process = start_sleeper(self, 1)
        self.until(lambda: heard.values() == [1], "the first value")
        process.kill()
        process.wait()
        start_sleeper(self, 2)
        self.until(lambda: heard.values()[-1] == 2, "the value of the new life, also the first")
        self.assertEqual([each.sequence for each in heard if each.quality == "good"], [1, 1])

    def test_may_be_added_later_and_stale(self):
        psu = self.start(self.subsystem("grows"))
        client = self.client()
        heard = Heard()
        client.subscribe("grows/*", heard)
        key = psu.publish("v", "int64")
        key.set(1)
        key.set(2, stale=True)
        self.until(lambda: heard and heard[-1].value == 2, "the value")
        self.assertEqual(heard[-1].quality, "stale")
        with self.assertRaises(Conflict):
            psu.publish("v", "int64")

    def test_may_be_read_written_and_heard_in_any_combination(self):
        psu = self.subsystem("mixed")
        owned = {}
        for readable in (False, True):
            for published in (False, True):
                flags = dict(readable=readable, published=published, default=1)
                letters = "r" * readable + "p" * published
                owned["w" + letters] = psu.writable("w" + letters, "int64", **flags)
                if letters:
                    owned[letters] = psu.publish(letters, "int64", **flags)
        with self.assertRaisesRegex(InvalidArgument, "neither readable, writable nor published"):
            psu.publish("none", "int64", readable=False, published=False)
        self.start(psu)
        client, heard = self.client(), Heard()
        client.subscribe("mixed/*", heard)
        self.until(lambda: len(heard) == 4, "those that are published")
        self.assertEqual({each.key.removeprefix("mixed/") for each in heard},
                         {name for name in owned if "p" in name})
        for name in owned:
            with self.subTest(name=name):
                key = client.key(f"mixed/{name}")
                if "r" in name:
                    self.assertEqual(key.get(), 1)
                else:
                    with self.assertRaises(Refused) as raised:
                        key.get()
                    self.assertEqual(raised.exception.message, f"mixed/{name} cannot be read")
                if "w" in name:
                    self.assertEqual((key.set(2), owned[name].value), (2, 2))
                else:
                    with self.assertRaisesRegex(Refused, f"mixed/{name} cannot be written"):
                        key.set(2)

    def test_carry_large_arrays(self):
        scope = self.subsystem("scope")
        trace = scope.publish("trace", "double[]")
        self.start(scope)
        client, heard = self.client(), Heard()
        client.subscribe("scope/trace", heard)
        trace.set([0.5] * 200_000)
        self.until(lambda: heard, "the trace")
        self.assertEqual(len(heard[0].value), 200_000)
        self.assertEqual(len(client.key("scope/trace").get()), 200_000)

    def test_are_not_waited_for_inside_a_callback(self):
        psu = self.subsystem("inside")
        psu.publish("v", "int64", default=1)
        raised = []
        self.start(psu)
        client = self.client()

        def listener(_):
            for wait in (lambda: client.key("inside/v").get(), lambda: client.call("x"),
                         lambda: client.read(), lambda: client.stop()):
                try:
                    wait()
                except InCallback as failure:
                    raised.append(failure)

        client.subscribe("inside/v", listener)
        self.until(lambda: len(raised) == 4, "all of them raise")


class EventsOnTheBus(SiteTest):
    def test_are_handled_with_feedback_and_a_value(self):
        psu = self.subsystem("psu.1")

        @psu.on_event("degauss", description="cycles", argument="{cycles: int64}")
        def degauss(call):
            for cycle in range(call.argument["cycles"]):
                call.feedback(f"cycle {cycle + 1}", cycle)
            return {"by": call.caller}

        self.start(psu)
        client, heard = self.client(), []
        result = client.call("degauss", {"cycles": 3}, to="psu.1", on_feedback=heard.append)
        self.assertTrue(result, result.objections)
        self.assertEqual(result["psu.1"].value, {"by": client.name})
        self.until(lambda: len(heard) == 3, "the feedback")
        self.assertEqual([each.text for each in heard], ["cycle 1", "cycle 2", "cycle 3"])
        self.assertIn("expected int64",
                      client.call("degauss", {"cycles": "x"}, to="psu.1").objections)

    def test_go_to_names_labels_or_everybody_who_handles_them(self):
        for name, labels in (("a", ["left"]), ("b", ["left", "right"]), ("c", ["right"])):
            made = self.subsystem(name, labels=labels)
            made.on_event("who", lambda call, name=name: name)
            self.start(made)
        self.start(self.subsystem("deaf", labels=["left"]))
        client = self.client()
        values = lambda result: {each.value for each in result.targets.values()}  # noqa: E731
        self.assertEqual(values(client.call("who")), {"a", "b", "c"})
        self.assertEqual(values(client.call("who", label="left")), {"a", "b"})
        self.assertEqual(values(client.call("who", to=["c", "a"])), {"a", "c"})
        result = client.call("who", to=["a", "deaf", "nobody"])
        self.assertEqual([result[each].state for each in ("a", "deaf", "nobody")],
                         ["done", "failed", "failed"])
        self.assertIsInstance(client.call("nobody-handles-this").nobody, NotFound)

    def test_are_a_yes_only_when_everybody_said_so(self):
        for name, veto in (("shutter.1", ""), ("shutter.2", "interlock open")):
            made = self.subsystem(name)

            def decide(call, veto=veto):
                if veto and call.argument:
                    raise Refused(veto)
                return True

            made.on_event("may-expose", decide)
            self.start(made)
        client = self.client()
        self.assertEqual(client.ask("may-expose", False), {"shutter.1": True, "shutter.2": True})
        with self.assertRaises(Refused) as raised:
            client.ask("may-expose", True)
        self.assertEqual(raised.exception.message, "shutter.2 rejected: interlock open")

    def test_are_cancelled_and_time_out(self):
        psu = self.subsystem("slow")
        ends = []
        psu.on_event("sleep", lambda call: ends.append(call.wait(20)))
        self.start(psu)
        client = self.client()
        result = client.call("sleep", to="slow", timeout=0.3)
        self.assertEqual(result["slow"].state, "timed out")
        self.until(lambda: ends == [False], "its handler noticed")
        running = client.call_later("sleep", to="slow", timeout=20)
        time.sleep(0.1)
        running.cancel()
        self.until(lambda: ends == [False, False], "its handler was told")
        self.assertEqual(running.result()["slow"].state, "done")

    def test_are_lost_when_their_handler_dies(self):
        process = start_sleeper(self)
        client = self.client()
        running = client.call_later("sleep", to="sleeper", timeout=30)
        self.assertEqual(process.stdout.readline(), b"called\n")
        process.kill()
        self.assertEqual(running.result()["sleeper"].state, "lost")

    def test_go_on_without_whom_somebody_has_forgotten(self):
        process = start_sleeper(self)
        client = self.client()
        self.until(lambda: [each for each in client.peers() if each.name == "sleeper"
                            and each.state == "alive"], "it is there")
        with self.assertRaisesRegex(Refused, "sleeper is alive"):
            client.forget("sleeper")
        process.kill()
        self.until(lambda: [each for each in client.peers() if each.name == "sleeper"
                            and each.state == "disconnected"], "it is missed")
        self.assertEqual(client.call("sleep", timeout=5)["sleeper"].state, "lost")
        client.forget("sleeper")
        self.until(lambda: "sleeper" not in [each.name for each in client.peers()], "it is not")
        self.assertNotIn("sleeper", client.call("sleep", timeout=5).targets)
        with self.assertRaises(NotFound):
            client.forget("sleeper")
        self.until(lambda: [line for line in self.lines(client, text="sleeper is forgotten")
                            if user_at_host() in line.text], "it is recorded")

    def test_may_wait_for_others_in_their_handlers(self):
        first, second = self.subsystem("chain.1"), self.subsystem("chain.2")
        first.on_event("one", lambda call: first.call("two", to="chain.2")["chain.2"].value + 1)
        second.on_event("two", lambda call: 41)
        self.start(first)
        self.start(second)
        self.assertEqual(self.client().call("one", to="chain.1")["chain.1"].value, 42)


class StatusItemsOnTheBus(SiteTest):
    def test_are_seen_by_whoever_watches_and_acknowledged(self):
        psu = self.subsystem("psu.1")
        door = psu.status_item("door", latched=True)
        self.start(psu)
        client, heard = self.client(), []
        watching = client.watch_status("psu.*", lambda name, item: heard.append((name, item)))
        self.until(lambda: heard, "the item as it is")
        door.raise_("door open", ERROR, 12)
        self.until(lambda: heard[-1][1].active, "it is raised")
        self.assertEqual((heard[-1][0], heard[-1][1].text, heard[-1][1].code),
                         ("psu.1", "door open", 12))
        door.clear()
        self.until(lambda: not heard[-1][1].active, "it is cleared")
        self.assertTrue(heard[-1][1].shown)
        client.acknowledge("psu.1", "door")
        self.until(lambda: not heard[-1][1].shown, "it is acknowledged")
        self.assertEqual(heard[-1][1].acknowledged_by, client.name)
        with self.assertRaises(NotFound):
            client.acknowledge("psu.1", "window")
        watching.close()
        seen = len(heard)
        door.raise_("again", "warning")
        client.acknowledge("psu.1", "door")
        self.assertEqual(len(heard), seen)
        self.until(lambda: [each.text for each in self.lines(client, kinds=(27,))],
                   "the journal has the changes")


class ASubsystem(SiteTest):
    def test_ends_when_a_newer_incarnation_of_it_is_there(self):
        psu = self.start(self.subsystem("psu.1"))
        client = self.client()
        newer = psu.session.link.info.to_wire()
        newer[3] += 10
        client.session.ask("registry", "registry.register", pack(newer), 5.0).result()
        self.assertTrue(psu.wait(20))
        self.assertIsInstance(psu.why, Refused)
        self.assertIn("superseded", str(psu.why))

    def test_takes_the_place_of_a_living_one_of_its_name(self):
        first = self.start(self.subsystem("psu.2"))
        self.start(self.subsystem("psu.2"))
        self.assertTrue(first.wait(20))
        self.assertIn("superseded", str(first.why))

    def test_has_a_larger_incarnation_with_each_start(self):
        first = self.start(self.subsystem("psu.3"))
        before = first.incarnation
        first.stop()
        self.assertGreater(self.start(self.subsystem("psu.3")).incarnation, before)

    def test_has_the_identity_that_it_is_given_and_keeps_it(self):
        identity = uuid.UUID("0192f0c4-7b1e-7cc0-8000-00000000a11c")
        client = self.client()

        def seen(name="psu.id"):
            return next(((each.uuid, each.incarnation) for each in client.peers()
                         if each.name == name and each.state == "alive"), None)
        first = self.start(self.subsystem("psu.id", uuid=identity))
        first.publish("v", "int64", journaled=True, default=1)
        self.until(lambda: self.lines(client, origin=str(identity)), "the journal knows it by that")
        self.assertEqual(seen(), (identity, first.incarnation))
        same_number = self.subsystem("psu.other", uuid=uuid.UUID(int=identity.int ^ 1))
        self.addCleanup(same_number.stop, 0)
        with self.assertRaisesRegex(Conflict, "psu.id"):
            same_number.start(20)
        first.stop()
        again = self.start(self.subsystem("psu.id", uuid=identity))
        self.until(lambda: seen() == (identity, again.incarnation), "the same identity again")
        self.assertGreater(again.incarnation, first.incarnation)
        self.start(self.subsystem("psu.derived"))
        self.until(lambda: seen("psu.derived"), "it is there")
        self.assertEqual(seen("psu.derived")[0], node_uuid("site", "psu.derived"))
        with self.assertRaises(InvalidArgument):
            Subsystem("psu.nobody", uuid=uuid.UUID(int=0))

    def test_says_goodbye(self):
        psu = self.start(self.subsystem("psu.4"))
        client = self.client()
        psu.stop()
        state = lambda: {each.name: each.state for each in client.peers()}["psu.4"]  # noqa: E731
        self.until(lambda: state() == "stopped", "the directory says so")

    def test_registers_again_when_the_registry_restarted(self):
        psu = self.subsystem("psu.5")
        psu.publish("v", "int64", default=1)
        self.start(psu)
        client = self.client()
        os.kill(self.site.nodes()["registry"]["pid"], 9)
        self.until(lambda: self.site.nodes().get("psu.5", {}).get("state") == "alive",
                   "it is in the new registry's directory")
        self.assertEqual(client.key("psu.5/v").get(), 1)
        self.assertFalse(psu.ended)

    def test_runs_until_it_is_told_to_end(self):
        psu = self.subsystem("psu.6")
        status = []
        running = threading.Thread(target=lambda: status.append(psu.run()))
        running.start()
        client = self.client()
        self.until(lambda: any(each.name == "psu.6" for each in client.peers()), "it is there")
        psu.end()
        running.join(20)
        self.assertEqual(status, [0])

    def test_needs_a_name(self):
        for name in ("", "a/b", "a b", "x" * 256):
            with self.assertRaises(InvalidArgument):
                Subsystem(name)

    def test_drops_and_counts_what_is_malformed(self):
        import zmq
        psu = self.subsystem("psu.7")
        psu.publish("v", "int64", default=1)
        self.start(psu)
        link = psu.session.link
        context = zmq.Context()
        dealer = context.socket(zmq.DEALER)
        dealer.connect(link.info.request_endpoints[0])
        for junk in (b"", b"x" * 39, b"Q" * 200):
            dealer.send(junk)
        dealer.send_multipart([b"two", b"parts"])
        self.until(lambda: link.counters.malformed == 4, "all are counted")
        reader = context.socket(zmq.XSUB)
        reader.connect(link.info.data_endpoints[0])
        for junk in (b"", b"x", b"\2" * 100):
            reader.send(junk)
        self.until(lambda: link.counters.malformed == 7, "so is what is no subscription")
        context.destroy(0)
        self.assertEqual(self.client().key("psu.7/v").get(), 1)

    def test_answers_a_request_that_comes_twice_and_does_it_once(self):
        import zmq

        from tidemark import envelope as envelopes
        from tidemark.envelope import Envelope
        psu = self.subsystem("psu.8")
        done = []
        psu.writable("v", "int64").on_write(lambda value: done.append(value))
        self.start(psu)
        context = zmq.Context()
        dealer = context.socket(zmq.DEALER)
        dealer.connect(psu.session.link.info.request_endpoints[0])
        request = envelopes.encode(Envelope(envelopes.REQUEST, bytes(range(16)), 1, "kv.write",
                                            5_000_000_000, pack(["v", 7, "me"])))
        answers = []
        for _ in range(2):
            dealer.send(request)
            self.assertTrue(dealer.poll(5000))
            answers.append(dealer.recv())
        self.assertEqual(answers[0], answers[1])
        self.assertEqual(done, [7])

        elsewhere = Envelope(envelopes.REQUEST, bytes(16), 1, "kv.write", 5_000_000_000,
                             pack(["v", 8, "me"]), server=5)
        dealer.send(envelopes.encode(elsewhere))
        self.assertTrue(dealer.poll(5000))
        failure = envelopes.unpack_failure(envelopes.decode(dealer.recv()).payload)
        context.destroy(0)
        self.assertIsInstance(failure, Timeout)
        self.assertEqual(done, [7])


class WithoutASite(unittest.TestCase):
    def test_joining_says_what_to_do(self):
        import tempfile

        from tidemark import Client
        with tempfile.TemporaryDirectory(dir="/tmp") as folder:
            file = Path(folder) / "site.toml"
            file.write_text("")
            (Path(folder) / "data/run").mkdir(parents=True)
            client = Client(file)
            self.addCleanup(client.stop, 0)
            with self.assertRaisesRegex(Unavailable, "is `tidemark up` running"):
                client.start(0.3)
            with self.assertRaisesRegex(Unavailable, "start"):
                Client(file).key("a/b").get()


if __name__ == "__main__":
    unittest.main()
