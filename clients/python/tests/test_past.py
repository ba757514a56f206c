"""Questions about the past, to a journal that was given one, and answers that are none."""

import asyncio
import math
import struct
import time
import unittest
import uuid
from concurrent.futures import Future

from tidemark import Client, Duration, InvalidArgument, NotFound, Timestamp, aio
from tidemark.errors import Malformed
from tidemark.packing import pack, unpack
from tidemark.past import Past, pv_value

from .real_site import SECONDS, SiteTest
from .test_replay import META, batch, double

SECOND = 1_000_000_000
NOON = 1_700_000_000 * SECOND
JOB, SNAPSHOT = uuid.uuid4(), uuid.uuid4()


class APvValue(unittest.TestCase):
    def test_has_every_type(self):
        for raw, value in (([0], None), ([1, 1.5], 1.5), ([2, 0.5], 0.5), ([3, -7], -7), ([5, 255], 255),
                           ([6, 2], 2), ([7, "text"], "text"),
                           ([19, struct.pack("<2i", 1, -2)], [1, -2]), ([23, ["a", "b"]], ["a", "b"])):
            self.assertEqual(pv_value(raw), value)
        for raw in (None, [], [99, 1], [8, 1], [1, "x"], [19, b"123"], [7, 1]):
            if raw != []:
                with self.assertRaises(Malformed):
                    pv_value(raw)


class Answered:
    """A session whose journal answers these bytes."""

    def __init__(self, answer, parts=()):
        self.answer, self.parts = answer, parts

    def ask(self, name, method, payload, patience, on_progress=None):
        for part in self.parts:
            on_progress(part)
        done = Future()
        done.set_result(self.answer)
        return done


class AnAnswerThatIsNone(unittest.TestCase):
    def test_is_malformed_and_nothing_else_is_raised(self):
        value = ["PV:1", 1, 1, [1, 1.5], [0, 0], NOON, 0, "A", 3, [], "double", "ioc", True]
        found = [4, NOON, 9]
        expired = [["pv_updates", 1, 2, NOON, NOON, 2, 0, ""]]
        decimated = [[1, 2, NOON, NOON, 5, 7]]
        bin_of = [NOON, 2, 2, 1.0, 2.0, 1.0, 2.0, 1.5, 0.5, 2, False, None, NOON]
        blamed = [4, NOON, value, JOB.bytes, "pv_put", "PV:1", "ann", SNAPSHOT.bytes, True]
        answers = (
            (lambda past: past.find(None), found, []),
            (lambda past: past.state((), None, None), [found, 1, ["X"], None, expired],
             [[[value], [4]]]),
            (lambda past: past.changes(1, 2, (), None), [found, found, 1, 1, [], None, None],
             [[[value], [value], [4]]]),
            (lambda past: past.history("PV:1", 1, 2, 0, 0, None),
             [found, found, 1, False, value, None, None, expired, decimated],
             [[batch(double(1, 1.5)), [4]]]),
            (lambda past: past.bins("PV:1", 1, 2, 10, False, None),
             [found, found, NOON, 5, [bin_of], value, None, expired, decimated], []),
            (lambda past: past.blame("PV:1", None, 1), [[blamed], expired, 3], []))
        for ask, end, parts in answers:
            packed = [pack(part) for part in parts]
            ask(Past(Answered(pack(end), packed))).result()
            for at in range(len(pack(end))):
                damaged = bytearray(pack(end))
                damaged[at] ^= 0xff
                self.expect_an_answer_or_malformed(ask, bytes(damaged), packed)
            for at in range(len(packed[0]) if packed else 0):
                damaged = bytearray(packed[0])
                damaged[at] ^= 0xff
                self.expect_an_answer_or_malformed(ask, pack(end), [bytes(damaged)])
            if packed:
                with self.assertRaises(Malformed):  # one part of two
                    ask(Past(Answered(pack(end), packed * 2))).result()

    def test_blame_says_where_to_ask_on(self):
        for end, line in (([[], [], 3], 3), ([[], []], 0)):
            self.assertEqual(Past(Answered(pack(end), [])).blame("PV:1", None, 1).result().next, line)

    def test_bins_say_of_what_there_are_rows(self):
        rows = [[NOON, 2], [NOON, 2] + [0] * 8 + [False, None, NOON + 5]]
        end = [[4, NOON, 9], [4, NOON, 9], NOON, 5, rows,
               ["PV:1", 1, 1, [0], [0, 0]], None, [], [[1, 2, NOON, NOON, 5, 7]]]
        bins = Past(Answered(pack(end))).bins("PV:1", 1, 2, 1, False, None).result()
        self.assertEqual([each.decimated_until for each in bins.bins], [None, Timestamp(NOON + 5)])
        self.assertEqual([(each.first, each.last, each.width, each.samples)
                          for each in bins.decimated], [(1, 2, Duration(5), 7)])

    def expect_an_answer_or_malformed(self, ask, end, parts):
        try:
            ask(Past(Answered(end, parts))).result()
        except Malformed:
            pass


