"""The past again, from a journal that was given one: PVs, other records, and how it is steered."""

import asyncio
import struct
import time
import unittest
import uuid

import msgpack

from tidemark import (InvalidArgument, LogLine, NotFound, PvChange, Timestamp, TidemarkError,
                      Unavailable)
from tidemark import aio, pv_batch
from tidemark.errors import Malformed
from tidemark.packing import pack

from .real_site import SECONDS, SiteTest


def batch(*rows):
    """(channel, type, bytes of a scalar or None, other content or None, time)"""
    fixed, others, before = b"", [], rows[0][4]
    times = []
    for _, _, scalar, other, at in rows:
        fixed += scalar or b""
        others += [other] if other is not None else []
        times.append(at - before)
        before = at
    count = len(rows)
    return msgpack.packb([
        1, count, rows[0][4], struct.pack(f"<{count}I", *(row[0] for row in rows)),
        struct.pack(f"<{count}q", *times), bytes(row[1] for row in rows),
        b"\2\3" * count, fixed, others, b""], use_bin_type=True)


def double(channel, value, at=1000):
    return (channel, 1, struct.pack("<d", value), None, at)


META = ["double", 1, True, True, "ioc-1", "A", 3, None, None, None, None, []]


class APvBatch(unittest.TestCase):
    def test_has_every_type(self):
        array = [16 + 4, struct.pack("<3h", 1, -2, 3)]
        updates = pv_batch.decode(batch(
            double(1, 1.5, 1000), (2, 6, struct.pack("<H", 7), None, 2000),
            (3, 7, None, "text", 1500), (4, 20, None, array, 1500),
            (5, 23, None, [23, ["a", "b"]], 1500), (6, 64, None, META, 1500),
            (7, 65, None, None, 1500), (8, 0, None, None, 1500),
            (9, 2, struct.pack("<f", 0.5), None, 1500), (10, 5, b"\xff", None, 1500)))
        self.assertEqual([each.value for each in updates],
                         [1.5, 7, "text", [1, -2, 3], ["a", "b"], None, None, None, 0.5, 255])
        self.assertEqual([each.taken_at for each in updates], [1000, 2000] + [1500] * 8)
        self.assertEqual({(each.severity, each.status) for each in updates}, {("major", 3)})
        self.assertEqual([updates[5].event, updates[6].event], ["connected", "disconnected"])
        self.assertEqual(updates[5].meta.units, "A")

    def test_that_is_not_one_is_refused_and_nothing_else_is_raised(self):
        whole = batch(double(1, 1.5), (3, 7, None, "text", 1500), (6, 64, None, META, 1500))
        self.assertEqual(len(pv_batch.decode(whole)), 3)
        for size in range(len(whole)):
            with self.assertRaises(Malformed):
                pv_batch.decode(whole[:size])
        for at in range(len(whole)):
            for flip in (1, 0x80, 0xff):
                damaged = bytearray(whole)
                damaged[at] ^= flip
                try:
                    pv_batch.decode(bytes(damaged))
                except Malformed:
                    pass


