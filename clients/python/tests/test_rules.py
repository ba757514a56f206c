"""The other parts that decide, without sockets and clocks: the way into the journal, the directory,
leases, status items, calls, patterns, what is sent again, and the site file.
"""

import tempfile
import unittest
import uuid
from pathlib import Path

from tidemark import (Cancelled, CallResult, InvalidArgument, NotFound, Refused, StatusItem,
                      Timeout, Unavailable, glob)
from tidemark import frame as frames
from tidemark import site as sites
from tidemark import status_rules as rules
from tidemark.directory import CONFIRM_WITHIN, DirectoryCopy
from tidemark.membership_plan import Ask, MembershipPlan
from tidemark.messages import (ALIVE, DISCONNECTED, ERROR, FORGOTTEN, INFO, STOPPED, Directory,
                               EventSpec, Lease, NodeInfo, Surface)
from tidemark.key_spec import KeySpec
from tidemark.errors import Malformed
from tidemark.out_streams import OutStreams
from tidemark.outbox_queue import OutboxQueue, Section
from tidemark.packing import pack, unpack
from tidemark.standstill import STANDSTILL, WAITED_THROUGH, Standstill


class TheOutbox(unittest.TestCase):
    def test_numbers_records_from_one_and_says_what_came_before(self):
        queue = OutboxQueue()
        queue.push(3, 0, b"a")
        queue.push(1, 0, b"b")
        self.assertEqual(queue.after, 0)
        self.assertEqual([each.sequence for each in queue.next()], [1, 4])
        self.assertEqual(queue.after, 4)
        self.assertEqual(queue.next(), [])

    def test_forgets_what_is_acknowledged_and_sends_the_rest_again(self):
        queue = OutboxQueue()
        for payload in (b"a", b"b"):
            queue.push(2, 0, payload)
            queue.next()
        queue.acknowledged(2)
        queue.rewind()
        self.assertEqual(queue.after, 2)
        self.assertEqual(queue.next(), [Section(3, 2, 0, b"b")])
        queue.acknowledged(4)
        self.assertTrue(queue.idle)
        self.assertEqual(queue.bytes, 0)

    def test_has_no_more_than_eight_requests_on_the_way(self):
        queue = OutboxQueue()
        for _ in range(20):
            queue.push(1, 0, bytes(1 << 20))
        sent = 0
        while queue.next():
            sent += 1
        self.assertEqual(sent, 8)
        queue.acknowledged(1)
        self.assertEqual(len(queue.next()), 1)

    def test_sends_no_more_sections_at_once_than_the_journal_takes(self):
        queue = OutboxQueue()
        for _ in range(1500):
            queue.push(1, 0, b"a")
        self.assertEqual([len(queue.next()) for _ in range(3)], [1000, 500, 0])

    def test_drops_the_oldest_updates_and_never_other_records_when_it_is_full(self):
        queue = OutboxQueue(bytes_max=700)
        for updates in (True, False, True, False, True, False, True):
            queue.push(1, 0, bytes(72), updates)  # 200 bytes each
        self.assertEqual([each.sequence for each in queue.next()], [2, 4, 6])
        self.assertEqual((queue.bytes, queue.dropped), (600, 4))
        queue.push(1, 0, bytes(200))
        self.assertEqual([each.sequence for each in queue.next()], [8])
        self.assertEqual(queue.after, 8)

    def test_drops_what_is_on_the_way_as_well_and_sends_what_follows_once(self):
        queue = OutboxQueue(bytes_max=500)
        queue.push(2, 0, bytes(72), updates=True)
        queue.push(1, 0, bytes(72))
        self.assertEqual([each.sequence for each in queue.next()], [1, 3])
        queue.push(1, 0, bytes(72), updates=True)
        self.assertEqual([each.sequence for each in queue.next()], [4])
        queue.acknowledged(3)
        queue.acknowledged(4)
        self.assertEqual((queue.idle, queue.bytes, queue.dropped), (True, 0, 0), "all arrived")

    def test_has_dropped_what_was_on_the_way_and_did_not_arrive(self):
        queue = OutboxQueue(bytes_max=500)
        queue.push(2, 0, bytes(72), updates=True)
        queue.push(1, 0, bytes(72))
        queue.next()
        queue.push(1, 0, bytes(72), updates=True)
        queue.rewind()
        self.assertEqual([each.sequence for each in queue.next()], [3, 4])
        queue.acknowledged(4)
        self.assertEqual((queue.idle, queue.bytes, queue.dropped), (True, 0, 2))

    def test_numbers_what_nobody_could_take(self):
        queue = OutboxQueue()
        queue.push(1, 0, b"a")
        queue.skip(5)
        queue.push(1, 0, b"b")
        self.assertEqual([each.sequence for each in queue.next()], [1, 7])
        self.assertEqual(queue.dropped, 5)