class ThePast(SiteTest):
    """PV:1 and PV:2 are 0.5 and 9.5; then PV:1 is 1, 2 and, restored, 3."""

    extra = '[journal]\nlog_level = "off"\n'

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.writer = Client(cls.site.file).start(SECONDS)
        cls.addClassCleanup(cls.writer.stop, 0)
        cls.origin = uuid.uuid4()
        cls.sequence = 0
        cls.say(2, [[1, 1, "PV:1"], [1, 2, "PV:2"]])
        cls.begin = cls.say(1, batch((1, 64, None, META, NOON), (2, 64, None, META, NOON),
                                     double(1, 0.5, NOON), double(2, 9.5, NOON)), 4)
        cls.one = cls.say(1, batch(double(1, 1.0, NOON + SECOND)), 1)
        cls.two = cls.say(1, batch(double(1, 2.0, NOON + 2 * SECOND)), 1)
        cls.say(2, [[9, JOB.bytes, "snapshot_restore", "before beam", "ann@ring",
                     f"snapshot {SNAPSHOT}: 1 to write, 0 there already, 0 refused, plan 1"],
                    [11, 1, "PV:1", [1, 3.0], JOB.bytes]])
        cls.three = cls.say(1, batch(double(1, 3.0, NOON + 3 * SECOND)), 1)

    @classmethod
    def say(cls, form, content, count=None):
        """A section of the journal; returns its last line."""
        payload = content if isinstance(content, bytes) else pack(content)
        count = count or len(content)
        section = [cls.sequence + 1, count, form, time.time_ns(), payload]
        request = [cls.origin.bytes, "test", 1, cls.sequence, [section], cls.sequence]
        cls.sequence += count
        answer = cls.writer.session.ask("journal", "journal.append", pack(request), SECONDS).result()
        return unpack(answer)[1]

    def test_is_a_line(self):
        client = self.client()
        found = client.find(self.one)
        self.assertEqual(found.line, self.one)
        self.assertEqual(client.find(found.recorded_at).recorded_at, found.recorded_at)
        self.assertGreaterEqual(client.find(None).line, self.three)
        with self.assertRaises(NotFound):
            client.find("no such mark")

    def test_is_the_machine_at_a_moment(self):
        state = self.client().state(at=self.one)
        self.assertEqual({each: value.value for each, value in state.values.items()},
                         {"PV:1": 1.0, "PV:2": 9.5})
        self.assertEqual(state.lines["PV:1"], self.one)
        value = state.values["PV:1"]
        self.assertEqual((value.connected, value.severity, value.status), (True, "major", 3))
        self.assertEqual((value.meta.units, value.meta.precision), ("A", 3))
        self.assertEqual(value.taken_at, Timestamp(NOON + SECOND))
        some = self.client().state("PV:2", "NO:SUCH", at=self.one)
        self.assertEqual((list(some.values), some.unknown), (["PV:2"], ["NO:SUCH"]))

    def test_differs_between_two_moments(self):
        found = self.client().changes(self.begin, self.two)
        (change,) = found.changes
        self.assertEqual((change.address, change.before.value, change.after.value, change.line),
                         ("PV:1", 0.5, 2.0, self.two))
        self.assertEqual((found.before.line, found.after.line), (self.begin, self.two))
        self.assertEqual(self.client().changes(self.begin, self.two, "PV:2").changes, [])

    def test_is_what_happened_to_one_pv(self):
        history = self.client().history("PV:1", self.begin)
        self.assertEqual([each.update.value for each in history.samples], [0.5, 1.0, 2.0, 3.0])
        self.assertEqual([each.line for each in history.samples[1:]],
                         [self.one, self.two, self.three])
        self.assertEqual((history.cut, history.now.meta.units), (False, "A"))
        cut = self.client().history("PV:1", self.begin, limit=2)
        self.assertEqual((len(cut.samples), cut.cut), (2, True))
        line = self.client().history("PV:1", self.begin, points=3)
        self.assertEqual(len(line.samples), 3)
        with self.assertRaises(NotFound):
            self.client().history("NO:SUCH", self.begin)

    def test_is_in_bins(self):
        client = self.client()
        bins = client.bins("PV:1", Timestamp(NOON), Timestamp(NOON + 4 * SECOND), 1, median=True,
                           lateness=Duration(SECOND))
        self.assertEqual(bins.bins, [], "it was recorded long after it was taken")
        bins = client.bins("PV:1", self.begin, self.three, 1, median=True)
        (found,) = bins.bins
        self.assertEqual((found.min, found.max, found.median, found.worst), (1.0, 3.0, 2.0, "major"))
        self.assertAlmostEqual(found.deviation, math.sqrt(2 / 3))
        with self.assertRaises(InvalidArgument):
            client.bins("PV:1", self.begin, self.three, 10**6)

    def test_has_somebody_who_did_it(self):
        restored, before = self.client().blame("PV:1", self.three, 2).changes
        self.assertEqual((restored.value.value, restored.job, restored.snapshot),
                         (3.0, JOB, SNAPSHOT))
        self.assertEqual((restored.type, restored.title, restored.user, restored.clamped),
                         ("snapshot_restore", "before beam", "ann@ring", False))
        self.assertEqual((before.value.value, before.job, before.snapshot), (2.0, None, None))

    def test_is_the_same_for_asyncio(self):
        async def work():
            async with aio.Client(self.site.file) as client:
                self.assertEqual((await client.find(self.one)).line, self.one)
                state = await client.state("PV:1", at=self.one)
                self.assertEqual(state.values["PV:1"].value, 1.0)
                changes = await client.changes(self.begin, self.two)
                self.assertEqual([each.address for each in changes.changes], ["PV:1"])
                history = await client.history("PV:1", self.begin)
                self.assertEqual(len(history.samples), 4)
                bins = await client.bins("PV:1", self.begin, self.three, 1)
                self.assertEqual(bins.bins[0].max, 3.0)
                blame = await client.blame("PV:1", self.three, 1)
                self.assertEqual(blame.changes[0].job, JOB)
                with self.assertRaises(NotFound):
                    await client.blame("NO:SUCH")

        asyncio.run(asyncio.wait_for(work(), 3 * SECONDS))


if __name__ == "__main__":
    unittest.main()