class AReplay(SiteTest):
    """PV:1 and PV:2; then PV:1 is 1, 2, 3 and a message comes in between."""

    extra = '[journal]\nlog_level = "off"\n'  # What the nodes say would come in between, too.

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        from tidemark import Client
        cls.writer = Client(cls.site.file).start(20.0)
        cls.addClassCleanup(cls.writer.stop, 0)
        cls.origin = uuid.uuid4()
        cls.sequence = 0
        cls.say(2, [[1, 1, "PV:1"], [1, 2, "PV:2"]])
        cls.begin = cls.say(1, batch((1, 64, None, META, 1), (2, 64, None, META, 1), double(1, 0.5),
                                     double(2, 9.5)), 4)
        cls.say(1, batch(double(1, 1.0)), 1)
        cls.say(2, [[16, 1, "test", "in between"]])
        cls.middle = cls.say(1, batch(double(1, 2.0)), 1)
        cls.end = cls.say(1, batch(double(1, 3.0), (2, 65, None, None, 1)), 2)

    @classmethod
    def say(cls, form, content, count=None):
        """A section of the journal; returns its last line."""
        payload = content if isinstance(content, bytes) else pack(content)
        count = count or len(content)
        section = [cls.sequence + 1, count, form, time.time_ns(), payload]
        request = [cls.origin.bytes, "test", 1, cls.sequence, [section], cls.sequence]
        cls.sequence += count
        answer = cls.writer._session.ask("journal", "journal.append", pack(request), 20.0).result()
        return msgpack.unpackb(answer)[1]

    def read_all(self, past):
        return [(each.address, each.value, each.connected) if isinstance(each, PvChange)
                else each.text for each in past]

    def test_says_all_that_was_recorded_and_ends(self):
        client = self.client()
        with client.replay(self.begin, self.end, speed=0) as past:
            said = self.read_all(past)
        self.assertEqual(said[:2], [("PV:1", 0.5, True), ("PV:2", 9.5, True)])
        self.assertEqual(said[2], ("PV:1", 1.0, True))
        self.assertIn("in between", said[3])
        self.assertEqual(said[4:], [("PV:1", 2.0, True), ("PV:1", 3.0, True),
                                    ("PV:2", 9.5, False)])
        self.assertEqual((past.status.phase, past.status.line), ("finished", self.end))

    def test_has_only_what_was_asked_for(self):
        client = self.client()
        with client.replay(self.begin, self.end, "PV:2", "NO:SUCH", speed=0, records=False) as past:
            self.assertEqual(past.unknown, ["NO:SUCH"])
            self.assertEqual(self.read_all(past), [("PV:2", 9.5, True), ("PV:2", 9.5, False)])

    def test_steps_seeks_and_goes_on(self):
        client = self.client()
        with client.replay(self.begin, self.end, "PV:1", paused=True, records=False) as past:
            first = past.read()
            self.assertEqual((first.value, first.first, first.severity), (0.5, True, "major"))
            self.assertIsNone(past.read(0.3), "it is paused")
            past.step(1)
            self.assertEqual(past.read().value, 1.0)
            past.seek(self.middle)
            jumped = past.read()
            self.assertEqual((jumped.value, jumped.first), (2.0, True))
            past.set_speed(0)
            past.resume()
            self.assertEqual([each.value for each in past], [3.0])
            with self.assertRaises(InvalidArgument):
                past.set_speed(5000)
            with self.assertRaises(InvalidArgument):
                past.seek(2.5)

    def test_begins_at_a_time(self):
        client = self.client()
        (line,) = self.lines(client, first=self.middle, last=self.middle)
        with client.replay(Timestamp(line.recorded_at), None, "PV:1", speed=0) as past:
            said = [each for each in past if isinstance(each, PvChange)]
        self.assertEqual(said[0].value, 2.0)

    def test_that_somebody_stopped_says_so(self):
        client = self.client()
        with client.replay(self.begin, self.end, paused=True) as past:
            past.read()
            self.site.cli("replay", "stop", str(past.status.id), check=True)
            with self.assertRaises(TidemarkError) as raised:
                for _ in past:
                    pass
            self.assertIsInstance(raised.exception, NotFound)

    def test_waits_for_who_reads_it(self):
        client = self.client()
        with client.replay(self.begin, self.end, speed=0) as past:
            listed = self.site.json("replay", "list")
            # Those of other tests may be there still: their owners are gone, not yet their leases.
            phases = {each["replay"]: each["phase"]
                      for each in (listed if isinstance(listed, list) else [listed])}
            self.assertEqual(phases[str(past.status.id)], "waiting")
            self.assertTrue(any(isinstance(each, LogLine) for each in past))

    def with_asyncio(self, work):
        async def run():
            async with aio.Client(self.site.file) as client:
                await work(client)

        asyncio.run(asyncio.wait_for(run(), 2 * SECONDS))

    def test_is_the_same_for_asyncio(self):
        with self.client().replay(self.begin, self.end, speed=0) as past:
            wanted = self.read_all(past)

        async def work(client):
            async with client.replay(self.begin, self.end, "NO:SUCH", "PV:?", speed=0) as past:
                said = [each async for each in past]
                self.assertEqual(self.read_all(said), wanted)
                self.assertEqual(past.unknown, ["NO:SUCH"])
                self.assertEqual(past.status.phase, "finished")
            with self.assertRaisesRegex(Unavailable, "async with"):
                await client.replay(self.begin, self.end).pause()

        self.with_asyncio(work)

    def test_is_steered_by_coroutines_and_loses_nothing_to_a_cancelled_one(self):
        async def work(client):
            past = await client.replay(self.begin, self.end, "PV:1", paused=True,
                                       records=False).start()
            self.assertEqual((await past.read()).value, 0.5)
            self.assertIsNone(await past.read(0.3), "it is paused")
            task = asyncio.ensure_future(anext(past))
            await asyncio.sleep(0.02)
            task.cancel()
            with self.assertRaises(asyncio.CancelledError):
                await task
            await past.step(1)
            self.assertEqual((await past.read()).value, 1.0)
            await past.seek(self.middle)
            self.assertEqual((await past.read()).value, 2.0)
            await past.set_speed(0)
            await past.pause()
            await past.resume()
            self.assertEqual([each.value async for each in past], [3.0])
            with self.assertRaises(InvalidArgument):
                await past.seek(2.5)
            await past.close()

        self.with_asyncio(work)

    def test_that_ends_for_asyncio_raises_why(self):
        async def work(client):
            async with client.replay(self.begin, self.end, paused=True) as past:
                await past.read()
                await asyncio.to_thread(self.site.cli, "replay", "stop", past.status.id,
                                        check=True)
                for _ in range(2):  # also when it is asked again
                    with self.assertRaises(NotFound):
                        async for _ in past:
                            pass

        self.with_asyncio(work)


if __name__ == "__main__":
    unittest.main()