def node(name, state=ALIVE, incarnation=1):
    return NodeInfo(name, "subsystem", uuid.uuid5(uuid.NAMESPACE_DNS, name), incarnation,
                    state=state)


class AStandstill(unittest.TestCase):
    def test_is_more_time_than_the_loop_meant_to_sleep(self):
        clock = Standstill(0.0)
        self.assertFalse(clock.look(STANDSTILL))
        clock.may_sleep(1.0)
        self.assertFalse(clock.look(2 * STANDSTILL + 1.0))
        self.assertTrue(clock.look(3 * STANDSTILL + 1.1), "it may sleep once, until it is awake")
        clock.may_sleep(1.0)
        self.assertTrue(clock.look(4 * STANDSTILL + 2.2))

    def test_makes_requests_older_than_they_look_for_a_while(self):
        clock = Standstill(0.0)
        self.assertEqual(clock.may_have_waited(), 0.0)
        clock.look(4.0)
        self.assertEqual(clock.may_have_waited(), 4.0)
        clock.look(4.0 + WAITED_THROUGH)
        self.assertEqual(clock.may_have_waited(), 4.0)
        clock.look(4.1 + WAITED_THROUGH)
        self.assertEqual(clock.may_have_waited(), 0.0)


class TheDirectory(unittest.TestCase):
    def test_holds_the_whole_then_the_changes(self):
        copy = DirectoryCopy()
        self.assertEqual(copy.take_whole(Directory(1, 7, (node("a"),)), 0.0), [node("a")])
        copy.take_changes([node("b"), node("a", DISCONNECTED)])
        self.assertEqual(copy.revision, 3)
        self.assertEqual(copy.directory().find("a").state, DISCONNECTED)
        copy.take_changes([node("b", FORGOTTEN)])
        self.assertIsNone(copy.directory().find("b"))

    def test_keeps_whom_a_registry_that_restarted_does_not_know_yet(self):
        copy = DirectoryCopy()
        copy.take_whole(Directory(2, 7, (node("a"), node("b"))), 0.0)
        self.assertEqual(copy.take_whole(Directory(0, 8, ()), 10.0), [])
        copy.take_changes([node("a")])
        self.assertEqual(copy.tick(10.0 + CONFIRM_WITHIN - 0.1, 5), [])
        self.assertEqual([each.name for each in copy.tick(10.0 + CONFIRM_WITHIN, 5)], ["b"])
        self.assertEqual(copy.directory().find("b").state, DISCONNECTED)
        self.assertEqual(copy.directory().find("a").state, ALIVE)

    def test_prefers_the_living_one_of_a_name(self):
        living = NodeInfo("a", uuid=uuid.uuid4())
        self.assertIs(Directory(0, 0, (node("a", DISCONNECTED), living)).find("a"), living)

    def test_keeps_who_died_without_a_goodbye_when_the_registry_restarts(self):
        copy = DirectoryCopy()
        copy.take_whole(Directory(3, 7, (node("a"), node("b", DISCONNECTED), node("c", STOPPED))),
                        0.0)
        self.assertEqual([each.name for each in copy.take_whole(Directory(0, 8, ()), 1.0)], ["c"])
        self.assertEqual([each.name for each in copy.tick(1.0 + CONFIRM_WITHIN, 5)], ["a"])
        self.assertEqual(copy.take_whole(Directory(0, 8, ()), 9.0), [])
        self.assertEqual(copy.directory().find("b").state, DISCONNECTED)

    def test_is_settled_when_its_registry_says(self):
        copy = DirectoryCopy()
        self.assertIsNone(copy.settled_at)
        copy.take_whole(Directory.unpacked(pack([0, 7, [], 3_000_000_000])), 10.0)
        self.assertEqual(copy.settled_at, 13.0)
        copy.take_whole(Directory.unpacked(pack([0, 8, []])), 20.0)  # of an earlier version
        self.assertEqual(copy.settled_at, 20.0)

    def test_comes_back_from_the_wire_as_it_was(self):
        made = NodeInfo("psu.1", "subsystem", uuid.uuid4(), 9, ("ipc://a",), ("ipc://b", "tcp://c"),
                        "host", 5, 6, 0, 7, ("x", "y"), b"surface", bytes(32))
        self.assertEqual(NodeInfo.from_wire(unpack(pack(made.to_wire()))), made)
        surface = Surface("text", (KeySpec("k", published=True),), (EventSpec("e", "d"),))
        self.assertEqual(Surface.unpacked(surface.packed()), surface)
        with self.assertRaises(Malformed):
            Surface.unpacked(b"\x93\xa0\x01\x90")


class Membership(unittest.TestCase):
    LEASE = Lease(4, 1, 3.0)

    def test_registers_then_renews_each_second(self):
        plan = MembershipPlan(1)
        self.assertEqual(plan.tick(0.0), [Ask(0, True)])
        self.assertEqual(plan.tick(0.1), [])
        self.assertEqual(plan.granted(0, self.LEASE, 0.2), [])
        self.assertEqual(plan.tick(0.9), [])
        self.assertEqual(plan.tick(1.0), [Ask(0, False)])
        self.assertEqual((plan.holds(0, 3.1), plan.holds(0, 3.3)), (True, False))
        self.assertEqual(plan.incarnation(0), self.LEASE.registry)

    def test_registers_again_when_it_is_not_found_or_the_registry_restarted(self):
        plan = MembershipPlan(1)
        plan.tick(0.0)
        plan.granted(0, self.LEASE, 0.0)
        plan.tick(1.0)
        self.assertEqual(plan.not_found(0, 1.1), [Ask(0, True)])
        plan.granted(0, self.LEASE, 1.2)
        self.assertEqual(plan.heard(0, 4, 1.3), [])
        self.assertEqual(plan.heard(0, 5, 1.4), [Ask(0, True)])

    def test_registers_again_when_it_changed_meanwhile(self):
        plan = MembershipPlan(1)
        plan.tick(0.0)
        self.assertEqual(plan.surface_changed(0.1), [])
        self.assertEqual(plan.granted(0, self.LEASE, 0.2), [Ask(0, True)])

    def test_counts_the_first_registry_that_answers(self):
        plan = MembershipPlan(2)
        plan.tick(0.0)
        plan.silent(0)
        plan.granted(1, self.LEASE, 0.0)
        self.assertEqual([plan.holds(at, 0.1) for at in (0, 1)], [False, True])


class AStatusItem(unittest.TestCase):
    def test_that_latches_stays_until_somebody_has_seen_it(self):
        item = rules.raised(StatusItem("x", latches=True), ERROR, 12, "door open", 5)
        self.assertEqual((item.since, item.shown), (5, True))
        item = rules.cleared(item, 6)
        self.assertEqual((item.shown, item.severity), (True, ERROR))
        item = rules.acknowledged(item, "me", 7)
        self.assertEqual((item.shown, item.severity, item.text), (False, INFO, ""))

    def test_that_does_not_latch_goes_with_its_cause(self):
        item = rules.cleared(rules.raised(StatusItem("x"), ERROR, 1, "t", 5), 6)
        self.assertEqual((item.shown, item.severity, item.since), (False, INFO, 6))

    def test_needs_to_be_acknowledged_again_when_it_changes(self):
        item = rules.acknowledged(rules.raised(StatusItem("x"), ERROR, 1, "t", 5), "me", 6)
        self.assertIs(rules.raised(item, ERROR, 1, "t", 7), item)
        self.assertFalse(rules.raised(item, ERROR, 2, "t", 7).acknowledged)


class ACall(unittest.TestCase):
    def test_tells_the_end_of_each_target(self):
        result = CallResult(["a", "b", "c", "d", "e"])
        result.feedback("a", "half", 0.5)
        self.assertFalse(result.ended)
        result.done("a", 1)
        result.feedback("a", "late", None)
        result.error("b", Refused("no"))
        result.error("c", Timeout("?"))
        result.error("d", Unavailable("d is gone"))
        result.error("e", NotFound("none"))
        self.assertTrue(result.ended)
        self.assertFalse(result)
        self.assertEqual(result["a"].value, 1)
        self.assertEqual(result.objections, "b rejected: no; c timed out: ?; "
                                            "d lost: d is gone; e failed: none")

    def test_that_was_taken_back_is_cancelled(self):
        result = CallResult(["a", "b"])
        result.cancel()
        result.error("a", Timeout("?"))
        result.error("b", Cancelled("ok"))
        self.assertEqual({each.state for each in result.targets.values()}, {"cancelled"})

    def test_of_nobody_is_not_a_yes(self):
        self.assertFalse(CallResult([]))
        self.assertTrue(CallResult([]).ended)
        self.assertIsInstance(CallResult([]).nobody, NotFound)
        unknown = CallResult([], Unavailable("directory not settled"))
        self.assertEqual(unknown.objections, "directory not settled")
        self.assertIsNone(CallResult(["a"]).nobody)


class APattern(unittest.TestCase):
    def test_has_stars_and_question_marks_and_nothing_else(self):
        for pattern, text, fits in (("rf.*", "rf.1", True), ("rf.?", "rf.12", False),
                                    ("*", "", True), ("a[1]", "a[1]", True), ("a.b", "axb", False),
                                    ("*" * 50 + "x", "y" * 1000, False), ("a*c*e", "abcde", True)):
            with self.subTest(pattern=pattern):
                self.assertEqual(glob.matches(pattern, text), fits)


class OurStreams(unittest.TestCase):
    def test_number_their_items_and_tell_the_last_one_in_a_heartbeat(self):
        out = OutStreams(5, 1, lambda: None)
        self.assertEqual(out.publish(frames.STATE, 16, 2, b"x"), 1)
        self.assertEqual(out.publish(frames.STATE, 16, 1, b"y"), 3)
        self.assertEqual([frames.decode(each).last for each in out.take()], [2, 3])
        self.assertEqual(out.take(), [])
        out.subscribed(frames.prefix(frames.HEARTBEAT, 5, 16))
        (heartbeat,) = [frames.decode(each) for each in out.take()]
        self.assertTrue(heartbeat.is_heartbeat)
        self.assertEqual(heartbeat.sequence, 3)

    def test_give_lost_frames_again_while_they_are_kept(self):
        out = OutStreams(5, 1, lambda: None)
        for _ in range(4):
            out.publish(frames.STATE, 16, 2, bytes(10))
        again = [frames.decode(each) for each in out.again(16, 1, 4, 5)]
        self.assertEqual([each.sequence for each in again], [3, 5])
        for wrong in ((16, 1, 8, 9), (16, 2, 4, 5), (17, 1, 1, 1), (16, 1, 5, 4)):
            with self.assertRaises(NotFound):
                out.again(*wrong)

    def test_do_not_send_too_much_again(self):
        out = OutStreams(5, 1, lambda: None)
        out.publish(frames.STATE, 16, 1, bytes(3 << 20))
        out.again(16, 1, 1, 1)
        with self.assertRaises(Unavailable):
            out.again(16, 1, 1, 1)

    def test_count_what_is_too_large_and_leave_a_hole(self):
        out = OutStreams(5, 1, lambda: None)
        out.publish(frames.STATE, 16, 1, bytes(frames.PAYLOAD_BYTES_MAX + 1))
        self.assertEqual((out.dropped, out.publish(frames.STATE, 16, 1, b"")), (1, 2))



class ASiteFile(unittest.TestCase):
    def load(self, text):
        with tempfile.TemporaryDirectory() as folder:
            file = Path(folder) / "site.toml"
            file.write_text(text)
            return sites.load(file), Path(folder)

    def test_has_a_default_for_everything(self):
        site, folder = self.load("")
        self.assertEqual((site.name, site.transport), ("tidemark", "ipc"))
        self.assertEqual(site.run_directory, folder / "data/run")
        self.assertEqual(site.registry_endpoints,
                         (("registry", f"ipc://{folder}/data/run/registry.req"),))

    def test_names_registries_of_both_transports(self):
        site, _ = self.load('[site]\nnodes = ["registry", "registry-2", "journal"]\nrun = "/r"\n')
        self.assertEqual([each.data_endpoints[0] for each in site.registries()],
                         ["ipc:///r/registry.data", "ipc:///r/registry-2.data"])
        site, _ = self.load('[bus]\ntransport = "tcp"\n'
                            'registries = ["tcp://h:1", "tcp://h:2"]\n')
        self.assertEqual(site.registry_endpoints,
                         (("registry", "tcp://h:1"), ("registry-2", "tcp://h:2")))
        self.assertFalse(site.uses_keys)

    def test_that_is_wrong_names_the_key(self):
        for text, key in (('[site]\nname = "A"\n', "site.name"), ('[site]\ndata = 1\n', "site.data"),
                          ('[bus]\ntransport = "udp"\n', "bus.transport"),
                          ('[bus]\ntransport = "tcp"\n', "bus.registry"), ("[bus", "site.toml")):
            with self.subTest(text=text), self.assertRaisesRegex(InvalidArgument, key):
                self.load(text)
        with self.assertRaises(NotFound):
            sites.load("/nowhere/site.toml")


if __name__ == "__main__":
    unittest.main()
